//! A pool for a `static`: constant, and made when it is first used.

use core::fmt;
use core::ops::Deref;

use thrifty_sync::sync::OnceLock;
use thrifty_traits::Reset;

use crate::make::{Make, With};
use crate::manage::Manage;
use crate::pool::Pool;

/// A [`Pool`] that a `static` can hold. It is made at its first use, and is a `Pool` by `Deref`.
///
/// # Memory
///
/// A few words; the pool itself from its first use to the end of the program.
///
/// # Concurrency
///
/// Threads that come first at the same time wait for one of them to make the pool. From then on a
/// use costs one more load than that of a `Pool`.
///
/// # Panics
///
/// The first use panics when there is no memory for the pool, as [`Pool::new`] does, and the next
/// one tries again.
///
/// # Examples
///
/// ```
/// use thrifty_pool::StaticPool;
///
/// static BUFFERS: StaticPool<Vec<u8>> = StaticPool::new(|| Vec::with_capacity(1024));
///
/// let mut buffer = BUFFERS.get();
/// buffer.push(1);
/// drop(buffer);
/// assert!(BUFFERS.get().is_empty());
/// ```
pub struct StaticPool<T: Send + 'static, M: Manage<Item = T> = Make<T>> {
    pool: OnceLock<Pool<T, M>>,
    source: Source<T, M>,
}

/// Makes an item.
type Create<T> = fn() -> T;
/// Cleans an item.
type Clean<T> = fn(&mut T);

/// What the pool is made of. The last function of each makes the pool of the others.
enum Source<T: Send + 'static, M: Manage<Item = T>> {
    Create(Create<T>, MakeOf<T, M>),
    With(Create<T>, Clean<T>, MakeOfBoth<T, M>),
    Build(fn() -> Pool<T, M>),
}

type MakeOf<T, M> = fn(Create<T>) -> Pool<T, M>;
type MakeOfBoth<T, M> = fn(Create<T>, Clean<T>) -> Pool<T, M>;

impl<T: Reset + Send + 'static> StaticPool<T> {
    /// A pool of items that `create` makes and [`Reset`] cleans, with the default limits.
    ///
    /// # Examples
    ///
    /// See [`StaticPool`].
    #[must_use]
    pub const fn new(create: fn() -> T) -> Self {
        Self::of(Source::Create(create, |create| {
            Pool::with_manager(Make::from_pointer(create))
        }))
    }
}

impl<T: Send + 'static> StaticPool<T, With<T, fn(&mut T)>> {
    /// A pool of items that `create` makes and `reset` cleans, with the default limits.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use thrifty_pool::{StaticPool, With};
    ///
    /// type Map = BTreeMap<u32, u32>;
    ///
    /// static MAPS: StaticPool<Map, With<Map, fn(&mut Map)>> =
    ///     StaticPool::with(Map::new, Map::clear);
    ///
    /// MAPS.get().insert(1, 2);
    /// assert!(MAPS.get().is_empty());
    /// ```
    #[must_use]
    pub const fn with(create: fn() -> T, reset: fn(&mut T)) -> Self {
        Self::of(Source::With(create, reset, |create, reset| {
            Pool::with_manager(With::from_pointer(create, reset))
        }))
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> StaticPool<T, M> {
    /// The pool that `build` makes at the first use: with limits or a manager of its own.
    ///
    /// `build` must not use this pool: it would wait for itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{Pool, StaticPool};
    ///
    /// static LINES: StaticPool<String> = StaticPool::from_fn(|| {
    ///     Pool::builder(String::new).max_idle(100).name("lines").build().expect("sound limits")
    /// });
    ///
    /// assert_eq!(LINES.name(), "lines");
    /// ```
    #[must_use]
    pub const fn from_fn(build: fn() -> Pool<T, M>) -> Self {
        Self::of(Source::Build(build))
    }

    const fn of(source: Source<T, M>) -> Self {
        Self {
            pool: OnceLock::new(),
            source,
        }
    }

    /// The pool, which `Deref` gives as well.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{Pool, StaticPool};
    ///
    /// static LINES: StaticPool<String> = StaticPool::new(String::new);
    ///
    /// let handle: Pool<String> = LINES.pool().clone();
    /// drop(handle.get());
    /// assert_eq!(LINES.stats().idle, 1);
    /// ```
    #[inline]
    pub fn pool(&self) -> &Pool<T, M> {
        match self.pool.get() {
            Some(pool) => pool,
            None => self.make_cold(),
        }
    }

    #[cold]
    #[inline(never)]
    fn make_cold(&self) -> &Pool<T, M> {
        self.pool.get_or_init(|| match self.source {
            Source::Create(create, make) => make(create),
            Source::With(create, reset, make) => make(create, reset),
            Source::Build(build) => build(),
        })
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> Deref for StaticPool<T, M> {
    type Target = Pool<T, M>;

    #[inline]
    fn deref(&self) -> &Pool<T, M> {
        self.pool()
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> fmt::Debug for StaticPool<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StaticPool").field(&self.pool.get()).finish()
    }
}
