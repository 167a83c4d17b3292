//! A vector in an arena.

mod dedup;
mod drain;
mod elements;
mod into_iter;
mod traits;

pub(crate) use self::drain::bounds;
pub use self::{
    drain::Drain,
    elements::{GivenBack, Unfit},
    into_iter::IntoIter,
};

use core::{
    marker::PhantomData,
    mem::{ManuallyDrop, needs_drop},
    ptr,
    ptr::NonNull,
    slice,
};

use thrifty_traits::{AllocError, Rejected};

use crate::{
    Arena, ArenaBox,
    arena::{SIDE_FROM, fail, slice_size},
};

/// A vector in an arena, which drops its elements.
///
/// While nothing is allocated behind it, it grows where it is. [`into_slice`](Self::into_slice) makes a
/// plain slice of it and gives back what it did not need.
///
/// # Memory
///
/// Doubles, from four elements or 64 bytes, whichever is more. A vector that has to move leaves its old room behind until the arena is
/// reset; one that is dropped gives its room back if nothing came after it.
///
/// # Concurrency
///
/// Neither `Send` nor `Sync`: it allocates from its arena.
///
/// # Examples
///
/// ```
/// use thrifty_arena::{Arena, ArenaVec};
///
/// let arena = Arena::new();
/// let mut numbers = ArenaVec::new_in(&arena);
/// numbers.extend([3, 1, 2]);
/// numbers.sort();
/// let sorted: &mut [i32] = numbers.into_slice();
/// assert_eq!(sorted, [1, 2, 3]);
/// ```
pub struct ArenaVec<'a, T, const MIN_ALIGN: usize = 8> {
    /// # Invariants
    ///
    /// 1. `start` has room for `capacity` elements, from the low end of `arena`; with no room it is
    ///    aligned at least.
    /// 2. The first `len` of them are initialised, and owned.
    start: NonNull<T>,
    capacity: usize,
    len: usize,
    arena: &'a Arena<MIN_ALIGN>,
    owns: PhantomData<T>,
}

/// What an empty vector grows to, at least.
const FIRST_CAPACITY: usize = 4;

/// The same in bytes: small elements fill a line of the cache.
const FIRST_BYTES: usize = 64;

impl<'a, T, const MIN_ALIGN: usize> ArenaVec<'a, T, MIN_ALIGN> {
    /// What an empty vector grows to.
    const FIRST: usize = match FIRST_BYTES.checked_div(size_of::<T>()) {
        Some(count) if count > FIRST_CAPACITY => count,
        _ => FIRST_CAPACITY,
    };

    /// An empty vector, which has no room yet.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// assert!(ArenaVec::<u8>::new_in(&arena).is_empty());
    /// ```
    #[inline]
    #[must_use]
    pub const fn new_in(arena: &'a Arena<MIN_ALIGN>) -> Self {
        Self {
            start: NonNull::dangling(),
            capacity: if size_of::<T>() == 0 { usize::MAX } else { 0 },
            len: 0,
            arena,
            owns: PhantomData,
        }
    }

    /// An empty vector with room for `capacity` elements.
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
    /// assert!(ArenaVec::<u8>::with_capacity_in(10, &arena).capacity() >= 10);
    /// ```
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn with_capacity_in(capacity: usize, arena: &'a Arena<MIN_ALIGN>) -> Self {
        let mut vec = Self::new_in(arena);
        vec.reserve_exact(capacity);
        vec
    }

    /// The arena that it grows in.
    #[inline]
    #[must_use]
    pub const fn arena(&self) -> &'a Arena<MIN_ALIGN> {
        self.arena
    }

    /// How many elements fit before it has to grow.
    #[inline]
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many elements there are.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements.
    #[inline]
    #[must_use]
    pub const fn as_slice(&self) -> &[T] {
        // SAFETY: valid and owned (invariant 2), and borrowed as the vector is.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The elements.
    #[inline]
    #[must_use]
    pub const fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: valid and owned (invariant 2), and borrowed as the vector is, exclusively.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// Appends an element.
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
    /// vec.push(1);
    /// assert_eq!(vec, [1]);
    /// ```
    #[inline]
    #[track_caller]
    pub fn push(&mut self, element: T) {
        if self.len == self.capacity {
            let (start, capacity) = Self::room_or_fail_slow(self.arena, self.start, self.capacity);
            // INVARIANT: 1 — the room is the vector's.
            self.start = start;
            self.capacity = capacity;
        }
        // SAFETY: there is room for one more.
        unsafe { self.push_within(element) };
    }

    /// As [`push`](Self::push), and gives the element back where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_push(&mut self, element: T) -> Result<(), Rejected<T>> {
        if self.len == self.capacity {
            if let Err(error) = self.grow_slow(1) {
                return Err(Rejected::new(element, error));
            }
        }
        // SAFETY: there is room for one more.
        unsafe { self.push_within(element) };
        Ok(())
    }

    /// # Safety
    ///
    /// `len < capacity`.
    #[inline]
    unsafe fn push_within(&mut self, element: T) {
        let len = self.len;
        // SAFETY: within the room (invariant 1), says the caller.
        let slot = unsafe { self.start.add(len) };
        // SAFETY: as above; aligned, as `start` is.
        unsafe { slot.write(element) };
        // INVARIANT: 2 — just written. Not read again: for all the compiler knows, it was written over.
        self.len = len + 1;
    }

    /// Makes room for `more` elements, and some to spare.
    ///
    /// # Panics
    ///
    /// If there is no room.
    #[inline]
    #[track_caller]
    pub fn reserve(&mut self, more: usize) {
        self.try_reserve(more).unwrap_or_else(|error| fail(error));
    }

    /// As [`reserve`](Self::reserve).
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_reserve(&mut self, more: usize) -> Result<(), AllocError> {
        if self.capacity - self.len < more {
            return self.grow_slow(more);
        }
        Ok(())
    }

    /// Makes room for exactly `more` elements.
    ///
    /// # Panics
    ///
    /// If there is no room.
    #[inline]
    #[track_caller]
    pub fn reserve_exact(&mut self, more: usize) {
        self.try_reserve_exact(more)
            .unwrap_or_else(|error| fail(error));
    }

    /// As [`reserve_exact`](Self::reserve_exact).
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn try_reserve_exact(&mut self, more: usize) -> Result<(), AllocError> {
        if self.capacity - self.len >= more {
            return Ok(());
        }
        let overflow = AllocError::overflow(align_of::<T>());
        let capacity = self.len.checked_add(more).ok_or(overflow)?;
        self.grow_to(capacity)
    }

    /// Makes room for `more` elements, as many as double the capacity.
    #[inline]
    fn grow_slow(&mut self, more: usize) -> Result<(), AllocError> {
        let (start, capacity) =
            Self::room_slow(self.arena, self.start, self.capacity, self.len, more)?;
        // INVARIANT: 1 — the room is the vector's.
        self.start = start;
        self.capacity = capacity;
        Ok(())
    }

    /// [`room_slow`](Self::room_slow) for one more than there is room for, or a panic.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn room_or_fail_slow(
        arena: &'a Arena<MIN_ALIGN>,
        start: NonNull<T>,
        capacity: usize,
    ) -> (NonNull<T>, usize) {
        // SAFETY: the parts of a vector without free room, says the caller.
        match unsafe { Self::doubled(arena, start, capacity, capacity) } {
            Some(room) => room,
            None => Self::room_slow(arena, start, capacity, capacity, 1)
                .unwrap_or_else(|error| fail(error)),
        }
    }

    /// Doubles the room of a vector, if the window has so much: in most cases growing is no more than this.
    ///
    /// # Safety
    ///
    /// The parts are those of a vector.
    #[inline]
    unsafe fn doubled(
        arena: &'a Arena<MIN_ALIGN>,
        start: NonNull<T>,
        capacity: usize,
        len: usize,
    ) -> Option<(NonNull<T>, usize)> {
        // So that no size overflows.
        let held = capacity * size_of::<T>();
        if size_of::<T>() == 0 || size_of::<T>() > SIDE_FROM || held > isize::MAX as usize / 4 {
            return None;
        }
        let window = &arena.store.window;
        if capacity == 0 {
            let bytes = Self::FIRST * size_of::<T>();
            let first = window.up(bytes, align_of::<T>(), MIN_ALIGN)?;
            return Some((first.cast(), Self::FIRST));
        }
        let doubled = (2 * capacity).max(Self::FIRST);
        let bytes = doubled * size_of::<T>();
        // SAFETY: the vector's own room (invariant 1).
        if unsafe { arena.resize_last(start.cast(), held, bytes) } {
            return Some((start, doubled));
        }
        // What has a chunk of its own would have to go back.
        if held > SIDE_FROM {
            return None;
        }
        let moved = window.up(bytes, align_of::<T>(), MIN_ALIGN)?.cast::<T>();
        // SAFETY: so many elements are valid (invariant 2); the new room is larger, and was free.
        unsafe { start.copy_to_nonoverlapping(moved, len) };
        Some((moved, doubled))
    }

    /// Grows the room of a vector: where it then is, and for how many.
    ///
    /// Takes the vector by its parts. Its address does not leave the caller's frame, so that a loop that
    /// pushes keeps the parts in registers. The parts are those of a vector; on an error they still are.
    #[cold]
    #[inline(never)]
    fn room_slow(
        arena: &'a Arena<MIN_ALIGN>,
        start: NonNull<T>,
        capacity: usize,
        len: usize,
        more: usize,
    ) -> Result<(NonNull<T>, usize), AllocError> {
        if more <= capacity.saturating_mul(2).max(Self::FIRST) - len {
            // SAFETY: the parts of a vector, says the caller.
            if let Some(room) = unsafe { Self::doubled(arena, start, capacity, len) } {
                return Ok(room);
            }
        }
        let mut vec = ManuallyDrop::new(Self {
            start,
            capacity,
            len,
            arena,
            owns: PhantomData,
        });
        vec.grow(more)?;
        Ok((vec.start, vec.capacity))
    }

    fn grow(&mut self, more: usize) -> Result<(), AllocError> {
        let overflow = AllocError::overflow(align_of::<T>());
        let least = self.len.checked_add(more).ok_or(overflow)?;
        slice_size::<T>(least)?;
        let doubled = self.capacity.saturating_mul(2).max(Self::FIRST);
        let most = isize::MAX as usize / size_of::<T>().max(1);
        let wanted = least.max(doubled.min(most));
        if self.grow_in_place(wanted) {
            return Ok(());
        }
        // The rest of the chunk will do, before the elements move.
        let free = self.arena.store.window.free() / size_of::<T>().max(1);
        if self.capacity.saturating_add(free) >= least && self.grow_in_place(self.capacity + free) {
            return Ok(());
        }
        match self.grow_to(wanted) {
            Ok(()) => Ok(()),
            Err(_) => self.grow_to(least),
        }
    }

    /// Grows where it is, if it is followed by so many free bytes.
    fn grow_in_place(&mut self, capacity: usize) -> bool {
        let Ok(bytes) = slice_size::<T>(capacity) else {
            return false;
        };
        let held = self.capacity * size_of::<T>();
        // SAFETY: the vector's own room (invariant 1).
        let grew = unsafe { self.arena.resize_last(self.start.cast(), held, bytes) };
        if grew {
            // INVARIANT: 1.
            self.capacity = capacity;
        }
        grew
    }

    /// Grows to exactly so many, or moves. The capacity is less now.
    fn grow_to(&mut self, capacity: usize) -> Result<(), AllocError> {
        let bytes = slice_size::<T>(capacity)?;
        if self.grow_in_place(capacity) {
            return Ok(());
        }
        let held = self.capacity * size_of::<T>();
        if held > SIDE_FROM {
            // SAFETY: the vector's own room (invariant 1), of less bytes.
            let grown = unsafe {
                self.arena
                    .store
                    .grow_beside(self.start.cast(), bytes, align_of::<T>())
            };
            if let Some(start) = grown {
                // INVARIANT: 1 and 2 — the room moved with what is in it.
                self.start = start.cast();
                self.capacity = capacity;
                return Ok(());
            }
        }
        let start = self.arena.take_low(bytes, align_of::<T>())?.cast::<T>();
        // SAFETY: so many elements are valid (invariant 2); the new room is larger, and was free.
        unsafe { self.start.copy_to_nonoverlapping(start, self.len) };
        let old = self.start;
        // INVARIANT: 1 and 2 — just taken and filled.
        self.start = start;
        self.capacity = capacity;
        // SAFETY: the vector's room before, which it has left.
        unsafe { self.arena.give_back(old.cast(), held) };
        Ok(())
    }

    /// Gives room beyond the elements back, if nothing came after the vector.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::<u64>::with_capacity_in(100, &arena);
    /// vec.push(1);
    /// vec.shrink_to_fit();
    /// assert_eq!((vec.capacity(), arena.stats().used_bytes), (1, 8));
    /// ```
    #[inline]
    pub fn shrink_to_fit(&mut self) {
        if size_of::<T>() == 0 || self.len == self.capacity {
            return;
        }
        let (held, kept) = (self.capacity * size_of::<T>(), self.len * size_of::<T>());
        // SAFETY: the vector's own room (invariant 1); what is left holds the elements.
        if unsafe { self.arena.resize_last(self.start.cast(), held, kept) } {
            // INVARIANT: 1.
            self.capacity = self.len;
        }
    }

    /// Makes a plain slice of the vector, for as long as the arena. Its elements are never dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.extend([1_u64, 2]);
    /// assert_eq!(vec.into_slice(), [1, 2]);
    /// assert_eq!(arena.stats().used_bytes, 16);
    /// ```
    #[inline]
    #[must_use]
    pub fn into_slice(mut self) -> &'a mut [T]
    where
        T: 'a,
    {
        self.shrink_to_fit();
        let vec = ManuallyDrop::new(self);
        // SAFETY: valid and owned (invariant 2); the arena is borrowed for `'a`, and the vector, which
        // would drop them, is not dropped.
        unsafe { slice::from_raw_parts_mut(vec.start.as_ptr(), vec.len) }
    }

    /// Makes a box of the elements, which drops them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.push(Box::new(1));
    /// assert_eq!(*vec.into_boxed_slice()[0], 1);
    /// ```
    #[inline]
    #[must_use]
    pub fn into_boxed_slice(self) -> ArenaBox<'a, [T]>
    where
        T: 'a,
    {
        // SAFETY: nobody else has the elements, which nothing else will drop.
        unsafe { ArenaBox::from_owned(self.into_slice()) }
    }

    /// Removes all elements beyond the first `len`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaVec};
    /// let arena = Arena::new();
    /// let mut vec = ArenaVec::new_in(&arena);
    /// vec.extend(1..=9);
    /// vec.truncate(2);
    /// assert_eq!(vec, [1, 2]);
    /// ```
    pub fn truncate(&mut self, len: usize) {
        if len < self.len {
            let rest = &raw mut self.as_mut_slice()[len..];
            // INVARIANT: 2 — set first, since a drop may panic.
            self.len = len;
            // SAFETY: valid and owned until now, and out of the vector's reach since.
            unsafe { ptr::drop_in_place(rest) };
        }
    }

    /// Removes all elements, and keeps the room.
    #[inline]
    pub fn clear(&mut self) {
        self.truncate(0);
    }
}

impl<T, const MIN_ALIGN: usize> ArenaVec<'_, T, MIN_ALIGN> {
    /// Gives the room of a vector back.
    ///
    /// Takes it by its parts, and is not inlined, so that the drop is, where a panic leads: or it would get the
    /// vector's address, and a loop that pushes would have to keep the vector in memory.
    ///
    /// # Safety
    ///
    /// The parts are those of a vector whose room is not used again.
    #[inline(never)]
    unsafe fn give_room(arena: &Arena<MIN_ALIGN>, start: NonNull<T>, capacity: usize) {
        // SAFETY: the vector's own room (invariant 1), which ends here.
        unsafe { arena.give_back(start.cast(), capacity * size_of::<T>()) };
    }
}

impl<T, const MIN_ALIGN: usize> Drop for ArenaVec<'_, T, MIN_ALIGN> {
    #[inline]
    fn drop(&mut self) {
        if needs_drop::<T>() {
            self.clear();
        }
        if size_of::<T>() != 0 {
            // SAFETY: the vector's parts, and its end.
            unsafe { Self::give_room(self.arena, self.start, self.capacity) };
        }
    }
}
