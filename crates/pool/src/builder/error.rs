//! Why a builder makes no pool.

use core::error::Error;
use core::fmt;

use thrifty_magazine::{ConfigError, MAX_ROUNDS};
use thrifty_traits::AllocError;

/// Why a [`Builder`](crate::Builder) makes no pool.
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
    /// `max_idle` is more than the depot has room for with magazines of this size.
    IdleTooMany {
        /// What it has room for.
        most: usize,
    },
    /// The depot takes whole magazines, and `max_idle` is less than one has.
    MagazineTooLarge {
        /// What [`ThreadCache::Rounds`](crate::ThreadCache::Rounds) says.
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
    pub(super) fn from_config(error: ConfigError) -> Self {
        match error {
            ConfigError::RoundsTooMany(rounds) => Self::RoundsTooMany(rounds),
            ConfigError::IdleTooMany(most) => Self::IdleTooMany { most },
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
            Self::IdleTooMany { most } => {
                write!(
                    f,
                    "with magazines of this size, at most {most} items stay idle"
                )
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
