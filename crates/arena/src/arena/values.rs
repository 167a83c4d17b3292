//! Single values.

use core::ptr::NonNull;

use thrifty_traits::Rejected;

use super::{Arena, fail, raw::Stand};

impl<const MIN_ALIGN: usize> Arena<MIN_ALIGN> {
    /// Moves a value into the arena. It is never dropped.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// let (a, b) = (arena.alloc(1), arena.alloc(2));
    /// *a += *b;
    /// assert_eq!(*a, 3);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc<T>(&self, value: T) -> &mut T {
        match self.hit::<T>() {
            // SAFETY: just taken for a `T`.
            Some(slot) => unsafe { fill(slot, value) },
            None => self.alloc_slow(value),
        }
    }

    /// As [`alloc`](Self::alloc), and gives the value back where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::builder().limit(0).build();
    /// let rejected = arena.try_alloc(vec![1]).unwrap_err();
    /// assert_eq!(rejected.into_value(), [1]);
    /// ```
    #[inline]
    pub fn try_alloc<T>(&self, value: T) -> Result<&mut T, Rejected<T>> {
        match self.hit::<T>() {
            // SAFETY: just taken for a `T`.
            Some(slot) => Ok(unsafe { fill(slot, value) }),
            None => self.try_alloc_slow(value),
        }
    }

    /// Takes the value by move, so that a hit need not keep it over a call.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn alloc_slow<T>(&self, value: T) -> &mut T {
        match self.try_alloc_slow(value) {
            Ok(value) => value,
            Err(rejected) => fail(rejected.error),
        }
    }

    #[cold]
    #[inline(never)]
    fn try_alloc_slow<T>(&self, value: T) -> Result<&mut T, Rejected<T>> {
        match self.miss::<T>() {
            // SAFETY: just taken for a `T`.
            Ok(slot) => Ok(unsafe { fill(slot, value) }),
            Err(error) => Err(Rejected::new(value, error)),
        }
    }

    /// Makes a value where it will stay, which spares large ones a copy.
    ///
    /// The closure may use the arena.
    ///
    /// # Panics
    ///
    /// If there is no room. If the closure panics, what was taken for the value is given back.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// let table = arena.alloc_with(|| [1_u8; 3000]);
    /// assert_eq!(table[2999], 1);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_with<T>(&self, make: impl FnOnce() -> T) -> &mut T {
        match self.try_alloc_with(make) {
            Ok(value) => value,
            Err(rejected) => fail(rejected.error),
        }
    }

    /// As [`alloc_with`](Self::alloc_with); gives the closure back, not called, where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc_with<T, F: FnOnce() -> T>(&self, make: F) -> Result<&mut T, Rejected<F>> {
        let before = self.stand();
        let slot = match self.hit::<T>() {
            Some(slot) => slot,
            None => match self.miss::<T>() {
                Ok(slot) => slot,
                Err(error) => return Err(Rejected::new(make, error)),
            },
        };
        let pending = Pending::new(self, before, slot);
        let value = make();
        pending.keep();
        // SAFETY: just taken for a `T`.
        Ok(unsafe { fill(slot, value) })
    }

    /// Makes a value where it will stay, or fails and gives back what was taken for it.
    ///
    /// The closure may use the arena; what it allocated before it failed then stays, and so does the room
    /// that was taken for the value.
    ///
    /// # Errors
    ///
    /// The closure's.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// let number: Result<&mut u64, _> = arena.alloc_try_with(|| "12".parse());
    /// assert_eq!(number, Ok(&mut 12));
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_try_with<T, E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&mut T, E> {
        match self.try_alloc_try_with(make) {
            Ok(result) => result,
            Err(rejected) => fail(rejected.error),
        }
    }

    /// As [`alloc_try_with`](Self::alloc_try_with); the outer error is of the allocation.
    ///
    /// # Errors
    ///
    /// If there is no room: then the closure is given back, not called.
    #[inline]
    pub fn try_alloc_try_with<T, E, F: FnOnce() -> Result<T, E>>(
        &self,
        make: F,
    ) -> Result<Result<&mut T, E>, Rejected<F>> {
        let before = self.stand();
        let slot = match self.hit::<T>() {
            Some(slot) => slot,
            None => match self.miss::<T>() {
                Ok(slot) => slot,
                Err(error) => return Err(Rejected::new(make, error)),
            },
        };
        let pending = Pending::new(self, before, slot);
        // An error, like a panic, leaves by the guard.
        let value = match make() {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        };
        pending.keep();
        // SAFETY: just taken for a `T`.
        Ok(Ok(unsafe { fill(slot, value) }))
    }

    /// A default value.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(*arena.alloc_default::<u32>(), 0);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_default<T: Default>(&self) -> &mut T {
        self.alloc_with(T::default)
    }
}

/// Writes a value where there is room for it.
///
/// # Safety
///
/// The slot was just taken for a `T`: valid for writes for as long as the arena is borrowed, and
/// *exclusive*.
#[inline]
unsafe fn fill<'a, T>(mut slot: NonNull<T>, value: T) -> &'a mut T {
    // SAFETY: valid for writes and aligned, says the caller.
    unsafe { slot.write(value) };
    // SAFETY: valid, since it was just written, and exclusive, says the caller.
    unsafe { slot.as_mut() }
}

/// Room whose value is being made: gives the room back, if it can, unless it is kept.
pub(crate) struct Pending<'a, T, const MIN_ALIGN: usize> {
    arena: &'a Arena<MIN_ALIGN>,
    before: Stand,
    after: Stand,
    slot: NonNull<T>,
}

impl<'a, T, const MIN_ALIGN: usize> Pending<'a, T, MIN_ALIGN> {
    /// Right after the one allocation since `before`.
    #[inline]
    pub(crate) fn new(arena: &'a Arena<MIN_ALIGN>, before: Stand, slot: NonNull<T>) -> Self {
        Self {
            arena,
            before,
            after: arena.stand(),
            slot,
        }
    }

    #[inline]
    #[expect(
        clippy::mem_forget,
        reason = "it owns nothing: its drop is the undoing"
    )]
    pub(crate) fn keep(self) {
        core::mem::forget(self);
    }
}

impl<T, const MIN_ALIGN: usize> Drop for Pending<'_, T, MIN_ALIGN> {
    fn drop(&mut self) {
        // SAFETY: the stands are from before and after the one allocation, which nobody has a
        // reference to: its value was not made.
        unsafe {
            self.arena
                .take_back(&self.before, &self.after, self.slot.cast(), size_of::<T>());
        }
    }
}
