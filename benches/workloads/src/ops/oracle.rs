//! What a replay must read back, found the slow and obvious way.

use std::collections::BTreeMap;

use super::{Op, Trace};

/// A model of a heap: a map from slots to stamps.
///
/// Step it beside the real thing and compare after every operation, or [`replay`](Self::replay) a
/// whole trace for its checksum.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::ops::{Op, Oracle};
///
/// let mut oracle = Oracle::new();
/// assert_eq!(oracle.step(Op::Alloc { slot: 3, size: 8 }), None);
/// assert_eq!(oracle.step(Op::Alloc { slot: 1, size: 8 }), None);
/// assert_eq!(oracle.step(Op::Free { slot: 3 }), Some(0)); // the first allocation
/// assert_eq!(oracle.live(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// Ordered, because a reset reads the stamps in the order of the slots.
    live: BTreeMap<u32, u64>,
    /// The stamp of the next block.
    next: u64,
    checksum: Checksum,
}

impl Oracle {
    /// An empty heap.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does one operation; for a free, the stamp that must be read back.
    ///
    /// # Panics
    ///
    /// When the operation is not possible: [`Trace::validate`] says why.
    pub fn step(&mut self, op: Op) -> Option<u64> {
        match op {
            Op::Alloc { slot, .. } => {
                let before = self.live.insert(slot, self.next);
                assert!(before.is_none(), "slot {slot} is full");
                self.next += 1;
                None
            }
            Op::Free { slot } => {
                let stamp = self.live.remove(&slot).expect("the slot is full");
                self.checksum.add(stamp);
                Some(stamp)
            }
            Op::Reset => {
                for stamp in core::mem::take(&mut self.live).into_values() {
                    self.checksum.add(stamp);
                }
                None
            }
            Op::Tick | Op::HandOver { .. } => None,
        }
    }

    /// How many blocks live.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// The stamps of the live blocks, in the order of their slots.
    pub fn stamps(&self) -> impl Iterator<Item = (u32, u64)> {
        self.live.iter().map(|(&slot, &stamp)| (slot, stamp))
    }

    /// Of every stamp read back so far.
    #[must_use]
    pub fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// The checksum that a replay of the whole trace must give.
    ///
    /// # Panics
    ///
    /// When the trace is not valid.
    #[must_use]
    pub fn replay(trace: &Trace) -> Checksum {
        let mut oracle = Self::new();
        for &op in &trace.ops {
            oracle.step(op);
        }
        oracle.checksum()
    }
}

/// A sum over the stamps in the order in which they were read.
///
/// A rotation and an addition per stamp, so that it does not drown what is timed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum(u64);

impl Checksum {
    /// Adds a stamp.
    #[inline]
    pub fn add(&mut self, stamp: u64) {
        self.0 = self.0.rotate_left(7).wrapping_add(stamp);
    }

    /// The sum so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}
