//! Many in one call: the row `fixed-alloc/batch/1t`. Who has no such call makes one for each;
//! `thrifty-single` is ours doing so, too.

use core::{mem::MaybeUninit, ptr::NonNull};

use super::{
    blocks::{Blocks, Ours},
    roster::{Form, everyone, sane},
};
use crate::suite::{Row, Subject, Worker, opaque};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "fixed-alloc/batch/1t",
        "64 in one call and back in another, beside a call for each (thrifty-single)",
    )
    .operations(BATCH as u64)
    .oracle(|| (0..BATCH as u64).sum());
    let row = sane(everyone(row, Batch));
    let single = || Batched(Single(Ours::new()));
    vec![row.shared("thrifty-single", single).ours()]
}

/// Blocks in a call.
const BATCH: usize = 64;

#[derive(Clone, Copy)]
struct Batch;

impl Form for Batch {
    fn subject<B: Blocks>(self, blocks: B) -> impl Subject + 'static {
        Batched(blocks)
    }
}

struct Batched<B>(B);

impl<B: Blocks> Subject for Batched<B> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(self)
    }
}

impl<B: Blocks> Worker for &Batched<B> {
    /// All are written before the first is read, so that two that are one would show.
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let mut places = [MaybeUninit::uninit(); BATCH];
            self.0.alloc_all(&mut places);
            // SAFETY: `alloc_all` has written every place.
            let blocks: [NonNull<u8>; BATCH] = places.map(|place| unsafe { place.assume_init() });
            for (block, number) in blocks.iter().zip(0_u64..) {
                // SAFETY: the block has room for a number, is aligned for it, and is this loop's alone.
                unsafe { block.cast().write(number) };
            }
            for block in opaque(&blocks) {
                // SAFETY: written above.
                sum = sum.wrapping_add(unsafe { block.cast::<u64>().read() });
            }
            // SAFETY: all are from `alloc_all`, each once, and are not used below.
            unsafe { self.0.free_all(&blocks) };
        }
        sum
    }
}

/// Ours, a call for each.
struct Single(Ours);

impl Blocks for Single {
    #[inline]
    fn alloc(&self) -> NonNull<u8> {
        self.0.alloc()
    }

    #[inline]
    unsafe fn free(&self, block: NonNull<u8>) {
        // SAFETY: passed on.
        unsafe { self.0.free(block) };
    }
}
