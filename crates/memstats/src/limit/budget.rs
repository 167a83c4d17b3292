//! How much time trimming may take: the guard against a program that does nothing else.
//!
//! A purse that fills with a share of the time that passes, up to that share of a window, and that a
//! cycle is paid from. Over any span the cycles take at most the share of the span, one purse and
//! the end of one cycle, which may overdraw.
#![forbid(unsafe_code)]

use core::time::Duration;

use thrifty_sync::clock::Instant;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    share_percent: u32,
    window: Duration,
    /// Nanoseconds in the purse; below zero after a cycle that took longer than it might.
    nanos: i64,
    filled_at: Option<Instant>,
}

impl Budget {
    /// A full purse.
    pub(crate) const fn new(share_percent: u32, window: Duration) -> Self {
        let mut budget = Self {
            share_percent,
            window,
            nanos: 0,
            filled_at: None,
        };
        budget.nanos = budget.most();
        budget
    }

    const fn most(&self) -> i64 {
        let nanos = self.window.as_nanos() * self.share_percent as u128 / 100;
        // Centuries are cut short, which nobody will notice.
        if nanos > i64::MAX as u128 {
            i64::MAX
        } else {
            #[expect(clippy::cast_possible_truncation, reason = "compared above")]
            {
                nanos as i64
            }
        }
    }

    /// What a cycle may take that begins now; zero when it may not begin.
    pub(crate) fn available(&mut self, now: Instant) -> Duration {
        self.fill(now);
        Duration::from_nanos(u64::try_from(self.nanos).unwrap_or(0))
    }

    /// How long until an eighth of the purse is there, worth a cycle's while.
    pub(crate) fn until_worthwhile(&self) -> Duration {
        let missing = (self.most() / 8).saturating_sub(self.nanos).max(0);
        let nanos =
            missing.unsigned_abs().saturating_mul(100) / u64::from(self.share_percent.max(1));
        Duration::from_nanos(nanos)
    }

    /// Pays for a cycle.
    pub(crate) fn spend(&mut self, now: Instant, took: Duration) {
        self.fill(now);
        let took = i64::try_from(took.as_nanos()).unwrap_or(i64::MAX);
        self.nanos = self.nanos.saturating_sub(took);
    }

    fn fill(&mut self, now: Instant) {
        // A clock that went backwards fills nothing, and fills on from where it is now.
        let passed = self.filled_at.map_or(Duration::ZERO, |at| now.since(at));
        self.filled_at = Some(now);
        let earned = passed.as_nanos() * u128::from(self.share_percent) / 100;
        let earned = i64::try_from(earned).unwrap_or(i64::MAX);
        self.nanos = self.nanos.saturating_add(earned).min(self.most());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_spent_purse_fills_with_time() {
        let mut budget = Budget::new(10, Duration::from_secs(2));
        assert_eq!(budget.available(at(0)), Duration::from_millis(200));
        budget.spend(at(300), Duration::from_millis(300));
        assert_eq!(budget.available(at(300)), Duration::ZERO);
        let wait = budget.until_worthwhile();
        assert_eq!(wait, Duration::from_millis(1250));
        assert_eq!(budget.available(at(300) + wait), Duration::from_millis(25));
        assert_eq!(budget.available(at(100_000)), Duration::from_millis(200));
    }

    #[test]
    fn a_clock_that_goes_backwards_earns_nothing_and_blocks_nothing() {
        let mut budget = Budget::new(10, Duration::from_secs(2));
        budget.spend(at(5000), Duration::from_millis(200));
        assert_eq!(budget.available(at(10)), Duration::ZERO);
        assert_eq!(budget.available(at(1010)), Duration::from_millis(100));
    }

    proptest! {
        #[test]
        fn the_share_holds_over_any_span(
            cycles in prop::collection::vec((0_u64..500, 1_u64..100), 1..200),
            share in 1_u32..50,
        ) {
            let mut budget = Budget::new(share, Duration::from_secs(2));
            let (mut now, mut spent, mut longest) = (0, 0, 0);
            for (pause, cost) in cycles {
                now += pause;
                if budget.available(at(now)) > Duration::ZERO {
                    now += cost;
                    spent += cost;
                    longest = cost.max(longest);
                    budget.spend(at(now), Duration::from_millis(cost));
                }
            }
            let share = u64::from(share);
            prop_assert!(spent <= now * share / 100 + 20 * share + longest);
        }
    }
}
