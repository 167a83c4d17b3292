//! A block without a value shows none.

use thrifty_fixed_alloc::{Slab, SlabBox};

fn main() {
    let slab: Slab<String> = Slab::new();
    let place: SlabBox<String> = slab.uninit();
    println!("{place}");
}
