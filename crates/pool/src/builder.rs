//! What makes a pool with limits of its own.

use core::fmt;
use core::time::Duration;
use std::borrow::Cow;

use thrifty_magazine::{Config, Engine, MAX_ROUNDS};
use thrifty_sync::sync::Arc;
use thrifty_traits::AllocError;

use crate::clock::Clock;
use crate::keeper::Keeper;
use crate::make::Make;
use crate::manage::Manage;
use crate::pool::Pool;

mod choices;
mod error;

pub use self::{
    choices::{OnUnwind, ThreadCache},
    error::BuildError,
};

/// Beyond an item's own size, what it may hold and still be kept. 64 KiB is what a thread's cache
/// of 128 items may then pin as 8 MiB at worst; buffers that one large request blew up are above
/// it, and dropping those costs little beside filling them.
const OWNED_BYTES: usize = 64 << 10;

/// What the depot may hold, in bytes.
const MAX_IDLE_BYTES: usize = 64 << 20;

/// What a magazine's items may weigh inline: a page, within the bounds below.
const MAGAZINE_BYTES: usize = 4096;
const ROUNDS: core::ops::RangeInclusive<usize> = 8..=64;

/// Makes a [`Pool`] with limits of its own.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use thrifty_pool::{OnUnwind, Pool, ThreadCache};
///
/// let pool = Pool::builder(|| Vec::<u8>::with_capacity(16 << 10))
///     .name("responses")
///     .max_idle(256)
///     .max_idle_bytes(8 << 20)
///     .max_item_weight(64 << 10)
///     .thread_cache(ThreadCache::Rounds(16))
///     .decay_interval(Duration::from_secs(30))
///     .on_unwind(OnUnwind::Discard)
///     .build()?;
/// assert!(pool.get().is_empty());
/// # Ok::<(), thrifty_pool::BuildError>(())
/// ```
#[must_use = "a builder makes nothing until `build`"]
pub struct Builder<T: Send + 'static, M: Manage<Item = T> = Make<T>> {
    manager: Result<M, AllocError>,
    config: Config,
    thread_cache: ThreadCache,
    max_item_weight: usize,
    on_unwind: OnUnwind,
    name: Cow<'static, str>,
}

impl<T: Send + 'static, M: Manage<Item = T>> Builder<T, M> {
    pub(crate) fn new(manager: Result<M, AllocError>) -> Self {
        let mut config = Config::new();
        config.max_idle_bytes = MAX_IDLE_BYTES;
        Self {
            manager,
            config,
            thread_cache: ThreadCache::Auto,
            max_item_weight: size_of::<T>().saturating_add(OWNED_BYTES),
            on_unwind: OnUnwind::Discard,
            name: Cow::Borrowed(""),
        }
    }

    /// The most items that the depot holds; 4096 by default. Caches of threads come on top.
    ///
    /// The depot has room for 65 536 magazines, whose size [`thread_cache`](Self::thread_cache) sets.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{Pool, ThreadCache};
    ///
    /// let pool = Pool::builder(String::new).max_idle(100).thread_cache(ThreadCache::Rounds(8)).build()?;
    /// drop((0..1000).map(|_| pool.get()).collect::<Vec<_>>());
    /// assert!(pool.stats().idle <= 100 + 2 * 8);
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn max_idle(mut self, items: usize) -> Self {
        self.config.max_idle = items;
        self
    }

    /// The most bytes that the depot holds, by the items' weight; 64 MiB by default.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{Pool, ThreadCache};
    ///
    /// let pool = Pool::builder(|| Vec::<u8>::with_capacity(1000))
    ///     .max_idle_bytes(100_000)
    ///     .thread_cache(ThreadCache::Rounds(8))
    ///     .build()?;
    /// drop((0..1000).map(|_| pool.get()).collect::<Vec<_>>());
    /// assert!(pool.stats().idle <= 100 + 2 * 8);
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn max_idle_bytes(mut self, bytes: usize) -> Self {
        self.config.max_idle_bytes = bytes;
        self
    }

    /// Drops an item on return that weighs more; by default, more than its size and 64 KiB.
    ///
    /// This bounds what any cache pins, so it is finite: an item that one large request blew up
    /// would otherwise stay at that size for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::builder(Vec::<u8>::new).max_item_weight(4096).build()?;
    /// pool.get().reserve(1 << 20);
    /// assert_eq!(pool.stats().idle, 0);
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn max_item_weight(mut self, bytes: usize) -> Self {
        self.max_item_weight = bytes;
        self
    }

    /// The most items that exist at a time, on loan and idle; no bound by default.
    ///
    /// Such a pool lends with [`Pool::try_get`], which says [`Exhausted`](crate::GetError::Exhausted)
    /// rather than wait. Threads have no caches then unless [`thread_cache`](Self::thread_cache)
    /// asks for them: an item idle in the cache of another thread counts and cannot be reached.
    ///
    /// Callers that shall wait get a permit of a semaphore with as many permits first, and give it
    /// back after the item. Then one is always idle; but a thread that the system has suspended in
    /// the middle of a get or a return may keep it out of reach. The others look again,
    /// for some 20 ms, and let other threads run in between, before they say `Exhausted`: rare, and
    /// yet an error to pass on or to try again after, not one to `unwrap`.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{GetError, Pool};
    ///
    /// let pool = Pool::builder(String::new).max_total(1).build()?;
    /// let _only = pool.get();
    /// assert_eq!(pool.try_get().unwrap_err(), GetError::Exhausted);
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn max_total(mut self, items: usize) -> Self {
        self.config.max_live = items;
        self
    }

    /// How large the caches of threads are.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{Pool, ThreadCache};
    ///
    /// let pool = Pool::builder(String::new).thread_cache(ThreadCache::Off).build()?;
    /// drop(pool.get());
    /// assert_eq!((pool.stats().idle_in_caches, pool.stats().idle_in_stripes), (0, 1));
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn thread_cache(mut self, size: ThreadCache) -> Self {
        self.thread_cache = size;
        self
    }

    /// How many threads have a cache of their own; by default four for each processor, and 16 at
    /// least. The others share stripes, one for each processor.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::builder(String::new).max_thread_caches(8).build()?;
    /// drop(pool.get());
    /// assert_eq!(pool.stats().thread_caches, 1);
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn max_thread_caches(mut self, threads: usize) -> Self {
        self.config.max_thread_caches = threads;
        self
    }

    /// How long the depot keeps what it does not need: between one and two intervals, each 10 s by
    /// default. [`Duration::MAX`]: until it is trimmed. Who looks at the clock: [`Pool::tick`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::builder(String::new).decay_interval(Duration::from_secs(60)).build()?;
    /// # drop(pool);
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn decay_interval(mut self, interval: Duration) -> Self {
        self.config.decay_interval = interval;
        self
    }

    /// Where the time for that comes from, if not from the system.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use thrifty_pool::{Pool, clock::ManualClock};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let pool = Pool::builder(String::new).clock(clock.clone()).build()?;
    /// # drop(pool);
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.config.clock = Some(clock);
        self
    }

    /// What becomes of an item whose guard is dropped because a panic unwinds.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{OnUnwind, Pool};
    ///
    /// let pool = Pool::builder(String::new).on_unwind(OnUnwind::Recycle).build()?;
    /// # drop(pool);
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn on_unwind(mut self, on_unwind: OnUnwind) -> Self {
        self.on_unwind = on_unwind;
        self
    }

    /// What [`Pool::name`] says.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::builder(String::new).name(format!("shard-{}", 3)).build()?;
    /// assert_eq!(pool.name(), "shard-3");
    /// # Ok::<(), thrifty_pool::BuildError>(())
    /// ```
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Makes the pool. No item is made yet.
    ///
    /// # Errors
    ///
    /// A limit makes no sense, or there is no memory for the pool. The builder is gone then, and with
    /// it the manager; builders are cheap to make again.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{BuildError, Pool};
    ///
    /// let result = Pool::builder(String::new).max_total(0).build();
    /// assert_eq!(result.unwrap_err(), BuildError::NothingMayLive);
    /// ```
    pub fn build(mut self) -> Result<Pool<T, M>, BuildError> {
        self.set_rounds()?;
        self.check()?;
        let keeper = Keeper {
            manager: self.manager.map_err(BuildError::Alloc)?,
            recycles_on_unwind: self.on_unwind == OnUnwind::Recycle,
            name: self.name,
        };
        // `check` has seen that it is no less.
        self.config.word = self.max_item_weight.saturating_sub(size_of::<T>());
        match Engine::try_new(keeper, self.config) {
            Ok(engine) => Ok(Pool::from_engine(engine)),
            Err(rejected) => Err(BuildError::Alloc(rejected.error)),
        }
    }

    /// For builders whose limits nobody has touched.
    pub(crate) fn build_or_panic(self) -> Pool<T, M> {
        match self.build() {
            Ok(pool) => pool,
            Err(BuildError::Alloc(error)) => panic!("{error}"),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sets the size of magazines, and for a pool without thread caches that nobody has one.
    fn set_rounds(&mut self) -> Result<(), BuildError> {
        let max_idle = self.config.max_idle;
        let is_bounded = self.config.max_live < usize::MAX;
        self.config.rounds = match self.thread_cache {
            ThreadCache::Rounds(0) => return Err(BuildError::NoRounds),
            ThreadCache::Rounds(rounds) => rounds,
            ThreadCache::Auto if !is_bounded => default_rounds(size_of::<T>(), max_idle),
            ThreadCache::Auto | ThreadCache::Off => {
                self.config.max_thread_caches = 0;
                // So that the stripes together hold no more than the depot, if that may hold as much
                // as the smallest one.
                let most = (max_idle / Config::per_cache(1)).max(1);
                let stripes = self.config.stripes.clamp(1, most);
                self.config.stripes = stripes;
                let in_stripes = (max_idle / stripes).saturating_sub(1) / 2;
                default_rounds(size_of::<T>(), in_stripes)
            }
        };
        Ok(())
    }

    fn check(&self) -> Result<(), BuildError> {
        if self.config.max_idle == 0 || self.config.max_idle_bytes == 0 {
            return Err(BuildError::NothingIdle);
        }
        if self.config.rounds > self.config.max_idle && self.config.rounds <= MAX_ROUNDS {
            return Err(BuildError::MagazineTooLarge {
                rounds: self.config.rounds,
                max_idle: self.config.max_idle,
            });
        }
        if self.max_item_weight < size_of::<T>() {
            return Err(BuildError::TooHeavy {
                size: size_of::<T>(),
                max_item_weight: self.max_item_weight,
            });
        }
        self.config.validate().map_err(BuildError::from_config)
    }
}

/// The largest power of two of items that fit into a magazine's bytes, but no more than `most`.
fn default_rounds(item_bytes: usize, most: usize) -> usize {
    let fit = MAGAZINE_BYTES / item_bytes.max(1);
    let wanted = fit.clamp(*ROUNDS.start(), *ROUNDS.end()).min(most.max(1));
    1 << wanted.ilog2()
}

impl<T: Send + 'static, M: Manage<Item = T>> fmt::Debug for Builder<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("config", &self.config)
            .field("thread_cache", &self.thread_cache)
            .field("max_item_weight", &self.max_item_weight)
            .field("on_unwind", &self.on_unwind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::default_rounds;

    #[test]
    fn default_magazines_are_about_a_page() {
        let cases = [
            (0, 4096, 64),
            (24, 4096, 64),
            (65, 4096, 32),
            (100, 4096, 32),
            (1024, 4096, 8),
            (1 << 20, 4096, 8),
            (24, 10, 8),
            (24, 1, 1),
        ];
        for (bytes, max_idle, rounds) in cases {
            assert_eq!(
                default_rounds(bytes, max_idle),
                rounds,
                "{bytes} {max_idle}"
            );
        }
    }
}
