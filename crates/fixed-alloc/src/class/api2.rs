//! `Allocator` of `allocator-api2` 0.2.

use core::alloc::Layout;
use core::ptr::NonNull;

use allocator_api2::alloc::{AllocError, Allocator};

use super::alloc::ClassAlloc;
use super::handle::ClassHandle;
use super::sizes::{Home, home};

/// What a layout of size zero gets.
#[inline]
fn nothing(layout: Layout) -> NonNull<[u8]> {
    let dangling = core::ptr::without_provenance_mut(layout.align());
    NonNull::slice_from_raw_parts(NonNull::new(dangling).unwrap_or(NonNull::dangling()), 0)
}

impl<A: Allocator> ClassAlloc<A> {
    #[inline]
    fn allocate_any(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        match home(layout) {
            Home::Class(class) => self.take(class).map_err(|_| AllocError),
            Home::Nothing => Ok(nothing(layout)),
            Home::Fallback => self.fallback.allocate(layout),
        }
    }

    #[inline]
    fn allocate_any_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if home(layout) == Home::Fallback {
            return self.fallback.allocate_zeroed(layout);
        }
        let block = self.allocate_any(layout)?;
        // SAFETY: valid and exclusive: a new block, of this length.
        unsafe { block.cast::<u8>().write_bytes(0, block.len()) };
        Ok(block)
    }

    /// # Safety
    ///
    /// As `Allocator::deallocate`.
    #[inline]
    unsafe fn deallocate_any(&self, block: NonNull<u8>, layout: Layout) {
        match home(layout) {
            // SAFETY: the layout fits the block, so the block is from this class: `sizes`, invariant 1.
            Home::Class(class) => unsafe { self.give(class, block) },
            Home::Nothing => {}
            // SAFETY: passed on; a layout that fits has the same home.
            Home::Fallback => unsafe { self.fallback.deallocate(block, layout) },
        }
    }

    /// Copies what both layouts have room for to a new block, and gives the old one back.
    ///
    /// # Safety
    ///
    /// `block` is as `Allocator::grow` wants it; `new_block` is new, of the layout `new`.
    unsafe fn relocate(
        &self,
        (block, old): (NonNull<u8>, Layout),
        (new_block, new): (NonNull<[u8]>, Layout),
    ) -> NonNull<[u8]> {
        let bytes = old.size().min(new.size());
        // SAFETY: valid for so many bytes by their layouts. They do not overlap: one is new.
        unsafe { block.copy_to_nonoverlapping(new_block.cast(), bytes) };
        // SAFETY: passed on from the caller; it is not used any more.
        unsafe { self.deallocate_any(block, old) };
        new_block
    }

    /// # Safety
    ///
    /// As `Allocator::grow`.
    #[inline]
    unsafe fn grow_any(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        match (home(old), home(new)) {
            (Home::Class(class), Home::Class(same)) if class == same => {
                Ok(NonNull::slice_from_raw_parts(block, class.size()))
            }
            // SAFETY: passed on; the block is of the fallback.
            (Home::Fallback, Home::Fallback) => unsafe { self.fallback.grow(block, old, new) },
            _ => {
                let new_block = self.allocate_any(new)?;
                // SAFETY: passed on; the new block is from the line above.
                Ok(unsafe { self.relocate((block, old), (new_block, new)) })
            }
        }
    }

    /// # Safety
    ///
    /// As `Allocator::grow_zeroed`.
    #[inline]
    unsafe fn grow_any_zeroed(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        match (home(old), home(new)) {
            (Home::Class(class), Home::Class(same)) if class == same => {
                // SAFETY: in bounds: the old size is at most that of the block.
                let rest = unsafe { block.add(old.size()) };
                // SAFETY: valid and exclusive: the rest of a block that is the caller's.
                unsafe { rest.write_bytes(0, class.size() - old.size()) };
                Ok(NonNull::slice_from_raw_parts(block, class.size()))
            }
            // SAFETY: passed on; the block is of the fallback.
            (Home::Fallback, Home::Fallback) => unsafe {
                self.fallback.grow_zeroed(block, old, new)
            },
            _ => {
                let new_block = self.allocate_any_zeroed(new)?;
                // SAFETY: passed on; the new block is from the line above.
                Ok(unsafe { self.relocate((block, old), (new_block, new)) })
            }
        }
    }

    /// # Safety
    ///
    /// As `Allocator::shrink`.
    #[inline]
    unsafe fn shrink_any(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        match (home(old), home(new)) {
            (Home::Class(class), Home::Class(same)) if class == same => {
                Ok(NonNull::slice_from_raw_parts(block, class.size()))
            }
            // SAFETY: passed on; the block is of the fallback.
            (Home::Fallback, Home::Fallback) => unsafe { self.fallback.shrink(block, old, new) },
            // A block of a larger class cannot stay: the next call will know the new layout only.
            _ => {
                let new_block = match home(new) {
                    Home::Class(class) if class.size() < old.size() => {
                        self.take_smaller(class).map_err(|_| AllocError)?
                    }
                    _ => self.allocate_any(new)?,
                };
                // SAFETY: passed on; the new block is from the line above.
                Ok(unsafe { self.relocate((block, old), (new_block, new)) })
            }
        }
    }
}

macro_rules! allocator {
    ($($ty:ty: $reason:literal;)+) => {$(
        // SAFETY: a block stays where it is and nobody else has it until it is deallocated; what is
        // from the fallback is as good as that. Moving this moves a pointer, and
        #[doc = $reason]
        unsafe impl<A: Allocator> Allocator for $ty {
            #[inline]
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                self.allocate_any(layout)
            }

            #[inline]
            fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                self.allocate_any_zeroed(layout)
            }

            #[inline]
            unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
                // SAFETY: passed on from the caller.
                unsafe { self.deallocate_any(block, layout) };
            }

            #[inline]
            unsafe fn grow(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: passed on from the caller.
                unsafe { self.grow_any(block, old, new) }
            }

            #[inline]
            unsafe fn grow_zeroed(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: passed on from the caller.
                unsafe { self.grow_any_zeroed(block, old, new) }
            }

            #[inline]
            unsafe fn shrink(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: passed on from the caller.
                unsafe { self.shrink_any(block, old, new) }
            }
        }
    )+};
}

allocator! {
    &ClassAlloc<A>: "copies of a reference are references to the same classes and fallback.";
    ClassHandle<A>: "clones share the classes and the fallback, which live as long as a handle does.";
}
