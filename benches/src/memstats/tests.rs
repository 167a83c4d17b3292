use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
};
use std::alloc::System;

use thrifty_memstats::Alloc;

use super::{
    churn::{Batch, LIVE, Pair},
    rows,
};
use crate::suite::Subject;

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

/// The answer to 3 iterations, then to 2 more on the same worker.
fn answers(subject: &dyn Subject) -> [u64; 2] {
    let mut worker = subject.worker(0);
    [3, 2].map(|iterations| worker.run(iterations))
}

const BATCH: u64 = (LIVE as u64 - 1) * LIVE as u64 / 2;

#[test]
fn sound_allocators_answer_as_the_oracle() {
    assert_eq!(answers(&Pair(System)), [3, 2]);
    assert_eq!(answers(&Pair(Alloc::new(System))), [3, 2]);
    assert_eq!(answers(&Batch(System)), [3 * BATCH, 2 * BATCH]);
    assert_eq!(answers(&Batch(Alloc::new(System))), [3 * BATCH, 2 * BATCH]);
}

#[test]
fn overlapping_blocks_are_a_wrong_answer() {
    assert_eq!(answers(&Pair(one_block())), [3, 2], "one lives at a time");
    assert_ne!(answers(&Batch(one_block())), [3 * BATCH, 2 * BATCH]);
}

#[test]
fn every_row_answers_its_oracle_and_has_its_bars() {
    for row in rows() {
        let expected = row.expected().unwrap();
        for (name, answer) in row.answers() {
            assert_eq!(answer, expected, "{}: {name}", row.id());
        }
        assert_eq!(row.bars().len(), 2, "{}", row.id());
        assert_eq!(row.sanity().len(), 1, "{}", row.id());
    }
}
