//! The limits of an allocator.

use alloc::borrow::Cow;
use core::alloc::Layout;
use core::time::Duration;

use thrifty_magazine::{Config, ConfigError as EngineError, Engine};
use thrifty_sync::sync::Arc;

use crate::budget::Budget;
use crate::clock::Clock;
use crate::error::ConfigError;
use crate::fixed::FixedAlloc;
use crate::lend::Blocks;
use crate::shape::Shape;
use crate::slab::Global;
use crate::slabs::{Rules, Slabs};

/// What a magazine may hold: so many bytes, and so many blocks. An exchange with the depot costs two
/// cores some 150 ns each; with 64 blocks of 64 bytes that is a seventh of a hand-over, with 256 a
/// twentieth (22, 15, 13 and 11 ns for 16, 64, 256 and 1024 blocks).
const MAGAZINE_BYTES: usize = 64 << 10;
const MAX_ROUNDS: usize = 256;

/// What the depot may hold: so many bytes, and so many magazines. It is what keeps threads that
/// work on more than their caches hold from waiting for each other at the slabs.
const DEPOT_BYTES: usize = 4 << 20;
const DEPOT_MAGAZINES: core::ops::RangeInclusive<usize> = 4..=256;

/// Magazines of one block in the depot: as many as the engine keeps empty ones.
const SINGLES: usize = 32;

/// How large the caches are that threads have of their own.
///
/// # Examples
///
/// ```
/// use std::alloc::Layout;
/// use thrifty_fixed_alloc::{FixedAlloc, ThreadCache};
///
/// let large = FixedAlloc::builder(Layout::new::<[u8; 1 << 20]>())
///     .thread_cache(ThreadCache::Off)
///     .build()?;
/// # drop(large);
/// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ThreadCache {
    /// As many blocks as are in 64 KiB, a power of two of up to 64, and at least one. As
    /// [`Off`](Self::Off) in an allocator with `max_blocks`, whose idle blocks each thread must be able to
    /// reach.
    #[default]
    Auto,
    /// None: threads share what is idle, at the cost of locked instructions. With `max_blocks` or
    /// `max_bytes` nothing is idle: each block comes from its slab and goes back to it, under a lock.
    Off,
    /// Magazines of this many blocks, 1 to 1024; a thread holds two.
    Rounds(usize),
}

/// Makes a [`FixedAlloc`] with limits of its own.
///
/// # Examples
///
/// ```
/// use std::alloc::Layout;
/// use std::time::Duration;
/// use thrifty_fixed_alloc::{FixedAlloc, ThreadCache};
///
/// let nodes = FixedAlloc::builder(Layout::new::<[u64; 6]>())
///     .name("nodes")
///     .max_bytes(64 << 20)
///     .slab_bytes(256 << 10)
///     .spare_slabs(4)
///     .thread_cache(ThreadCache::Rounds(32))
///     .decay_interval(Duration::from_secs(1))
///     .build()?;
/// assert_eq!(nodes.get().len(), 48);
/// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing until `build`"]
pub struct Builder {
    block: Layout,
    slab_bytes: Option<usize>,
    rules: Rules,
    thread_cache: ThreadCache,
    config: Config,
}

impl Builder {
    pub(crate) fn new(block: Layout) -> Self {
        Self {
            block,
            slab_bytes: None,
            rules: Rules {
                max_bytes: usize::MAX,
                budget: Budget::unlimited(),
                spare_slabs: 2,
                hardened: false,
                name: Cow::Borrowed(""),
            },
            thread_cache: ThreadCache::Auto,
            config: Config::new(),
        }
    }

    /// The same limits for blocks of another layout.
    #[cfg(feature = "allocator-api2-02")]
    pub(crate) fn for_block(self, block: Layout) -> Self {
        Self { block, ..self }
    }

    /// Limits that others have a share in.
    #[cfg(feature = "allocator-api2-02")]
    pub(crate) fn budget(mut self, budget: Budget) -> Self {
        self.rules.budget = budget;
        self
    }

    /// The most bytes that slabs take at a time; no bound by default.
    ///
    /// Exactly as many slabs as fit are made, and every block of them can be used; but blocks that are
    /// idle in the cache of another thread cannot be reached. Where that matters, have no caches.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.rules.max_bytes = bytes;
        self
    }

    /// The most blocks that exist at a time, in use and idle in magazines; no bound by default.
    ///
    /// Threads have no caches then unless [`thread_cache`](Self::thread_cache) asks for them: a block
    /// that is idle in the cache of another thread counts and cannot be reached. Every last block can be
    /// had so, at the price of a lock for each, however large the number is: several times the time on
    /// one thread, and threads wait for each other. Where the limit is a precaution far above what is
    /// used, ask for caches.
    pub fn max_blocks(mut self, blocks: usize) -> Self {
        self.config.max_live = blocks;
        self
    }

    /// The bytes of a slab, rounded up to a power of two; by default 64 KiB, or eight blocks if those
    /// take more. A default that is above `max_bytes` gives way.
    pub fn slab_bytes(mut self, bytes: usize) -> Self {
        self.slab_bytes = Some(bytes);
        self
    }

    /// How many empty slabs are kept for whoever needs one next; 2 by default.
    ///
    /// With none, a program that goes back and forth over the edge of a slab fetches one and releases
    /// it again each time a magazine is exchanged. Spares outlast each [`tick`](FixedAlloc::tick); they
    /// are counted in slabs, which for blocks of 16 MiB take 128 MiB each.
    ///
    /// A program that goes through many slabs and back, again and again, is faster with as many spares
    /// as that: from one empty slab more on, each is released at once and fetched anew.
    pub fn spare_slabs(mut self, slabs: usize) -> Self {
        self.rules.spare_slabs = slabs;
        self
    }

    /// Checks every free and every block that is taken; off by default.
    ///
    /// A double free, a pointer from elsewhere or into the middle of a block, and a write to a free
    /// block lead to a panic that says so, before anything has changed. A double free is one as long as
    /// the block has not been lent again, and the next to take a block may well get it; after that it is
    /// a free of the new owner's block, and nothing tells it from one by that owner.
    ///
    /// There are no caches then. Each operation takes a lock twice and fills or reads the whole block,
    /// and a new slab is filled as a whole, which commits its memory.
    pub fn hardened(mut self, hardened: bool) -> Self {
        self.rules.hardened = hardened;
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

    /// How long the depot keeps blocks that it does not need: between one and two intervals, each 10 s
    /// by default. [`Duration::MAX`]: until it is trimmed.
    pub fn decay_interval(mut self, interval: Duration) -> Self {
        self.config.decay_interval = interval;
        self
    }

    /// Where the time for that comes from, if not from the system.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.config.clock = Some(clock);
        self
    }

    /// What [`FixedAlloc::name`] says, and messages about bad frees.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.rules.name = name.into();
        self
    }

    /// Makes the allocator. No slab is fetched yet.
    ///
    /// # Errors
    ///
    /// The layout or a limit makes no sense, or there is no memory for the allocator itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use thrifty_fixed_alloc::{ConfigError, FixedAlloc};
    ///
    /// let result = FixedAlloc::builder(Layout::new::<u64>()).max_blocks(0).build();
    /// assert_eq!(result.unwrap_err(), ConfigError::NothingMayLive);
    /// ```
    pub fn build(self) -> Result<FixedAlloc, ConfigError> {
        self.build_engine().map(FixedAlloc::from_engine)
    }

    /// The engine of an allocator, for whatever front.
    pub(crate) fn build_engine(mut self) -> Result<Blocks, ConfigError> {
        let shape = Shape::try_new(self.block, self.slab_bytes, self.rules.max_bytes)?;
        self.size_magazines(&shape)?;
        self.config.validate().map_err(|error| match error {
            EngineError::RoundsTooMany(rounds) => ConfigError::RoundsTooMany(rounds),
            EngineError::NoInterval => ConfigError::NoInterval,
            // Of the others, `NowhereToCache` is none, since there are always stripes, nor `IdleTooMany`,
            // since the depot has at most `DEPOT_MAGAZINES`.
            _ => ConfigError::NothingMayLive,
        })?;
        let slabs = Slabs::new(shape, self.rules, Global);
        Engine::try_new(slabs, self.config).map_err(|rejected| ConfigError::Alloc(rejected.error))
    }

    /// How large magazines are, and whether threads have any.
    fn size_magazines(&mut self, shape: &Shape) -> Result<(), ConfigError> {
        let max_blocks = self.config.max_live < usize::MAX;
        let is_bounded = max_blocks || self.rules.max_bytes < usize::MAX;
        self.config.rounds = match self.thread_cache {
            ThreadCache::Rounds(0) => return Err(ConfigError::NoRounds),
            ThreadCache::Rounds(rounds) => rounds,
            // Magazines of one block, for on its way to another thread a block cannot be reached.
            ThreadCache::Off if is_bounded => 0,
            ThreadCache::Auto if max_blocks => 0,
            ThreadCache::Off | ThreadCache::Auto => default_rounds(shape.size),
        };
        if self.rules.hardened {
            self.config.rounds = 0;
        }
        if self.thread_cache == ThreadCache::Off {
            self.config.max_thread_caches = 0;
        }
        self.config.max_idle = match self.config.rounds {
            0 => SINGLES,
            // Too many rounds are refused with the rest of the configuration.
            rounds => rounds.saturating_mul(depot_magazines(rounds.saturating_mul(shape.size))),
        };
        Ok(())
    }
}

/// The largest power of two of blocks that fit into a magazine's bytes.
fn default_rounds(block_bytes: usize) -> usize {
    let fit = (MAGAZINE_BYTES / block_bytes).clamp(1, MAX_ROUNDS);
    1 << fit.ilog2()
}

/// How many magazines of so many bytes the depot holds.
fn depot_magazines(magazine_bytes: usize) -> usize {
    (DEPOT_BYTES / magazine_bytes).clamp(*DEPOT_MAGAZINES.start(), *DEPOT_MAGAZINES.end())
}

#[cfg(test)]
mod tests {
    use super::{default_rounds, depot_magazines};

    #[test]
    fn the_depot_holds_four_mebibytes_or_fewer() {
        let cases = [
            (512, 256),
            (4096, 256),
            (1 << 16, 64),
            (1 << 20, 4),
            (1 << 30, 4),
        ];
        for (bytes, magazines) in cases {
            assert_eq!(depot_magazines(bytes), magazines, "{bytes}");
        }
    }

    #[test]
    fn magazines_hold_no_more_than_their_bytes() {
        let cases = [
            (1, 256),
            (256, 256),
            (257, 128),
            (1024, 64),
            (1025, 32),
            (4096, 16),
            (40_000, 1),
            (1 << 30, 1),
        ];
        for (bytes, rounds) in cases {
            assert_eq!(default_rounds(bytes), rounds, "{bytes}");
        }
    }
}
