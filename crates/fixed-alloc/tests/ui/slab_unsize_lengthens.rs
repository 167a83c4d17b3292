//! A trait object in a box lives no longer than what it borrows.

use thrifty_fixed_alloc::{Slab, SlabBox, unsize};

fn long(text: &str) -> SlabBox<dyn Fn() -> usize + 'static> {
    unsize!(Slab::new().insert(move || text.len()) => dyn Fn() -> usize + 'static)
}

fn main() {
    println!("{}", long("text")());
}
