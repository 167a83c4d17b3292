//! The elements of a vector, by value.

use core::{
    fmt, iter::FusedIterator, marker::PhantomData, mem::ManuallyDrop, ptr, ptr::NonNull, slice,
};

use super::ArenaVec;
use crate::Arena;

/// The elements of an [`ArenaVec`], by value.
///
/// When it is dropped, the vector's room is given back, if nothing came after it.
///
/// # Examples
///
/// ```
/// # use thrifty_arena::{Arena, ArenaVec};
/// let arena = Arena::new();
/// let mut vec = ArenaVec::new_in(&arena);
/// vec.extend([1, 2, 3]);
/// assert!(vec.into_iter().rev().eq([3, 2, 1]));
/// ```
pub struct IntoIter<'a, T, const MIN_ALIGN: usize = 8> {
    /// # Invariants
    ///
    /// 1. `start` and `capacity` are a vector's room in the arena.
    /// 2. The elements from `at` to `end` are initialised, and owned.
    start: NonNull<T>,
    capacity: usize,
    at: usize,
    end: usize,
    arena: &'a Arena<MIN_ALIGN>,
    owns: PhantomData<T>,
}

impl<'a, T, const MIN_ALIGN: usize> IntoIterator for ArenaVec<'a, T, MIN_ALIGN> {
    type Item = T;
    type IntoIter = IntoIter<'a, T, MIN_ALIGN>;

    #[inline]
    fn into_iter(self) -> IntoIter<'a, T, MIN_ALIGN> {
        let vec = ManuallyDrop::new(self);
        IntoIter {
            start: vec.start,
            capacity: vec.capacity,
            at: 0,
            end: vec.len,
            arena: vec.arena,
            owns: PhantomData,
        }
    }
}

impl<T, const MIN_ALIGN: usize> IntoIter<'_, T, MIN_ALIGN> {
    /// What is left.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: within the elements.
        let first = unsafe { self.start.add(self.at) };
        // SAFETY: initialised and owned, and borrowed as the iterator is.
        unsafe { slice::from_raw_parts(first.as_ptr(), self.end - self.at) }
    }
}

impl<T, const MIN_ALIGN: usize> Iterator for IntoIter<'_, T, MIN_ALIGN> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.at == self.end {
            return None;
        }
        let at = self.at;
        self.at += 1;
        // SAFETY: within the elements.
        let element = unsafe { self.start.add(at) };
        // SAFETY: initialised and owned, and now out of reach: it is read once.
        Some(unsafe { element.read() })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end - self.at;
        (left, Some(left))
    }
}

impl<T, const MIN_ALIGN: usize> DoubleEndedIterator for IntoIter<'_, T, MIN_ALIGN> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        if self.at == self.end {
            return None;
        }
        self.end -= 1;
        // SAFETY: within the elements.
        let element = unsafe { self.start.add(self.end) };
        // SAFETY: initialised and owned, and now out of reach: it is read once.
        Some(unsafe { element.read() })
    }
}

impl<T, const MIN_ALIGN: usize> ExactSizeIterator for IntoIter<'_, T, MIN_ALIGN> {}

impl<T, const MIN_ALIGN: usize> FusedIterator for IntoIter<'_, T, MIN_ALIGN> {}

impl<T, const MIN_ALIGN: usize> Drop for IntoIter<'_, T, MIN_ALIGN> {
    fn drop(&mut self) {
        // SAFETY: within the elements.
        let first = unsafe { self.start.add(self.at) };
        let rest = ptr::slice_from_raw_parts_mut(first.as_ptr(), self.end - self.at);
        // SAFETY: initialised and owned (invariant 2), and nobody looks at them again.
        unsafe { ptr::drop_in_place(rest) };
        if size_of::<T>() != 0 {
            let bytes = self.capacity * size_of::<T>();
            // SAFETY: the vector's own room (invariant 1), which ends here.
            unsafe { self.arena.give_back(self.start.cast(), bytes) };
        }
    }
}

impl<T: fmt::Debug, const MIN_ALIGN: usize> fmt::Debug for IntoIter<'_, T, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IntoIter").field(&self.as_slice()).finish()
    }
}
