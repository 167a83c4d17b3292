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
    retired: AtomicU64,
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
            retired: AtomicU64::new(0),
            reclaimed: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
            max_live,
        }
    }

    /// Counts rounds that are about to be made, as many of `rounds` as may exist; answers with how
    /// many that is.
    pub(crate) fn admit(&self, rounds: usize) -> usize {
        // ORDERING(census.count): Relaxed; numbers, they publish nothing.
        if self.max_live == usize::MAX {
            self.live.fetch_add(rounds, ord!(census.count, Relaxed));
            return rounds;
        }
        let room = |live: usize| rounds.min(self.max_live.saturating_sub(live));
        let before = self.live.fetch_update(
            ord!(census.count, Relaxed),
            ord!(census.count, Relaxed),
            |live| (room(live) > 0).then(|| live + room(live)),
        );
        before.map_or(0, room)
    }

    /// Rounds were made.
    pub(crate) fn created(&self, rounds: usize) {
        // ORDERING(census.count): Relaxed; see `admit`.
        self.created
            .fetch_add(rounds as u64, ord!(census.count, Relaxed));
    }

    /// Rounds that were admitted were not made.
    pub(crate) fn forgo(&self, rounds: usize) {
        // ORDERING(census.count): Relaxed; see `admit`.
        self.live.fetch_sub(rounds, ord!(census.count, Relaxed));
    }

    /// Rounds are no more.
    pub(crate) fn gone(&self, rounds: usize) {
        self.forgo(rounds);
        // ORDERING(census.count): Relaxed; see `admit`.
        self.retired
            .fetch_add(rounds as u64, ord!(census.count, Relaxed));
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

    /// Live rounds, and those created, retired, reclaimed and overflowed so far.
    pub(crate) fn read(&self) -> (usize, [u64; 4]) {
        // ORDERING(census.count): Relaxed; see `admit`.
        let live = self.live.load(ord!(census.count, Relaxed));
        let past = [
            &self.created,
            &self.retired,
            &self.reclaimed,
            &self.overflowed,
        ];
        (
            live,
            past.map(|count| count.load(ord!(census.count, Relaxed))),
        )
    }
}
