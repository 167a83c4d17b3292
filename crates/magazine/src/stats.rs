//! What an engine has done and what it holds.

use crate::{core::Core, magazine::Magazine};

/// Figures of an engine.
///
/// Each is exact while no other thread uses the engine. While others do, each is as it was at
/// some point during the call, and they need not add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Rounds that exist: lent, idle or being made.
    pub live: usize,
    /// Idle rounds in the depot.
    pub depot: usize,
    /// Idle rounds in the caches of threads.
    pub cached: usize,
    /// Idle rounds in the stripes.
    pub striped: usize,
    /// The weight of the rounds in the depot, in bytes.
    pub depot_bytes: usize,
    /// Threads that have a cache.
    pub thread_caches: usize,
    /// Rounds made so far.
    pub created: u64,
    /// Rounds destroyed or taken away for good so far.
    pub retired: u64,
    /// Rounds that decay and trims destroyed so far; they are part of `retired`.
    pub reclaimed: u64,
    /// Rounds destroyed so far because there was no room for them; they are part of `retired`.
    pub overflowed: u64,
    /// Bookkeeping of the engine itself, in bytes: depot, seats and stripes, and the magazines that
    /// hold rounds or lie empty in the depot. Each cache may have an empty one more, or two.
    pub overhead_bytes: usize,
}

impl Stats {
    /// The figures of an engine.
    pub(crate) fn of(core: &Core) -> Self {
        let (live, [created, retired, reclaimed, overflowed]) = core.census.read();
        let depot = core.traffic.depot.held();
        let taken = core.seats().filter(|seat| seat.is_taken()).count();
        let cached: usize = core.seats().map(|seat| seat.cache.count()).sum();
        let striped: usize = core.stripes.iter().map(|stripe| stripe.count()).sum();
        // What holds the rounds, at the least, and what is known to hold none.
        let magazines = (depot + cached + striped).div_ceil(core.rounds as usize);
        let magazines = magazines + core.traffic.depot.empty_magazines();
        Self {
            live,
            depot,
            cached,
            striped,
            depot_bytes: core.traffic.depot.held_bytes(),
            thread_caches: taken,
            created,
            retired,
            reclaimed,
            overflowed,
            overhead_bytes: core.overhead_bytes() + magazines * Magazine::size_bytes(core.rounds),
        }
    }

    /// Idle rounds, wherever they are.
    #[must_use]
    pub const fn idle(&self) -> usize {
        self.depot + self.cached + self.striped
    }

    /// Rounds that are lent; 0 where a race makes the sum come out below.
    #[must_use]
    pub const fn in_use(&self) -> usize {
        self.live.saturating_sub(self.idle())
    }
}
