//! What a pool says about itself.

use core::fmt;

use thrifty_magazine::Stats;
use thrifty_traits::Usage;

/// Figures of a [`Pool`](crate::Pool).
///
/// Each is exact while no other thread uses the pool. While others do, each is as it was at some
/// point during the call, and they need not add up.
///
/// # Examples
///
/// ```
/// use thrifty_pool::Pool;
///
/// let pool = Pool::new(String::new);
/// let lines = [pool.get(), pool.get()];
/// drop(lines);
/// let stats = pool.stats();
/// assert_eq!((stats.live, stats.idle, stats.created), (2, 2, 2));
/// assert!(stats.to_string().starts_with("0 in use, 2 idle"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Items that exist: on loan, idle or being made.
    pub live: usize,
    /// Items on loan or being made.
    pub in_use: usize,
    /// Idle items, wherever they are.
    pub idle: usize,
    /// Idle items in the depot.
    pub idle_in_depot: usize,
    /// Idle items in the caches of threads.
    pub idle_in_caches: usize,
    /// Idle items in the stripes that threads without a cache share.
    pub idle_in_stripes: usize,
    /// What the idle items weigh: summed for the depot, and for the others estimated, as the mean of
    /// the depot's or else by their size.
    pub idle_bytes: usize,
    /// What the items on loan take by themselves, without what they own.
    pub in_use_bytes: usize,
    /// Bookkeeping of the pool.
    pub overhead_bytes: usize,
    /// Threads that have a cache.
    pub thread_caches: usize,
    /// Items that came to exist so far.
    pub created: u64,
    /// Items that were dropped or detached so far.
    pub retired: u64,
    /// Items that decay and trims dropped so far; they are part of `retired`.
    pub reclaimed: u64,
    /// Items that were dropped on return so far because the pool was full; they are part of
    /// `retired`.
    pub overflowed: u64,
}

impl PoolStats {
    pub(crate) fn of(stats: &Stats, node_bytes: usize) -> Self {
        let unweighed = stats.cached.saturating_add(stats.striped);
        let mean = stats
            .depot_bytes
            .checked_div(stats.depot)
            .unwrap_or(node_bytes);
        Self {
            live: stats.live,
            in_use: stats.in_use(),
            idle: stats.idle(),
            idle_in_depot: stats.depot,
            idle_in_caches: stats.cached,
            idle_in_stripes: stats.striped,
            idle_bytes: stats
                .depot_bytes
                .saturating_add(unweighed.saturating_mul(mean)),
            in_use_bytes: stats.in_use().saturating_mul(node_bytes),
            overhead_bytes: stats.overhead_bytes,
            thread_caches: stats.thread_caches,
            created: stats.created,
            retired: stats.retired,
            reclaimed: stats.reclaimed,
            overflowed: stats.overflowed,
        }
    }

    /// The same as the vocabulary of limit controllers has it.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{MemoryUsage, Pool};
    ///
    /// let pool = Pool::new(String::new);
    /// let _line = pool.get();
    /// assert_eq!(pool.stats().usage(), pool.memory_usage());
    /// ```
    #[must_use]
    pub const fn usage(&self) -> Usage {
        let reserved = self
            .in_use_bytes
            .saturating_add(self.idle_bytes)
            .saturating_add(self.overhead_bytes);
        Usage::new()
            .with_in_use_bytes(self.in_use_bytes)
            .with_idle_bytes(self.idle_bytes)
            .with_reserved_bytes(reserved)
    }
}

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            in_use,
            idle,
            idle_bytes,
            created,
            retired,
            ..
        } = self;
        write!(
            f,
            "{in_use} in use, {idle} idle ({idle_bytes} B); {created} made, {retired} dropped"
        )
    }
}
