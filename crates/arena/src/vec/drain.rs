//! Elements that leave a vector together: drained, split off, moved to another one.

use core::{
    fmt,
    iter::FusedIterator,
    ops::{Bound, RangeBounds},
    ptr, slice,
};

use thrifty_traits::AllocError;

use super::ArenaVec;
use crate::arena::fail;

impl<'a, T, const MIN_ALIGN: usize> ArenaVec<'a, T, MIN_ALIGN> {
    /// Removes a range of elements, and returns them by an iterator.
    ///
    /// When the iterator is dropped, the elements that it did not return are dropped and those behind the
    /// range move up. If it is forgotten, the vector keeps what is in front of the range.
    ///
    /// # Panics
    ///
    /// If the range does not lie within the vector.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.extend(0..6);
    /// assert!(vec.drain(1..=2).eq([1, 2]));
    /// assert_eq!(vec, [0, 3, 4, 5]);
    /// ```
    #[track_caller]
    pub fn drain(&mut self, range: impl RangeBounds<usize>) -> Drain<'_, 'a, T, MIN_ALIGN> {
        let (from, to) = bounds(&range, self.len);
        let len = self.len;
        // INVARIANT: 2 — what is in front of the range; the rest is the iterator's until it ends.
        self.len = from;
        Drain {
            vec: self,
            at: from,
            end: to,
            behind: to,
            len,
        }
    }

    /// Cuts the vector in two: what comes from the index on is returned, in the same arena.
    ///
    /// # Panics
    ///
    /// If `at` is more than the length, or there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.extend([1, 2, 3]);
    /// assert_eq!(vec.split_off(1), [2, 3]);
    /// assert_eq!(vec, [1]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn split_off(&mut self, at: usize) -> Self {
        self.try_split_off(at).unwrap_or_else(|error| fail(error))
    }

    /// As [`split_off`](Self::split_off).
    ///
    /// # Errors
    ///
    /// If there is no room: then the vector stays whole.
    ///
    /// # Panics
    ///
    /// If `at` is more than the length.
    #[track_caller]
    pub fn try_split_off(&mut self, at: usize) -> Result<Self, AllocError> {
        assert!(at <= self.len, "index {at} in a vector of {}", self.len);
        let mut other = Self::new_in(self.arena);
        if at == 0 {
            core::mem::swap(self, &mut other);
            return Ok(other);
        }
        let count = self.len - at;
        other.try_reserve_exact(count)?;
        // SAFETY: within the elements, or at their end (asserted).
        let from = unsafe { self.start.add(at) };
        // SAFETY: so many elements are there; the other vector has room for them, apart from ours.
        unsafe { from.copy_to_nonoverlapping(other.start, count) };
        // INVARIANT: 2 — the elements are the other vector's now.
        self.len = at;
        other.len = count;
        Ok(other)
    }

    /// Moves all elements of another vector to the end of this one.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let (arena, another) = (Arena::new(), Arena::new());
    /// let (mut vec, mut other) = (ArenaVec::new_in(&arena), ArenaVec::new_in(&another));
    /// vec.push(1);
    /// other.extend([2, 3]);
    /// vec.append(&mut other);
    /// assert_eq!((vec.len(), other.len()), (3, 0));
    /// ```
    #[track_caller]
    pub fn append<const OTHER: usize>(&mut self, other: &mut ArenaVec<'_, T, OTHER>) {
        self.try_append(other).unwrap_or_else(|error| fail(error));
    }

    /// As [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// If there is no room: then nothing is moved.
    pub fn try_append<const OTHER: usize>(
        &mut self,
        other: &mut ArenaVec<'_, T, OTHER>,
    ) -> Result<(), AllocError> {
        self.try_reserve(other.len)?;
        // SAFETY: within the room, or at its end.
        let end = unsafe { self.start.add(self.len) };
        // SAFETY: so many elements are valid, and there is room for them, apart from the other vector's.
        unsafe { other.start.copy_to_nonoverlapping(end, other.len) };
        // INVARIANT: 2 — the elements are this vector's now.
        self.len += other.len;
        other.len = 0;
        Ok(())
    }
}

/// Where a range begins and ends.
#[track_caller]
pub(crate) fn bounds(range: &impl RangeBounds<usize>, len: usize) -> (usize, usize) {
    let from = match range.start_bound() {
        Bound::Included(&at) => Some(at),
        Bound::Excluded(&at) => at.checked_add(1),
        Bound::Unbounded => Some(0),
    };
    let to = match range.end_bound() {
        Bound::Included(&at) => at.checked_add(1),
        Bound::Excluded(&at) => Some(at),
        Bound::Unbounded => Some(len),
    };
    match (from, to) {
        (Some(from), Some(to)) if from <= to && to <= len => (from, to),
        _ => panic!(
            "range {:?} to {:?} in a length of {len}",
            range.start_bound(),
            range.end_bound()
        ),
    }
}

/// The elements of a range of an [`ArenaVec`], by value: [`ArenaVec::drain`].
///
/// # Examples
///
/// ```
/// # use thrifty_arena::{Arena, ArenaVec};
/// let arena = Arena::new();
/// let mut vec = ArenaVec::new_in(&arena);
/// vec.extend([1, 2, 3]);
/// let mut all = vec.drain(..);
/// assert_eq!((all.next_back(), all.as_slice()), (Some(3), &[1, 2][..]));
/// ```
pub struct Drain<'v, 'a, T, const MIN_ALIGN: usize = 8> {
    /// # Invariants
    ///
    /// 1. The vector's length is where the range began. The elements from `at` to `end`, and from `behind`
    ///    to `len`, are initialised, and owned by this.
    vec: &'v mut ArenaVec<'a, T, MIN_ALIGN>,
    at: usize,
    end: usize,
    behind: usize,
    len: usize,
}

impl<T, const MIN_ALIGN: usize> Drain<'_, '_, T, MIN_ALIGN> {
    /// What is left of the range.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: within the vector's room.
        let first = unsafe { self.vec.start.add(self.at) };
        // SAFETY: initialised and owned (invariant 1), and borrowed as the iterator is.
        unsafe { slice::from_raw_parts(first.as_ptr(), self.end - self.at) }
    }

    /// # Safety
    ///
    /// The element was `at` or the last before `end`, and is between them no more.
    #[inline]
    unsafe fn read(&self, index: usize) -> T {
        // SAFETY: within the vector's room.
        let element = unsafe { self.vec.start.add(index) };
        // SAFETY: initialised and owned (invariant 1), and out of reach since: it is read once.
        unsafe { element.read() }
    }
}

impl<T, const MIN_ALIGN: usize> Iterator for Drain<'_, '_, T, MIN_ALIGN> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.at == self.end {
            return None;
        }
        self.at += 1;
        // SAFETY: it was the first.
        Some(unsafe { self.read(self.at - 1) })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end - self.at;
        (left, Some(left))
    }
}

impl<T, const MIN_ALIGN: usize> DoubleEndedIterator for Drain<'_, '_, T, MIN_ALIGN> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        if self.at == self.end {
            return None;
        }
        self.end -= 1;
        // SAFETY: it was the last.
        Some(unsafe { self.read(self.end) })
    }
}

impl<T, const MIN_ALIGN: usize> ExactSizeIterator for Drain<'_, '_, T, MIN_ALIGN> {}

impl<T, const MIN_ALIGN: usize> FusedIterator for Drain<'_, '_, T, MIN_ALIGN> {}

/// Moves what is behind the range up to what is in front of it, in a panic too.
struct Join<'d, 'v, 'a, T, const MIN_ALIGN: usize>(&'d mut Drain<'v, 'a, T, MIN_ALIGN>);

impl<T, const MIN_ALIGN: usize> Drop for Join<'_, '_, '_, T, MIN_ALIGN> {
    fn drop(&mut self) {
        let Drain {
            vec, behind, len, ..
        } = &mut *self.0;
        let count = *len - *behind;
        // SAFETY: within the elements, or at their end.
        let from = unsafe { vec.start.add(*behind) };
        // SAFETY: as above; not behind `from`.
        let to = unsafe { vec.start.add(vec.len) };
        // SAFETY: so many elements are behind the range; between `to` and `from` is none any more.
        unsafe { from.copy_to(to, count) };
        // INVARIANT: 2 of the vector — the elements are its own again.
        vec.len += count;
    }
}

impl<T, const MIN_ALIGN: usize> Drop for Drain<'_, '_, T, MIN_ALIGN> {
    fn drop(&mut self) {
        let count = self.end - self.at;
        // SAFETY: within the vector's room.
        let first = unsafe { self.vec.start.add(self.at) };
        let rest = ptr::slice_from_raw_parts_mut(first.as_ptr(), count);
        let _join = Join(self);
        // SAFETY: initialised and owned (invariant 1), and nobody looks at them again.
        unsafe { ptr::drop_in_place(rest) };
    }
}

impl<T: fmt::Debug, const MIN_ALIGN: usize> fmt::Debug for Drain<'_, '_, T, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Drain").field(&self.as_slice()).finish()
    }
}
