//! The arena, without what it allocates: making, resetting, figures.

#[expect(unsafe_code, reason = "hands out raw memory")]
mod raw;
#[expect(unsafe_code, reason = "writes slices into raw memory")]
mod slices;
#[expect(unsafe_code, reason = "makes text from bytes that are text")]
mod text;
#[expect(unsafe_code, reason = "writes values into raw memory")]
mod values;

pub(crate) use self::raw::{SIDE_FROM, slice_size};

use core::fmt;

use thrifty_traits::{AllocError, AllocErrorKind, MemoryUsage, Pressure, Reclaimed, Usage};

use crate::{ArenaBuilder, ArenaStats, chunk::HEADER, config::Config, kernel::BASE, store::Store};

/// An arena: allocations cost an addition, and are all given back at once.
///
/// What is allocated lives until the arena is reset or dropped, or until the [scope](Self::scope) ends
/// in which it was allocated. It is borrowed from the arena, so that the compiler sees to it.
/// **Nothing that is allocated is dropped**: memory of its own that a value holds (a `String` in the
/// arena) leaks. [`ArenaBox`](crate::ArenaBox), [`ArenaVec`](crate::ArenaVec) and
/// [`TypedArena`](crate::TypedArena) drop what they hold.
///
/// Values are aligned to `MIN_ALIGN` or more from one end of a chunk; what is aligned to less, strings and
/// small integers, is packed without gaps from the other end. `MIN_ALIGN` is 1, 2, 4, 8 or 16; 8 fits
/// nearly all programs.
///
/// # Memory
///
/// A new arena has none. Chunks begin at 4 KiB and double up to 1 MiB; an object of more than 256 KiB
/// gets a chunk of its own. A reset keeps chunks as [`Retain`](crate::Retain) says. A limit, set by
/// [`ArenaBuilder::limit`], counts every byte that is taken from the global allocator.
///
/// # Concurrency
///
/// `Send`, not `Sync`: it may move to another thread, but serves one at a time.
///
/// # Examples
///
/// ```
/// use thrifty_arena::Arena;
///
/// let mut arena = Arena::new();
/// for request in ["a b", "c d e"] {
///     let words = arena.alloc_iter(request.split(' '));
///     let reply = arena.alloc_join(words, "-");
///     assert_eq!(reply.len(), request.len());
///     arena.reset();
/// }
/// ```
#[repr(C)]
pub struct Arena<const MIN_ALIGN: usize = 8> {
    pub(crate) store: Store,
}

impl Arena {
    /// An arena that holds no memory yet.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.stats().reserved_bytes, 0);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self::new_aligned()
    }

    /// Settings for an arena: chunk sizes, a limit, what a reset keeps.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{AllocErrorKind, Arena};
    ///
    /// let arena = Arena::builder().limit(64 << 10).build();
    /// let rejected = arena.try_alloc_slice_fill(65 << 10, 0_u8).unwrap_err();
    /// assert_eq!(rejected.error.kind, AllocErrorKind::Limit);
    /// ```
    pub const fn builder() -> ArenaBuilder {
        ArenaBuilder::new()
    }

    /// An arena with room for `bytes` in its first chunk.
    ///
    /// # Panics
    ///
    /// If there is no memory for it.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::with_capacity(1000);
    /// assert!(arena.stats().free_bytes >= 1000);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn with_capacity(bytes: usize) -> Self {
        Self::try_with_capacity(bytes).unwrap_or_else(|error| fail(error))
    }

    /// As [`with_capacity`](Self::with_capacity).
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn try_with_capacity(bytes: usize) -> Result<Self, AllocError> {
        let arena = Self::new();
        arena.try_reserve(bytes)?;
        Ok(arena)
    }
}

impl<const MIN_ALIGN: usize> Arena<MIN_ALIGN> {
    /// What each chunk takes of the limit beside what is allocated from it, in bytes.
    pub const CHUNK_OVERHEAD: usize = HEADER;

    /// [`new`](Arena::new), for another `MIN_ALIGN` than 8.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::<16>::new_aligned();
    /// assert_eq!((&raw const *arena.alloc(1_u128)).addr() % 16, 0);
    /// ```
    ///
    /// ```compile_fail
    /// let arena = thrifty_arena::Arena::<32>::new_aligned();
    /// ```
    #[must_use]
    pub const fn new_aligned() -> Self {
        Self::with_store(Store::new(Config::DEFAULT, usize::MAX))
    }

    pub(crate) const fn with_store(store: Store) -> Self {
        const {
            assert!(
                MIN_ALIGN.is_power_of_two() && MIN_ALIGN <= BASE,
                "MIN_ALIGN is 1, 2, 4, 8 or 16"
            );
        }
        Self { store }
    }

    /// Gives back everything that was allocated, to be used again.
    ///
    /// The chunks stay, as far as the arena's [`Retain`](crate::Retain) says. Takes a few
    /// instructions, whatever was allocated: one step for each object that had a chunk of its own, and
    /// one for each chunk that is freed. Debug builds overwrite what was in use, and so take longer.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut arena = thrifty_arena::Arena::new();
    /// arena.alloc([0_u8; 1000]);
    /// arena.reset();
    /// assert_eq!(arena.stats().used_bytes, 0);
    /// assert!(arena.stats().reserved_bytes >= 1000);
    /// ```
    #[inline]
    pub fn reset(&mut self) {
        // SAFETY: what was allocated is borrowed from the arena, which is borrowed exclusively now.
        #[expect(unsafe_code, reason = "the borrow proves that nothing is in use")]
        unsafe {
            self.store.reset();
        }
    }

    /// Makes room for `bytes`, so that this many can be allocated without asking the global allocator.
    ///
    /// Padding takes its share; a reset may give the room back.
    ///
    /// # Panics
    ///
    /// If there is no memory for it.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// arena.reserve(10_000);
    /// assert!(arena.stats().free_bytes >= 10_000);
    /// ```
    #[track_caller]
    pub fn reserve(&self, bytes: usize) {
        self.try_reserve(bytes).unwrap_or_else(|error| fail(error));
    }

    /// As [`reserve`](Self::reserve).
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn try_reserve(&self, bytes: usize) -> Result<(), AllocError> {
        if self.store.window.free() >= bytes {
            return Ok(());
        }
        let error = |kind| AllocError::new(kind, bytes, 1);
        if bytes > isize::MAX as usize {
            return Err(error(AllocErrorKind::Overflow));
        }
        self.store.refill(bytes).map_err(error)
    }

    /// Frees spare chunks; what is in use stays, and so does the current chunk.
    ///
    /// [`Pressure::Low`] keeps what recent rounds needed.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Arena, Pressure, Retain};
    ///
    /// let mut arena = Arena::builder().retain(Retain::All).build();
    /// arena.alloc_slice_fill(10_000, 0_u8);
    /// arena.alloc_slice_fill(20_000, 0_u8);
    /// arena.reset();
    /// assert!(arena.trim(Pressure::High).bytes > 10_000);
    /// ```
    pub fn trim(&self, pressure: Pressure) -> Reclaimed {
        match pressure {
            Pressure::Low => self.store.free_beyond_recent(),
            Pressure::Medium | Pressure::High => self.store.free_spare(0),
        }
    }

    /// How many bytes the arena may take from the global allocator; `usize::MAX` for no limit.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.store.limit()
    }

    /// Sets another limit. It holds for chunks to come: what the arena has, it keeps.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// arena.set_limit(100);
    /// assert!(arena.try_alloc([0_u8; 200]).is_err());
    /// ```
    pub fn set_limit(&self, bytes: usize) {
        self.store.set_limit(bytes);
    }

    /// What the arena holds, in detail.
    ///
    /// Walks the chunks.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// arena.alloc(1_u64);
    /// arena.alloc_str("four");
    /// assert_eq!(arena.stats().used_bytes, 12);
    /// ```
    #[must_use]
    pub fn stats(&self) -> ArenaStats {
        ArenaStats::from_figures(self.store.figures())
    }
}

impl<const MIN_ALIGN: usize> Default for Arena<MIN_ALIGN> {
    fn default() -> Self {
        Self::new_aligned()
    }
}

/// In use is what was allocated, with the padding between; the rest of the current chunk and the spare
/// chunks are idle.
impl<const MIN_ALIGN: usize> MemoryUsage for Arena<MIN_ALIGN> {
    fn memory_usage(&self) -> Usage {
        let figures = self.store.figures();
        Usage::new()
            .with_in_use_bytes(figures.used)
            .with_idle_bytes(figures.free + figures.spare)
            .with_reserved_bytes(figures.reserved)
    }
}

impl<const MIN_ALIGN: usize> fmt::Debug for Arena<MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena")
            .field("min_align", &MIN_ALIGN)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// Panics with the error, for the forms that do.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn fail(error: AllocError) -> ! {
    panic!("{error}")
}
