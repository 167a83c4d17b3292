//! `Allocator` of `allocator-api2` 0.2.
//!
//! Whatever fits into a block gets one, with the block's whole length: a hash table makes use of
//! what it did not ask for. So growing and shrinking within a block moves nothing. What does not
//! fit is refused; there is no allocator to fall back on here.

use core::alloc::Layout;
use core::ptr::NonNull;

use allocator_api2::alloc::{AllocError, Allocator};

use crate::fixed::{FixedAlloc, FixedHandle};

impl FixedAlloc {
    #[inline]
    fn fits(&self, layout: Layout) -> bool {
        let block = self.block_layout();
        layout.size() <= self.block_bytes() && layout.align() <= block.align()
    }

    #[inline]
    fn allocate_fitting(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if layout.size() == 0 {
            return Ok(nothing(layout));
        }
        if !self.fits(layout) {
            return Err(AllocError);
        }
        self.try_alloc().map_err(|_| AllocError)
    }

    /// # Safety
    ///
    /// As `Allocator::deallocate`.
    #[inline]
    unsafe fn deallocate_fitting(&self, block: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            debug_assert!(self.fits(layout), "not the layout of a block");
            // SAFETY: a layout of a size above zero was given a block, which the caller hands over.
            unsafe { self.free(block) };
        }
    }

    /// # Safety
    ///
    /// As `Allocator::grow`.
    #[inline]
    unsafe fn grow_fitting(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        if old.size() == 0 {
            return self.allocate_fitting(new);
        }
        if !self.fits(new) {
            return Err(AllocError);
        }
        Ok(self.whole(block))
    }

    /// # Safety
    ///
    /// As `Allocator::shrink`.
    #[inline]
    unsafe fn shrink_fitting(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        if new.size() == 0 {
            // The next call will not know that there was a block.
            // SAFETY: passed on: from here on nothing of the block is used.
            unsafe { self.deallocate_fitting(block, old) };
            return Ok(nothing(new));
        }
        if !self.fits(new) {
            return Err(AllocError);
        }
        Ok(self.whole(block))
    }
}

/// What a layout of size zero gets.
#[inline]
fn nothing(layout: Layout) -> NonNull<[u8]> {
    let dangling = core::ptr::without_provenance_mut(layout.align());
    NonNull::slice_from_raw_parts(NonNull::new(dangling).unwrap_or(NonNull::dangling()), 0)
}

macro_rules! allocator {
    ($($ty:ty)+) => {$(
        // SAFETY: a block stays where it is, and nobody else has it, until it is deallocated; the
        // engine lives as long as a block of it. Moving the allocator moves a pointer to the
        // engine; copies of a reference, and clones of a handle, lead to the same engine.
        unsafe impl Allocator for $ty {
            #[inline]
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                self.allocate_fitting(layout)
            }

            #[inline]
            fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                let block = self.allocate_fitting(layout)?;
                // SAFETY: valid and exclusive: a new block, of this length.
                unsafe { block.cast::<u8>().write_bytes(0, block.len()) };
                Ok(block)
            }

            #[inline]
            unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
                // SAFETY: passed on from the caller.
                unsafe { self.deallocate_fitting(block, layout) };
            }

            #[inline]
            unsafe fn grow(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: passed on from the caller.
                unsafe { self.grow_fitting(block, old, new) }
            }

            #[inline]
            unsafe fn grow_zeroed(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: passed on from the caller.
                let grown = unsafe { self.grow_fitting(block, old, new) }?;
                // SAFETY: in bounds: the old size is at most that of the block.
                let rest = unsafe { grown.cast::<u8>().add(old.size()) };
                // SAFETY: valid and exclusive: the rest of a block that is the caller's.
                unsafe { rest.write_bytes(0, grown.len() - old.size()) };
                Ok(grown)
            }

            #[inline]
            unsafe fn shrink(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: passed on from the caller.
                unsafe { self.shrink_fitting(block, old, new) }
            }
        }
    )+};
}

allocator! { &FixedAlloc FixedHandle }
