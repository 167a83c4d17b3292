//! The loops that are timed: blocks of 64 bytes, taken, written, read and given back.

use core::{
    alloc::{GlobalAlloc, Layout},
    hint::black_box,
};
use std::alloc::handle_alloc_error;

use crate::suite::{Subject, Worker};

/// One block at a time.
pub(super) struct Pair<A>(pub(super) A);

/// [`LIVE`] blocks are taken, then all of them are given back.
pub(super) struct Batch<A>(pub(super) A);

/// How many blocks of a batch live at once.
pub(super) const LIVE: usize = 64;

impl<A: GlobalAlloc + Sync> Subject for Pair<A> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(PairWorker {
            allocator: &self.0,
            next: 0,
        })
    }
}

impl<A: GlobalAlloc + Sync> Subject for Batch<A> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(BatchWorker {
            allocator: &self.0,
            next: 0,
        })
    }
}

struct PairWorker<'a, A> {
    allocator: &'a A,
    next: u64,
}

impl<A: GlobalAlloc> Worker for PairWorker<'_, A> {
    /// Each pair answers 1 if its block gave back the number that was written, and numbers do not
    /// repeat: what an earlier pair left in the block is a wrong answer.
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let block = Block::new(self.allocator, self.next);
            sum = sum.wrapping_add(block.number().wrapping_sub(self.next).wrapping_add(1));
            self.next = self.next.wrapping_add(1);
        }
        sum
    }
}

struct BatchWorker<'a, A> {
    allocator: &'a A,
    next: u64,
}

impl<A: GlobalAlloc> Worker for BatchWorker<'_, A> {
    /// The numbers of a batch count up from a number that no earlier batch had; the answer is
    /// their sum above it.
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let first = self.next;
            let blocks: [Block<'_, A>; LIVE] =
                core::array::from_fn(|index| Block::new(self.allocator, first + index as u64));
            // All are read while all live: blocks that overlap would have overwritten each
            // other.
            for block in &blocks {
                sum = sum.wrapping_add(block.number().wrapping_sub(first));
            }
            self.next = first.wrapping_add(LIVE as u64);
        }
        sum
    }
}

const LAYOUT: Layout = match Layout::from_size_align(64, 8) {
    Ok(layout) => layout,
    Err(_) => panic!("64 bytes are a layout"),
};

/// A block that holds a number in its first bytes.
struct Block<'a, A: GlobalAlloc> {
    allocator: &'a A,
    start: *mut u64,
}

impl<'a, A: GlobalAlloc> Block<'a, A> {
    #[inline]
    fn new(allocator: &'a A, number: u64) -> Self {
        // SAFETY: the layout's size is not zero.
        let start = black_box(unsafe { allocator.alloc(LAYOUT) });
        if start.is_null() {
            handle_alloc_error(LAYOUT);
        }
        #[expect(
            clippy::cast_ptr_alignment,
            reason = "the layout asks for this alignment"
        )]
        let start = start.cast::<u64>();
        // SAFETY: the block has 64 bytes, is aligned for a u64, and is this value's alone.
        unsafe { start.write(number) };
        Self { allocator, start }
    }

    #[inline]
    fn number(&self) -> u64 {
        // SAFETY: `new` wrote a u64 there, and the block lives as long as `self`.
        unsafe { black_box(self.start).read() }
    }
}

impl<A: GlobalAlloc> Drop for Block<'_, A> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the block came from this allocator with this layout, and is freed once.
        unsafe { self.allocator.dealloc(self.start.cast(), LAYOUT) };
    }
}
