use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
};

use super::{Batch, Pair, sum_below};
use crate::runner::Subject;

/// Gives the same block to everyone, for one thread.
struct OneBlock(UnsafeCell<[u64; 8]>);

// SAFETY: the tests that use it have one thread.
unsafe impl Sync for OneBlock {}

// SAFETY: it breaks the promise that live blocks are apart; that is what the test is about, and
// the block is only used for numbers.
unsafe impl GlobalAlloc for OneBlock {
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        self.0.get().cast()
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}

fn one_block() -> OneBlock {
    OneBlock(UnsafeCell::new([0; 8]))
}

#[test]
fn sound_allocators_pass() {
    for operations in [0, 1, 63, 64, 65, 1_000] {
        Pair::SYSTEM.run(operations);
        Pair::WRAPPED.run(operations);
        Batch::SYSTEM.run(operations);
        Batch::WRAPPED.run(operations);
    }
    assert_eq!((sum_below(0), sum_below(1), sum_below(5)), (0, 0, 10));
}

#[test]
fn one_block_serves_one_at_a_time() {
    Pair {
        name: "one block",
        allocator: one_block(),
    }
    .run(100);
}

#[test]
#[should_panic(expected = "a block lost what was written to it")]
fn overlapping_blocks_are_caught() {
    Batch {
        name: "one block",
        allocator: one_block(),
    }
    .run(100);
}
