//! Raw blocks by the dozen.

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use super::FixedAlloc;
use crate::lend;

impl FixedAlloc {
    /// Takes as many blocks as there are places, from the first place on; answers with how many,
    /// which are fewer only where [`try_alloc`](Self::try_alloc) would fail.
    ///
    /// # Panics
    ///
    /// As [`try_alloc`](Self::try_alloc); the blocks taken before are given back.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use std::mem::MaybeUninit;
    /// use std::ptr::NonNull;
    /// use thrifty_fixed_alloc::FixedAlloc;
    ///
    /// let blocks = FixedAlloc::builder(Layout::new::<u64>()).max_blocks(100).build()?;
    /// let mut places = [const { MaybeUninit::uninit() }; 200];
    /// let taken = blocks.try_alloc_batch(&mut places);
    /// assert_eq!(taken, 100);
    /// // SAFETY: the first places were written.
    /// let taken: Vec<NonNull<u8>> = places[..taken].iter().map(|place| unsafe { place.assume_init() }).collect();
    /// // SAFETY: blocks of this allocator, which nobody uses any more.
    /// unsafe { blocks.free_batch(&taken) };
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn try_alloc_batch(&self, places: &mut [MaybeUninit<NonNull<u8>>]) -> usize {
        lend::take_many(&self.engine, places)
    }

    /// Gives blocks back, on whatever thread.
    ///
    /// # Panics
    ///
    /// As [`free`](Self::free), at the first that is wrong; those after it are not freed.
    ///
    /// # Safety
    ///
    /// Each is as [`free`](Self::free) wants it, and none is there twice.
    ///
    /// # Examples
    ///
    /// [`try_alloc_batch`](Self::try_alloc_batch) has one.
    pub unsafe fn free_batch(&self, blocks: &[NonNull<u8>]) {
        for &block in blocks {
            // SAFETY: the caller's promise for each.
            unsafe { self.free(block) };
        }
    }
}
