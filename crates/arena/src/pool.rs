//! A pool of arenas, one for each request.
//!
//! A lock around a stack: the guard of the lock lives for the move of one arena, and the one that came back
//! last, whose memory is in the caches, goes out first. Nothing is allocated, freed or reset under the lock, but
//! when the stack itself grows.

#![forbid(unsafe_code)]

use alloc::collections::VecDeque;
use core::{fmt, ops::Deref};

use thrifty_sync::{
    const_unless_loom,
    sync::{Mutex, MutexGuard},
};
use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

use crate::{Arena, ArenaBuilder, Scope};

/// A pool of arenas: each request takes one, and gives it back emptied, its memory warm.
///
/// # Memory
///
/// An arena that comes back is reset, and keeps of its memory what the [`Retain`](crate::Retain) of its
/// settings says: [`Retain::Bytes`](crate::Retain::Bytes) bounds it, the default forgets a request that was out of
/// the ordinary. At most [`max_idle`](Self::max_idle) arenas wait for the next request; more are freed. Each
/// takes some 200 bytes in the pool itself.
///
/// # Concurrency
///
/// `Send` and `Sync`. Taking an arena and giving it back hold a lock for some nanoseconds, whoever
/// else does; resetting and freeing happen outside.
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
    shelf: Mutex<Shelf>,
    max_idle: usize,
    settings: ArenaBuilder,
}

/// What is behind the lock.
struct Shelf {
    /// The one that came back last is at the back.
    idle: VecDeque<Arena>,
    /// What the idle arenas have reserved.
    idle_bytes: usize,
    /// What the lent arenas had reserved when they were lent.
    lent_bytes: usize,
    /// How many have been idle ever since somebody looked.
    untouched: usize,
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
            let shelf = Shelf {
                idle: VecDeque::new(),
                idle_bytes: 0,
                lent_bytes: 0,
                untouched: 0,
            };
            Self {
                shelf: Mutex::new(shelf),
                max_idle,
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
        self.shelf().idle.len()
    }

    /// How many arenas wait at most.
    #[must_use]
    pub const fn max_idle(&self) -> usize {
        self.max_idle
    }

    fn take(&self) -> (Arena, usize) {
        let mut shelf = self.shelf();
        let Some(arena) = shelf.idle.pop_back() else {
            drop(shelf);
            return (self.settings.build(), 0);
        };
        shelf.untouched = shelf.untouched.min(shelf.idle.len());
        let bytes = arena.store.reserved();
        shelf.idle_bytes -= bytes;
        shelf.lent_bytes += bytes;
        (arena, bytes)
    }

    /// Puts an arena back that was lent with so many bytes.
    fn put(&self, mut arena: Arena, lent_bytes: usize) {
        arena.reset();
        let bytes = arena.store.reserved();
        let mut shelf = self.shelf();
        shelf.lent_bytes -= lent_bytes;
        let has_room = shelf.idle.len() < self.max_idle && shelf.idle.try_reserve(1).is_ok();
        if has_room {
            shelf.idle_bytes += bytes;
            shelf.idle.push_back(arena);
            return;
        }
        drop(shelf);
        drop(arena);
    }

    /// Frees up to `most` idle arenas, those first that have waited longest.
    fn free_idle(&self, most: usize) -> Reclaimed {
        let mut freed = Reclaimed::new();
        for _ in 0..most {
            let mut shelf = self.shelf();
            let Some(arena) = shelf.idle.pop_front() else {
                break;
            };
            let bytes = arena.store.reserved();
            shelf.idle_bytes -= bytes;
            shelf.untouched = shelf.untouched.saturating_sub(1);
            drop(shelf);
            drop(arena);
            freed += Reclaimed::new().with_bytes(bytes).with_items(1);
        }
        freed
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // Nothing under the lock panics between two changes that belong together.
        self.shelf
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
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
        let shelf = self.shelf();
        Usage::new()
            .with_in_use_bytes(shelf.lent_bytes)
            .with_idle_bytes(shelf.idle_bytes)
            .with_reserved_bytes(shelf.lent_bytes + shelf.idle_bytes)
    }
}

/// [`Pressure::Low`] frees the arenas that nobody took since the last call, the other levels all idle ones.
///
/// # Examples
///
/// ```
/// use std::sync::{Arc, Weak};
/// use thrifty_arena::{ArenaPool, Pressure};
/// use thrifty_traits::Reclaim;
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
        let most = match pressure {
            Pressure::Low => self.shelf().untouched,
            Pressure::Medium | Pressure::High => usize::MAX,
        };
        let freed = self.free_idle(most);
        let mut shelf = self.shelf();
        shelf.untouched = shelf.idle.len();
        if pressure > Pressure::Low {
            shelf.idle.shrink_to_fit();
        }
        freed
    }
}

impl fmt::Debug for ArenaPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArenaPool")
            .field("idle", &self.idle())
            .field("max_idle", &self.max_idle)
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
    pool: P,
}

impl<P: Deref<Target = ArenaPool>> PooledArena<P> {
    fn new(pool: P) -> Self {
        let (arena, lent_bytes) = pool.take();
        Self {
            arena: Some(arena),
            lent_bytes,
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
        if let Some(arena) = self.arena.take() {
            self.pool.put(arena, self.lent_bytes);
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
