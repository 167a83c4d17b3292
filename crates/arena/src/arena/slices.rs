//! Slices.

use core::{ptr, ptr::NonNull, slice};

use thrifty_traits::{AllocError, Rejected};

use super::{
    Arena, fail,
    raw::{Stand, slice_size},
};
use crate::{ArenaVec, GivenBack, Unfit, copy::copy_bytes};

impl<const MIN_ALIGN: usize> Arena<MIN_ALIGN> {
    /// Copies a slice.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.alloc_slice_copy(&[1, 2, 3]), [1, 2, 3]);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_slice_copy<T: Copy>(&self, values: &[T]) -> &mut [T] {
        match self.hit_bytes(size_of_val(values), align_of::<T>()) {
            // SAFETY: just taken for these values.
            Some(start) => unsafe { copy_into(start.cast(), values) },
            None => self.copy_slow(values),
        }
    }

    /// As [`alloc_slice_copy`](Self::alloc_slice_copy).
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc_slice_copy<T: Copy>(&self, values: &[T]) -> Result<&mut [T], AllocError> {
        match self.hit_bytes(size_of_val(values), align_of::<T>()) {
            // SAFETY: just taken for these values.
            Some(start) => Ok(unsafe { copy_into(start.cast(), values) }),
            None => self.try_copy_slow(values),
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn copy_slow<T: Copy>(&self, values: &[T]) -> &mut [T] {
        self.try_copy_slow(values)
            .unwrap_or_else(|error| fail(error))
    }

    #[cold]
    #[inline(never)]
    fn try_copy_slow<T: Copy>(&self, values: &[T]) -> Result<&mut [T], AllocError> {
        let start = self.miss_bytes(size_of_val(values), align_of::<T>())?;
        // SAFETY: just taken for these values.
        Ok(unsafe { copy_into(start.cast(), values) })
    }

    /// Clones a slice. If a clone panics, those made before it are dropped.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// let words = arena.alloc_slice_clone(&[Some("a"), None]);
    /// assert_eq!(words, [Some("a"), None]);
    /// ```
    #[track_caller]
    pub fn alloc_slice_clone<T: Clone>(&self, values: &[T]) -> &mut [T] {
        self.try_alloc_slice_clone(values)
            .unwrap_or_else(|error| fail(error))
    }

    /// As [`alloc_slice_clone`](Self::alloc_slice_clone); clones nothing where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn try_alloc_slice_clone<T: Clone>(&self, values: &[T]) -> Result<&mut [T], AllocError> {
        Ok(self.try_alloc_slice_fill_with(values.len(), |at| values[at].clone())?)
    }

    /// A slice of `len` clones of a value.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.alloc_slice_fill(3, 7), [7, 7, 7]);
    /// ```
    #[track_caller]
    pub fn alloc_slice_fill<T: Clone>(&self, len: usize, value: T) -> &mut [T] {
        self.try_alloc_slice_fill(len, value)
            .unwrap_or_else(|rejected| fail(rejected.error))
    }

    /// As [`alloc_slice_fill`](Self::alloc_slice_fill); gives the value back, not cloned, where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn try_alloc_slice_fill<T: Clone>(
        &self,
        len: usize,
        value: T,
    ) -> Result<&mut [T], Rejected<T>> {
        let make = self.try_alloc_slice_fill_with(len, |_| value.clone());
        let error = match make {
            Ok(slice) => return Ok(slice),
            Err(rejected) => rejected.error,
        };
        Err(Rejected::new(value, error))
    }

    /// A slice of `len` values that a closure makes of their indices.
    ///
    /// The closure may use the arena. If it panics, the values made before are dropped, and the room is
    /// given back if nothing came after it.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.alloc_slice_fill_with(4, |at| at * at), [0, 1, 4, 9]);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_slice_fill_with<T>(&self, len: usize, make: impl FnMut(usize) -> T) -> &mut [T] {
        self.try_alloc_slice_fill_with(len, make)
            .unwrap_or_else(|rejected| fail(rejected.error))
    }

    /// As [`alloc_slice_fill_with`](Self::alloc_slice_fill_with); gives the closure back, not called, where
    /// there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc_slice_fill_with<T, F: FnMut(usize) -> T>(
        &self,
        len: usize,
        mut make: F,
    ) -> Result<&mut [T], Rejected<F>> {
        let error = match self.try_alloc_iter_exact((0..len).map(&mut make)) {
            Ok(slice) => return Ok(slice),
            Err(rejected) => rejected.error,
        };
        Err(Rejected::new(make, error))
    }

    /// The items of an iterator, of any length and however well it knows it.
    ///
    /// The iterator may use the arena. The slice grows where it is, as long as nothing is allocated
    /// behind it. If the iterator panics, the items before are dropped.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// let odd = arena.alloc_iter((0..10).filter(|number| number % 2 == 1));
    /// assert_eq!(odd, [1, 3, 5, 7, 9]);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_iter<T>(&self, items: impl IntoIterator<Item = T>) -> &mut [T] {
        self.try_alloc_iter(items)
            .unwrap_or_else(|rejected| fail(rejected.error))
    }

    /// As [`alloc_iter`](Self::alloc_iter), and gives all items back where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room: those that were made, the one that found no room, and the rest.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::builder().limit(1000).build();
    /// let texts = (0..1000).map(|number| number.to_string());
    /// let rejected = arena.try_alloc_iter(texts).unwrap_err();
    /// assert_eq!(rejected.value.last().unwrap(), "999");
    /// ```
    #[inline]
    pub fn try_alloc_iter<T, I: IntoIterator<Item = T>>(
        &self,
        items: I,
    ) -> Result<&mut [T], Rejected<GivenBack<'_, T, I::IntoIter, MIN_ALIGN>>> {
        /// Room to begin with, so that few items mean no growth; what is not needed is given back.
        const FIRST_BYTES: usize = 512;
        let items = items.into_iter();
        let (_, at_most) = items.size_hint();
        let few = FIRST_BYTES / size_of::<T>().max(1);
        let mut vec = ArenaVec::new_in(self);
        let extended = match vec.try_reserve_exact(at_most.unwrap_or(few).min(few)) {
            Ok(()) => vec.try_extend(items),
            Err(error) => Err(Rejected::new(Unfit::untouched(items), error)),
        };
        match extended {
            Ok(()) => Ok(vec.into_slice()),
            Err(rejected) => Err(rejected.map(|unfit| vec.into_iter().chain(unfit))),
        }
    }

    /// The items of an iterator that knows how many come: one allocation of exactly so many.
    ///
    /// The iterator may use the arena. If it ends early, the slice is shorter; what comes beyond the
    /// announced length is not asked for. If it panics, the items before are dropped.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.alloc_iter_exact([1, 2, 3].iter().rev()), [&3, &2, &1]);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_iter_exact<T, I>(&self, items: I) -> &mut [T]
    where
        I: IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
    {
        match self.try_alloc_iter_exact(items.into_iter()) {
            Ok(slice) => slice,
            Err(rejected) => fail(rejected.error),
        }
    }

    /// As [`alloc_iter_exact`](Self::alloc_iter_exact); gives the iterator back where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc_iter_exact<T, I>(&self, mut items: I) -> Result<&mut [T], Rejected<I>>
    where
        I: ExactSizeIterator<Item = T>,
    {
        let len = items.len();
        let before = self.stand();
        let start = match self.take_slice::<T>(len) {
            Ok(start) => start,
            Err(error) => return Err(Rejected::new(items, error)),
        };
        let mut filling = Filling {
            arena: self,
            before,
            after: self.stand(),
            start,
            // There was room, so it is no more than a layout has.
            bytes: len.wrapping_mul(size_of::<T>()),
            len: 0,
        };
        for _ in 0..len {
            let Some(item) = items.next() else { break };
            // SAFETY: there is room for `len` values, of which so many are written.
            unsafe { filling.push(item) };
        }
        Ok(filling.finish())
    }

    /// Moves the elements of a vector; the vector's own memory is freed.
    ///
    /// An array needs no method of its own: [`alloc`](Self::alloc) moves it.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// let moved = arena.alloc_slice_move(vec![Box::new(1), Box::new(2)]);
    /// assert_eq!(*moved[1], 2);
    /// # for boxed in moved { drop(std::mem::take(boxed)); }
    /// ```
    #[track_caller]
    pub fn alloc_slice_move<T>(&self, values: Vec<T>) -> &mut [T] {
        match self.try_alloc_slice_move(values) {
            Ok(slice) => slice,
            Err(rejected) => fail(rejected.error),
        }
    }

    /// As [`alloc_slice_move`](Self::alloc_slice_move); gives the vector back where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn try_alloc_slice_move<T>(
        &self,
        mut values: Vec<T>,
    ) -> Result<&mut [T], Rejected<Vec<T>>> {
        let len = values.len();
        let start = match self.take_slice::<T>(len) {
            Ok(start) => start,
            Err(error) => return Err(Rejected::new(values, error)),
        };
        // SAFETY: so many values are in the vector, and there is room for them elsewhere.
        unsafe { values.as_ptr().copy_to_nonoverlapping(start.as_ptr(), len) };
        // SAFETY: no element is uninitialised; those that were are the slice's now.
        unsafe { values.set_len(0) };
        // SAFETY: just taken and filled.
        Ok(unsafe { slice_of(start, len) })
    }

    /// Copies several slices into one, in one allocation of exactly their length.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.alloc_slice_concat(&[&[1, 2][..], &[3]]), [1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn alloc_slice_concat<T: Copy>(&self, parts: &[&[T]]) -> &mut [T] {
        self.try_alloc_slice_concat(parts)
            .unwrap_or_else(|error| fail(error))
    }

    /// As [`alloc_slice_concat`](Self::alloc_slice_concat).
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn try_alloc_slice_concat<T: Copy>(&self, parts: &[&[T]]) -> Result<&mut [T], AllocError> {
        let len = parts
            .iter()
            .try_fold(0_usize, |len, part| len.checked_add(part.len()))
            .ok_or(AllocError::overflow(align_of::<T>()))?;
        slice_size::<T>(len)?;
        let start = self.take_slice::<T>(len)?;
        let mut at = start;
        for part in parts {
            // SAFETY: there is room for all parts, and so many elements before this one are written.
            unsafe {
                part.as_ptr()
                    .copy_to_nonoverlapping(at.as_ptr(), part.len());
            }
            // SAFETY: within the room, or at its end.
            at = unsafe { at.add(part.len()) };
        }
        // SAFETY: just taken and filled.
        Ok(unsafe { slice_of(start, len) })
    }
}

/// Copies values to where there is room for them.
///
/// # Safety
///
/// `start` was just taken for so many values: valid for writes for as long as the arena is borrowed, and
/// *exclusive*.
#[inline]
unsafe fn copy_into<'a, T: Copy>(start: NonNull<T>, values: &[T]) -> &'a mut [T] {
    let (from, to) = (values.as_ptr(), start.as_ptr());
    if size_of::<T>() == 1 {
        // SAFETY: so many bytes are in `values`, and there is room for them, which was free and so is
        // no part of them.
        unsafe { copy_bytes(from.cast(), to.cast(), values.len()) };
    } else {
        // SAFETY: so many are in `values`, and there is room for them, which was free and so is no part
        // of them.
        unsafe { from.copy_to_nonoverlapping(to, values.len()) };
    }
    // SAFETY: just filled; the rest is the caller's word.
    unsafe { slice_of(start, values.len()) }
}

/// # Safety
///
/// So many values are valid at `start` for as long as the arena is borrowed, and *exclusive*.
#[inline]
pub(super) unsafe fn slice_of<'a, T>(start: NonNull<T>, len: usize) -> &'a mut [T] {
    // SAFETY: the caller's contract is the same.
    unsafe { slice::from_raw_parts_mut(start.as_ptr(), len) }
}

/// A slice of which the first `len` values are written; drops them if it is not finished.
struct Filling<'a, T, const MIN_ALIGN: usize> {
    arena: &'a Arena<MIN_ALIGN>,
    before: Stand,
    after: Stand,
    start: NonNull<T>,
    /// Of the whole room.
    bytes: usize,
    len: usize,
}

impl<'a, T, const MIN_ALIGN: usize> Filling<'a, T, MIN_ALIGN> {
    /// # Safety
    ///
    /// There is room for one more value.
    #[inline]
    unsafe fn push(&mut self, value: T) {
        // SAFETY: within the room, says the caller.
        let slot = unsafe { self.start.add(self.len) };
        // SAFETY: valid for writes and aligned: it was taken for such values.
        unsafe { slot.write(value) };
        self.len += 1;
    }

    #[inline]
    #[expect(clippy::mem_forget, reason = "what it owns becomes the slice")]
    fn finish(self) -> &'a mut [T] {
        let (start, len) = (self.start, self.len);
        core::mem::forget(self);
        // SAFETY: so many values are written, to room that was just taken.
        unsafe { slice_of(start, len) }
    }
}

impl<T, const MIN_ALIGN: usize> Drop for Filling<'_, T, MIN_ALIGN> {
    fn drop(&mut self) {
        // First, because a value's drop may panic, or use the arena.
        let values = ptr::slice_from_raw_parts_mut(self.start.as_ptr(), self.len);
        // SAFETY: so many values are written, and nobody else has them.
        unsafe { ptr::drop_in_place(values) };
        // SAFETY: the stands are from before and after the one allocation, which nobody has a
        // reference to.
        unsafe {
            self.arena
                .take_back(&self.before, &self.after, self.start.cast(), self.bytes);
        }
    }
}
