//! `Allocator` of `allocator-api2` 0.2, for shared references to shared arenas and their handles.
//!
//! What grows moves, and what it leaves is lost until the reset: reserve what is needed.

use core::{alloc::Layout, ptr::NonNull};

use allocator_api2::alloc::{AllocError, Allocator};

use super::{LocalArena, SharedArena, methods::Take};

macro_rules! allocator {
    ($arena:ty) => {
        // SAFETY:
        // - a block is in use until the shared arena is reset or dropped, for which no shared reference to it may be
        //   left, and this allocator is one, or one to a handle that has one;
        // - copies of the reference are the same allocator, and moving one moves no memory;
        // - nothing is given back before the reset, so that any of them may be asked to.
        unsafe impl Allocator for $arena {
            #[inline]
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                match Take::take(*self, layout.size(), layout.align()) {
                    Ok(start) => Ok(NonNull::slice_from_raw_parts(start, layout.size())),
                    Err(_) => Err(AllocError),
                }
            }

            #[inline]
            unsafe fn deallocate(&self, _start: NonNull<u8>, _layout: Layout) {}

            #[inline]
            unsafe fn shrink(
                &self,
                start: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                debug_assert!(new.size() <= old.size(), "to shrink is not to grow");
                if start.addr().get() & (new.align() - 1) == 0 {
                    return Ok(NonNull::slice_from_raw_parts(start, new.size()));
                }
                let moved = self.allocate(new)?;
                // SAFETY: the old block has more bytes than the new one, which nobody has.
                unsafe { start.copy_to_nonoverlapping(moved.cast(), new.size()) };
                Ok(moved)
            }
        }
    };
}

allocator!(&SharedArena);
allocator!(&LocalArena<'_>);
