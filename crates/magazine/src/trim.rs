//! Giving memory back: decay, trims, and the end.

use thrifty_sync::clock::Instant;
use thrifty_traits::{Pressure, Reclaimed};

use crate::{cache::Emptied, contain::contain, core::Core, magazine::Magazine, stripe::Stripe};

impl Core {
    /// After an exchange: looks at the clock now and then, and pays for what is due.
    pub(crate) fn keep_house(&self, look: bool, pay: bool) {
        if look {
            // The clock may be the user's, and its panic would lose the caller's round.
            if let Some(now) = contain(|| self.config.now()).flatten() {
                if self.decay.is_over(now) {
                    self.decay.owe(self.traffic.depot.end_interval());
                }
            }
        }
        if pay {
            let due = self
                .decay
                .take_on(self.rounds as usize, self.traffic.depot.low());
            self.reap(due);
        }
    }

    /// Ends an interval, if it is over at `now`, and destroys what nobody wanted in it.
    pub(crate) fn tick(&self, now: Instant) -> Reclaimed {
        if !self.decay.is_over(now) {
            return Reclaimed::new();
        }
        self.end_interval()
    }

    fn end_interval(&self) -> Reclaimed {
        let due = self.decay.take_on(usize::MAX, self.traffic.depot.low());
        self.reap(self.traffic.depot.end_interval().max(due))
    }

    /// Destroys up to so many rounds of the depot.
    fn reap(&self, rounds: usize) -> Reclaimed {
        let mut left = rounds;
        let mut reclaimed = Reclaimed::new();
        while left > 0 {
            let Some(mut magazine) = self.traffic.depot.remove() else {
                break;
            };
            self.traffic.depot.lower();
            let mut last = None;
            if magazine.len() as usize > left {
                last = self.split(&mut magazine, left);
            }
            let weight = magazine.weight().unwrap_or_else(|| {
                // SAFETY: the rounds are from this engine, and nobody uses them.
                unsafe { (self.vtable.weigh)(self.origin(), magazine.rounds()) }
            });
            self.census.reclaimed(magazine.len() as usize);
            let gone = self.dispose(magazine);
            reclaimed += Reclaimed::new().with_items(gone).with_bytes(weight);
            left = left.saturating_sub(gone);
            if let Some(rest) = last {
                self.put_back(rest);
                break;
            }
        }
        reclaimed
    }

    /// Leaves `keep` rounds in the magazine; the others go into one of their own, if there is
    /// memory for it.
    pub(crate) fn split(&self, magazine: &mut Magazine, keep: usize) -> Option<Magazine> {
        let empty = self.traffic.depot.take_empty();
        let mut rest = empty.or_else(|| Magazine::try_new(self.rounds))?;
        while magazine.len() as usize > keep {
            let Some(round) = magazine.pop() else { break };
            if rest.push(round).is_err() {
                // A magazine has room for what was in another of the same capacity.
                debug_assert!(false, "magazines of one engine have one capacity");
            }
        }
        Some(rest)
    }

    /// Gives idle rounds back; what the calling thread's own seat holds is not touched here.
    pub(crate) fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        match pressure {
            Pressure::Low => self.end_interval(),
            // As much as there is now: a trim does not run after those who go on to put.
            Pressure::Medium => self.reap(self.traffic.depot.held()),
            Pressure::High => {
                self.next_epoch();
                let mut reclaimed = self.reap(self.traffic.depot.held());
                for stripe in &self.stripes {
                    let emptied = self.empty_stripe(stripe);
                    self.census.reclaimed(emptied.items);
                    reclaimed += emptied;
                }
                let freed = self.traffic.depot.free_empty();
                reclaimed + Reclaimed::new().with_bytes(freed)
            }
        }
    }

    /// Destroys what a stripe holds; if it is taken, its holder does.
    fn empty_stripe(&self, stripe: &Stripe) -> Reclaimed {
        let Some(locked) = stripe.lock_or_tell() else {
            return Reclaimed::new();
        };
        let emptied = locked.held().clear();
        locked.answer();
        self.destroy_leased(emptied)
    }

    /// Destroys rounds with leases. The caller has a handle or a lease beside those.
    pub(crate) fn destroy_leased(&self, emptied: Emptied) -> Reclaimed {
        let mut reclaimed = Reclaimed::new();
        if let Some(round) = emptied.loose {
            // SAFETY: the round is from this engine, and nobody uses it.
            let weight = unsafe { (self.vtable.weigh)(self.origin(), &[round]) };
            self.dispose_one(round);
            let last = self.traffic.leases.release(1);
            debug_assert!(!last, "the caller has a lease of its own");
            reclaimed += Reclaimed::new().with_items(1).with_bytes(weight);
        }
        for magazine in emptied.magazines.into_iter().flatten() {
            // SAFETY: the rounds are from this engine, and nobody uses them.
            let weight = unsafe { (self.vtable.weigh)(self.origin(), magazine.rounds()) };
            let gone = self.dispose(magazine);
            let last = gone > 0 && self.traffic.leases.release(gone);
            debug_assert!(!last, "the caller has a lease of its own");
            reclaimed += Reclaimed::new().with_items(gone).with_bytes(weight);
        }
        reclaimed
    }

    /// Closes the engine: what is idle is destroyed, and what comes back later.
    pub(crate) fn close(&self) {
        self.lock_out();
        self.drain();
        for stripe in &self.stripes {
            self.empty_stripe(stripe);
        }
    }
}
