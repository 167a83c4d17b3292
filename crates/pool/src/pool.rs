//! The pool: a handle to an engine. What lends, takes in and gives back is in the submodules.

use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};

use thrifty_magazine::Engine;
use thrifty_traits::Reset;

use crate::builder::Builder;
use crate::keeper::Keeper;
use crate::make::{Make, With};
use crate::manage::Manage;
use crate::node::Loan;
use crate::stats::PoolStats;
use crate::weak::WeakPool;

mod lend;
mod store;
mod upkeep;

/// A pool of items that come back clean.
///
/// `Pool<T>` is for items that are [`Reset`]; `Pool<T, M>` says by `M` how items are made and
/// cleaned. A clone is another handle to the same pool. When the last handle is dropped the pool
/// closes: idle items are dropped, and those on loan when they come back.
///
/// # Memory
///
/// An item lies in a block of its own, one pointer larger than the item and the padding to its
/// alignment, from its creation to its drop. What is kept idle is at most, in items and in bytes,
/// where an item that weighs w takes w and what its block is larger,
///
/// | where | items | and no more bytes than |
/// |---|---|---|
/// | the depot | `max_idle` | `max_idle_bytes` |
/// | the caches of threads | (2 × rounds + 1) × min(threads, `max_thread_caches`) | items × (`max_item_weight` + a pointer and padding) |
/// | the stripes, for threads beyond | (2 × rounds + 1) × processors | items × (`max_item_weight` + a pointer and padding) |
///
/// where rounds is set by [`ThreadCache`](crate::ThreadCache). What the depot has not needed for two decay intervals is
/// dropped, if somebody looks at the clock: see [`tick`](Self::tick) and [`trim`](Self::trim).
///
/// # Concurrency
///
/// `Send` and `Sync`. As long as the calling thread's cache has an item, taking one is a few loads
/// and stores, without a locked instruction, and so is a return while the cache has room. What
/// happens before a return happens before the item is lent again. A pool may be used from
/// destructors of thread-locals, before and after its own.
///
/// No method holds anything while it runs the user's code, so `create`, `recycle` and an item's
/// drop may use the same pool. An item that owns a handle of its pool keeps that pool from ever
/// closing: give it a [`WeakPool`].
///
/// # Examples
///
/// ```
/// use thrifty_pool::Pool;
///
/// let pool = Pool::new(|| Vec::<u8>::with_capacity(1024));
/// let mut buffer = pool.get();
/// buffer.extend_from_slice(b"some bytes");
/// drop(buffer);
/// let again = pool.get();
/// assert!(again.is_empty() && again.capacity() >= 1024);
/// ```
pub struct Pool<T: Send + 'static, M: Manage<Item = T> = Make<T>> {
    engine: Engine<Keeper<M>>,
}

impl<T: Reset + Send + 'static> Pool<T> {
    /// A pool of items that `create` makes and [`Reset`] cleans, with the default limits.
    ///
    /// # Panics
    ///
    /// When there is no memory for the pool. [`Builder::build`] returns an error instead.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use thrifty_pool::{Pool, Reset};
    ///
    /// #[derive(Default, Reset)]
    /// struct Request { path: String, status: u16 }
    ///
    /// let pool = Pool::new(Request::default);
    /// pool.get().path.push_str("/index");
    /// assert_eq!(pool.get().path, "");
    /// # }
    /// ```
    pub fn new(create: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self::builder(create).build_or_panic()
    }

    /// A builder for a pool of items that `create` makes and [`Reset`] cleans.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::builder(String::new).max_idle(100).name("lines").build()?;
    /// assert_eq!(pool.name(), "lines");
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn builder(create: impl Fn() -> T + Send + Sync + 'static) -> Builder<T> {
        Builder::new(Make::try_new(create))
    }
}

impl<T, R> Pool<T, With<T, R>>
where
    T: Send + 'static,
    R: Fn(&mut T) + Send + Sync + 'static,
{
    /// A pool of items that `create` makes and `reset` cleans, with the default limits.
    ///
    /// An item weighs its size alone. For items that own memory which grows, and that `reset` leaves
    /// in place, implement [`Manage`] and say so by [`Manage::weight`]: else `max_item_weight` and
    /// `max_idle_bytes` do not see it.
    ///
    /// # Panics
    ///
    /// When there is no memory for the pool. [`Builder::build`] returns an error instead.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::BTreeSet;
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::with(BTreeSet::<u32>::new, BTreeSet::clear);
    /// pool.get().insert(1);
    /// assert!(pool.get().is_empty());
    /// ```
    pub fn with(create: impl Fn() -> T + Send + Sync + 'static, reset: R) -> Self {
        Self::builder_with(create, reset).build_or_panic()
    }

    /// A builder for a pool of items that `create` makes and `reset` cleans.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::BTreeSet;
    /// use thrifty_pool::{Pool, ThreadCache};
    ///
    /// let pool = Pool::builder_with(BTreeSet::<u32>::new, BTreeSet::clear)
    ///     .thread_cache(ThreadCache::Rounds(8))
    ///     .build()?;
    /// assert!(pool.get().is_empty());
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn builder_with(
        create: impl Fn() -> T + Send + Sync + 'static,
        reset: R,
    ) -> Builder<T, With<T, R>> {
        Builder::new(With::try_new(create, reset))
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> Pool<T, M> {
    /// A pool whose items a [`Manage`] makes and judges, with the default limits.
    ///
    /// # Panics
    ///
    /// When there is no memory for the pool. [`Builder::build`] returns an error instead.
    ///
    /// # Examples
    ///
    /// [`Manage`] has one.
    pub fn with_manager(manager: M) -> Self {
        Self::builder_manager(manager).build_or_panic()
    }

    /// A builder for a pool whose items a [`Manage`] makes and judges.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use thrifty_pool::{Manage, Pool};
    ///
    /// struct Zeros;
    /// impl Manage for Zeros {
    ///     type Item = Box<[u8; 64]>;
    ///     type Error = Infallible;
    ///     fn create(&self) -> Result<Box<[u8; 64]>, Infallible> {
    ///         Ok(Box::new([0; 64]))
    ///     }
    /// }
    ///
    /// let pool = Pool::builder_manager(Zeros).max_total(2).build()?;
    /// assert_eq!(pool.get()[63], 0);
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn builder_manager(manager: M) -> Builder<T, M> {
        Builder::new(Ok(manager))
    }

    pub(crate) const fn from_engine(engine: Engine<Keeper<M>>) -> Self {
        Self { engine }
    }

    /// Whether the pool is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_pool::Pool;
    /// let pool = Pool::new(String::new);
    /// assert!(!pool.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.engine.is_closed()
    }

    /// The name that the builder was given; empty without one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_pool::Pool;
    /// assert_eq!(Pool::new(String::new).name(), "");
    /// ```
    pub fn name(&self) -> &str {
        &self.keeper().name
    }

    /// What decides about the items.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_pool::{Manage, Pool};
    /// let pool = Pool::new(String::new);
    /// assert_eq!(pool.manager().weight(&String::with_capacity(100)), 100 + size_of::<String>());
    /// ```
    #[inline]
    pub fn manager(&self) -> &M {
        &self.keeper().manager
    }

    /// What the pool has done and what it holds.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// let line = pool.get();
    /// assert_eq!((pool.stats().in_use, pool.stats().idle), (1, 0));
    /// drop(line);
    /// assert_eq!((pool.stats().in_use, pool.stats().idle), (0, 1));
    /// ```
    pub fn stats(&self) -> PoolStats {
        PoolStats::of(&self.engine.stats(), Loan::<M>::NODE_BYTES)
    }

    /// A handle that does not keep the pool open: what a registry or a limit controller holds.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// let weak = pool.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(pool);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn downgrade(&self) -> WeakPool<T, M> {
        WeakPool::from_engine(self.engine.downgrade())
    }

    #[inline]
    fn keeper(&self) -> &Keeper<M> {
        self.engine.supplier()
    }
}

impl<T: Reset + Default + Send + 'static> Default for Pool<T> {
    /// A pool of items that `T::default` makes.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new) does.
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> Clone for Pool<T, M> {
    /// Another handle to the same pool.
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
        }
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> fmt::Debug for Pool<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.name())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

// No panic, of the manager or of an item's drop, leaves the pool in between: items are moved before
// or after the user's code runs, never around it.
impl<T: Send + 'static, M: Manage<Item = T>> UnwindSafe for Pool<T, M> {}
impl<T: Send + 'static, M: Manage<Item = T>> RefUnwindSafe for Pool<T, M> {}
