//! When to give back what nobody uses: the working set, by intervals.
//!
//! The depot notes the fewest rounds that it held during an interval. So many were never wanted,
//! and are destroyed when the interval ends. What a burst leaves behind is gone after two ends of
//! intervals, the first of which still saw the burst; what a steady load goes through stays
//! (`kmem_depot_ws_update` and `kmem_depot_ws_reap` of illumos do this with two intervals).
//!
//! Whoever finds that an interval is over does not have to destroy it all at once: the rounds are
//! *due*, and each visit to the depot by a thread that wants to put pays for one magazine. A thread
//! that wants to take pays nothing: the load may be coming back for what is due.

use core::time::Duration;

use thrifty_sync::{
    atomic::{AtomicU64, AtomicUsize},
    clock::Instant,
    ord,
};

/// The end of the current interval, and the rounds due.
#[derive(Debug)]
pub(crate) struct Decay {
    interval: Duration,
    /// Nanoseconds; 0 before the first look at the clock.
    deadline: AtomicU64,
    due: AtomicUsize,
}

impl Decay {
    /// No interval has begun.
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            deadline: AtomicU64::new(0),
            due: AtomicUsize::new(0),
        }
    }

    /// Whether the interval is over at `now`. One caller gets to know, and the next interval has
    /// begun.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        // ORDERING(decay.deadline): Relaxed; the number decides who ends the interval, and what
        // they do then is ordered by the depot.
        let deadline = self.deadline.load(ord!(decay.deadline, Relaxed));
        let next = (now + self.interval).as_nanos().max(1);
        // A deadline further off than an interval is from a clock that has gone backwards since.
        let out_of_reach = deadline > next;
        if deadline != 0 && now.as_nanos() < deadline && !out_of_reach {
            return false;
        }
        let ended = self.deadline.compare_exchange(
            deadline,
            next,
            ord!(decay.deadline, Relaxed),
            ord!(decay.deadline, Relaxed),
        );
        // The first look, by this clock, begins an interval and ends none.
        ended.is_ok() && deadline != 0 && !out_of_reach
    }

    /// So many rounds are to go.
    pub(crate) fn owe(&self, rounds: usize) {
        // ORDERING(decay.due): Relaxed; an amount of work, nothing else hangs on it.
        self.due.store(rounds, ord!(decay.due, Relaxed));
    }

    /// Takes on up to `rounds` of the rounds due. Of those, only `left_over` have still not been
    /// wanted; the rest is forgiven, since the load has come back for it.
    pub(crate) fn take_on(&self, rounds: usize, left_over: usize) -> usize {
        // ORDERING(decay.due): Relaxed; see `owe`.
        if self.due.load(ord!(decay.due, Relaxed)) == 0 {
            return 0;
        }
        let due =
            self.due
                .fetch_update(ord!(decay.due, Relaxed), ord!(decay.due, Relaxed), |due| {
                    Some(due.min(left_over).saturating_sub(rounds))
                });
        due.map_or(0, |due| due.min(left_over).min(rounds))
    }
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_begins_an_interval_and_ends_none() {
        let decay = Decay::new(Duration::from_nanos(10));
        let at = Instant::from_nanos;
        assert!(!decay.is_over(at(100)));
        assert!(!decay.is_over(at(109)));
        assert!(decay.is_over(at(110)));
        assert!(!decay.is_over(at(119)));
    }

    #[test]
    fn a_clock_that_went_backwards_does_not_stop_decay() {
        let decay = Decay::new(Duration::from_nanos(10));
        let at = Instant::from_nanos;
        assert!(!decay.is_over(at(1000)));
        assert!(!decay.is_over(at(5)), "an interval begins");
        assert!(!decay.is_over(at(14)));
        assert!(decay.is_over(at(15)));
    }

    #[test]
    fn the_end_of_time_is_no_overflow() {
        let decay = Decay::new(Duration::MAX);
        assert!(!decay.is_over(Instant::from_nanos(u64::MAX)));
        assert!(!decay.is_over(Instant::from_nanos(1)));
    }

    #[test]
    fn what_is_due_is_taken_on_once() {
        let decay = Decay::new(Duration::from_secs(1));
        decay.owe(5);
        let take_on = || decay.take_on(3, 100);
        assert_eq!([take_on(), take_on(), take_on()], [3, 2, 0]);
    }

    #[test]
    fn what_is_wanted_again_is_forgiven() {
        let decay = Decay::new(Duration::from_secs(1));
        decay.owe(10);
        assert_eq!(decay.take_on(3, 4), 3);
        assert_eq!(decay.take_on(3, 100), 1);
        assert_eq!(decay.take_on(3, 100), 0);
    }
}
