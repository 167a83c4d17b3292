//! Threads with a seat of their own: what they do beyond a hit.

use core::ptr::{self, NonNull};

use crate::{
    core::Core,
    round::Round,
    seat::{Place, Seat},
};

impl Core {
    /// Notes that the caller has taken a seat, which from now on keeps the engine's memory.
    ///
    /// # Safety
    ///
    /// The caller has just become the owner of `seat`, which is one of this engine.
    pub(crate) unsafe fn sit(&self, seat: &Seat, next: *const Seat) {
        self.traffic.leases.add_weak();
        let place = Place {
            core: self.origin(),
            prev: ptr::null(),
            next,
        };
        // SAFETY: the caller is the owner.
        unsafe { seat.set_place(place) };
    }

    /// Takes a round from wherever there is one within reach.
    ///
    /// # Safety
    ///
    /// The caller owns `seat`, which is one of this engine, and has a handle or a lease.
    pub(crate) unsafe fn take_seated(&self, seat: &Seat) -> Option<Round> {
        // SAFETY: the owner's; the answer is let go before the supplier runs.
        let held = unsafe { seat.cache.hold() };
        if let Some(round) = held.take() {
            return Some(round);
        }
        let (round, work) = self.refill(held);
        // SAFETY: valid, and the caller's handle or lease outlasts the call.
        unsafe { Self::finish(self.origin(), work) };
        round.or_else(|| self.search_stripes(0))
    }

    /// Puts a round wherever there is room; hands it back when there is none.
    ///
    /// # Safety
    ///
    /// The caller owns `seat`, which is one of this engine, and has the lease of `round`. On
    /// success it has handed both over: `this` may then be gone.
    pub(crate) unsafe fn put_seated(
        this: NonNull<Self>,
        seat: &Seat,
        round: Round,
    ) -> Result<(), Round> {
        // SAFETY: the owner's; the answer is let go before the supplier runs.
        let held = unsafe { seat.cache.hold() };
        if held.put(round) {
            return Ok(());
        }
        // SAFETY: valid: the round's lease.
        let core = unsafe { this.as_ref() };
        let (put, work) = core.stow(held, round);
        // The round's lease is in the cache now, from where the supplier may remove it meanwhile.
        core.traffic.leases.add(1);
        // SAFETY: valid, and the lease just added is kept until below.
        unsafe { Self::finish(this, work) };
        // SAFETY: the lease that was added above.
        unsafe { Self::release(this, 1) };
        put
    }

    /// Gives a seat up: its rounds go to the depot.
    ///
    /// # Safety
    ///
    /// The caller owns the seat, and uses it no more.
    pub(crate) unsafe fn leave(seat: &Seat) {
        // SAFETY: the caller is the owner.
        let place = unsafe { seat.place() };
        // SAFETY: the caller is the owner, and has no cache in its hands.
        let emptied = unsafe { seat.cache.hold() }.clear();
        // SAFETY: the owner, for the last time; the rounds are out.
        unsafe { seat.release() };
        // SAFETY: valid: the seat's weak count.
        unsafe { place.core.as_ref() }.seat_left();
        // SAFETY: the leases of the rounds and the seat's weak count keep the engine.
        unsafe { Self::give_up(place.core, emptied) };
        // SAFETY: the seat's weak count, which ends with it.
        unsafe { Self::release_weak(place.core) };
    }
}
