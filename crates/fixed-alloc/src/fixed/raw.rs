//! Raw blocks, for those who build on memory.

use core::ptr::NonNull;

use thrifty_traits::AllocError;

use super::FixedAlloc;
use crate::lend;

impl FixedAlloc {
    /// A block, of [`block_bytes`](Self::block_bytes) bytes that are not initialised.
    ///
    /// It is the caller's until [freed](Self::free), also after the allocator is dropped; one that
    /// never is keeps the allocator's memory for good.
    ///
    /// # Errors
    ///
    /// `max_blocks` are in use or `max_bytes` would be exceeded, and no block is idle where this thread
    /// can reach it; or there is no memory for another slab. Nothing has changed then.
    ///
    /// # Panics
    ///
    /// In a hardened allocator, when the block was written to after it was freed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use thrifty_fixed_alloc::FixedAlloc;
    ///
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// let block = blocks.try_alloc()?;
    /// assert_eq!(block.len(), 8);
    /// // SAFETY: a block of this allocator, which nobody uses any more.
    /// unsafe { blocks.free(block.cast()) };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn try_alloc(&self) -> Result<NonNull<[u8]>, AllocError> {
        match lend::take(&self.engine) {
            Ok(block) => Ok(self.whole(block)),
            Err(error) => Err(error),
        }
    }

    /// A block, all of its bytes zero.
    ///
    /// # Errors
    ///
    /// As [`try_alloc`](Self::try_alloc).
    ///
    /// # Panics
    ///
    /// As [`try_alloc`](Self::try_alloc).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// let block = blocks.try_alloc_zeroed()?.cast::<u64>();
    /// // SAFETY: valid for a `u64`, and zero is one.
    /// assert_eq!(unsafe { block.read() }, 0);
    /// // SAFETY: a block of this allocator, which nobody uses any more.
    /// unsafe { blocks.free(block.cast()) };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn try_alloc_zeroed(&self) -> Result<NonNull<[u8]>, AllocError> {
        let block = self.try_alloc()?;
        // SAFETY: valid and exclusive: a block that nobody else has, of this length.
        unsafe { block.cast::<u8>().write_bytes(0, block.len()) };
        Ok(block)
    }

    /// Gives a block back, on whatever thread.
    ///
    /// # Panics
    ///
    /// In a hardened allocator, when the pointer is no block that is in use. Nothing has changed
    /// then. While the thread is unwinding there is no second panic, which would abort; the free is
    /// ignored, and counted in [`Stats::faults`](crate::Stats::faults).
    ///
    /// # Safety
    ///
    /// `block` is the start of a block of this allocator that the caller has, and that nobody uses
    /// any more. A hardened allocator checks the first, as long as its slab is there.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// let block = blocks.try_alloc()?;
    /// // SAFETY: a block of this allocator, which nobody uses any more.
    /// unsafe { blocks.free(block.cast()) };
    /// assert_eq!(blocks.stats().in_use, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub unsafe fn free(&self, block: NonNull<u8>) {
        // SAFETY: the caller has the block, and with it its lease.
        unsafe { lend::give(self.engine.shared(), block) };
    }

    /// Whether a block begins here that is in use, or idle in a magazine. For diagnostics: it takes a
    /// lock.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use std::ptr::NonNull;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// let block = blocks.get();
    /// assert!(blocks.contains(NonNull::from(&block[0])));
    /// assert!(!blocks.contains(NonNull::from(&block[1])));
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn contains(&self, block: NonNull<u8>) -> bool {
        self.engine.supplier().has_block(block.addr().get())
    }

    /// A block from this thread's cache, for those who have a slow path of their own.
    #[cfg(feature = "allocator-api2-02")]
    #[inline]
    pub(crate) fn take_hit(&self) -> Option<NonNull<u8>> {
        lend::take_hit(&self.engine)
    }

    /// A block for which the limit in bytes may be exceeded.
    #[cfg(feature = "allocator-api2-02")]
    pub(crate) fn take_beyond(&self) -> Result<NonNull<[u8]>, AllocError> {
        lend::take_beyond(&self.engine).map(|block| self.whole(block))
    }

    /// A block with its length.
    #[inline]
    pub(crate) fn whole(&self, block: NonNull<u8>) -> NonNull<[u8]> {
        NonNull::slice_from_raw_parts(block, self.block_bytes())
    }
}
