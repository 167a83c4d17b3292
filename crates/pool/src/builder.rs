//! The limits of a pool, and what is wrong with them.

use core::error::Error;
use core::fmt;
use core::time::Duration;
use std::borrow::Cow;

use thrifty_magazine::{Config, ConfigError, Engine, MAX_ROUNDS};
use thrifty_sync::sync::Arc;
use thrifty_traits::AllocError;

use crate::clock::Clock;
use crate::keeper::Keeper;
use crate::make::Make;
use crate::manage::Manage;
use crate::pool::Pool;

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

/// How large the caches are that threads have of their own.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{Pool, ThreadCache};
///
/// let few_and_large = Pool::builder(|| vec![0_u8; 1 << 20])
///     .max_item_weight(2 << 20)
///     .thread_cache(ThreadCache::Off)
///     .build()?;
/// # drop(few_and_large);
/// # Ok::<(), thrifty_pool::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThreadCache {
    /// As many rounds as fit into 4096 bytes of items, a power of two from 8 to 64, and no more
    /// than `max_idle`. No cache in a pool with `max_total`, whose idle items each thread must be
    /// able to reach.
    #[default]
    Auto,
    /// None: threads share what is idle, at the cost of locked instructions. The stripes, one for each
    /// processor, together hold as many items as `max_idle` at most (two each if that is less).
    Off,
    /// Magazines of this many items, 1 to 1024; a thread holds two.
    Rounds(usize),
}

/// What becomes of an item whose guard is dropped because a panic unwinds.
///
/// # Examples
///
/// ```
/// use std::panic::catch_unwind;
/// use thrifty_pool::{OnUnwind, Pool};
///
/// for (on_unwind, is_kept) in [(OnUnwind::Discard, false), (OnUnwind::Recycle, true)] {
///     let pool = Pool::builder(String::new).on_unwind(on_unwind).build()?;
///     let _ = catch_unwind(|| {
///         let _line = pool.get();
///         panic!("in the middle of something");
///     });
///     assert_eq!(pool.get_idle().is_some(), is_kept);
/// }
/// # Ok::<(), thrifty_pool::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnUnwind {
    /// It is dropped: the panic may have left it in between, where no reset repairs it.
    #[default]
    Discard,
    /// It is cleaned and kept like any other.
    Recycle,
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
    pub fn max_idle(mut self, items: usize) -> Self {
        self.config.max_idle = items;
        self
    }

    /// The most bytes that the depot holds, by the items' weight; 64 MiB by default.
    pub fn max_idle_bytes(mut self, bytes: usize) -> Self {
        self.config.max_idle_bytes = bytes;
        self
    }

    /// Drops an item on return that weighs more; by default, more than its size and 64 KiB.
    ///
    /// This bounds what any cache pins, so it is finite: an item that one large request blew up
    /// would otherwise stay at that size for ever.
    pub fn max_item_weight(mut self, bytes: usize) -> Self {
        self.max_item_weight = bytes;
        self
    }

    /// The most items that exist at a time, on loan and idle; no bound by default.
    ///
    /// Such a pool lends with [`Pool::try_get`], which says [`Exhausted`](crate::GetError::Exhausted)
    /// rather than wait. Threads have no caches then unless [`thread_cache`](Self::thread_cache)
    /// asks for them: an item idle in the cache of another thread counts and cannot be reached.
    pub fn max_total(mut self, items: usize) -> Self {
        self.config.max_live = items;
        self
    }

    /// How large the caches of threads are.
    pub fn thread_cache(mut self, size: ThreadCache) -> Self {
        self.thread_cache = size;
        self
    }

    /// How many threads have a cache of their own; by default four for each processor, and 16 at
    /// least. The others share stripes, one for each processor.
    pub fn max_thread_caches(mut self, threads: usize) -> Self {
        self.config.max_thread_caches = threads;
        self
    }

    /// How long the depot keeps what it does not need: between one and two intervals, each 10 s by
    /// default. [`Duration::MAX`]: until it is trimmed.
    pub fn decay_interval(mut self, interval: Duration) -> Self {
        self.config.decay_interval = interval;
        self
    }

    /// Where the time for that comes from, if not from the system.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.config.clock = Some(clock);
        self
    }

    /// What becomes of an item whose guard is dropped because a panic unwinds.
    pub fn on_unwind(mut self, on_unwind: OnUnwind) -> Self {
        self.on_unwind = on_unwind;
        self
    }

    /// What [`Pool::name`] says.
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
            max_item_weight: self.max_item_weight,
            recycles_on_unwind: self.on_unwind == OnUnwind::Recycle,
            name: self.name,
        };
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
                // So that the stripes together hold no more than the depot.
                let in_stripes = max_idle / self.config.stripes.max(1) / 2;
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

/// Why a [`Builder`] makes no pool.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{BuildError, Pool, ThreadCache};
///
/// let cache = ThreadCache::Rounds(5000);
/// let result = Pool::builder(String::new).thread_cache(cache).build();
/// assert_eq!(result.unwrap_err(), BuildError::RoundsTooMany(5000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// `max_idle` or `max_idle_bytes` is 0: a pool that keeps nothing.
    NothingIdle,
    /// `max_total` is 0: a pool that lends nothing.
    NothingMayLive,
    /// `ThreadCache::Rounds(0)`; no cache is `ThreadCache::Off`.
    NoRounds,
    /// More rounds than a magazine may have, which is 1024.
    RoundsTooMany(usize),
    /// The depot takes whole magazines, and `max_idle` is less than one has.
    MagazineTooLarge {
        /// What [`ThreadCache::Rounds`] says.
        rounds: usize,
        /// The limit.
        max_idle: usize,
    },
    /// `max_item_weight` is below the size of an item: each would be dropped on return.
    TooHeavy {
        /// An item's own size.
        size: usize,
        /// The limit.
        max_item_weight: usize,
    },
    /// `decay_interval` is zero.
    NoInterval,
    /// There is no memory for the pool.
    Alloc(AllocError),
}

impl BuildError {
    fn from_config(error: ConfigError) -> Self {
        match error {
            ConfigError::RoundsTooMany(rounds) => Self::RoundsTooMany(rounds),
            ConfigError::NothingMayLive => Self::NothingMayLive,
            ConfigError::NoInterval => Self::NoInterval,
            // The only other one is `NowhereToCache`, and there are always stripes.
            _ => Self::NothingIdle,
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingIdle => f.write_str("a pool that may keep nothing idle is no pool"),
            Self::NothingMayLive => f.write_str("a limit of 0 items allows none"),
            Self::NoRounds => f.write_str("a cache of 0 rounds: say ThreadCache::Off"),
            Self::RoundsTooMany(rounds) => {
                write!(f, "{rounds} rounds are too many: the most is {MAX_ROUNDS}")
            }
            Self::MagazineTooLarge { rounds, max_idle } => write!(
                f,
                "magazines of {rounds} rounds never fit a limit of {max_idle} idle items"
            ),
            Self::TooHeavy {
                size,
                max_item_weight,
            } => write!(
                f,
                "items of {size} bytes never fit a limit of {max_item_weight} bytes"
            ),
            Self::NoInterval => f.write_str("a decay interval of zero would never rest"),
            Self::Alloc(_) => f.write_str("there is no memory for the pool"),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Alloc(error) => Some(error),
            _ => None,
        }
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
