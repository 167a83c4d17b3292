//! What an engine may hold, and when it gives it back.

use core::fmt;
use core::time::Duration;

use thrifty_sync::{
    clock::{Clock, Instant},
    sync::Arc,
};

/// The largest magazine, in rounds. A thread holds two, so this bounds what it may strand.
pub const MAX_ROUNDS: usize = 1024;

/// The most magazines that the depot can have room for: half a megabyte of slots.
pub const MAX_MAGAZINES: usize = 1 << 16;

/// The limits of an engine. Plain data: change the fields, then pass it on.
///
/// # Examples
///
/// ```
/// use thrifty_magazine::Config;
///
/// let mut config = Config::new();
/// config.rounds = 16;
/// config.max_idle = 100;
/// assert!(config.validate().is_ok());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Rounds per magazine, of which the depot has to have room for one: at most `max_idle` of them
    /// count, if that is not 0. A thread's cache holds two magazines. 0: no thread caches, all
    /// threads share the stripes.
    pub rounds: usize,
    /// The most rounds that the depot holds. It takes whole magazines; only threads that end use
    /// what is left after those.
    pub max_idle: usize,
    /// The most bytes, by [`Supplier::weigh`](crate::Supplier::weigh), that the depot holds.
    pub max_idle_bytes: usize,
    /// The most rounds that exist at a time, wherever they are; `usize::MAX`: no bound.
    pub max_live: usize,
    /// How many threads may have a cache of their own; the others share the stripes.
    pub max_thread_caches: usize,
    /// How many stripes the threads without a cache share.
    pub stripes: usize,
    /// How often the depot gives back what the last two intervals did not use, as long as
    /// threads exchange magazines with it. [`Duration::MAX`]: only when told to.
    pub decay_interval: Duration,
    /// A number of the supplier's own that it needs on a hit. It lies on the line that a hit reads
    /// anyway; what the supplier has itself lies further off.
    pub word: usize,
    /// Where the time for that comes from; `None`: the system's clock, where there is one.
    pub clock: Option<Arc<dyn Clock>>,
}

impl Config {
    /// Magazines of 64 rounds, a depot for 4096, and bounds by the number of processors.
    #[must_use]
    pub fn new() -> Self {
        let processors = thrifty_sync::thread::parallelism();
        Self {
            rounds: 64,
            max_idle: 4096,
            max_idle_bytes: usize::MAX,
            max_live: usize::MAX,
            max_thread_caches: processors.saturating_mul(4).max(16),
            stripes: processors.clamp(1, 64),
            decay_interval: Duration::from_secs(10),
            word: 0,
            clock: None,
        }
    }

    /// The most rounds that one cache holds, a thread's or a stripe's: two magazines, of one round at
    /// least, and the round at hand.
    #[must_use]
    pub const fn per_cache(rounds: usize) -> usize {
        let magazine = if rounds == 0 { 1 } else { rounds };
        magazine.saturating_mul(2).saturating_add(1)
    }

    /// What the clock says; `None` where there is no clock.
    #[must_use]
    pub fn now(&self) -> Option<Instant> {
        self.clock
            .as_ref()
            .map_or_else(system_now, |clock| Some(clock.now()))
    }

    /// Whether an engine can be made of this.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.rounds > MAX_ROUNDS {
            return Err(ConfigError::RoundsTooMany(self.rounds));
        }
        let most = self.rounds.max(1) * MAX_MAGAZINES;
        if self.max_idle > most {
            return Err(ConfigError::IdleTooMany(most));
        }
        if self.max_live == 0 {
            return Err(ConfigError::NothingMayLive);
        }
        if self.decay_interval.is_zero() {
            return Err(ConfigError::NoInterval);
        }
        if self.stripes == 0 && (self.rounds == 0 || self.max_thread_caches == 0) {
            return Err(ConfigError::NowhereToCache);
        }
        Ok(())
    }
}

/// What the system's clock says, where there is one.
fn system_now() -> Option<Instant> {
    #[cfg(not(any(
        all(target_family = "wasm", target_os = "unknown"),
        all(thrifty_loom, feature = "loom")
    )))]
    return Some(thrifty_sync::clock::SystemClock.now());
    #[cfg(any(
        all(target_family = "wasm", target_os = "unknown"),
        all(thrifty_loom, feature = "loom")
    ))]
    None
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("rounds", &self.rounds)
            .field("max_idle", &self.max_idle)
            .field("max_idle_bytes", &self.max_idle_bytes)
            .field("max_live", &self.max_live)
            .field("max_thread_caches", &self.max_thread_caches)
            .field("stripes", &self.stripes)
            .field("decay_interval", &self.decay_interval)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a [`Config`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// More than [`MAX_ROUNDS`] rounds per magazine.
    RoundsTooMany(usize),
    /// `max_idle` is more than the depot can have room for, which is this many.
    IdleTooMany(usize),
    /// `max_live` is 0.
    NothingMayLive,
    /// `decay_interval` is zero.
    NoInterval,
    /// Neither thread caches nor stripes.
    NowhereToCache,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoundsTooMany(rounds) => write!(
                f,
                "a magazine of {rounds} rounds is too large: the most is {MAX_ROUNDS}"
            ),
            Self::IdleTooMany(most) => write!(f, "the depot has room for {most} rounds at most"),
            Self::NothingMayLive => f.write_str("a limit of 0 live objects allows none"),
            Self::NoInterval => f.write_str("a decay interval of zero would never rest"),
            Self::NowhereToCache => f.write_str("neither thread caches nor stripes to hold rounds"),
        }
    }
}

impl core::error::Error for ConfigError {}
