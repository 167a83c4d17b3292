//! How the thread whose allocation crosses the trigger wakes the controller.
//!
//! ```text
//!   a thread, after each interval          the controller
//!   ─────────────────────────────          ──────────────
//!   counts its allocations                 sets the trigger
//!   fence ────────────┐          ┌──────── fence
//!   reads the trigger └── one of them      sums up what is counted
//!     crossed: `ring`     sees the other
//!        it did not ring yet: unpark       `listen`, then sums up again, then parks
//! ```
//!
//! A bell that has been rung is silent until somebody listens again: however many threads cross the
//! trigger, one of them unparks the controller, once. While the controller is at work, or waits out a
//! pause, nobody does.
//!
//! Beside the bell hangs the hour at which the controller will look next. A thread that lends a hand
//! ([`assist`](crate::limit::assist)) reads it, and does not depend on when the controller gets to run.
#![forbid(unsafe_code)]

use thrifty_sync::{
    atomic::{AtomicBool, AtomicU64},
    clock::Instant,
    const_unless_loom, fence, ord,
};

#[derive(Debug)]
pub(crate) struct Alarm {
    trigger: AtomicU64,
    rung: AtomicBool,
    /// A [`Look`] in one word.
    look: AtomicU64,
}

/// When somebody is to look whether a cycle is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing is limited.
    Never,
    /// At once: what was found out so far says nothing any more.
    Now,
    /// After a pause, whatever is counted.
    At(Instant),
    /// Then, or when the trigger is reached.
    AtOrCrossed(Instant),
}

impl Look {
    const NEVER: u64 = u64::MAX;
    const CROSSED: u64 = 1;

    fn into_word(self) -> u64 {
        // A nanosecond more or less; the last ones are centuries away.
        let even = |at: Instant| at.as_nanos().min(Self::NEVER - 3) & !Self::CROSSED;
        match self {
            Self::Never => Self::NEVER,
            Self::Now => 0,
            Self::At(at) => even(at),
            Self::AtOrCrossed(at) => even(at) | Self::CROSSED,
        }
    }
}

impl Alarm {
    const_unless_loom! {
        /// A bell that nothing rings.
        pub(crate) const fn new() -> Self {
            Self {
                trigger: AtomicU64::new(u64::MAX),
                rung: AtomicBool::new(true),
                look: AtomicU64::new(Look::NEVER),
            }
        }
    }

    /// Says when to look next.
    pub(crate) fn look(&self, look: Look) {
        // ORDERING(memstats.look): Relaxed; who sees an old hour lends a hand later or in vain, and
        // the lock under which hours are set orders them.
        self.look
            .store(look.into_word(), ord!(memstats.look, Relaxed));
    }

    /// Whether it is time to look.
    pub(crate) fn is_due(&self, now: impl FnOnce() -> Instant, sum: impl FnOnce() -> u64) -> bool {
        let look = self.look.load(ord!(memstats.look, Relaxed));
        look != Look::NEVER
            && (now().as_nanos() >= look || (look & Look::CROSSED != 0 && self.is_crossed(sum)))
    }

    /// Whether a thread that has just counted should look at the sum; for hooks of the allocator.
    pub(crate) fn is_crossed(&self, sum: impl FnOnce() -> u64) -> bool {
        // ORDERING(memstats.counted): SeqCst fence; pairs with memstats.watching. Either the load
        // below sees the new trigger, or the controller's sum after setting it sees what this
        // thread counted before.
        fence!(memstats.counted, SeqCst);
        // ORDERING(memstats.trigger): Relaxed; the fences order it.
        let trigger = self.trigger.load(ord!(memstats.trigger, Relaxed));
        trigger != u64::MAX && sum() >= trigger
    }

    /// Rings; `true` when the caller must unpark the controller.
    pub(crate) fn ring(&self) -> bool {
        // ORDERING(memstats.ring): Release; pairs with memstats.listen. Where the bell had been
        // rung, the controller has not listened yet: what this thread counted before is seen by
        // the sum that it takes after.
        !self.rung.swap(true, ord!(memstats.ring, Release))
    }

    /// Makes the bell sound again. To be followed by a sum, before parking.
    pub(crate) fn listen(&self) {
        // ORDERING(memstats.listen): Acquire; pairs with memstats.ring.
        self.rung.swap(false, ord!(memstats.listen, Acquire));
    }

    /// Whether somebody rang since the last `listen`.
    pub(crate) fn is_rung(&self) -> bool {
        // ORDERING(memstats.rung): Relaxed; for statistics.
        self.rung.load(ord!(memstats.rung, Relaxed))
    }

    /// Sets the live bytes that ring. To be followed by a sum.
    pub(crate) fn set_trigger(&self, bytes: Option<u64>) {
        // ORDERING(memstats.trigger): Relaxed; the fences order it.
        self.trigger
            .store(bytes.unwrap_or(u64::MAX), ord!(memstats.trigger, Relaxed));
        // ORDERING(memstats.watching): SeqCst fence; pairs with memstats.counted.
        fence!(memstats.watching, SeqCst);
    }
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn a_look_is_due_at_its_hour_or_when_the_trigger_is_crossed() {
        let alarm = Alarm::new();
        assert!(!alarm.is_due(|| unreachable!(), || unreachable!()));
        alarm.look(Look::Now);
        assert!(alarm.is_due(|| at(0), || unreachable!()));
        alarm.look(Look::At(at(100)));
        alarm.set_trigger(Some(50));
        assert!(!alarm.is_due(|| at(99), || unreachable!("a pause is a pause")));
        assert!(alarm.is_due(|| at(100), || unreachable!()));
        alarm.look(Look::AtOrCrossed(at(100)));
        assert!(!alarm.is_due(|| at(99), || 49));
        assert!(alarm.is_due(|| at(99), || 50));
        alarm.set_trigger(None);
        assert!(!alarm.is_due(|| at(99), || u64::MAX));
        for end in [Look::At(at(u64::MAX)), Look::AtOrCrossed(at(u64::MAX))] {
            alarm.look(end);
            assert!(alarm.is_due(|| at(u64::MAX), || 0), "{end:?} is an hour");
        }
        alarm.look(Look::Never);
        assert!(!alarm.is_due(|| unreachable!(), || unreachable!()));
    }
}
