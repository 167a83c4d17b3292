//! Rounds between a cache and the depot.
//!
//! Every path that calls the supplier does so with nothing in its hands that the supplier could
//! get at by calling the engine again: a cache is let go first, and what is left to do then is a
//! [`Work`] that owns its magazines.

use core::ptr::NonNull;

use crate::{
    cache::{Emptied, Held},
    core::Core,
    depot::Room,
    magazine::Magazine,
    round::Round,
};

/// Exchanges of one cache with the depot between two looks at the clock, which cost some 25 ns.
const EXCHANGES_PER_LOOK: u32 = 16;

/// What is left to do once the cache is let go.
#[derive(Debug, Default)]
#[must_use = "it owns magazines"]
pub(crate) struct Work {
    /// A full magazine on its way to the depot, with leases for its rounds.
    deposit: Option<(Magazine, Room)>,
    /// A magazine whose rounds a trim wants gone, with leases for them.
    discard: Option<Magazine>,
    /// Whether it is time to look at the clock.
    look: bool,
    /// Whether it is time to pay for what is due: a cache that wants to put has no use for more.
    pay: bool,
}

impl Core {
    /// Takes a round through a cache whose loaded magazine is empty.
    pub(crate) fn refill(&self, held: Held<'_>) -> (Option<Round>, Work) {
        let mut work = self.follow(held);
        if held.rotate_to_take() {
            return (held.take(), work);
        }
        work.look = held.count_exchange(EXCHANGES_PER_LOOK);
        let Some(full) = self.traffic.depot.take() else {
            return (None, work);
        };
        // INVARIANT: 1 — the rounds leave the depot. The caller has a handle, so that the count is
        // not zero meanwhile.
        self.traffic.leases.add(full.len() as usize);
        if let Some(empty) = held.load(full) {
            self.traffic.depot.put_empty(empty);
        }
        (held.take(), work)
    }

    /// Puts a round through a cache whose loaded magazine is full; hands it back when there is no
    /// room.
    pub(crate) fn stow(&self, held: Held<'_>, round: Round) -> (Result<(), Round>, Work) {
        let mut work = self.follow(held);
        if held.rotate_to_put() {
            return (put_into_room(held, round), work);
        }
        // Also where there turns out to be no room: a full depot has to decay as well.
        work.look = held.count_exchange(EXCHANGES_PER_LOOK);
        work.pay = true;
        let room = if held.lacks_spare() {
            None
        } else {
            match self.traffic.depot.reserve(self.rounds as usize) {
                Some(room) => Some(room),
                None => return (Err(round), work),
            }
        };
        let empty = self.traffic.depot.take_empty();
        let Some(empty) = empty.or_else(|| Magazine::try_new(self.rounds)) else {
            room.into_iter()
                .for_each(|room| self.traffic.depot.unreserve(room));
            return (Err(round), work);
        };
        work.deposit = held.unload_spare(empty).zip(room);
        (put_into_room(held, round), work)
    }

    /// Puts rounds into a cache as long as its two magazines have room; answers with how many.
    pub(crate) fn fill(&self, held: Held<'_>, rounds: &[Round]) -> usize {
        let mut filled = 0;
        for &round in rounds {
            let put = held.put(round)
                || (held.rotate_to_put() && held.put(round))
                || (held.lacks_spare() && self.add_magazine(held) && held.put(round));
            if !put {
                break;
            }
            filled += 1;
        }
        filled
    }

    /// Gives a cache that has one magazine, or none, another.
    fn add_magazine(&self, held: Held<'_>) -> bool {
        let empty = self.traffic.depot.take_empty();
        let Some(empty) = empty.or_else(|| Magazine::try_new(self.rounds)) else {
            return false;
        };
        if let Some(before) = held.unload_spare(empty) {
            // There was no spare, so nothing comes out.
            debug_assert_eq!(before.len(), 0, "a spare came out of nowhere");
            self.traffic.depot.put_empty(before);
        }
        true
    }

    /// A trim has asked caches to give up their spare: this one does.
    fn follow(&self, held: Held<'_>) -> Work {
        let discard = if held.follow(self.epoch()) {
            held.take_spare()
        } else {
            None
        };
        Work {
            discard,
            ..Work::default()
        }
    }

    /// Does what is left to do.
    ///
    /// # Safety
    ///
    /// The caller has a handle or a lease, and keeps it until this returns; the leases of the
    /// magazines in `work` count.
    pub(crate) unsafe fn finish(this: NonNull<Self>, work: Work) {
        // SAFETY: valid: the caller's promise. Every lease that ends below is the last thing done.
        let core = unsafe { this.as_ref() };
        let discarded = work.discard.map_or(0, |magazine| {
            core.census.reclaimed(magazine.len() as usize);
            core.dispose(magazine)
        });
        let deposited = work
            .deposit
            .map_or(0, |(magazine, room)| core.deposit(magazine, room));
        core.keep_house(work.look, work.pay);
        // SAFETY: these are the leases of the two magazines.
        unsafe { Self::release(this, discarded + deposited) };
    }

    /// Puts a full magazine into the room reserved for it, or destroys its rounds; answers with
    /// the leases that end.
    fn deposit(&self, mut magazine: Magazine, room: Room) -> usize {
        let rounds = magazine.len() as usize;
        // SAFETY: the rounds are from this engine, and nobody uses them: they are in `magazine`.
        let weight = unsafe { (self.vtable.weigh)(self.origin(), magazine.rounds()) };
        magazine.set_weight(weight);
        match self.traffic.depot.put(magazine, room) {
            // INVARIANT: 2.
            Ok(()) if self.is_closed() => self.drain(),
            Ok(()) => {}
            Err(magazine) => self.turn_away(magazine),
        }
        rounds
    }

    /// Destroys the rounds of a magazine; answers with how many there were, so that the caller
    /// ends their leases, if they have any.
    pub(crate) fn dispose(&self, mut magazine: Magazine) -> usize {
        let rounds = magazine.len() as usize;
        if rounds > 0 {
            // SAFETY: the rounds are from this engine, nobody uses them, and they are cleared out
            // below without being used again.
            unsafe { (self.vtable.destroy)(self.origin(), magazine.rounds()) };
            self.census.gone(rounds);
        }
        magazine.clear();
        self.traffic.depot.put_empty(magazine);
        rounds
    }

    /// A magazine with one round in it, if there is memory.
    fn magazine_of(&self, round: Round) -> Result<Magazine, Round> {
        let empty = self.traffic.depot.take_empty();
        let Some(mut magazine) = empty.or_else(|| Magazine::try_new(self.rounds)) else {
            return Err(round);
        };
        let pushed = magazine.push(round);
        debug_assert!(pushed.is_ok(), "an empty magazine has room");
        Ok(magazine)
    }

    /// Destroys a round that lies in no magazine; its lease is the caller's to end.
    pub(crate) fn dispose_one(&self, round: Round) {
        // SAFETY: the round is from this engine, and nobody else has it.
        unsafe { (self.vtable.destroy)(self.origin(), &[round]) };
        self.census.gone(1);
    }

    /// Empties the depot of a closed engine.
    pub(crate) fn drain(&self) {
        self.traffic.depot.drain(|magazine| {
            self.dispose(magazine);
        });
        self.traffic.depot.free_empty();
    }

    /// Moves what a cache holds to the depot, or destroys it; for a cache that is given up.
    ///
    /// # Safety
    ///
    /// As [`finish`](Self::finish).
    pub(crate) unsafe fn give_up(this: NonNull<Self>, emptied: Emptied) {
        // SAFETY: valid: the caller's promise.
        let core = unsafe { this.as_ref() };
        let mut leases = 0;
        for magazine in emptied.magazines.into_iter().flatten() {
            leases += magazine.len() as usize;
            core.return_to_depot(magazine);
        }
        if let Some(round) = emptied.loose {
            leases += 1;
            match core.magazine_of(round) {
                Ok(magazine) => core.return_to_depot(magazine),
                Err(round) => core.dispose_one(round),
            }
        }
        // SAFETY: these were the leases of the two magazines' rounds.
        unsafe { Self::release(this, leases) };
    }

    /// Puts the rounds of a magazine into the depot, as many as there is room for, filling up one
    /// that is there; destroys the others. Their leases are the caller's to end.
    fn return_to_depot(&self, mut magazine: Magazine) {
        if magazine.len() == 0 {
            return self.traffic.depot.put_empty(magazine);
        }
        if self.is_closed() {
            self.dispose(magazine);
            return;
        }
        let Some(room) = self.traffic.depot.reserve_some(magazine.len() as usize) else {
            return self.turn_away(magazine);
        };
        if room.rounds() < magazine.len() as usize {
            match self.split(&mut magazine, room.rounds()) {
                Some(rest) => self.turn_away(rest),
                None => {
                    self.traffic.depot.unreserve(room);
                    return self.turn_away(magazine);
                }
            }
        }
        self.merge(magazine, room);
    }

    /// Puts a magazine that need not be full into the depot, together with one that is there. So
    /// threads that end with a few rounds each do not fill the slots.
    fn merge(&self, mut magazine: Magazine, room: Room) {
        let is_partial = magazine.len() < magazine.capacity();
        let Some(mut other) = is_partial.then(|| self.traffic.depot.remove()).flatten() else {
            self.deposit(magazine, room);
            return;
        };
        let there = other.len() as usize;
        let Some(place) = self.traffic.depot.reserve(there) else {
            // Somebody was quicker to put a magazine where this one lay.
            self.turn_away(other);
            self.deposit(magazine, room);
            return;
        };
        // SAFETY: the rounds are from this engine, and nobody uses them.
        let weight = unsafe { (self.vtable.weigh)(self.origin(), magazine.rounds()) };
        if !self
            .traffic
            .depot
            .has_room_for(weight + other.weight().unwrap_or(0))
        {
            self.traffic.depot.unreserve(room);
            self.turn_away(magazine);
            self.deposit(other, place);
            return;
        }
        let mut moved = 0;
        while other.len() < other.capacity() {
            let Some(round) = magazine.pop() else { break };
            if other.push(round).is_err() {
                // The condition of the loop says that there is room.
                debug_assert!(false, "a magazine has room and takes no round");
            }
            moved += 1;
        }
        let (filling, rest) = room.split(moved);
        self.deposit(other, place.with(filling));
        if magazine.len() > 0 {
            self.deposit(magazine, rest);
        } else {
            self.traffic.depot.unreserve(rest);
            self.traffic.depot.put_empty(magazine);
        }
    }

    /// Destroys rounds for want of room.
    fn turn_away(&self, magazine: Magazine) {
        if !self.is_closed() {
            self.census.overflowed(magazine.len() as usize);
        }
        self.dispose(magazine);
    }

    /// Puts a magazine back that was in the depot.
    pub(crate) fn put_back(&self, magazine: Magazine) {
        match self.traffic.depot.reserve(magazine.len() as usize) {
            Some(room) => {
                self.deposit(magazine, room);
            }
            None => self.turn_away(magazine),
        }
    }
}

/// Puts a round where there is known to be room.
fn put_into_room(held: Held<'_>, round: Round) -> Result<(), Round> {
    if held.put(round) { Ok(()) } else { Err(round) }
}
