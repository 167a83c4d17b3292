//! Memory of the sampler's own, past the allocator that it watches.

use core::ops::Deref;

/// What is in order when all its bytes are zero.
///
/// # Safety
///
/// All-zero bytes are a valid value, and dropping one does nothing.
pub(crate) unsafe trait Zeroed: Default {}

// SAFETY: an atomic has the layout of its number.
unsafe impl Zeroed for thrifty_sync::atomic::AtomicU32 {}
// SAFETY: an atomic has the layout of its number.
unsafe impl Zeroed for thrifty_sync::atomic::AtomicU64 {}
// SAFETY: an atomic has the layout of its number.
unsafe impl Zeroed for thrifty_sync::atomic::AtomicUsize {}
// SAFETY: a transparent array of atomics.
unsafe impl Zeroed for super::table::Record {}
// SAFETY: atomics, and arrays of them.
unsafe impl Zeroed for super::sums::SiteSums {}
// SAFETY: atomics, and arrays of them.
unsafe impl Zeroed for super::sums::BucketSums {}
// SAFETY: a transparent array of atomics.
unsafe impl Zeroed for super::prints::Prints {}

/// A slice of zeroed things, from the system: its pages become resident where they are written.
#[derive(Debug)]
pub(crate) struct Block<T: Zeroed> {
    #[cfg(not(all(thrifty_loom, feature = "loom")))]
    items: real::Raw<T>,
    #[cfg(all(thrifty_loom, feature = "loom"))]
    items: Box<[T]>,
}

impl<T: Zeroed> Block<T> {
    /// `len` of them; `None` when the system has no memory.
    pub(crate) fn new(len: usize) -> Option<Self> {
        #[cfg(not(all(thrifty_loom, feature = "loom")))]
        let items = real::Raw::new(len)?;
        #[cfg(all(thrifty_loom, feature = "loom"))]
        let items = (0..len).map(|_| T::default()).collect();
        Some(Self { items })
    }

    /// Bytes reserved.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val::<[T]>(self)
    }
}

impl<T: Zeroed> Deref for Block<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod real {
    use core::alloc::{GlobalAlloc, Layout};
    use core::ops::Deref;
    use core::ptr::NonNull;
    use std::alloc::System;

    use super::Zeroed;

    /// # Invariants
    ///
    /// 1. `start` is a block of `System` for `len` items, all valid, for as long as this lives.
    #[derive(Debug)]
    pub(super) struct Raw<T> {
        start: NonNull<T>,
        len: usize,
    }

    // SAFETY: owns its items like a `Box<[T]>`, which is `Send` where `T` is.
    unsafe impl<T: Send> Send for Raw<T> {}
    // SAFETY: hands out shared references only, like a `Box<[T]>`, which is `Sync` where `T` is.
    unsafe impl<T: Sync> Sync for Raw<T> {}

    impl<T: Zeroed> Raw<T> {
        pub(super) fn new(len: usize) -> Option<Self> {
            let layout = Layout::array::<T>(len)
                .ok()
                .filter(|layout| layout.size() > 0)?;
            // SAFETY: the layout is not of size zero.
            let start = unsafe { System.alloc_zeroed(layout) };
            // INVARIANT: 1 — zeroed bytes are valid items, by `Zeroed`.
            Some(Self {
                start: NonNull::new(start)?.cast(),
                len,
            })
        }
    }

    impl<T> Deref for Raw<T> {
        type Target = [T];

        fn deref(&self) -> &[T] {
            // SAFETY:
            // - valid: invariant 1, for as long as `self` is borrowed;
            // - shared: the items are reached through such slices only.
            unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
        }
    }

    impl<T> Drop for Raw<T> {
        fn drop(&mut self) {
            let Ok(layout) = Layout::array::<T>(self.len) else {
                return;
            };
            // SAFETY: owned: invariant 1; the layout is the one it was allocated with. The items
            // need no drop, by `Zeroed`.
            unsafe { System.dealloc(self.start.as_ptr().cast(), layout) };
        }
    }
}
