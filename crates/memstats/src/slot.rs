//! The counters of one thread.
//!
//! ```text
//! first cache line: written by the owner with plain stores, read by whoever sums up
//! ┌───────────┬────────────┬────────┬─────────┬───────┬──────────┬───────────┬─────────┐
//! │ allocated │ next_event │ allocs │  freed  │ frees │ reallocs │ resized   │  moved  │
//! │   bytes   │            │        │  bytes  │       │          │   bytes   │  bytes  │
//! └───────────┴────────────┴────────┴─────────┴───────┴──────────┴───────────┴─────────┘
//! second: `owned`, looked at when a thread begins and ends
//!
//! an allocation goes slow when it brings allocated_bytes to next_event, a free when next_event
//! is 0
//! ```
//!
//! # Invariants
//!
//! 1. Only the owner of a slot calls `try_count_*`, `count` and `arm` on it.
//! 2. A slot that several threads count into (a *shard*) has `next_event == 0` for ever, so that
//!    `try_count_*` never writes it.
//! 3. The counters never go down, and a slot's next owner continues them: nothing is folded into
//!    another place when a thread ends, so nothing can be counted twice or not at all meanwhile.
#![forbid(unsafe_code)]

use thrifty_sync::{
    atomic::{AtomicU32, AtomicU64},
    const_unless_loom, ord,
};

use crate::counts::Counts;

/// The counters of one thread, or of the threads that share a shard.
///
/// 128 bytes apart, because the prefetcher of x86-64 fetches lines in pairs.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Slot {
    allocated_bytes: AtomicU64,
    next_event: AtomicU64,
    allocs: AtomicU64,
    freed_bytes: AtomicU64,
    frees: AtomicU64,
    reallocs: AtomicU64,
    resized_bytes: AtomicU64,
    moved_bytes: AtomicU64,
    owned: AtomicU32,
}

/// Adds to a counter that only the caller writes: a load and a store, which x86-64 does in one
/// instruction without a `lock` prefix.
macro_rules! bump {
    ($counter:expr, $by:expr, $stored:expr) => {
        // ORDERING(memstats.own): Relaxed; the only writer reads its own last store.
        $counter.store(
            $counter.load(ord!(memstats.own, Relaxed)).wrapping_add($by),
            $stored,
        )
    };
}

impl Slot {
    const_unless_loom! {
        /// A slot that nobody owns, with all counters at zero.
        pub(crate) const fn new() -> Self {
            Self {
                allocated_bytes: AtomicU64::new(0),
                next_event: AtomicU64::new(0),
                allocs: AtomicU64::new(0),
                freed_bytes: AtomicU64::new(0),
                frees: AtomicU64::new(0),
                reallocs: AtomicU64::new(0),
                resized_bytes: AtomicU64::new(0),
                moved_bytes: AtomicU64::new(0),
                owned: AtomicU32::new(0),
            }
        }
    }

    /// Takes the slot, if nobody has it.
    pub(crate) fn try_claim(&self) -> bool {
        // ORDERING(memstats.peek): Relaxed; a hint that saves a locked instruction.
        if self.owned.load(ord!(memstats.peek, Relaxed)) != 0 {
            return false;
        }
        // ORDERING(memstats.claim): Acquire; pairs with memstats.release, so that the new owner
        // continues from the last counts of the one before. A failed claim learns nothing.
        self.owned
            .compare_exchange(
                0,
                1,
                ord!(memstats.claim, Acquire),
                // ORDERING(memstats.claim_failed): Relaxed; the slot is somebody else's.
                ord!(memstats.claim_failed, Relaxed),
            )
            .is_ok()
    }

    /// Gives the slot back, with its counts in it.
    pub(crate) fn release(&self) {
        self.disarm();
        // ORDERING(memstats.release): Release; pairs with memstats.claim.
        self.owned.store(0, ord!(memstats.release, Release));
    }

    /// Counts an allocation if that is all there is to do; the hot path.
    #[inline]
    pub(crate) fn try_count_alloc(&self, bytes: u64) -> bool {
        // ORDERING(memstats.own): Relaxed; the only writer reads its own last store.
        let total = self
            .allocated_bytes
            .load(ord!(memstats.own, Relaxed))
            .wrapping_add(bytes);
        // ORDERING(memstats.threshold): Relaxed; a kick may be seen an event late, see
        // memstats.kicked for why it is seen at all.
        if total >= self.next_event.load(ord!(memstats.threshold, Relaxed)) {
            return false;
        }
        // ORDERING(memstats.allocated): Release; pairs with memstats.between. Who looks for a peak
        // sees, with an allocation, the frees that this thread counted before it.
        self.allocated_bytes
            .store(total, ord!(memstats.allocated, Release));
        // ORDERING(memstats.calls): Relaxed; a free that is counted later publishes it, see
        // memstats.frees.
        bump!(self.allocs, 1, ord!(memstats.calls, Relaxed));
        true
    }

    /// Counts a free if that is all there is to do; the hot path.
    #[inline]
    pub(crate) fn try_count_free(&self, bytes: u64) -> bool {
        // ORDERING(memstats.threshold): Relaxed; as for an allocation.
        if self.next_event.load(ord!(memstats.threshold, Relaxed)) == 0 {
            return false;
        }
        // ORDERING(memstats.freed_bytes): Release; pairs with memstats.sum_freed_bytes. Who sums
        // up sees, with a free, the count of the allocation that it ended: that count is older
        // than the block's way to this thread.
        bump!(self.freed_bytes, bytes, ord!(memstats.freed_bytes, Release));
        // ORDERING(memstats.frees): Release; pairs with memstats.sum_frees, for blocks as
        // memstats.freed_bytes is for bytes: either may be the only one that is seen yet.
        bump!(self.frees, 1, ord!(memstats.frees, Release));
        true
    }

    /// Counts a reallocation if that is all there is to do; the hot path.
    #[inline]
    pub(crate) fn try_count_realloc(&self, event: Counts) -> bool {
        // ORDERING(memstats.own): Relaxed; the only writer reads its own last store.
        let own = self.allocated_bytes.load(ord!(memstats.own, Relaxed));
        let total = own.wrapping_add(event.allocated_bytes);
        // ORDERING(memstats.threshold): Relaxed; as for an allocation.
        if total >= self.next_event.load(ord!(memstats.threshold, Relaxed)) {
            return false;
        }
        // ORDERING(memstats.calls): Relaxed; published by the stores below.
        bump!(self.reallocs, 1, ord!(memstats.calls, Relaxed));
        bump!(
            self.resized_bytes,
            event.resized_bytes,
            ord!(memstats.calls, Relaxed)
        );
        bump!(
            self.moved_bytes,
            event.moved_bytes,
            ord!(memstats.calls, Relaxed)
        );
        // ORDERING(memstats.grown): Release; pairs with memstats.between, as memstats.allocated.
        self.allocated_bytes
            .store(total, ord!(memstats.grown, Release));
        // ORDERING(memstats.shrunk): Release; pairs with memstats.sum_freed_bytes, as
        // memstats.freed_bytes. One of these two adds nothing.
        bump!(
            self.freed_bytes,
            event.freed_bytes,
            ord!(memstats.shrunk, Release)
        );
        true
    }

    /// Counts any event; for the owner.
    pub(crate) fn count(&self, event: Counts) {
        // ORDERING(memstats.slow_allocated): Release; pairs with memstats.between, as
        // memstats.allocated.
        bump!(
            self.allocated_bytes,
            event.allocated_bytes,
            ord!(memstats.slow_allocated, Release)
        );
        // ORDERING(memstats.calls): Relaxed; published by the stores of what was freed.
        bump!(self.allocs, event.allocs, ord!(memstats.calls, Relaxed));
        bump!(self.reallocs, event.reallocs, ord!(memstats.calls, Relaxed));
        bump!(
            self.resized_bytes,
            event.resized_bytes,
            ord!(memstats.calls, Relaxed)
        );
        bump!(
            self.moved_bytes,
            event.moved_bytes,
            ord!(memstats.calls, Relaxed)
        );
        // ORDERING(memstats.slow_freed_bytes): Release; pairs with memstats.sum_freed_bytes, as
        // memstats.freed_bytes.
        bump!(
            self.freed_bytes,
            event.freed_bytes,
            ord!(memstats.slow_freed_bytes, Release)
        );
        // ORDERING(memstats.slow_frees): Release; pairs with memstats.sum_frees, as
        // memstats.frees.
        bump!(self.frees, event.frees, ord!(memstats.slow_frees, Release));
    }

    /// Counts any event; for threads that share this slot as a shard.
    pub(crate) fn count_shared(&self, event: Counts) {
        // ORDERING(memstats.shared_allocated): Release; pairs with memstats.between.
        self.allocated_bytes.fetch_add(
            event.allocated_bytes,
            ord!(memstats.shared_allocated, Release),
        );
        // ORDERING(memstats.shared_calls): Relaxed; as memstats.calls.
        self.allocs
            .fetch_add(event.allocs, ord!(memstats.shared_calls, Relaxed));
        self.reallocs
            .fetch_add(event.reallocs, ord!(memstats.shared_calls, Relaxed));
        self.resized_bytes
            .fetch_add(event.resized_bytes, ord!(memstats.shared_calls, Relaxed));
        self.moved_bytes
            .fetch_add(event.moved_bytes, ord!(memstats.shared_calls, Relaxed));
        // ORDERING(memstats.shared_freed_bytes): Release; pairs with memstats.sum_freed_bytes. A
        // read-modify-write by another thread continues the release sequence.
        self.freed_bytes.fetch_add(
            event.freed_bytes,
            ord!(memstats.shared_freed_bytes, Release),
        );
        // ORDERING(memstats.shared_frees): Release; pairs with memstats.sum_frees, likewise.
        self.frees
            .fetch_add(event.frees, ord!(memstats.shared_frees, Release));
    }

    /// Sends every event of the owner through the slow path.
    pub(crate) fn disarm(&self) {
        // ORDERING(memstats.disarm): Relaxed; the fences of memstats.kicked and memstats.armed
        // order it where that matters.
        self.next_event.store(0, ord!(memstats.disarm, Relaxed));
    }

    /// Lets the owner's allocations pass by the slow path until its count is `at`.
    pub(crate) fn arm(&self, at: u64) {
        // Zero would mean disarmed; no count is due at zero.
        // ORDERING(memstats.disarm): Relaxed; see `disarm`.
        self.next_event
            .store(at.max(1), ord!(memstats.disarm, Relaxed));
    }

    /// The count of bytes allocated: to its owner exact, to others a number that only grows.
    pub(crate) fn own_allocated_bytes(&self) -> u64 {
        // ORDERING(memstats.own): Relaxed; the only writer reads its own last store.
        self.allocated_bytes.load(ord!(memstats.own, Relaxed))
    }

    /// What was freed. Read before [`allocated`](Self::allocated), no sum is ever negative.
    pub(crate) fn freed(&self) -> Counts {
        // ORDERING(memstats.sum_freed_bytes): Acquire; pairs with memstats.freed_bytes,
        // memstats.shrunk, memstats.slow_freed_bytes and memstats.shared_freed_bytes: the
        // allocations of these frees are seen by what follows.
        let freed_bytes = self
            .freed_bytes
            .load(ord!(memstats.sum_freed_bytes, Acquire));
        // ORDERING(memstats.sum_frees): Acquire; pairs with memstats.frees, memstats.slow_frees and
        // memstats.shared_frees, for the same reason.
        let frees = self.frees.load(ord!(memstats.sum_frees, Acquire));
        Counts {
            freed_bytes,
            frees,
            ..Counts::ZERO
        }
    }

    /// What was allocated.
    pub(crate) fn allocated(&self) -> Counts {
        // ORDERING(memstats.sum_allocated): Relaxed; see memstats.sum_freed_bytes and
        // memstats.between.
        Counts {
            allocated_bytes: self
                .allocated_bytes
                .load(ord!(memstats.sum_allocated, Relaxed)),
            allocs: self.allocs.load(ord!(memstats.sum_allocated, Relaxed)),
            reallocs: self.reallocs.load(ord!(memstats.sum_allocated, Relaxed)),
            resized_bytes: self
                .resized_bytes
                .load(ord!(memstats.sum_allocated, Relaxed)),
            moved_bytes: self.moved_bytes.load(ord!(memstats.sum_allocated, Relaxed)),
            ..Counts::ZERO
        }
    }
}

#[cfg(all(not(all(thrifty_loom, feature = "loom")), target_pointer_width = "64"))]
const _: () = assert!(size_of::<Slot>() == 128, "the hot counters share one line");
