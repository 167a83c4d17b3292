//! What a vector does with its elements by their neighbours, and to a length.

use core::{iter, ops::RangeBounds, ptr};

use thrifty_traits::{AllocError, Rejected};

use super::{ArenaVec, drain::bounds, elements::Retaining};
use crate::arena::fail;

impl<T, const MIN_ALIGN: usize> ArenaVec<'_, T, MIN_ALIGN> {
    /// Removes each element that equals the one before it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.extend([1, 1, 2, 1]);
    /// vec.dedup();
    /// assert_eq!(vec, [1, 2, 1]);
    /// ```
    #[inline]
    pub fn dedup(&mut self)
    where
        T: PartialEq,
    {
        self.dedup_by(|element, before| element == before);
    }

    /// Removes each element whose key is that of the one before it.
    #[inline]
    pub fn dedup_by_key<K: PartialEq>(&mut self, mut key: impl FnMut(&mut T) -> K) {
        self.dedup_by(|element, before| key(element) == key(before));
    }

    /// Removes each element that a closure calls the same as the last one that stays before it.
    ///
    /// The closure gets the element first, then the one before. If it or a drop panics, the elements that it was
    /// not asked about stay.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.extend(["a", "A", "b"]);
    /// vec.dedup_by(|element, before| element.eq_ignore_ascii_case(before));
    /// assert_eq!(vec, ["a", "b"]);
    /// ```
    pub fn dedup_by(&mut self, mut is_same: impl FnMut(&mut T, &mut T) -> bool) {
        let Some(mut left) = Retaining::after_first(self) else {
            return;
        };
        while left.seen < left.len {
            // SAFETY: within the elements.
            let element = unsafe { left.vec.start.add(left.seen) };
            // SAFETY: within the elements: at least the first is kept.
            let before = unsafe { left.vec.start.add(left.kept - 1) };
            // SAFETY: valid and exclusive: out of the vector's reach, and not moved yet.
            let one = unsafe { &mut *element.as_ptr() };
            // SAFETY: as above; another element, since fewer are kept than seen.
            let is_same = is_same(one, unsafe { &mut *before.as_ptr() });
            left.seen += 1;
            if is_same {
                // SAFETY: owned, and not looked at again.
                unsafe { ptr::drop_in_place(element.as_ptr()) };
            } else {
                // SAFETY: within the elements: fewer were kept than seen.
                let slot = unsafe { left.vec.start.add(left.kept) };
                // SAFETY: one element, to where none is any more, or to itself.
                unsafe { element.copy_to(slot, 1) };
                left.kept += 1;
            }
        }
    }

    /// Makes the vector so long: cuts it, or appends clones of a value.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.resize(2, 7);
    /// assert_eq!(vec, [7, 7]);
    /// ```
    #[track_caller]
    pub fn resize(&mut self, len: usize, value: T)
    where
        T: Clone,
    {
        if let Err(rejected) = self.try_resize(len, value) {
            fail(rejected.error);
        }
    }

    /// As [`resize`](Self::resize), and gives the value back where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room: then the vector is as it was.
    pub fn try_resize(&mut self, len: usize, value: T) -> Result<(), Rejected<T>>
    where
        T: Clone,
    {
        match self.room_to(len) {
            Ok(more) => {
                self.fill_room(&mut iter::repeat_n(value, more));
                Ok(())
            }
            Err(error) => Err(Rejected::new(value, error)),
        }
    }

    /// Makes the vector so long: cuts it, or appends what a closure makes.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.resize_with(2, String::new);
    /// assert_eq!(vec, ["", ""]);
    /// ```
    #[track_caller]
    pub fn resize_with(&mut self, len: usize, make: impl FnMut() -> T) {
        if let Err(rejected) = self.try_resize_with(len, make) {
            fail(rejected.error);
        }
    }

    /// As [`resize_with`](Self::resize_with), and gives the closure back where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room: then the vector is as it was.
    pub fn try_resize_with<F: FnMut() -> T>(
        &mut self,
        len: usize,
        make: F,
    ) -> Result<(), Rejected<F>> {
        match self.room_to(len) {
            Ok(more) => {
                self.fill_room(&mut iter::repeat_with(make).take(more));
                Ok(())
            }
            Err(error) => Err(Rejected::new(make, error)),
        }
    }

    /// Cuts the vector to a length, or makes room for it and says how many are missing.
    fn room_to(&mut self, len: usize) -> Result<usize, AllocError> {
        self.truncate(len);
        let more = len - self.len;
        self.try_reserve(more)?;
        Ok(more)
    }

    /// Appends clones of some of its own elements.
    ///
    /// # Panics
    ///
    /// If the range does not lie within the vector, or there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.extend([1, 2, 3]);
    /// vec.extend_from_within(1..);
    /// assert_eq!(vec, [1, 2, 3, 2, 3]);
    /// ```
    #[track_caller]
    pub fn extend_from_within(&mut self, range: impl RangeBounds<usize>)
    where
        T: Clone,
    {
        self.try_extend_from_within(range)
            .unwrap_or_else(|error| fail(error));
    }

    /// As [`extend_from_within`](Self::extend_from_within).
    ///
    /// # Errors
    ///
    /// If there is no room: then nothing is appended.
    ///
    /// # Panics
    ///
    /// If the range does not lie within the vector.
    #[track_caller]
    pub fn try_extend_from_within(
        &mut self,
        range: impl RangeBounds<usize>,
    ) -> Result<(), AllocError>
    where
        T: Clone,
    {
        let (from, to) = bounds(&range, self.len());
        self.try_reserve(to - from)?;
        for at in from..to {
            let clone = self[at].clone();
            // SAFETY: there is room for as many as are in the range, and a clone appends nothing.
            unsafe { self.push_within(clone) };
        }
        Ok(())
    }
}

/// Clones into the same arena; panics where there is no room.
impl<T: Clone, const MIN_ALIGN: usize> Clone for ArenaVec<'_, T, MIN_ALIGN> {
    #[track_caller]
    fn clone(&self) -> Self {
        let mut clone = Self::with_capacity_in(self.len, self.arena);
        clone.extend(self.iter().cloned());
        clone
    }
}
