//! Room for many values of a type, checked once.

use core::{fmt, mem::MaybeUninit, ptr::NonNull};

use thrifty_traits::AllocError;

use crate::{
    Arena,
    arena::{fail, slice_size},
};

/// Room for many values of a type, taken at once; [`Arena::burst`] makes one.
///
/// Its cursor is its own, so that a loop keeps it in registers: the compiler may write several values with one
/// instruction, which it cannot where each allocation reads and writes the arena's cursor.
///
/// What is not used is given back when the burst ends, if nothing came after it.
///
/// # Examples
///
/// ```
/// let arena = thrifty_arena::Arena::new();
/// let mut burst = arena.burst(100);
/// let numbers: Vec<&mut u64> = (0..10).map_while(|number| burst.push(number).ok()).collect();
/// drop(burst);
/// assert_eq!(*numbers[9], 9);
/// assert_eq!(arena.stats().used_bytes, 80);
/// ```
pub struct Burst<'a, T, const MIN_ALIGN: usize = 8> {
    /// Room that is not used yet.
    rest: &'a mut [MaybeUninit<T>],
    /// The whole room, and its bytes.
    start: NonNull<u8>,
    taken: usize,
    arena: &'a Arena<MIN_ALIGN>,
}

impl<const MIN_ALIGN: usize> Arena<MIN_ALIGN> {
    /// Room for `len` values, checked once.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// let mut burst = arena.burst(2);
    /// assert_eq!(burst.push('a'), Ok(&mut 'a'));
    /// assert_eq!(burst.push('b'), Ok(&mut 'b'));
    /// assert_eq!(burst.push('c'), Err('c'));
    /// ```
    #[inline]
    #[track_caller]
    pub fn burst<T>(&self, len: usize) -> Burst<'_, T, MIN_ALIGN> {
        self.try_burst(len).unwrap_or_else(|error| fail(error))
    }

    /// As [`burst`](Self::burst).
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_burst<T>(&self, len: usize) -> Result<Burst<'_, T, MIN_ALIGN>, AllocError> {
        let taken = slice_size::<T>(len)?;
        let start = self.take_low(taken, align_of::<T>())?;
        // SAFETY: valid for `len` values, for as long as the arena is borrowed, and exclusive: it was
        // free. Nothing need be initialised.
        let rest = unsafe { core::slice::from_raw_parts_mut(start.as_ptr().cast(), len) };
        Ok(Burst {
            rest,
            start,
            taken,
            arena: self,
        })
    }
}

impl<'a, T, const MIN_ALIGN: usize> Burst<'a, T, MIN_ALIGN> {
    /// Moves a value into the room.
    ///
    /// # Errors
    ///
    /// If all of it is used: the value comes back.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<&'a mut T, T> {
        let Some((slot, rest)) = core::mem::take(&mut self.rest).split_first_mut() else {
            return Err(value);
        };
        self.rest = rest;
        Ok(slot.write(value))
    }

    /// How many values there is still room for.
    #[inline]
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }
}

impl<T, const MIN_ALIGN: usize> Drop for Burst<'_, T, MIN_ALIGN> {
    #[inline]
    fn drop(&mut self) {
        let unused = size_of_val::<[_]>(self.rest);
        if unused == 0 {
            return;
        }
        let used = self.taken - unused;
        // SAFETY: the burst's own room; of what is given back, nothing was handed out.
        unsafe { self.arena.resize_last(self.start, self.taken, used) };
    }
}

impl<T, const MIN_ALIGN: usize> fmt::Debug for Burst<'_, T, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Burst")
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}
