//! Where arenas wait: a seat for each of some threads, and a shelf for what is more.
//!
//! ```text
//! seats   [ arena ] [ arena ] [       ] …   one each, behind a lock of its own: a thread uses one of them
//! shelf   oldest … newest                   what seats have no room for, behind a lock that all share
//! ```
//!
//! A thread that takes an arena and gives it back meets nobody. One that finds its seat empty or taken goes to the
//! shelf, then to the other seats, and only then is an arena made. No lock is held while another one is waited for, and
//! nothing is freed or reset under one.
//!
//! # What is forgotten
//!
//! Each so many returns, at a seat or at the shelf, are a tick. At a tick one seat in turn is looked at, and its arena goes if nobody
//! took it since the last look; and one arena of the shelf goes, if so many were there all the time during the
//! last [`WINDOW`] ticks. So a burst is forgotten one arena at a time, and a load that comes back is not.

#![forbid(unsafe_code)]

use alloc::collections::VecDeque;
use std::sync::{PoisonError, TryLockError};

use thrifty_sync::{
    array, const_unless_loom,
    sync::{Mutex, MutexGuard},
};
use thrifty_traits::{Pressure, Reclaimed};

use crate::{
    Arena,
    seat::{move_on, seat},
};

/// How many threads have a seat that is theirs alone.
const SEATS: usize = 8;

/// How many returns at one place are a tick.
const TICK: u32 = 128;

/// How many ticks the shelf is watched for what nobody takes.
const WINDOW: u32 = 8;

/// The arenas that wait, and what those that do not had reserved when they were lent.
pub(super) struct Waiting {
    seats: [Seat; SEATS],
    shelf: Mutex<Shelf>,
    max_idle: usize,
}

/// Alone on its cache lines, and on the pair of them that is fetched together.
#[repr(align(128))]
struct Seat(Mutex<Place>);

struct Place {
    arena: Option<Arena>,
    /// Part of a sum over all places, modulo the word: what is lent here may come back elsewhere.
    lent_bytes: usize,
    /// Until the next tick.
    returns: u32,
    /// Whether its arena came back since the last look of a tick, and since the last low pressure.
    was_used: [bool; 2],
}

struct Shelf {
    /// The one that came back last is at the back.
    idle: VecDeque<Arena>,
    lent_bytes: usize,
    /// Until the next tick.
    returns: u32,
    ticks: u32,
    /// How many were there all the time: in this window, and since the last low pressure.
    untouched: [usize; 2],
    /// Of those that were there all the time in the last window, how many still are.
    stale: usize,
}

/// Whose look it is, in `was_used` and `untouched`.
const BY_TICK: usize = 0;
const BY_PRESSURE: usize = 1;

/// How much waits, and how much is lent.
pub(super) struct Totals {
    pub(super) idle: usize,
    pub(super) idle_bytes: usize,
    pub(super) lent_bytes: usize,
}

impl Waiting {
    const_unless_loom! {
        pub(super) const fn new(max_idle: usize) -> Self {
            Self {
                seats: array!(Seat(Mutex::new(Place::new())); SEATS),
                shelf: Mutex::new(Shelf::new()),
                max_idle,
            }
        }
    }

    pub(super) const fn max_idle(&self) -> usize {
        self.max_idle
    }

    /// The seats that are in use: all together hold no more than may wait.
    fn seats(&self) -> &[Seat] {
        &self.seats[..SEATS.min(self.max_idle)]
    }

    /// An arena that waits, if there is one.
    pub(super) fn take(&self) -> Option<Arena> {
        let seats = self.seats();
        let own = seat() % seats.len().max(1);
        match seats.get(own)?.try_lock() {
            Some(mut place) => {
                if let Some(arena) = place.take() {
                    return Some(arena);
                }
            }
            None => move_on(),
        }
        if let Some(arena) = self.shelf().take() {
            return Some(arena);
        }
        others(seats, own).find_map(|seat| seat.try_lock()?.take())
    }

    /// Puts an arena back that was lent with so many bytes; or leaves it there, if too many wait.
    pub(super) fn put(&self, arena: &mut Option<Arena>, lent_bytes: usize) -> IsTick {
        let seats = self.seats();
        let own = seat() % seats.len().max(1);
        let Some(mine) = seats.get(own) else {
            self.shelf().settle(lent_bytes);
            return false;
        };
        let mut unsettled = lent_bytes;
        if let Some(mut place) = mine.try_lock() {
            place.settle(core::mem::take(&mut unsettled));
            place.put(arena);
            if arena.is_none() {
                return note_return(&mut place.returns);
            }
        } else {
            move_on();
        }
        let mut shelf = self.shelf();
        shelf.settle(unsettled);
        shelf.put(arena, self.max_idle - seats.len());
        let is_tick = note_return(&mut shelf.returns);
        drop(shelf);
        for seat in others(seats, own) {
            if arena.is_none() {
                break;
            }
            if let Some(mut place) = seat.try_lock() {
                place.put(arena);
            }
        }
        is_tick
    }

    /// What a tick finds that nobody needs: at most one arena of a seat, and one of the shelf.
    pub(super) fn tick(&self) -> [Option<Arena>; 2] {
        let mut shelf = self.shelf();
        let ticks = shelf.tick();
        let from_shelf = shelf.take_stale();
        drop(shelf);
        let seats = self.seats();
        let looked_at = seats.get(ticks as usize % seats.len().max(1));
        let from_seat = looked_at.and_then(|seat| seat.try_lock()?.take_unused(BY_TICK));
        [from_seat, from_shelf]
    }

    /// Frees arenas; those that have waited longest first.
    pub(super) fn trim(&self, pressure: Pressure) -> Reclaimed {
        let is_low = pressure == Pressure::Low;
        let mut freed = Reclaimed::new();
        let mut free = |arena: Arena| {
            freed += Reclaimed::new()
                .with_bytes(arena.store.reserved())
                .with_items(1);
        };
        // Those that come meanwhile are not waited for.
        let mut most = self.shelf().idle.len();
        while most > 0 {
            most -= 1;
            // The lock is given up before the arena is freed.
            let arena = self.shelf().take_oldest(is_low);
            match arena {
                Some(arena) => free(arena),
                None => break,
            }
        }
        for seat in self.seats() {
            let mut place = seat.lock();
            let arena = if is_low {
                place.take_unused(BY_PRESSURE)
            } else {
                place.arena.take()
            };
            drop(place);
            arena.into_iter().for_each(&mut free);
        }
        self.shelf().look(pressure);
        freed
    }

    pub(super) fn totals(&self) -> Totals {
        let shelf = self.shelf();
        let mut lent = shelf.lent_bytes;
        let mut idle = shelf.idle.len();
        let mut idle_bytes: usize = shelf.idle.iter().map(|arena| arena.store.reserved()).sum();
        drop(shelf);
        for seat in self.seats() {
            let place = seat.lock();
            lent = lent.wrapping_add(place.lent_bytes);
            idle += usize::from(place.arena.is_some());
            idle_bytes += place
                .arena
                .as_ref()
                .map_or(0, |arena| arena.store.reserved());
        }
        Totals {
            idle,
            idle_bytes,
            // Less than nothing, if something came back to a place between two looks.
            lent_bytes: if lent > isize::MAX as usize { 0 } else { lent },
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // Nothing under the lock panics between two changes that belong together.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the time has come for [`Waiting::tick`].
pub(super) type IsTick = bool;

/// Counts to the next tick.
#[inline]
fn note_return(returns: &mut u32) -> IsTick {
    *returns = (*returns + 1) % TICK;
    *returns == 0
}

/// All seats but one, beginning behind it.
fn others(seats: &[Seat], own: usize) -> impl Iterator<Item = &Seat> {
    seats[own + 1..].iter().chain(&seats[..own])
}

impl Seat {
    fn try_lock(&self) -> Option<MutexGuard<'_, Place>> {
        match self.0.try_lock() {
            Ok(place) => Some(place),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    const fn new() -> Self {
        Self {
            arena: None,
            lent_bytes: 0,
            returns: 0,
            was_used: [false; 2],
        }
    }

    #[inline]
    fn take(&mut self) -> Option<Arena> {
        let arena = self.arena.take()?;
        self.lent_bytes = self.lent_bytes.wrapping_add(arena.store.reserved());
        Some(arena)
    }

    #[inline]
    fn settle(&mut self, lent_bytes: usize) {
        self.lent_bytes = self.lent_bytes.wrapping_sub(lent_bytes);
    }

    /// Takes the arena, if there is none yet.
    #[inline]
    fn put(&mut self, arena: &mut Option<Arena>) {
        if self.arena.is_none() {
            self.arena = arena.take();
            // Somebody needed it until now.
            self.was_used = [true; 2];
        }
    }

    /// Takes the arena that nobody took since this was last asked.
    fn take_unused(&mut self, by: usize) -> Option<Arena> {
        let was_used = core::mem::replace(&mut self.was_used[by], false);
        if was_used { None } else { self.arena.take() }
    }
}

impl Shelf {
    const fn new() -> Self {
        Self {
            idle: VecDeque::new(),
            lent_bytes: 0,
            returns: 0,
            ticks: 0,
            untouched: [0; 2],
            stale: 0,
        }
    }

    fn take(&mut self) -> Option<Arena> {
        let arena = self.idle.pop_back()?;
        let left = self.idle.len();
        self.untouched = self.untouched.map(|least| least.min(left));
        self.stale = self.stale.min(left);
        self.lent_bytes = self.lent_bytes.wrapping_add(arena.store.reserved());
        Some(arena)
    }

    fn settle(&mut self, lent_bytes: usize) {
        self.lent_bytes = self.lent_bytes.wrapping_sub(lent_bytes);
    }

    /// Takes the arena, if there is room.
    fn put(&mut self, arena: &mut Option<Arena>, room: usize) {
        if self.idle.len() < room && self.idle.try_reserve(1).is_ok() {
            self.idle.extend(arena.take());
        }
    }

    /// Takes the one that has waited longest; if `unneeded`, only one that nobody took since the last low pressure.
    fn take_oldest(&mut self, unneeded: bool) -> Option<Arena> {
        if unneeded && self.untouched[BY_PRESSURE] == 0 {
            return None;
        }
        let arena = self.idle.pop_front()?;
        self.untouched = self.untouched.map(|least| least.saturating_sub(1));
        self.stale = self.stale.saturating_sub(1);
        Some(arena)
    }

    fn tick(&mut self) -> u32 {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks % WINDOW == 0 {
            self.stale = core::mem::replace(&mut self.untouched[BY_TICK], self.idle.len());
        }
        self.ticks
    }

    fn take_stale(&mut self) -> Option<Arena> {
        if self.stale == 0 {
            return None;
        }
        self.take_oldest(false)
    }

    fn look(&mut self, pressure: Pressure) {
        self.untouched[BY_PRESSURE] = self.idle.len();
        if pressure > Pressure::Low {
            self.idle.shrink_to_fit();
        }
    }
}
