//! The closure of `unsize` can return nothing but what it was given: no other reference, no part of
//! the value, no other type.

use std::any::Any;
use thrifty_fixed_alloc::{Branded, Slab, SlabBox, unsize};

fn main() {
    let slab = Slab::new();
    let _ = SlabBox::unsize::<dyn Any, _>(slab.insert([1_u64]), |_| Box::leak(Box::new([1_u64])));
    let _ = SlabBox::unsize::<u64, _>(slab.insert([1_u64]), |it| &mut it.value[0]);
    let _ = unsize!(slab.insert([1_u64]) => [u8; 8]);
    let _ = SlabBox::unsize::<dyn Any, _>(slab.insert([1_u64]), |_| Branded {});
}
