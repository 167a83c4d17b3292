//! The limit, and every call of the global allocator.

use alloc::alloc;
use core::alloc::Layout;
use core::ptr::NonNull;

use thrifty_sync::{atomic::AtomicUsize, ord};

use crate::InternError;

/// Counts what is taken from the allocator, and refuses what would exceed the limit.
#[derive(Debug)]
pub(crate) struct Budget {
    reserved: AtomicUsize,
    limit: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            reserved: AtomicUsize::new(0),
            limit,
        }
    }

    /// Bytes taken from the allocator.
    pub(crate) fn reserved(&self) -> usize {
        // ORDERING(interner.reserved): Relaxed; a figure, which orders nothing.
        self.reserved.load(ord!(interner.reserved, Relaxed))
    }

    /// Bytes that may still be taken.
    pub(crate) fn left(&self) -> usize {
        self.limit.saturating_sub(self.reserved())
    }

    /// Counts bytes that something else takes.
    pub(crate) fn charge(&self, bytes: usize) -> Result<(), InternError> {
        // ORDERING(interner.charge): Relaxed; the count itself is what must not exceed the limit, and a
        // read-modify-write always works on the last value.
        let charged = self.reserved.fetch_update(
            ord!(interner.charge, Relaxed),
            ord!(interner.charge, Relaxed),
            |reserved| reserved.checked_add(bytes).filter(|sum| *sum <= self.limit),
        );
        match charged {
            Ok(_) => Ok(()),
            Err(_) => Err(InternError::MemoryLimit {
                limit_bytes: self.limit,
            }),
        }
    }

    /// Counts bytes that were given back.
    pub(crate) fn refund(&self, bytes: usize) {
        // ORDERING(interner.charge): Relaxed; see `charge`.
        self.reserved
            .fetch_sub(bytes, ord!(interner.charge, Relaxed));
    }

    /// Refuses what would not fit at present, before anything of it is allocated.
    pub(crate) fn expect_room(&self, bytes: usize) -> Result<(), InternError> {
        match self.reserved().checked_add(bytes) {
            Some(sum) if sum <= self.limit => Ok(()),
            _ => Err(InternError::MemoryLimit {
                limit_bytes: self.limit,
            }),
        }
    }

    /// A zeroed block.
    pub(crate) fn allocate(&self, layout: Layout) -> Result<NonNull<u8>, InternError> {
        debug_assert!(layout.size() != 0, "asked for nothing");
        self.charge(layout.size())?;
        // SAFETY: no caller asks for zero bytes, checked above in debug builds.
        let block = unsafe { alloc::alloc_zeroed(layout) };
        NonNull::new(block).ok_or_else(|| {
            self.refund(layout.size());
            InternError::Backend {
                size_bytes: layout.size(),
            }
        })
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// `block` is from [`allocate`](Self::allocate) of this budget with this layout, and nobody uses it.
    pub(crate) unsafe fn free(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: from the same allocator with the same layout, says the caller.
        unsafe { alloc::dealloc(block.as_ptr(), layout) };
        self.refund(layout.size());
    }
}
