//! What each thread has: a table that finds its seat in an engine, and a list of all its seats.
//!
//! ```text
//! thread-local, const, without destructor
//! ┌───────────────────────────────┐
//! │ set 0  │ key seat │ key seat  │    an engine has a set; the entry whose key is the engine's
//! │ set 1  │ key seat │ key seat  │    points to this thread's seat in it
//! │   …    │          │           │
//! ├────────┴──────────┴───────────┤
//! │ seats ──> seat ──> seat ──> … │    every seat of this thread, in the table or not
//! └───────────────────────────────┘
//! ```
//!
//! A hit costs one thread-local access, a comparison, and no check whether the table still lives.
//! An engine that is second in its set is moved to the front. The table has no destructor, so it is there until the thread is gone. What has to happen
//! when a thread ends hangs on a second thread-local value with a destructor, which is touched
//! when a thread takes its first seat. After that one has run, a thread uses the stripes.
//!
//! Keys are never used twice, so an entry cannot match another engine that came to lie at the
//! same address. The table is a shortcut only: an entry that another engine displaces is found
//! again by the thread's token, which its seat carries.
//!
//! # Invariants
//!
//! 1. An entry is empty, or its seat is this thread's seat in the engine of that key.
//! 2. Every seat that this thread owns is in its list, once, and holds a weak count of its engine.

use core::cell::Cell;
use core::ptr::{self, NonNull};

use thrifty_sync::{
    array,
    atomic::{AtomicU32, AtomicU64},
    ord,
};

use crate::{
    core::{CLOSED, Core},
    round::Round,
    seat::{Place, Seat},
    set::{SET_BYTES, SETS, Set},
};

/// The key of an empty entry. 1 is not used, 2 is [`CLOSED`].
const EMPTY: u64 = 0;

/// The first key of an engine, and the first token of a thread.
const FIRST: u64 = 3;

/// Keys and tokens.
static NEXT: AtomicU64 = AtomicU64::new(FIRST);

/// How many engines use a set.
static POPULATION: [AtomicU32; SETS] = array!(AtomicU32::new(0); SETS);

thread_local! {
    static LOCAL: Local = const { Local::new() };
    static EXIT: Exit = const { Exit };
}

/// A thread's table and list.
struct Local {
    sets: [Pair; SETS],
    seats: Cell<*const Seat>,
    /// Seats in the list, and how many may be in it before closed engines are looked for.
    count: Cell<usize>,
    sweep_at: Cell<usize>,
    /// 0 until the thread needs one.
    token: Cell<u64>,
    ended: Cell<bool>,
}

/// A set. 64 of two entries are 2 KiB per thread. 64 engines that a thread uses in turn do not
/// meet; of 128, each finds its seat a little out of line.
#[repr(align(32))]
struct Pair([Entry; 2]);

const _: () = assert!(size_of::<Pair>() == SET_BYTES);

struct Entry {
    key: Cell<u64>,
    /// Dangling where the entry is empty: never null, so that a hit need not look.
    seat: Cell<NonNull<Seat>>,
}

/// Gives the seats up when the thread ends.
struct Exit;

impl Drop for Exit {
    fn drop(&mut self) {
        LOCAL.with(Local::end);
    }
}

/// A number that no engine and no thread has had before.
pub(crate) fn fresh_number() -> u64 {
    // ORDERING(thread.number): Relaxed; being different is all that is asked of it.
    NEXT.fetch_add(1, ord!(thread.number, Relaxed))
}

/// The set with the fewest engines, for one that has this key.
pub(crate) fn enter_set(key: u64) -> Set {
    let first = usize::try_from(key % SETS as u64).unwrap_or(0);
    // ORDERING(thread.population): Relaxed; a figure to spread by.
    let population = |set: &usize| POPULATION[*set].load(ord!(thread.population, Relaxed));
    let sets = (first..SETS).chain(0..first);
    let least = sets.min_by_key(population).unwrap_or(first);
    POPULATION[least].fetch_add(1, ord!(thread.population, Relaxed));
    Set::new(least)
}

/// An engine is no more.
pub(crate) fn leave_set(set: Set) {
    // ORDERING(thread.population): Relaxed; see `enter_set`.
    POPULATION[set.index()].fetch_sub(1, ord!(thread.population, Relaxed));
}

/// Takes a round out of this thread's cache.
#[inline]
pub(crate) fn take(core: &Core) -> Option<Round> {
    LOCAL.with(|local| {
        let seat = local.find_first(core)?;
        // SAFETY: the seat is this thread's, and nothing holds its cache during a hit.
        unsafe { seat.cache.hold() }.take()
    })
}

/// Puts a round into this thread's cache, if it has room.
#[inline]
pub(crate) fn put(core: &Core, round: Round) -> bool {
    LOCAL.with(|local| {
        local.find_first(core).is_some_and(|seat| {
            // SAFETY: the seat is this thread's, and nothing holds its cache during a hit.
            unsafe { seat.cache.hold() }.put(round)
        })
    })
}

/// Takes a round from wherever there is one; the caller has a handle or a lease.
pub(crate) fn take_anywhere(core: &Core) -> Option<Round> {
    if core.is_closed() {
        return None;
    }
    let Some(seat) = LOCAL.with(|local| local.seat(core)) else {
        return core.take_striped(token());
    };
    // SAFETY: the seat is this thread's.
    unsafe { core.take_seated(seat) }
}

/// Puts a round wherever there is room; hands it back when there is none.
///
/// # Safety
///
/// The caller has the lease of `round`, and on success has handed it over: `this` may then be gone.
pub(crate) unsafe fn put_anywhere(this: NonNull<Core>, round: Round) -> Result<(), Round> {
    // SAFETY: valid: the round's lease.
    let core = unsafe { this.as_ref() };
    if core.is_closed() {
        return Err(round);
    }
    let Some(seat) = LOCAL.with(|local| local.seat(core)) else {
        // SAFETY: as for this function.
        return unsafe { Core::put_striped(this, token(), round) };
    };
    // SAFETY: as for this function, and the seat is this thread's.
    unsafe { Core::put_seated(this, seat, round) }
}

/// Puts rounds where this thread will find them first, as long as there is room; answers with how
/// many. The caller has a handle, and the leases of the rounds.
pub(crate) fn fill(core: &Core, rounds: &[Round]) -> usize {
    if core.is_closed() {
        return 0;
    }
    let Some(seat) = LOCAL.with(|local| local.seat(core)) else {
        return core.fill_striped(token(), rounds);
    };
    // SAFETY: the seat is this thread's, and the answer is let go before the supplier runs.
    core.fill(unsafe { seat.cache.hold() }, rounds)
}

/// Gives up this thread's seat in an engine: what its cache holds goes to the depot.
pub(crate) fn flush(core: &Core) {
    let seat = LOCAL.with(|local| {
        let seat = local.own_seat(core)?;
        local.unlink(seat);
        Some(seat)
    });
    if let Some(seat) = seat {
        // SAFETY: the seat was in this thread's list, and is unlinked.
        unsafe { Core::leave(seat) };
    }
}

/// Destroys what this thread's cache holds; the caller has a handle.
pub(crate) fn discard(core: &Core) -> thrifty_traits::Reclaimed {
    let Some(seat) = LOCAL.with(|local| local.own_seat(core)) else {
        return thrifty_traits::Reclaimed::new();
    };
    // SAFETY: the seat is this thread's, and the answer is let go before the supplier runs.
    let emptied = unsafe { seat.cache.hold() }.clear();
    let reclaimed = core.destroy_leased(emptied);
    core.census.reclaimed(reclaimed.items);
    reclaimed
}

/// Whether this thread is known to be ending, for who must not begin anything then.
///
/// Known to be alive is none: one that asks, or meets an engine, for the first time is watched for
/// its end from then on, and what ends before the watch does is not seen.
#[must_use]
pub fn is_thread_ending() -> bool {
    LOCAL.with(|local| local.ended.get()) || EXIT.try_with(|_| ()).is_err()
}

/// This thread's token.
fn token() -> u64 {
    LOCAL.with(Local::token)
}

impl Local {
    const fn new() -> Self {
        Self {
            sets: [const { Pair([const { Entry::new() }; 2]) }; SETS],
            seats: Cell::new(ptr::null()),
            count: Cell::new(0),
            sweep_at: Cell::new(8),
            token: Cell::new(0),
            ended: Cell::new(false),
        }
    }

    /// The entries among which an engine has its own.
    #[inline]
    fn set_of(&self, core: &Core) -> &[Entry; 2] {
        let first: *const Pair = self.sets.as_ptr();
        // SAFETY: the distance is that of one of the sets, which lie in one allocation: invariant 1
        // of `Set`.
        let set = unsafe { first.byte_add(core.set().offset_bytes()) };
        // SAFETY: valid: a set of `self`, by the same invariant; shared: entries are cells.
        let Pair(entries) = unsafe { &*set };
        entries
    }

    /// This thread's seat in an engine, if it is the first of its set: what a hit looks at.
    #[inline]
    fn find_first<'a>(&self, core: &'a Core) -> Option<&'a Seat> {
        self.set_of(core)[0].seat_in(core)
    }

    /// This thread's seat in an engine, if the table has it.
    fn find<'a>(&self, core: &'a Core) -> Option<&'a Seat> {
        let [first, second] = self.set_of(core);
        first.seat_in(core).or_else(|| second.seat_in(core))
    }

    fn token(&self) -> u64 {
        if self.token.get() == 0 {
            self.token.set(fresh_number());
        }
        self.token.get()
    }

    /// This thread's seat in an engine, if it has one: looked for where there are fewer to look at.
    fn own_seat<'a>(&self, core: &'a Core) -> Option<&'a Seat> {
        if self.count.get() > core.seat_limit() {
            let token = self.token();
            return core.seats().find(|seat| seat.is_of(token));
        }
        let seat = self.find_seat(|place| place.core == core.origin())?;
        // SAFETY: valid: a seat of `core`, with which it is freed.
        Some(unsafe { NonNull::from(seat).as_ref() })
    }

    /// This thread's seat in an engine, which it takes if it may; from now on in the table.
    fn seat<'a>(&self, core: &'a Core) -> Option<&'a Seat> {
        if core.has_no_seats() {
            return None;
        }
        if let Some(seat) = self.find(core) {
            self.bring_forward(core, seat);
            return Some(seat);
        }
        // Before the search, since destructors that run here may take a seat in the same engine.
        if self.count.get() >= self.sweep_at.get() {
            self.sweep();
        }
        let seat = match self.own_seat(core) {
            Some(seat) => seat,
            None => self.sit_down(core)?,
        };
        self.bring_forward(core, seat);
        Some(seat)
    }

    /// Makes a seat the first of its set, where hits find it.
    fn bring_forward(&self, core: &Core, seat: &Seat) {
        let key = core.key();
        let [first, second] = self.set_of(core);
        // The key of a closed engine is that of all closed engines, and has no place here.
        if key != CLOSED && first.key.get() != key {
            // INVARIANT: 1.
            second.copy(first);
            first.key.set(key);
            first.seat.set(NonNull::from(seat));
        }
    }

    /// Takes a seat; runs nobody else's code.
    fn sit_down<'a>(&self, core: &'a Core) -> Option<&'a Seat> {
        if self.ended.get() {
            return None;
        }
        if EXIT.try_with(|_| ()).is_err() {
            // The thread is ending, and this is its first contact with an engine.
            self.ended.set(true);
            return None;
        }
        let seat = core.claim_seat(self.token())?;
        // SAFETY: this thread has just become the owner.
        unsafe { core.sit(seat, self.seats.get()) };
        // SAFETY: valid: invariant 2.
        if let Some(next) = unsafe { self.seats.get().as_ref() } {
            // SAFETY: this thread is the owner.
            unsafe { next.link(Some(seat), None) };
        }
        // INVARIANT: 2.
        self.seats.set(seat);
        self.count.set(self.count.get() + 1);
        Some(seat)
    }

    /// Gives up the seats in engines that are closed, so that a thread that outlives many engines
    /// does not keep their memory.
    fn sweep(&self) {
        // Unlinked in one pass and chained by `next`, since the supplier, which runs when they are
        // left, may change the list.
        let mut closed: *const Seat = ptr::null();
        let mut next = self.seats.get();
        // SAFETY: valid: invariant 2.
        while let Some(seat) = unsafe { next.as_ref() } {
            // SAFETY: this thread is the owner.
            let place = unsafe { seat.place() };
            next = place.next;
            // SAFETY: valid: invariant 2.
            if unsafe { place.core.as_ref() }.is_closed() {
                self.unlink(seat);
                // SAFETY: this thread is the owner.
                unsafe { seat.link(None, Some(closed)) };
                closed = seat;
            }
        }
        self.sweep_at.set(self.count.get().saturating_mul(2).max(8));
        // SAFETY: valid: each has its weak count until it is left.
        while let Some(seat) = unsafe { closed.as_ref() } {
            // SAFETY: this thread is the owner.
            closed = unsafe { seat.place() }.next;
            // SAFETY: the seat was in this thread's list, and is unlinked.
            unsafe { Core::leave(seat) };
        }
    }

    /// The first seat in the list whose place is wanted.
    fn find_seat(&self, wanted: impl Fn(Place) -> bool) -> Option<&Seat> {
        let mut next = self.seats.get();
        // SAFETY: valid: invariant 2.
        while let Some(seat) = unsafe { next.as_ref() } {
            // SAFETY: this thread is the owner.
            let place = unsafe { seat.place() };
            if wanted(place) {
                return Some(seat);
            }
            next = place.next;
        }
        None
    }

    /// Takes a seat out of the list and the table.
    fn unlink(&self, seat: &Seat) {
        // SAFETY: this thread is the owner.
        let place = unsafe { seat.place() };
        // SAFETY: valid: invariant 2.
        match unsafe { place.prev.as_ref() } {
            // SAFETY: this thread is the owner.
            Some(prev) => unsafe { prev.link(None, Some(place.next)) },
            None => self.seats.set(place.next),
        }
        // SAFETY: valid: invariant 2.
        if let Some(next) = unsafe { place.next.as_ref() } {
            // SAFETY: this thread is the owner.
            unsafe { next.link(Some(place.prev), None) };
        }
        self.count.set(self.count.get() - 1);
        // SAFETY: valid: invariant 2.
        let core = unsafe { place.core.as_ref() };
        for entry in self.set_of(core) {
            if ptr::eq(entry.seat.get().as_ptr(), seat) {
                // INVARIANT: 1.
                entry.key.set(EMPTY);
                entry.seat.set(NonNull::dangling());
            }
        }
    }

    /// Gives all seats up; from now on this thread uses the stripes.
    fn end(&self) {
        self.ended.set(true);
        while let Some(seat) = self.find_seat(|_| true) {
            self.unlink(seat);
            // SAFETY: the seat was in this thread's list, and is unlinked.
            unsafe { Core::leave(seat) };
        }
    }
}

impl Entry {
    const fn new() -> Self {
        Self {
            key: Cell::new(EMPTY),
            seat: Cell::new(NonNull::dangling()),
        }
    }

    /// The seat, if it is one in `core`.
    #[inline]
    fn seat_in<'a>(&self, core: &'a Core) -> Option<&'a Seat> {
        if self.key.get() != core.key() {
            return None;
        }
        // SAFETY: valid: by invariant 1 it is a seat of `core`, with which it is freed.
        Some(unsafe { self.seat.get().as_ref() })
    }

    fn copy(&self, other: &Self) {
        self.key.set(other.key.get());
        self.seat.set(other.seat.get());
    }
}
