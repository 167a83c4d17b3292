//! The slab layer as the supplier of an engine: what becomes of blocks that the engine lets go.

use core::ptr::NonNull;

use thrifty_magazine::Supplier;

use crate::slab::Backing;
use crate::slabs::Slabs;

// SAFETY: rounds are blocks of this layer, raw memory that is bound to no thread. Giving them back
// takes a lock, calls no user code but the backing allocator's, and uses no thread-local.
unsafe impl<B: Backing + Send + Sync + 'static> Supplier for Slabs<B> {
    unsafe fn destroy(&self, rounds: &[NonNull<()>]) {
        // SAFETY: passed on: the rounds are blocks of this layer and are handed over.
        unsafe { self.give(rounds) };
    }

    fn closed(&self) {
        self.close();
    }

    unsafe fn weigh(&self, rounds: &[NonNull<()>]) -> usize {
        rounds.len().saturating_mul(self.shape.size)
    }
}
