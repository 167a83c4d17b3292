//! The bytes of an uninitialised block cannot be read by safe code.
use std::alloc::Layout;

use thrifty_fixed_alloc::FixedAlloc;

fn main() {
    let blocks = FixedAlloc::new(Layout::new::<u64>()).unwrap();
    let block = blocks.get_uninit();
    let byte: u8 = block[0];
    assert_eq!(byte, 0);
}
