//! The closure of `unsize` cannot return the value of another box, nor keep what it was given.

use std::any::Any;
use thrifty_fixed_alloc::{Branded, Slab, SlabBox};

fn swaps(one: SlabBox<u64>, two: SlabBox<u64>) {
    let _ = SlabBox::unsize::<dyn Any, _>(one, |outer| {
        let _ = SlabBox::unsize::<dyn Any, _>(two, |_| outer);
        panic!()
    });
}

fn keeps(one: SlabBox<u64>) {
    let mut kept: Option<&mut Branded<'_, u64>> = None;
    let _ = SlabBox::unsize::<u64, _>(one, |it| {
        kept = Some(it);
        panic!()
    });
}

fn main() {
    swaps(Slab::new().insert(1), Slab::new().insert(2));
    keeps(Slab::new().insert(1));
}
