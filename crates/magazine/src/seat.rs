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

use core::ptr;

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
    /// First, so that a pointer to the seat is one to the cache.
    pub(crate) cache: Cache,
    owner: AtomicU64,
    place: UnsafeCell<Place>,
}

/// Where the seat stands, for its owner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The engine; the owner keeps its memory alive by a weak count.
    pub(crate) core: *const Core,
    /// The owner's next seat, in another engine.
    pub(crate) next: *const Seat,
}

impl Seat {
    /// A seat for the thread `token`.
    pub(crate) fn taken_by(token: u64) -> Self {
        Self {
            cache: Cache::new(),
            owner: AtomicU64::new(token),
            place: UnsafeCell::new(Place {
                core: ptr::null(),
                next: ptr::null(),
            }),
        }
    }

    /// Takes the seat, if it is free.
    pub(crate) fn try_claim(&self, token: u64) -> bool {
        // ORDERING(seat.peek): Relaxed; a hint that saves a locked instruction.
        if self.owner.load(ord!(seat.peek, Relaxed)) != NOBODY {
            return false;
        }
        self.owner
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
        self.owner.load(ord!(seat.peek, Relaxed)) == token
    }

    /// Whether somebody has it; for statistics.
    pub(crate) fn is_taken(&self) -> bool {
        // ORDERING(seat.peek): Relaxed; a figure.
        self.owner.load(ord!(seat.peek, Relaxed)) != NOBODY
    }

    /// Gives the seat up.
    ///
    /// # Safety
    ///
    /// The caller is the owner, has taken the magazines out, and uses the seat no more.
    pub(crate) unsafe fn release(&self) {
        // ORDERING(seat.release): Release; pairs with seat.claim.
        self.owner.store(NOBODY, ord!(seat.release, Release));
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
