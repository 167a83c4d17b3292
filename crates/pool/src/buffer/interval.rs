//! When the buffers in slots become old: intervals of a clock.

#![forbid(unsafe_code)]

use core::time::Duration;

use thrifty_sync::{atomic::AtomicU64, clock::Instant, ord};

/// The end of the current interval in nanoseconds; 0 before the first look at the clock.
#[derive(Debug)]
pub(crate) struct Interval(AtomicU64);

impl Interval {
    /// No interval has begun.
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Whether the interval is over at `now`. One caller gets to know, and the next interval has
    /// begun. The first look begins one and ends none, as in the engines.
    pub(crate) fn is_over(&self, now: Instant, length: Duration) -> bool {
        // ORDERING(pool.interval): Relaxed; slots order what they hold, and a tick too many or too
        // few frees a buffer earlier or later.
        let end = self.0.load(ord!(pool.interval, Relaxed));
        let next = (now + length).as_nanos().max(1);
        // An end further off than an interval is from a clock that has gone backwards since.
        let is_out_of_reach = end > next;
        if end != 0 && now.as_nanos() < end && !is_out_of_reach {
            return false;
        }
        let (stored, failed) = (ord!(pool.interval, Relaxed), ord!(pool.interval, Relaxed));
        let ended = self.0.compare_exchange(end, next, stored, failed);
        ended.is_ok() && end != 0 && !is_out_of_reach
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_ends_an_interval_whatever_the_clock_does() {
        let (interval, length) = (Interval::new(), Duration::from_nanos(10));
        let is_over = |now| interval.is_over(Instant::from_nanos(now), length);
        assert!(!is_over(100), "the first look begins one");
        assert!(!is_over(109));
        assert!(is_over(110));
        assert!(!is_over(110), "the next has begun");
        assert!(!is_over(5), "the clock went backwards: one begins");
        assert!(!is_over(14));
        assert!(is_over(15));
        assert!(is_over(u64::MAX));
        assert!(!Interval::new().is_over(Instant::from_nanos(7), Duration::MAX));
    }
}
