//! How many rounds exist, and how many have come and gone.

use thrifty_sync::{
    atomic::{AtomicU64, AtomicUsize},
    ord,
};

/// Counted where rounds are made and destroyed, which is never on a hit.
#[derive(Debug)]
pub(crate) struct Census {
    live: AtomicUsize,
    created: AtomicU64,
    reclaimed: AtomicU64,
    overflowed: AtomicU64,
    max_live: usize,
}

impl Census {
    /// Nothing exists yet.
    pub(crate) fn new(max_live: usize) -> Self {
        Self {
            live: AtomicUsize::new(0),
            created: AtomicU64::new(0),
            reclaimed: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
            max_live,
        }
    }

    /// Counts a round that is about to be made, if one more may exist.
    pub(crate) fn admit(&self) -> bool {
        // ORDERING(census.count): Relaxed; numbers, they publish nothing.
        if self.max_live == usize::MAX {
            self.live.fetch_add(1, ord!(census.count, Relaxed));
            return true;
        }
        let admitted = self.live.fetch_update(
            ord!(census.count, Relaxed),
            ord!(census.count, Relaxed),
            |live| (live < self.max_live).then(|| live + 1),
        );
        admitted.is_ok()
    }

    /// The round was made.
    pub(crate) fn created(&self) {
        // ORDERING(census.count): Relaxed; see `admit`.
        self.created.fetch_add(1, ord!(census.count, Relaxed));
    }

    /// Rounds are no more.
    pub(crate) fn gone(&self, rounds: usize) {
        // ORDERING(census.count): Relaxed; see `admit`.
        self.live.fetch_sub(rounds, ord!(census.count, Relaxed));
    }

    /// Rounds that a trim or decay destroys.
    pub(crate) fn reclaimed(&self, rounds: usize) {
        // ORDERING(census.count): Relaxed; see `admit`.
        self.reclaimed
            .fetch_add(rounds as u64, ord!(census.count, Relaxed));
    }

    /// Rounds destroyed for want of room.
    pub(crate) fn overflowed(&self, rounds: usize) {
        // ORDERING(census.count): Relaxed; see `admit`.
        self.overflowed
            .fetch_add(rounds as u64, ord!(census.count, Relaxed));
    }

    /// Live rounds, and those created, reclaimed and overflowed so far.
    pub(crate) fn read(&self) -> (usize, [u64; 3]) {
        // ORDERING(census.count): Relaxed; see `admit`.
        let live = self.live.load(ord!(census.count, Relaxed));
        let past = [&self.created, &self.reclaimed, &self.overflowed];
        (
            live,
            past.map(|count| count.load(ord!(census.count, Relaxed))),
        )
    }
}
