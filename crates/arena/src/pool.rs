//! A pool of arenas, one for each request.
//!
//! Threads that take an arena and give it back meet nobody: each has a seat, where one arena waits, behind a lock of
//! its own. Where arenas wait, and which of them are forgotten, is in `pool/shelf.rs`.
//!
//! The row `arena/request-pool/4t` compares, `thrifty-mutex-vec` being one stack behind one lock. Of what a new arena of
//! `bump-scope` for each request takes, that took 1.12 times and seats 0.96 times on a quiet machine. While others keep
//! the cores busy, the two cannot be told apart: seats 1.05 times, from 0.7 to 1.2 (medians, 4-core x86-64, 2026-11).

#![forbid(unsafe_code)]

mod shelf;

use core::{fmt, ops::Deref, ptr};

use thrifty_sync::const_unless_loom;
use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

use self::shelf::Waiting;
use crate::{Arena, ArenaBuilder, Retain, Scope};

/// A pool of arenas: each request takes one, and gives it back emptied, its memory warm.
///
/// # Memory
///
/// An arena that comes back is reset, and keeps of its memory what the [`Retain`](crate::Retain) of its
/// settings says: [`Retain::Bytes`](crate::Retain::Bytes) bounds it, the default forgets a request that was out of
/// the ordinary. At most [`max_idle`](Self::max_idle) arenas wait for the next request; more are freed. And those
/// that nobody took during the last thousand requests or so are freed one by one, but under
/// [`Retain::All`](crate::Retain::All), so that a burst is forgotten, too; a pool that nobody uses keeps what it has
/// until it is [trimmed](Self::trim). The pool itself takes some 4 KiB.
///
/// # Concurrency
///
/// `Send` and `Sync`. Taking an arena and giving it back hold a lock for some nanoseconds: one that is the thread's
/// own, for up to eight threads, or a shared one, if a thread has several arenas at once. Resetting and
/// freeing happen outside.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use thrifty_arena::{Arena, ArenaPool, Retain};
///
/// let settings = Arena::builder().retain(Retain::Bytes(64 << 10));
/// let pool = Arc::new(ArenaPool::with_settings(8, settings));
///
/// let arena = pool.get(); // borrows the pool
/// assert_eq!(arena.alloc_str("per request"), "per request");
/// drop(arena); // emptied, and ready for the next one
///
/// let arena = ArenaPool::get_shared(&pool); // for a thread or a task that lives as long as it likes
/// std::thread::spawn(move || arena.alloc_str("elsewhere").len()).join().unwrap();
/// assert_eq!(pool.idle(), 1);
/// ```
pub struct ArenaPool {
    waiting: Waiting,
    settings: ArenaBuilder,
}

/// How many arenas wait if nothing else is said.
const MAX_IDLE: usize = 32;

impl ArenaPool {
    const_unless_loom! {
        /// A pool of arenas with default settings, of which at most 32 wait.
        ///
        /// # Examples
        ///
        /// ```
        /// static POOL: thrifty_arena::ArenaPool = thrifty_arena::ArenaPool::new();
        /// assert_eq!(*POOL.get().alloc(7), 7);
        /// ```
        #[must_use]
        pub const fn new() -> Self {
            Self::with_settings(MAX_IDLE, ArenaBuilder::new())
        }
    }

    const_unless_loom! {
        /// A pool of arenas with these settings, of which at most `max_idle` wait.
        ///
        /// A limit in the settings is one for each arena.
        ///
        /// # Examples
        ///
        /// ```
        /// use thrifty_arena::{Arena, ArenaPool};
        ///
        /// let pool = ArenaPool::with_settings(1, Arena::builder().limit(8192));
        /// let (a, b) = (pool.get(), pool.get());
        /// assert!(a.try_alloc([0_u8; 9000]).is_err());
        /// drop((a, b));
        /// assert_eq!(pool.idle(), 1);
        /// ```
        #[must_use]
        pub const fn with_settings(max_idle: usize, settings: ArenaBuilder) -> Self {
            Self {
                waiting: Waiting::new(max_idle),
                settings,
            }
        }
    }

    /// An empty arena, which comes back when the guard is dropped.
    ///
    /// The one that came back last, or a new one: which allocates nothing yet, so that this cannot fail.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_arena::ArenaPool::new();
    /// let arena = pool.get();
    /// assert_eq!(arena.alloc_join(&["a", "b"], "-"), "a-b");
    /// ```
    #[inline]
    #[must_use]
    pub fn get(&self) -> PooledArena<&Self> {
        PooledArena::new(self)
    }

    /// As [`get`](Self::get), for a guard that keeps the pool alive: an `Arc`, or another pointer to it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use thrifty_arena::{ArenaPool, PooledArena};
    ///
    /// struct Request {
    ///     arena: PooledArena<Arc<ArenaPool>>,
    /// }
    ///
    /// let pool = Arc::new(ArenaPool::new());
    /// let request = Request { arena: ArenaPool::get_shared(&pool) };
    /// assert_eq!(*request.arena.alloc(1), 1);
    /// ```
    #[inline]
    #[must_use]
    pub fn get_shared<P: Deref<Target = Self> + Clone>(pool: &P) -> PooledArena<P> {
        PooledArena::new(pool.clone())
    }

    /// How many arenas wait.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.waiting.totals().idle
    }

    /// How many arenas wait at most.
    #[must_use]
    pub const fn max_idle(&self) -> usize {
        self.waiting.max_idle()
    }

    /// Frees arenas that wait; those that are lent stay.
    ///
    /// [`Pressure::Low`] frees those that nobody took since the last call, the other levels all.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{ArenaPool, Pressure};
    ///
    /// let pool = ArenaPool::new();
    /// pool.get().alloc([0_u8; 1000]);
    /// assert!(pool.trim(Pressure::High).bytes > 1000);
    /// assert_eq!(pool.idle(), 0);
    /// ```
    pub fn trim(&self, pressure: Pressure) -> Reclaimed {
        self.waiting.trim(pressure)
    }

    fn take(&self) -> Arena {
        let idle = self.waiting.take();
        idle.unwrap_or_else(|| self.settings.build())
    }

    /// Puts an arena back that was lent with so many bytes; or leaves it there, if too many wait.
    fn put(&self, arena: &mut Option<Arena>, lent_bytes: usize) {
        if let Some(arena) = arena {
            arena.reset();
            // A request may have set another one.
            arena.set_limit(self.settings.limit);
        }
        if self.waiting.put(arena, lent_bytes) {
            self.forget_slow();
        }
    }

    /// Frees what recent requests did not need.
    #[cold]
    #[inline(never)]
    fn forget_slow(&self) {
        if self.settings.config.retain != Retain::All {
            drop(self.waiting.tick());
        }
    }
}

impl Default for ArenaPool {
    fn default() -> Self {
        Self::new()
    }
}

/// Idle is what waiting arenas have reserved, in use what the others had when they were lent: they are
/// their users', who may ask them.
impl MemoryUsage for ArenaPool {
    fn memory_usage(&self) -> Usage {
        let totals = self.waiting.totals();
        Usage::new()
            .with_in_use_bytes(totals.lent_bytes)
            .with_idle_bytes(totals.idle_bytes)
            .with_reserved_bytes(totals.lent_bytes + totals.idle_bytes)
    }
}

/// As [`trim`](ArenaPool::trim).
///
/// # Examples
///
/// ```
/// use std::sync::{Arc, Weak};
/// use thrifty_arena::{ArenaPool, Pressure, Reclaim};
///
/// let pool = Arc::new(ArenaPool::new());
/// pool.get().alloc([0_u8; 1000]);
/// let controlled: Weak<dyn Reclaim> = Arc::downgrade(&(pool.clone() as Arc<dyn Reclaim>));
/// assert!(controlled.reclaim(Pressure::High).bytes > 1000);
/// drop(pool);
/// assert!(controlled.reclaim(Pressure::High).is_nothing());
/// ```
impl Reclaim for ArenaPool {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.trim(pressure)
    }
}

impl fmt::Debug for ArenaPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArenaPool")
            .field("idle", &self.idle())
            .field("max_idle", &self.max_idle())
            .field("usage", &self.memory_usage())
            .finish_non_exhaustive()
    }
}

/// An arena that is lent from an [`ArenaPool`], and goes back, emptied, when it is dropped.
///
/// It has the methods of [`Arena`]. A guard that is forgotten leaks its arena; the pool makes another one.
///
/// # Memory
///
/// As [`ArenaPool`] says.
///
/// # Concurrency
///
/// `Send` where the pointer to the pool is, not `Sync`, as [`Arena`].
///
/// # Examples
///
/// ```
/// let pool = thrifty_arena::ArenaPool::new();
/// let mut arena = pool.get();
/// for round in 0..3 {
///     arena.alloc_slice_fill(100, round);
///     arena.reset();
/// }
/// ```
pub struct PooledArena<P: Deref<Target = ArenaPool>> {
    /// There until it is dropped. Never lent out exclusively: swapped arenas would break the pool's figures.
    arena: Option<Arena>,
    lent_bytes: usize,
    /// Where the pool was when it lent the arena. A pointer may lead to another one later, whose settings
    /// are others.
    home: usize,
    pool: P,
}

impl<P: Deref<Target = ArenaPool>> PooledArena<P> {
    fn new(pool: P) -> Self {
        let lender: &ArenaPool = &pool;
        let arena = lender.take();
        Self {
            lent_bytes: arena.store.reserved(),
            arena: Some(arena),
            home: ptr::from_ref(lender).addr(),
            pool,
        }
    }

    fn arena_mut(&mut self) -> &mut Arena {
        self.arena.get_or_insert_default()
    }

    /// As [`Arena::reset`].
    #[inline]
    pub fn reset(&mut self) {
        self.arena_mut().reset();
    }

    /// As [`Arena::scope`].
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_arena::ArenaPool::new();
    /// assert_eq!(pool.get().scope(|scope| *scope.alloc(7)), 7);
    /// ```
    #[inline]
    pub fn scope<R>(&mut self, run: impl for<'s> FnOnce(Scope<'s>) -> R) -> R {
        self.arena_mut().scope(run)
    }
}

/// The arena of a guard whose own has gone: there is none, since it goes when the guard does.
#[cold]
#[inline(never)]
fn gone() -> ! {
    unreachable!("a guard has its arena until it is dropped")
}

impl<P: Deref<Target = ArenaPool>> Deref for PooledArena<P> {
    type Target = Arena;

    #[inline]
    fn deref(&self) -> &Arena {
        self.arena.as_ref().unwrap_or_else(|| gone())
    }
}

impl<P: Deref<Target = ArenaPool>> Drop for PooledArena<P> {
    fn drop(&mut self) {
        let pool: &ArenaPool = &self.pool;
        if ptr::from_ref(pool).addr() == self.home {
            pool.put(&mut self.arena, self.lent_bytes);
        }
    }
}

impl<P: Deref<Target = ArenaPool>> MemoryUsage for PooledArena<P> {
    fn memory_usage(&self) -> Usage {
        (**self).memory_usage()
    }
}

impl<P: Deref<Target = ArenaPool>> fmt::Debug for PooledArena<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PooledArena").field(&self.arena).finish()
    }
}
