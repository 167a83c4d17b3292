//! What a vector does with its elements.

use core::{iter::Chain, ptr};

use thrifty_traits::{AllocError, Rejected};

use super::{ArenaVec, IntoIter};
use crate::arena::fail;

impl<T, const MIN_ALIGN: usize> ArenaVec<'_, T, MIN_ALIGN> {
    /// Removes and returns the last element.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.push(1);
    /// assert_eq!((vec.pop(), vec.pop()), (Some(1), None));
    /// ```
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        // INVARIANT: 2 — the last one is the caller's now.
        self.len = last;
        // SAFETY: within the elements.
        let element = unsafe { self.start.add(last) };
        // SAFETY: it was initialised and owned (invariant 2), and is read once.
        Some(unsafe { element.read() })
    }

    /// Inserts an element at an index, and moves those behind it.
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
    /// vec.extend([1, 3]);
    /// vec.insert(1, 2);
    /// assert_eq!(vec, [1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn insert(&mut self, at: usize, element: T) {
        if let Err(rejected) = self.try_insert(at, element) {
            fail(rejected.error);
        }
    }

    /// As [`insert`](Self::insert), and gives the element back where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    ///
    /// # Panics
    ///
    /// If `at` is more than the length.
    #[track_caller]
    pub fn try_insert(&mut self, at: usize, element: T) -> Result<(), Rejected<T>> {
        assert!(at <= self.len, "index {at} in a vector of {}", self.len);
        if let Err(error) = self.try_reserve(1) {
            return Err(Rejected::new(element, error));
        }
        // SAFETY: not past the elements (asserted).
        let slot = unsafe { self.start.add(at) };
        // SAFETY: there is room for one more, so behind `slot` too.
        let behind = unsafe { slot.add(1) };
        // SAFETY: so many elements are behind `at`, and there is room for them one further.
        unsafe { slot.copy_to(behind, self.len - at) };
        // SAFETY: within the room; what was there has moved.
        unsafe { slot.write(element) };
        // INVARIANT: 2.
        self.len += 1;
        Ok(())
    }

    /// Removes the element at an index, and moves those behind it.
    ///
    /// # Panics
    ///
    /// If there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.extend([1, 2, 3]);
    /// assert_eq!(vec.remove(0), 1);
    /// assert_eq!(vec, [2, 3]);
    /// ```
    #[track_caller]
    pub fn remove(&mut self, at: usize) -> T {
        assert!(at < self.len, "index {at} in a vector of {}", self.len);
        // SAFETY: within the elements (asserted).
        let slot = unsafe { self.start.add(at) };
        // SAFETY: initialised and owned (invariant 2), and overwritten or cut off below.
        let element = unsafe { slot.read() };
        // SAFETY: within the elements, or at their end.
        let behind = unsafe { slot.add(1) };
        // SAFETY: so many elements are behind it.
        unsafe { behind.copy_to(slot, self.len - at - 1) };
        // INVARIANT: 2.
        self.len -= 1;
        element
    }

    /// Removes the element at an index, and puts the last one in its place.
    ///
    /// # Panics
    ///
    /// If there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.extend([1, 2, 3]);
    /// assert_eq!(vec.swap_remove(0), 1);
    /// assert_eq!(vec, [3, 2]);
    /// ```
    #[track_caller]
    pub fn swap_remove(&mut self, at: usize) -> T {
        assert!(at < self.len, "index {at} in a vector of {}", self.len);
        let last = self.len - 1;
        self.as_mut_slice().swap(at, last);
        // INVARIANT: 2 — the last one is the caller's now.
        self.len = last;
        // SAFETY: within the elements.
        let element = unsafe { self.start.add(last) };
        // SAFETY: it was initialised and owned (invariant 2), and is read once.
        unsafe { element.read() }
    }

    /// Keeps the elements that a closure says yes to.
    ///
    /// If the closure or a drop panics, the elements that it was not asked about stay.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.extend(0..10);
    /// vec.retain(|number| *number % 3 == 0);
    /// assert_eq!(vec, [0, 3, 6, 9]);
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        let mut left = Retaining::after(self, 0);
        while left.seen < left.len {
            // SAFETY: within the elements.
            let element = unsafe { left.vec.start.add(left.seen) };
            // SAFETY: valid and exclusive: out of the vector's reach, and not moved yet.
            let is_kept = keep(unsafe { &mut *element.as_ptr() });
            left.seen += 1;
            if is_kept {
                // SAFETY: within the elements: fewer were kept than seen.
                let slot = unsafe { left.vec.start.add(left.kept) };
                // SAFETY: one element, to where none is any more, or to itself.
                unsafe { element.copy_to(slot, 1) };
                left.kept += 1;
            } else {
                // SAFETY: owned, and not looked at again.
                unsafe { ptr::drop_in_place(element.as_ptr()) };
            }
        }
    }

    /// Appends the items of an iterator; those that come before there is no room stay.
    ///
    /// # Errors
    ///
    /// If there is no room: the item that found none comes back, and with it the rest.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::builder().limit(1000).build();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// let rejected = vec.try_extend(0..1_000_u32).unwrap_err();
    /// assert_eq!(vec.len() + rejected.value.count(), 1000);
    /// ```
    #[inline]
    pub fn try_extend<I: IntoIterator<Item = T>>(
        &mut self,
        items: I,
    ) -> Result<(), Rejected<Unfit<I::IntoIter>>> {
        let mut items = items.into_iter();
        let (at_least, _) = items.size_hint();
        if at_least > self.capacity - self.len {
            // Without so much room the items themselves decide: fewer may come than were announced.
            let _reserved = self.try_reserve_exact(at_least);
        }
        loop {
            if self.fill_room(&mut items) {
                return Ok(());
            }
            let Some(item) = items.next() else {
                return Ok(());
            };
            if let Err(Rejected { value, error, .. }) = self.try_push(item) {
                let item = Some(value);
                return Err(Rejected::new(Unfit { item, items }, error));
            }
        }
    }

    /// Appends items while there is room; says whether there were no more.
    #[inline]
    pub(super) fn fill_room(&mut self, items: &mut impl Iterator<Item = T>) -> bool {
        /// Tells the vector its length at the end, in a panic too: in the loop it stays in a register.
        struct Count<'v> {
            len: &'v mut usize,
            now: usize,
        }
        impl Drop for Count<'_> {
            #[inline]
            fn drop(&mut self) {
                *self.len = self.now;
            }
        }
        let (start, capacity) = (self.start, self.capacity);
        let mut count = Count {
            now: self.len,
            len: &mut self.len,
        };
        while count.now < capacity {
            let Some(item) = items.next() else {
                return true;
            };
            // SAFETY: within the room.
            let slot = unsafe { start.add(count.now) };
            // SAFETY: as above; aligned, as `start` is.
            unsafe { slot.write(item) };
            // INVARIANT: 2 — just written.
            count.now += 1;
        }
        false
    }

    /// Appends copies.
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
    /// vec.extend_from_slice(&[1, 2]);
    /// assert_eq!(vec, [1, 2]);
    /// ```
    #[inline]
    #[track_caller]
    pub fn extend_from_slice(&mut self, elements: &[T])
    where
        T: Copy,
    {
        self.try_extend_from_slice(elements)
            .unwrap_or_else(|error| fail(error));
    }

    /// As [`extend_from_slice`](Self::extend_from_slice).
    ///
    /// # Errors
    ///
    /// If there is no room: then nothing is appended.
    #[inline]
    pub fn try_extend_from_slice(&mut self, elements: &[T]) -> Result<(), AllocError>
    where
        T: Copy,
    {
        self.try_reserve(elements.len())?;
        // SAFETY: within the room, or at its end.
        let end = unsafe { self.start.add(self.len) };
        // SAFETY: there is room for so many, and no reference to the vector's room is held.
        unsafe {
            elements
                .as_ptr()
                .copy_to_nonoverlapping(end.as_ptr(), elements.len());
        }
        // INVARIANT: 2.
        self.len += elements.len();
        Ok(())
    }
}

/// A vector in the midst of a choice among its elements: puts what is left together, in a panic too.
pub(super) struct Retaining<'v, 'a, T, const MIN_ALIGN: usize> {
    pub(super) vec: &'v mut ArenaVec<'a, T, MIN_ALIGN>,
    /// Elements there were.
    pub(super) len: usize,
    /// Elements that were judged; those kept of them come first.
    pub(super) seen: usize,
    pub(super) kept: usize,
}

impl<'v, 'a, T, const MIN_ALIGN: usize> Retaining<'v, 'a, T, MIN_ALIGN> {
    /// The first one is kept; nothing if there is none.
    pub(super) fn after_first(vec: &'v mut ArenaVec<'a, T, MIN_ALIGN>) -> Option<Self> {
        (!vec.is_empty()).then(|| Self::after(vec, 1))
    }

    /// So many, which there are, are kept.
    fn after(vec: &'v mut ArenaVec<'a, T, MIN_ALIGN>, kept: usize) -> Self {
        let len = vec.len;
        // INVARIANT: 2 — the vector gets its elements back when this is dropped.
        vec.len = 0;
        Self {
            vec,
            len,
            seen: kept,
            kept,
        }
    }
}

impl<T, const MIN_ALIGN: usize> Drop for Retaining<'_, '_, T, MIN_ALIGN> {
    fn drop(&mut self) {
        // SAFETY: within the elements, or at their end.
        let rest = unsafe { self.vec.start.add(self.seen) };
        // SAFETY: as above; not behind `rest`.
        let slot = unsafe { self.vec.start.add(self.kept) };
        // SAFETY: so many elements were not judged; between `slot` and `rest` is none any more.
        unsafe { rest.copy_to(slot, self.len - self.seen) };
        // INVARIANT: 2 — what was kept, and what was not judged.
        self.vec.len = self.kept + self.len - self.seen;
    }
}

/// All items of an iterator that found no room: those that were stored, and those that were not.
pub type GivenBack<'a, T, I, const MIN_ALIGN: usize = 8> =
    Chain<IntoIter<'a, T, MIN_ALIGN>, Unfit<I>>;

/// The items for which there was no room: the one that found none, and those that were not asked for.
#[derive(Clone, Debug)]
pub struct Unfit<I: Iterator> {
    item: Option<I::Item>,
    items: I,
}

impl<I: Iterator> Unfit<I> {
    /// Nothing was asked for yet.
    pub(crate) const fn untouched(items: I) -> Self {
        Self { item: None, items }
    }
}

impl<I: Iterator> Iterator for Unfit<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.item.take().or_else(|| self.items.next())
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let first = usize::from(self.item.is_some());
        let (least, most) = self.items.size_hint();
        let most = most.and_then(|most| most.checked_add(first));
        (least.saturating_add(first), most)
    }
}
