//! A box on a `&FixedAlloc` must not outlive it.
use std::alloc::Layout;

use allocator_api2::boxed::Box;
use thrifty_fixed_alloc::FixedAlloc;

fn main() {
    let boxed = {
        let blocks = FixedAlloc::new(Layout::new::<u64>()).unwrap();
        Box::new_in(1_u64, &blocks)
    };
    assert_eq!(*boxed, 1);
}
