//! A cache that belongs to one thread at a time, and passes to another when that one ends.
//!
//! The seats belong to the engine and live as long as its memory, so that statistics can read
//! them at any time. A thread that comes takes a free one; ten thousand short threads need no more
//! seats than run at once.
//!
//! # Invariants
//!
//! 1. Only the thread whose token is in `owner` touches `place`, and holds the cache.
//! 2. A free seat's cache has no magazines.

use core::ptr::{self, NonNull};

use thrifty_sync::{UnsafeCell, atomic::AtomicU64, ord};

use crate::{cache::Cache, core::Core};

/// Nobody's token.
const NOBODY: u64 = 0;

/// One thread's cache in one engine.
///
/// 128 bytes apart, because the prefetcher of x86-64 fetches lines in pairs.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Seat {
    pub(crate) cache: Cache,
    place: UnsafeCell<Place>,
    owner: Owner,
}

/// On a line of its own: other threads look at it while the owner writes the one before.
#[derive(Debug)]
#[repr(align(128))]
struct Owner(AtomicU64);

/// Where the seat stands, for its owner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The engine; the owner keeps its memory alive by a weak count.
    pub(crate) core: NonNull<Core>,
    /// The owner's seats in other engines.
    pub(crate) prev: *const Seat,
    pub(crate) next: *const Seat,
}

impl Seat {
    /// A seat of `core` for the thread `token`.
    pub(crate) fn taken_by(token: u64, core: NonNull<Core>) -> Self {
        Self {
            cache: Cache::new(),
            place: UnsafeCell::new(Place {
                core,
                prev: ptr::null(),
                next: ptr::null(),
            }),
            owner: Owner(AtomicU64::new(token)),
        }
    }

    /// Takes the seat, if it is free.
    pub(crate) fn try_claim(&self, token: u64) -> bool {
        // ORDERING(seat.peek): Relaxed; a hint that saves a locked instruction.
        if self.owner.0.load(ord!(seat.peek, Relaxed)) != NOBODY {
            return false;
        }
        self.owner
            .0
            .compare_exchange(
                NOBODY,
                token,
                // ORDERING(seat.claim): Acquire; pairs with seat.release, so that the new owner
                // finds the cache as the one before left it.
                ord!(seat.claim, Acquire),
                // ORDERING(seat.taken): Relaxed; the seat is somebody else's.
                ord!(seat.taken, Relaxed),
            )
            .is_ok()
    }

    /// Whether it is the seat of the thread `token`, which asks.
    pub(crate) fn is_of(&self, token: u64) -> bool {
        // ORDERING(seat.peek): Relaxed; a thread knows its own claims, and nobody claims for it.
        self.owner.0.load(ord!(seat.peek, Relaxed)) == token
    }

    /// Whether somebody has it; for statistics.
    pub(crate) fn is_taken(&self) -> bool {
        // ORDERING(seat.peek): Relaxed; a figure.
        self.owner.0.load(ord!(seat.peek, Relaxed)) != NOBODY
    }

    /// Gives the seat up.
    ///
    /// # Safety
    ///
    /// The caller is the owner, has taken the magazines out, and uses the seat no more.
    pub(crate) unsafe fn release(&self) {
        // ORDERING(seat.release): Release; pairs with seat.claim.
        self.owner.0.store(NOBODY, ord!(seat.release, Release));
    }

    /// Where the seat stands.
    ///
    /// # Safety
    ///
    /// The caller is the owner.
    pub(crate) unsafe fn place(&self) -> Place {
        // SAFETY: valid: inside the cell; shared: invariant 1.
        self.place.with(|place| unsafe { *place })
    }

    /// Changes the seats before and after, where they are given.
    ///
    /// # Safety
    ///
    /// The caller is the owner.
    pub(crate) unsafe fn link(&self, prev: Option<*const Self>, next: Option<*const Self>) {
        // SAFETY: the caller is the owner.
        let place = unsafe { self.place() };
        let now = Place {
            prev: prev.unwrap_or(place.prev),
            next: next.unwrap_or(place.next),
            ..place
        };
        // SAFETY: the caller is the owner.
        unsafe { self.set_place(now) };
    }

    /// Notes where the seat stands.
    ///
    /// # Safety
    ///
    /// The caller is the owner.
    pub(crate) unsafe fn set_place(&self, now: Place) {
        // SAFETY: valid: inside the cell; exclusive: invariant 1.
        self.place.with_mut(|place| unsafe { *place = now });
    }
}
