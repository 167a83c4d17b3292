//! `Allocator` of `allocator-api2` 0.2, for shared references to arenas.
//!
//! Not for an arena by value: a container that lends out its allocator exclusively would let safe code
//! reset the arena under the container's elements.
//!
//! Blocks come from the low end, so that the last one grows and shrinks where it is.

use core::{alloc::Layout, ptr::NonNull};

use allocator_api2::alloc::{AllocError, Allocator};

use crate::{Arena, BufArena, Scope, arena::SIDE_FROM};

// SAFETY:
// - a block is in use until it is given back: the arena frees and reuses memory at a reset or a scope's
//   end only, for which no shared reference to it may be left, and this allocator is one;
// - copies of the reference are the same allocator, and moving one moves no memory;
// - any of them may give back or resize what another one allocated: the arena does not tell them apart.
unsafe impl<const MIN_ALIGN: usize> Allocator for &Arena<MIN_ALIGN> {
    #[inline]
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        match self.take_low(layout.size(), layout.align()) {
            Ok(start) => Ok(NonNull::slice_from_raw_parts(start, layout.size())),
            Err(_) => Err(AllocError),
        }
    }

    #[inline]
    unsafe fn deallocate(&self, start: NonNull<u8>, layout: Layout) {
        // SAFETY: a block of this arena with this layout, not used again, says the caller.
        unsafe { self.give_back(start, layout.size()) };
    }

    #[inline]
    unsafe fn grow(
        &self,
        start: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        let is_aligned = start.addr().get() & (new.align() - 1) == 0;
        // SAFETY: a block of this arena with the old layout, the caller's alone.
        if is_aligned && unsafe { self.resize_last(start, old.size(), new.size()) } {
            return Ok(NonNull::slice_from_raw_parts(start, new.size()));
        }
        if is_aligned && old.size() > SIDE_FROM {
            // SAFETY: a block of this arena, the caller's alone, of less bytes or as many.
            if let Some(grown) = unsafe {
                self.store
                    .grow_beside(start, new.size(), new.align().max(old.align()))
            } {
                return Ok(NonNull::slice_from_raw_parts(grown, new.size()));
            }
        }
        let moved = self.allocate(new)?;
        // SAFETY: the old block has so many bytes, the new one at least as many, and it was free.
        unsafe { start.copy_to_nonoverlapping(moved.cast(), old.size()) };
        // SAFETY: a block of this arena with the old layout, not used again.
        unsafe { self.give_back(start, old.size()) };
        Ok(moved)
    }

    #[inline]
    unsafe fn grow_zeroed(
        &self,
        start: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the caller's contract is the same.
        let grown = unsafe { self.grow(start, old, new) }?;
        // SAFETY: within the block, or at its end.
        let tail = unsafe { grown.cast::<u8>().add(old.size()) };
        // SAFETY: so many bytes of the block are behind the old ones.
        unsafe { tail.write_bytes(0, new.size() - old.size()) };
        Ok(grown)
    }

    #[inline]
    unsafe fn shrink(
        &self,
        start: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        if start.addr().get() & (new.align() - 1) == 0 {
            // SAFETY: a block of this arena with the old layout, the caller's alone, who gives up what
            // is beyond the new size.
            unsafe { self.resize_last(start, old.size(), new.size()) };
            return Ok(NonNull::slice_from_raw_parts(start, new.size()));
        }
        let moved = self.allocate(new)?;
        // SAFETY: the old block has more bytes than the new one, which was free.
        unsafe { start.copy_to_nonoverlapping(moved.cast(), new.size()) };
        Ok(moved)
    }
}

macro_rules! as_the_arena {
    ($(($($generics:tt)*) $type:ty;)+) => { $(
        // SAFETY: passes everything on to the arena inside, which is borrowed for as long as this
        // reference, and so is neither reset nor in another scope; copies of it are the same allocator.
        unsafe impl<$($generics)*> Allocator for $type {
            #[inline]
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                (&***self).allocate(layout)
            }

            #[inline]
            unsafe fn deallocate(&self, start: NonNull<u8>, layout: Layout) {
                // SAFETY: the caller's contract is the same.
                unsafe { (&***self).deallocate(start, layout) }
            }

            #[inline]
            unsafe fn grow(&self, start: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's contract is the same.
                unsafe { (&***self).grow(start, old, new) }
            }

            #[inline]
            unsafe fn grow_zeroed(&self, start: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's contract is the same.
                unsafe { (&***self).grow_zeroed(start, old, new) }
            }

            #[inline]
            unsafe fn shrink(&self, start: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's contract is the same.
                unsafe { (&***self).shrink(start, old, new) }
            }
        }
    )+ };
}

as_the_arena! {
    ('s, const MIN_ALIGN: usize) &Scope<'s, MIN_ALIGN>;
    ('b, const MIN_ALIGN: usize) &BufArena<'b, MIN_ALIGN>;
}
