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
#![forbid(unsafe_code)]

use thrifty_sync::{
    atomic::{AtomicBool, AtomicU64},
    const_unless_loom, fence, ord,
};

#[derive(Debug)]
pub(crate) struct Alarm {
    trigger: AtomicU64,
    rung: AtomicBool,
}

impl Alarm {
    const_unless_loom! {
        /// A bell that nothing rings.
        pub(crate) const fn new() -> Self {
            Self {
                trigger: AtomicU64::new(u64::MAX),
                rung: AtomicBool::new(true),
            }
        }
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
