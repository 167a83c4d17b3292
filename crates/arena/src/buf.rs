//! An arena in a caller's buffer.

use core::{fmt, marker::PhantomData, mem::MaybeUninit, ops::Deref};

use thrifty_traits::{MemoryUsage, Usage};

use crate::{
    Arena, ArenaBuilder, Scope,
    config::Config,
    kernel::{FEW, align_up},
    store::Store,
};

/// An arena that fills a caller's buffer first: bytes on the stack, in a static, in a `Vec`.
///
/// It has the methods of [`Arena`]. [`fixed`](Self::fixed) makes one that has the buffer and nothing else;
/// [`spilling`](Self::spilling) one that goes on with chunks when the buffer is full.
///
/// # Memory
///
/// The buffer, of which up to 15 bytes at its start are lost to alignment; there is no header in it. A
/// spilling arena then behaves as [`Arena`] says, and begins with the buffer again after a reset. The
/// buffer does not count as reserved.
///
/// # Concurrency
///
/// `Send`, not `Sync`, as [`Arena`].
///
/// # Examples
///
/// ```
/// use std::mem::MaybeUninit;
/// use thrifty_arena::{AllocErrorKind, BufArena};
///
/// let mut buffer = [MaybeUninit::uninit(); 256];
/// let arena = BufArena::fixed(&mut buffer);
/// assert_eq!(arena.alloc_str("on the stack"), "on the stack");
/// let error = arena.try_alloc([0_u8; 1000]).unwrap_err().error;
/// assert_eq!(error.kind, AllocErrorKind::Exhausted);
/// ```
pub struct BufArena<'b, const MIN_ALIGN: usize = 8> {
    // Never lent out exclusively: whoever could swap it would get an arena that outlives the buffer.
    arena: Arena<MIN_ALIGN>,
    buffer: PhantomData<&'b mut [MaybeUninit<u8>]>,
}

impl<'b> BufArena<'b> {
    /// An arena that has the buffer and nothing else: when it is full, allocating fails as `Exhausted`.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::BufArena;
    ///
    /// let mut buffer = Vec::with_capacity(1000);
    /// let arena = BufArena::fixed(buffer.spare_capacity_mut());
    /// assert!(arena.try_alloc_slice_fill(900, 0_u8).is_ok());
    /// assert!(arena.try_alloc_slice_fill(900, 0_u8).is_err());
    /// ```
    #[must_use]
    pub fn fixed(buffer: &'b mut [MaybeUninit<u8>]) -> Self {
        Self::fixed_aligned(buffer)
    }

    /// An arena that goes on with chunks when the buffer is full.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::mem::MaybeUninit;
    /// use thrifty_arena::BufArena;
    ///
    /// let mut buffer = [MaybeUninit::uninit(); 64];
    /// let arena = BufArena::spilling(&mut buffer);
    /// assert_eq!(arena.alloc_slice_fill(1000, 1_u8).len(), 1000);
    /// assert!(arena.stats().reserved_bytes > 1000);
    /// ```
    #[must_use]
    pub fn spilling(buffer: &'b mut [MaybeUninit<u8>]) -> Self {
        Self::spilling_with(Arena::builder(), buffer)
    }
}

impl<'b, const MIN_ALIGN: usize> BufArena<'b, MIN_ALIGN> {
    /// [`fixed`](BufArena::fixed), for another `MIN_ALIGN` than 8.
    #[must_use]
    pub fn fixed_aligned(buffer: &'b mut [MaybeUninit<u8>]) -> Self {
        let config = Config {
            grows: false,
            ..Config::DEFAULT
        };
        Self::within(config, usize::MAX, buffer)
    }

    /// [`spilling`](BufArena::spilling), with settings for what comes after the buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::mem::MaybeUninit;
    /// use thrifty_arena::{Arena, BufArena};
    ///
    /// let mut buffer = [MaybeUninit::uninit(); 64];
    /// let settings = Arena::builder().limit(8192);
    /// let arena: BufArena = BufArena::spilling_with(settings, &mut buffer);
    /// assert!(arena.try_alloc([0_u8; 9000]).is_err());
    /// ```
    #[must_use]
    pub fn spilling_with(settings: ArenaBuilder, buffer: &'b mut [MaybeUninit<u8>]) -> Self {
        Self::within(settings.config, settings.limit, buffer)
    }

    fn within(config: Config, limit: usize, buffer: &'b mut [MaybeUninit<u8>]) -> Self {
        let range = buffer.as_mut_ptr_range();
        let end = range.end.cast::<u8>();
        let aligned = align_up(range.start.addr(), MIN_ALIGN);
        // A buffer that is too short to be aligned is none; wrapping past the last address, too. And an empty one may
        // be at no address where memory can be.
        let is_within = aligned >= range.start.addr() && aligned <= end.addr() && aligned >= FEW;
        let start = if is_within {
            range.start.cast::<u8>().with_addr(aligned)
        } else {
            end
        };
        let store = if is_within {
            // SAFETY: within the buffer, which is borrowed exclusively for as long as the arena may be
            // used; it is not below `FEW`, and was aligned.
            unsafe { Store::with_home(config, limit, start, end) }
        } else {
            Store::new(config, limit)
        };
        Self {
            arena: Arena::with_store(store),
            buffer: PhantomData,
        }
    }

    /// As [`Arena::reset`]; the buffer is filled first again.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::mem::MaybeUninit;
    /// use thrifty_arena::BufArena;
    ///
    /// let mut buffer = [MaybeUninit::uninit(); 64];
    /// let mut arena = BufArena::fixed(&mut buffer);
    /// for _ in 0..3 {
    ///     arena.alloc([0_u8; 40]);
    ///     arena.reset();
    /// }
    /// ```
    #[inline]
    pub fn reset(&mut self) {
        self.arena.reset();
    }

    /// As [`Arena::scope`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::mem::MaybeUninit;
    /// use thrifty_arena::BufArena;
    ///
    /// let mut buffer = [MaybeUninit::uninit(); 64];
    /// let mut arena = BufArena::fixed(&mut buffer);
    /// for _ in 0..3 {
    ///     arena.scope(|scope| scope.alloc([0_u8; 40])[0]);
    /// }
    /// ```
    #[inline]
    pub fn scope<R>(&mut self, run: impl for<'s> FnOnce(Scope<'s, MIN_ALIGN>) -> R) -> R {
        self.arena.scope(run)
    }
}

/// There is nothing to do here: that there is a `Drop` makes the compiler demand that the buffer is still there
/// when the arena inside is dropped, which writes to it.
impl<const MIN_ALIGN: usize> Drop for BufArena<'_, MIN_ALIGN> {
    fn drop(&mut self) {}
}

impl<const MIN_ALIGN: usize> Deref for BufArena<'_, MIN_ALIGN> {
    type Target = Arena<MIN_ALIGN>;

    #[inline]
    fn deref(&self) -> &Arena<MIN_ALIGN> {
        &self.arena
    }
}

impl<const MIN_ALIGN: usize> MemoryUsage for BufArena<'_, MIN_ALIGN> {
    fn memory_usage(&self) -> Usage {
        self.arena.memory_usage()
    }
}

impl<const MIN_ALIGN: usize> fmt::Debug for BufArena<'_, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BufArena").field(&self.arena).finish()
    }
}
