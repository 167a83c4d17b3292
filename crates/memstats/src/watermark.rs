//! The highest live heap since some point, for several observers at once.
//!
//! A cell packs who owns it (16 bits) and the mark (48 bits, in units of 16 bytes) into one word,
//! so that a thread that scanned the counters long ago cannot raise the mark of a scope that
//! opened since: its compare-and-swap expects the owner that it saw before the scan.
//!
//! ```text
//! 63        48 47                                             0
//! ┌───────────┬────────────────────────────────────────────────┐
//! │ tag, 0 =  │ highest live bytes / 16, rounded down          │
//! │ cell free │                                                │
//! └───────────┴────────────────────────────────────────────────┘
//! ```
#![forbid(unsafe_code)]

use thrifty_sync::{
    array,
    atomic::{AtomicU32, AtomicU64},
    const_unless_loom, ord,
};

const TAG_SHIFT: u32 = 48;
const MARK_MASK: u64 = (1 << TAG_SHIFT) - 1;
const UNIT_BYTES: u64 = 16;

/// A set of `CELLS` watermarks.
#[derive(Debug)]
pub(crate) struct Watermarks<const CELLS: usize> {
    cells: [AtomicU64; CELLS],
    next_tag: AtomicU32,
}

/// The words of all cells, as seen before a scan of the counters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<const CELLS: usize>([u64; CELLS]);

/// A claimed cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    cell: usize,
}

impl<const CELLS: usize> Watermarks<CELLS> {
    const_unless_loom! {
        /// Free cells.
        pub(crate) const fn new() -> Self {
            Self { cells: array!(AtomicU64::new(0); CELLS), next_tag: AtomicU32::new(0) }
        }
    }

    /// Takes a cell whose mark starts at `live_bytes`; `None` when all are taken.
    pub(crate) fn claim(&self, live_bytes: u64) -> Option<Claim> {
        // ORDERING(memstats.tag): Relaxed; a number that differs from those handed out lately.
        let ticket = self.next_tag.fetch_add(1, ord!(memstats.tag, Relaxed));
        let tag = u64::from(ticket % 0xFFFF) + 1;
        let word = tag << TAG_SHIFT | mark(live_bytes);
        let free = |cell: &AtomicU64| {
            // ORDERING(memstats.mark): Relaxed; the word is all that is exchanged.
            cell.compare_exchange(
                0,
                word,
                ord!(memstats.mark, Relaxed),
                ord!(memstats.mark, Relaxed),
            )
            .is_ok()
        };
        self.cells.iter().position(free).map(|cell| Claim { cell })
    }

    /// How high the mark rose, rounded down to 16 bytes.
    pub(crate) fn read(&self, claim: Claim) -> u64 {
        // ORDERING(memstats.mark): Relaxed; see `claim`.
        (self.cells[claim.cell].load(ord!(memstats.mark, Relaxed)) & MARK_MASK) * UNIT_BYTES
    }

    /// Gives the cell back.
    pub(crate) fn release(&self, claim: Claim) {
        // ORDERING(memstats.mark): Relaxed; see `claim`. A swap and no store: a scan that raises
        // the mark at this moment comes before it or fails.
        self.cells[claim.cell].swap(0, ord!(memstats.mark, Relaxed));
    }

    /// The cells as they are now; to be taken before the scan whose result `raise` gets.
    pub(crate) fn see(&self) -> Seen<CELLS> {
        // ORDERING(memstats.mark): Relaxed; see `claim`.
        Seen(core::array::from_fn(|cell| {
            self.cells[cell].load(ord!(memstats.mark, Relaxed))
        }))
    }

    /// Raises every mark that was `seen` claimed, and still is by the same claim.
    pub(crate) fn raise(&self, seen: Seen<CELLS>, live_bytes: u64) {
        for (cell, mut word) in self.cells.iter().zip(seen.0) {
            let tag = word >> TAG_SHIFT;
            while tag != 0 && word >> TAG_SHIFT == tag && word & MARK_MASK < mark(live_bytes) {
                let raised = tag << TAG_SHIFT | mark(live_bytes);
                // ORDERING(memstats.mark): Relaxed; see `claim`.
                match cell.compare_exchange(
                    word,
                    raised,
                    ord!(memstats.mark, Relaxed),
                    ord!(memstats.mark, Relaxed),
                ) {
                    Ok(_) => break,
                    Err(now) => word = now,
                }
            }
        }
    }
}

const fn mark(live_bytes: u64) -> u64 {
    let mark = live_bytes / UNIT_BYTES;
    if mark > MARK_MASK { MARK_MASK } else { mark }
}
