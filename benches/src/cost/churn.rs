//! The loops that are timed: blocks of 64 bytes, taken, written, read and given back.

use core::{
    alloc::{GlobalAlloc, Layout},
    hint::black_box,
};
use std::alloc::{System, handle_alloc_error};

use thrifty_memstats::Alloc;

use crate::runner::Subject;

/// One block at a time.
pub(super) struct Pair<A: 'static> {
    name: &'static str,
    allocator: A,
}

/// [`LIVE`] blocks are taken, then all of them are given back.
pub(super) struct Batch<A: 'static> {
    name: &'static str,
    allocator: A,
}

impl Pair<System> {
    pub(super) const SYSTEM: Self = Self {
        name: "system",
        allocator: System,
    };
    pub(super) const SYSTEM_AGAIN: Self = Self {
        name: "system again",
        allocator: System,
    };
}

impl Pair<Alloc<System>> {
    pub(super) const WRAPPED: Self = Self {
        name: "wrapped",
        allocator: Alloc::new(System),
    };
}

impl Batch<System> {
    pub(super) const SYSTEM: Self = Self {
        name: "system",
        allocator: System,
    };
    pub(super) const SYSTEM_AGAIN: Self = Self {
        name: "system again",
        allocator: System,
    };
}

impl Batch<Alloc<System>> {
    pub(super) const WRAPPED: Self = Self {
        name: "wrapped",
        allocator: Alloc::new(System),
    };
}

impl<A: GlobalAlloc + Sync> Subject for Pair<A> {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&self, operations: u64) {
        let mut sum = 0_u64;
        for number in 0..operations {
            let block = Block::new(&self.allocator, number);
            sum = sum.wrapping_add(block.number());
        }
        assert_eq!(
            sum,
            sum_below(operations),
            "a block lost what was written to it"
        );
    }
}

impl<A: GlobalAlloc + Sync> Subject for Batch<A> {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&self, operations: u64) {
        let mut sum = 0_u64;
        for first in (0..operations).step_by(LIVE) {
            let blocks: [Block<'_, A>; LIVE] =
                core::array::from_fn(|index| Block::new(&self.allocator, first + index as u64));
            // All are read while all live: blocks that overlap would have overwritten each
            // other.
            for block in &blocks {
                sum = sum.wrapping_add(block.number());
            }
        }
        let operations = operations.next_multiple_of(LIVE as u64);
        assert_eq!(
            sum,
            sum_below(operations),
            "a block lost what was written to it"
        );
    }
}

/// How many blocks of a batch live at once.
const LIVE: usize = 64;

const LAYOUT: Layout = match Layout::from_size_align(64, 8) {
    Ok(layout) => layout,
    Err(_) => panic!("64 bytes are a layout"),
};

/// The sum of the numbers below `count`, modulo 2^64 as the loops add.
const fn sum_below(count: u64) -> u64 {
    let (half, other) = if count % 2 == 0 {
        (count / 2, count.wrapping_sub(1))
    } else {
        (count / 2, count)
    };
    half.wrapping_mul(other)
}

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

#[cfg(test)]
mod tests;
