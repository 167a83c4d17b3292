//! Threads without a cache of their own: those beyond the cap, those that are ending, and all
//! threads of an engine that has none.
//!
//! Nobody waits. Who finds a stripe taken goes on to the next; who finds all of them taken makes a
//! round, or has the one in hand destroyed.

use core::ptr::NonNull;

use thrifty_sync::hint;

use crate::{
    cache::{Emptied, Held},
    core::Core,
    flow::Work,
    round::Round,
    stripe::{Locked, Stripe},
};

/// How often to look again at stripes that have rounds and are taken.
const LOOKS: usize = 32;

impl Core {
    /// Takes a round out of the stripes or, through one of them, out of the depot.
    pub(crate) fn take_striped(&self, token: u64) -> Option<Round> {
        let first = self.first_stripe(token)?;
        if let Some(Some(round)) = self.visit(&self.stripes[first], |held| {
            let round = held.take();
            // A closed engine's depot may be about to be drained by whoever filled it late, and
            // what came from there would stay in the stripe: INVARIANT: 2 of the core.
            if round.is_some() || self.is_closed() {
                return (round, Work::default());
            }
            self.refill(held)
        }) {
            return Some(round);
        }
        self.search_stripes(first)
    }

    /// Takes a round out of any stripe that has some.
    pub(crate) fn search_stripes(&self, first: usize) -> Option<Round> {
        for _ in 0..LOOKS {
            let mut taken = false;
            for offset in 0..self.stripes.len() {
                let stripe = &self.stripes[(first + offset) % self.stripes.len()];
                if stripe.count() == 0 {
                    continue;
                }
                match self.visit(stripe, |held| (take_either(held), Work::default())) {
                    Some(Some(round)) => return Some(round),
                    Some(None) => {}
                    None => taken = true,
                }
            }
            if !taken {
                return None;
            }
            hint::spin_loop();
        }
        None
    }

    /// Which stripe a thread tries first.
    pub(crate) fn first_stripe(&self, token: u64) -> Option<usize> {
        let count = u64::try_from(self.stripes.len()).unwrap_or(u64::MAX);
        usize::try_from(token.checked_rem(count)?).ok()
    }

    /// Puts a round into a stripe or, through one, the depot; hands it back when there is no room
    /// or the engine is closed.
    ///
    /// # Safety
    ///
    /// The caller has the lease of `round`, and on success has handed it over: `this` may then be
    /// gone.
    pub(crate) unsafe fn put_striped(
        this: NonNull<Self>,
        token: u64,
        round: Round,
    ) -> Result<(), Round> {
        // SAFETY: valid: the round's lease.
        let core = unsafe { this.as_ref() };
        let Some(first) = core.first_stripe(token) else {
            return Err(round);
        };
        // The round's own lease is gone from our hands once it lies in a stripe.
        core.traffic.leases.add(1);
        let mut round = Err(round);
        for offset in 0..core.stripes.len() {
            let Err(left) = round else { break };
            let stripe = &core.stripes[(first + offset) % core.stripes.len()];
            let put = core.visit(stripe, |held| {
                if core.is_closed() {
                    (Err(left), Work::default())
                } else if held.put(left) {
                    (Ok(()), Work::default())
                } else {
                    core.stow(held, left)
                }
            });
            match put {
                Some(put) => {
                    round = put;
                    break;
                }
                None => round = Err(left),
            }
        }
        // SAFETY: the lease that was added above.
        unsafe { Self::release(this, 1) };
        round
    }

    /// Puts rounds into the first stripe that is free, as far as it has room; answers with how
    /// many. The caller has a handle, and the leases of the rounds.
    pub(crate) fn fill_striped(&self, token: u64, rounds: &[Round]) -> usize {
        let Some(first) = self.first_stripe(token) else {
            return 0;
        };
        let (after, before) = (first..self.stripes.len(), 0..first);
        let filled = after.chain(before).find_map(|index| {
            self.visit(&self.stripes[index], |held| {
                let filled = if self.is_closed() {
                    0
                } else {
                    self.fill(held, rounds)
                };
                (filled, Work::default())
            })
        });
        filled.unwrap_or(0)
    }

    /// Uses a stripe, if it is free; the caller has a handle or a lease.
    fn visit<R>(&self, stripe: &Stripe, with: impl FnOnce(Held<'_>) -> (R, Work)) -> Option<R> {
        let locked = stripe.try_lock()?;
        let (result, work) = with(locked.held());
        let emptied = let_go(locked);
        if let Some(emptied) = emptied {
            let emptied = self.destroy_leased(emptied);
            if !self.is_closed() {
                self.census.reclaimed(emptied.items);
            }
        }
        // SAFETY: valid, and the caller's handle or lease outlasts the call.
        unsafe { Self::finish(self.origin(), work) };
        Some(result)
    }
}

/// A round of the loaded magazine or of the spare.
fn take_either(held: Held<'_>) -> Option<Round> {
    held.take().or_else(|| {
        held.rotate_to_take();
        held.take()
    })
}

/// Unlocks; if there is a message, the stripe is emptied first.
fn let_go(locked: Locked<'_>) -> Option<Emptied> {
    let told = locked.unlock().err()?;
    let emptied = told.held().clear();
    told.answer();
    Some(emptied)
}
