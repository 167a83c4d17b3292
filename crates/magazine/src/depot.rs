//! The shared store of magazines: a bounded array of atomic pointers.
//!
//! ```text
//!           0   1   2   3  …  K-1
//! full    │ ▓ │ ▓ │ ▓ │   │   │   │   `held` rounds in all; whoever takes starts at the last
//! empty   │ ░ │ ░ │   │   │           magazine that the figure suggests, whoever puts after it
//! ```
//!
//! A magazine belongs to the slot that holds the pointer. It is taken by swapping null in and put
//! by changing null to it, and nobody follows a pointer that lies in a slot. So there is no
//! `next` field that could be stale, no ABA, and nothing to reclaim.
//!
//! `held` is raised before a magazine is published and lowered after one is taken, so it never
//! goes below zero, and it bounds what the depot holds exactly.
//!
//! The array is used like a stack. Magazines that came last are taken first: they are warm. Places
//! for full and for empty magazines alternate, because who takes one of either kind leaves one of
//! the other: an exchange touches one line of the array, and one with the counts.
//!
//! # Invariants
//!
//! 1. A pointer in a slot is null or from `Magazine::into_raw`, and the slot owns it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr;

use thrifty_sync::{
    atomic::{AtomicPtr, AtomicUsize},
    ord,
};

use crate::magazine::{Header, Magazine};

/// A place for a full magazine and one for an empty one.
#[derive(Debug)]
#[repr(C)]
struct Slot {
    full: AtomicPtr<Header>,
    empty: AtomicPtr<Header>,
}

/// Full and empty magazines that no thread uses.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Depot {
    /// Rounds in full magazines, and those about to be.
    held: AtomicUsize,
    /// Their weight.
    held_bytes: AtomicUsize,
    /// The smallest `held` since the current interval began.
    low: AtomicUsize,
    slots: Box<[Slot]>,
    /// In how many of them empty magazines may lie: they are looked for one by one.
    empties: usize,
    /// Rounds in a full magazine.
    per_slot: u32,
    max: Max,
}

/// What a depot may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Max {
    pub(crate) rounds: usize,
    pub(crate) bytes: usize,
}

/// Room for so many rounds, to be filled or given back.
#[derive(Debug)]
#[must_use = "room that is reserved and forgotten is lost"]
pub(crate) struct Room(usize);

impl Room {
    /// For how many rounds.
    pub(crate) fn rounds(&self) -> usize {
        self.0
    }

    /// One for `rounds`, or as many as there are, and one for the rest.
    pub(crate) fn split(self, rounds: usize) -> (Self, Self) {
        let first = rounds.min(self.0);
        (Self(first), Self(self.0 - first))
    }

    /// One for both.
    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Depot {
    /// A depot with room for so many full magazines and `empties` empty ones, if there is memory.
    pub(crate) fn try_new(full: usize, empties: usize, per_slot: u32, max: Max) -> Option<Self> {
        let mut slots = Vec::new();
        slots.try_reserve_exact(full).ok()?;
        slots.resize_with(full, || Slot {
            full: AtomicPtr::new(ptr::null_mut()),
            empty: AtomicPtr::new(ptr::null_mut()),
        });
        Some(Self {
            held: AtomicUsize::new(0),
            held_bytes: AtomicUsize::new(0),
            low: AtomicUsize::new(0),
            slots: slots.into_boxed_slice(),
            empties: empties.min(full),
            per_slot: per_slot.max(1),
            max,
        })
    }

    /// The places for empty magazines.
    fn empty(&self) -> impl Iterator<Item = &AtomicPtr<Header>> {
        self.slots[..self.empties].iter().map(|slot| &slot.empty)
    }

    /// Rounds held. Exact at rest, never below the truth.
    pub(crate) fn held(&self) -> usize {
        // ORDERING(magazine.held): Relaxed; a bound and a hint where to look. What was found there
        // is ordered by the slot.
        self.held.load(ord!(magazine.held, Relaxed))
    }

    /// The weight of the rounds held.
    pub(crate) fn held_bytes(&self) -> usize {
        // ORDERING(magazine.held): Relaxed; a figure, see `held`.
        self.held_bytes.load(ord!(magazine.held, Relaxed))
    }

    /// The bytes that the depot itself takes.
    pub(crate) fn slot_bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }

    /// Reserves room for a magazine of `rounds`.
    pub(crate) fn reserve(&self, rounds: usize) -> Option<Room> {
        // ORDERING(magazine.held): Relaxed; the number alone is the reservation.
        let reserved = self.held.fetch_update(
            ord!(magazine.held, Relaxed),
            ord!(magazine.held, Relaxed),
            |held| {
                let after = held.checked_add(rounds)?;
                (after <= self.max.rounds).then_some(after)
            },
        );
        reserved.ok().map(|_| Room(rounds))
    }

    /// Reserves room for as many of `rounds` as there is room for.
    pub(crate) fn reserve_some(&self, rounds: usize) -> Option<Room> {
        let fit = |held: usize| rounds.min(self.max.rounds.saturating_sub(held));
        // ORDERING(magazine.held): Relaxed; the number alone is the reservation.
        let before = self.held.fetch_update(
            ord!(magazine.held, Relaxed),
            ord!(magazine.held, Relaxed),
            |held| (fit(held) > 0).then(|| held + fit(held)),
        );
        before.ok().map(|held| Room(fit(held)))
    }

    /// Gives room back that was not filled.
    pub(crate) fn unreserve(&self, room: Room) {
        // ORDERING(magazine.held): Relaxed; see `reserve`.
        self.held.fetch_sub(room.0, ord!(magazine.held, Relaxed));
    }

    /// Puts a weighed magazine into the room reserved for it; hands it back when it is too heavy
    /// or finds no slot.
    ///
    /// On success the caller has to look whether the depot was closed meanwhile, and if so drain
    /// it: see [`drain`](Self::drain).
    pub(crate) fn put(&self, magazine: Magazine, room: Room) -> Result<(), Magazine> {
        debug_assert_eq!(magazine.len() as usize, room.0, "room for another magazine");
        let weight = magazine.weight().unwrap_or(0);
        if !self.reserve_bytes(weight) {
            self.unreserve(room);
            return Err(magazine);
        }
        let raw = magazine.into_raw();
        if self.publish(raw, self.guess()) {
            return Ok(());
        }
        // ORDERING(magazine.held): Relaxed; see `reserve`.
        self.held_bytes
            .fetch_sub(weight, ord!(magazine.held, Relaxed));
        self.unreserve(room);
        // SAFETY: from `into_raw` above, and no slot has taken it.
        unsafe { Magazine::from_raw(raw) }.map_or(Ok(()), Err)
    }

    /// Whether so many bytes more would fit at present.
    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        let after = self.held_bytes().checked_add(bytes);
        after.is_some_and(|after| after <= self.max.bytes)
    }

    fn reserve_bytes(&self, weight: usize) -> bool {
        if weight == 0 {
            return true;
        }
        // ORDERING(magazine.held): Relaxed; the number alone is the reservation.
        let reserved = self.held_bytes.fetch_update(
            ord!(magazine.held, Relaxed),
            ord!(magazine.held, Relaxed),
            |held| {
                let after = held.checked_add(weight)?;
                (after <= self.max.bytes).then_some(after)
            },
        );
        reserved.is_ok()
    }

    /// Which slot the last magazine lies in, if all are full and there are no gaps.
    fn guess(&self) -> usize {
        let last = self.slots.len().saturating_sub(1);
        (self.held() / self.per_slot as usize).min(last)
    }

    fn publish(&self, raw: *mut Header, start: usize) -> bool {
        let (before, after) = self.slots.split_at(start);
        after.iter().chain(before).any(|Slot { full: slot, .. }| {
            // ORDERING(magazine.looked): Relaxed; a hint that saves a locked instruction.
            slot.load(ord!(magazine.looked, Relaxed)).is_null()
                // ORDERING(magazine.publish): AcqRel; as Release it pairs with magazine.take and
                // magazine.drain, which then find the rounds in it. As Acquire it pairs with
                // magazine.drain: whoever puts a magazine into a slot that a closing thread has
                // already drained learns from it that the engine is closed.
                && slot
                    .compare_exchange(
                        ptr::null_mut(),
                        raw,
                        ord!(magazine.publish, AcqRel),
                        // ORDERING(magazine.occupied): Relaxed; the slot is not touched.
                        ord!(magazine.occupied, Relaxed),
                    )
                    .is_ok()
        })
    }

    /// Takes a magazine with rounds, as part of the load: the working set has room for it.
    pub(crate) fn take(&self) -> Option<Magazine> {
        let magazine = self.remove();
        // Also when there was none: more was wanted then than there is.
        self.lower();
        magazine
    }

    /// No more than what is held now was left over in this interval.
    pub(crate) fn lower(&self) {
        let held = self.held();
        // ORDERING(magazine.low): Relaxed; a figure that decay goes by, a step late at worst. The
        // look saves a locked instruction where there is nothing to lower.
        if self.low.load(ord!(magazine.low, Relaxed)) > held {
            self.low.fetch_min(held, ord!(magazine.low, Relaxed));
        }
    }

    /// The fewest rounds held since the interval began.
    pub(crate) fn low(&self) -> usize {
        // ORDERING(magazine.low): Relaxed; see `lower`.
        self.low.load(ord!(magazine.low, Relaxed))
    }

    /// Takes a magazine with rounds without leaving a trace in the working set.
    pub(crate) fn remove(&self) -> Option<Magazine> {
        if self.held() == 0 {
            return None;
        }
        let (before, after) = self
            .slots
            .split_at((self.guess() + 1).min(self.slots.len()));
        let from_top = before.iter().rev().chain(after);
        let magazine = from_top.map(|slot| &slot.full).find_map(|slot| {
            // ORDERING(magazine.looked): Relaxed; a hint that saves a locked instruction.
            if slot.load(ord!(magazine.looked, Relaxed)).is_null() {
                return None;
            }
            // ORDERING(magazine.take): Acquire; pairs with magazine.publish, which wrote the
            // rounds. Null goes in without a message.
            let raw = slot.swap(ptr::null_mut(), ord!(magazine.take, Acquire));
            // SAFETY: invariant 1; swapping it out made it ours.
            unsafe { Magazine::from_raw(raw) }
        })?;
        self.taken(&magazine);
        Some(magazine)
    }

    /// Keeps the books after a magazine has left a slot.
    fn taken(&self, magazine: &Magazine) {
        let weight = magazine.weight().unwrap_or(0);
        // ORDERING(magazine.held): Relaxed; raised before the magazine was published, so it is
        // seen here with it and does not go below zero.
        if weight > 0 {
            self.held_bytes
                .fetch_sub(weight, ord!(magazine.held, Relaxed));
        }
        self.held
            .fetch_sub(magazine.len() as usize, ord!(magazine.held, Relaxed));
    }

    /// Takes every magazine out, once the engine is closed.
    ///
    /// Each slot is swapped, also one that looks empty: a thread that puts a magazine into it
    /// later reads this write, or one that came after, and so learns that the engine is closed.
    pub(crate) fn drain(&self, mut each: impl FnMut(Magazine)) {
        for Slot { full: slot, .. } in &self.slots {
            // ORDERING(magazine.drain): AcqRel; as Acquire it pairs with magazine.publish, which
            // wrote the rounds, as Release with the same, which then reads that the engine is
            // closed.
            let raw = slot.swap(ptr::null_mut(), ord!(magazine.drain, AcqRel));
            // SAFETY: invariant 1; swapping it out made it ours.
            if let Some(magazine) = unsafe { Magazine::from_raw(raw) } {
                self.taken(&magazine);
                each(magazine);
            }
        }
    }

    /// An empty magazine that somebody has left.
    pub(crate) fn take_empty(&self) -> Option<Magazine> {
        self.empty().find_map(|slot| {
            // ORDERING(magazine.looked): Relaxed; a hint that saves a locked instruction.
            if slot.load(ord!(magazine.looked, Relaxed)).is_null() {
                return None;
            }
            // ORDERING(magazine.take_empty): Acquire; pairs with magazine.put_empty, after which
            // nobody touches the magazine.
            let raw = slot.swap(ptr::null_mut(), ord!(magazine.take_empty, Acquire));
            // SAFETY: invariant 1; swapping it out made it ours.
            unsafe { Magazine::from_raw(raw) }
        })
    }

    /// Leaves an empty magazine for others, or frees it when there are enough.
    pub(crate) fn put_empty(&self, magazine: Magazine) {
        debug_assert_eq!(magazine.len(), 0, "rounds would be lost");
        let raw = magazine.into_raw();
        let kept = self.empty().any(|slot| {
            // ORDERING(magazine.looked): Relaxed; a hint that saves a locked instruction.
            slot.load(ord!(magazine.looked, Relaxed)).is_null()
                // ORDERING(magazine.put_empty): Release; pairs with magazine.take_empty.
                && slot
                    .compare_exchange(
                        ptr::null_mut(),
                        raw,
                        ord!(magazine.put_empty, Release),
                        // ORDERING(magazine.occupied): Relaxed; the slot is not touched.
                        ord!(magazine.occupied, Relaxed),
                    )
                    .is_ok()
        });
        if !kept {
            // SAFETY: from `into_raw` above, and no slot has taken it.
            if let Some(magazine) = unsafe { Magazine::from_raw(raw) } {
                magazine.free();
            }
        }
    }

    /// Frees the empty magazines.
    pub(crate) fn free_empty(&self) -> usize {
        let mut freed = 0;
        // So many turns at most: others may go on to put empty ones.
        for _ in 0..self.empties {
            let Some(magazine) = self.take_empty() else {
                break;
            };
            freed += Magazine::size_bytes(magazine.capacity());
            magazine.free();
        }
        freed
    }

    /// How many empty magazines lie here.
    pub(crate) fn empty_magazines(&self) -> usize {
        // ORDERING(magazine.looked): Relaxed; a figure.
        let there =
            |slot: &&AtomicPtr<Header>| !slot.load(ord!(magazine.looked, Relaxed)).is_null();
        self.empty().filter(there).count()
    }

    /// Ends an interval: how many rounds nobody wanted in it.
    pub(crate) fn end_interval(&self) -> usize {
        let held = self.held();
        // ORDERING(magazine.low): Relaxed; see `lower`.
        self.low.swap(held, ord!(magazine.low, Relaxed)).min(held)
    }
}

impl Drop for Depot {
    /// The engine has destroyed the rounds; what is left is empty.
    fn drop(&mut self) {
        self.free_empty();
        debug_assert_eq!(self.held(), 0, "rounds would be lost");
    }
}
