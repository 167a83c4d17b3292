//! One thread's part in the sampling: when its next sample is due.
#![forbid(unsafe_code)]

use core::cell::Cell;

use thrifty_sync::{
    atomic::{AtomicU32, AtomicU64},
    ord,
};

use super::weight::{Random, mix};

/// What the threads' random numbers start from.
pub(crate) static SEED: AtomicU64 = AtomicU64::new(0);
static NEXT_THREAD: AtomicU32 = AtomicU32::new(1);

/// Allocations between two frees of samples that count as freed together.
const TOGETHER: u64 = 16;

/// Owned by one thread, inside its thread-local.
#[derive(Debug)]
pub(crate) struct Draw {
    /// The rate that `next` was drawn with.
    rate: Cell<u64>,
    /// The thread's clock of allocated bytes at its next sample.
    next: Cell<u64>,
    random: Cell<u64>,
    seed: Cell<u64>,
    /// A number for the thread, 0 before it is needed.
    thread: Cell<u32>,
    label: Cell<u16>,
    /// Set while the thread's events are to be no samples.
    muted: Cell<bool>,
    /// The thread's clock of allocations when it last freed a sample.
    last_end: Cell<Option<u64>>,
}

impl Draw {
    pub(crate) const fn new() -> Self {
        Self {
            rate: Cell::new(0),
            next: Cell::new(u64::MAX),
            random: Cell::new(0),
            seed: Cell::new(0),
            thread: Cell::new(0),
            label: Cell::new(0),
            muted: Cell::new(false),
            last_end: Cell::new(None),
        }
    }

    /// The clock at the next sample.
    pub(crate) fn next(&self) -> u64 {
        self.next.get()
    }

    /// The rate that is in force for this thread.
    pub(crate) fn rate(&self) -> u64 {
        self.rate.get()
    }

    /// Takes over a new rate: at clock `total`, of which the last `bytes` belong to the event that
    /// is looked at.
    pub(crate) fn refresh(&self, rate: u64, total: u64, bytes: u64) {
        if rate != self.rate.replace(rate) {
            // ORDERING(memstats.seed): Relaxed; the number is all that is exchanged.
            let seed = SEED.load(ord!(memstats.seed, Relaxed));
            if self.random.get() == 0 || seed != self.seed.replace(seed) {
                let own = mix(u64::from(self.thread()));
                self.random.set(Random::new(seed ^ own).0);
            }
            self.restart(total.wrapping_sub(bytes));
        }
    }

    /// Whether the event that brought the clock to `total` is a sample.
    pub(crate) fn is_due(&self, total: u64) -> bool {
        if self.rate.get() == 0 || total < self.next.get() || self.muted.get() {
            return false;
        }
        self.restart(total);
        true
    }

    /// Draws the next sample from the end of this one.
    fn restart(&self, total: u64) {
        let mut random = Random(self.random.get());
        let interval = random.interval(self.rate.get());
        self.random.set(random.0);
        self.next.set(total.saturating_add(interval));
    }

    /// A number above 0 and up to 1.
    pub(crate) fn unit(&self) -> f64 {
        let mut random = Random(self.random.get() | 1);
        let unit = random.unit();
        self.random.set(random.0);
        unit
    }

    /// Whether the thread's events are no samples; says what it was before.
    pub(crate) fn mute(&self, on: bool) -> bool {
        self.muted.replace(on)
    }

    /// So many bytes of the thread's clock had no chance to be sampled.
    pub(crate) fn postpone(&self, bytes: u64) {
        self.next.set(self.next.get().saturating_add(bytes));
    }

    /// The thread's clock was replaced by another one.
    pub(crate) fn rebase(&self, before: u64, after: u64) {
        if self.next.get() != u64::MAX {
            let left = self.next.get().saturating_sub(before);
            self.next.set(after.saturating_add(left));
        }
    }

    /// The thread's number.
    pub(crate) fn thread(&self) -> u32 {
        if self.thread.get() == 0 {
            // ORDERING(memstats.thread_number): Relaxed; a number that differs from the others.
            let number = NEXT_THREAD.fetch_add(1, ord!(memstats.thread_number, Relaxed));
            self.thread.set(number.max(1));
        }
        self.thread.get()
    }

    pub(crate) fn label(&self) -> u16 {
        self.label.get()
    }

    pub(crate) fn set_label(&self, label: u16) {
        self.label.set(label);
    }

    /// Notes that a sample ended at a clock of allocations, and says whether one did just before.
    pub(crate) fn ended(&self, allocs: u64) -> bool {
        let last = self.last_end.replace(Some(allocs));
        last.is_some_and(|last| allocs.wrapping_sub(last) <= TOGETHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_at_the_rate() {
        let draw = Draw::new();
        assert!(!draw.is_due(u64::MAX));
        draw.refresh(1000, 8, 8);
        let due = (1..=100_000_u64)
            .filter(|nth| draw.is_due(nth * 10))
            .count();
        assert!((950..1050).contains(&due), "{due}");
        draw.refresh(1, 1_000_000, 0);
        assert!((0..5).all(|more| draw.is_due(1_000_000 + more)));
        draw.refresh(0, 1_000_010, 0);
        assert!(!draw.is_due(u64::MAX));
    }

    #[test]
    fn another_clock_keeps_the_distance() {
        let draw = Draw::new();
        draw.refresh(1000, 0, 0);
        let left = draw.next();
        draw.rebase(0, 5000);
        assert_eq!(draw.next(), 5000 + left);
    }
}
