//! Which marks are good: those whose strings have not been taken out since.
//!
//! Each rollback is a cut: a generation begins, and of what older generations have given so many strings stay. A
//! mark is good if no cut since its generation left fewer strings than it has. A cut that leaves fewer than earlier
//! ones makes those superfluous, so cuts are kept in the order of their generations and of their strings.

#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::mem::size_of;

use thrifty_sync::{
    atomic::{AtomicU64, Exclusive},
    const_unless_loom, ord, unless_loom,
};

use super::budget::Budget;
use crate::Mark;

/// What tells one interner from others, and from itself before it was emptied: 0 until someone asks.
struct Identity {
    number: AtomicU64,
}

impl Identity {
    const_unless_loom! {
        const fn new() -> Self {
            Self { number: AtomicU64::new(0) }
        }
    }

    /// The identity, which is drawn now if it was not before.
    fn get(&self) -> u64 {
        // ORDERING(interner.identity): Relaxed; a number that stands for nothing but itself.
        let known = self.number.load(ord!(interner.identity, Relaxed));
        if known != 0 {
            return known;
        }
        let drawn = draw();
        // ORDERING(interner.identity): Relaxed; that all threads see one number is in the exchange itself.
        match self.number.compare_exchange(
            0,
            drawn,
            ord!(interner.identity, Relaxed),
            ord!(interner.identity, Relaxed),
        ) {
            Ok(_) => drawn,
            Err(first) => first,
        }
    }
}

unless_loom! {
    static NEXT: AtomicU64 = AtomicU64::new(1);

    fn draw() -> u64 {
        // ORDERING(interner.identity): Relaxed; that no number is drawn twice is in the addition itself.
        NEXT.fetch_add(1, ord!(interner.identity, Relaxed))
    }
}

/// In a model there is one interner, which nobody empties.
#[cfg(thrifty_loom)]
fn draw() -> u64 {
    1
}

/// What tells good marks from bad ones.
pub(crate) struct History {
    identity: Identity,
    generation: u64,
    /// Of the generations before this one, no string is left.
    base: u64,
    /// Charged to the budget of the body, and so given up with it.
    cuts: Vec<Cut>,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    generation: u64,
    left: u32,
}

impl History {
    const_unless_loom! {
        pub(crate) const fn new() -> Self {
            Self { identity: Identity::new(), generation: 0, base: 0, cuts: Vec::new() }
        }
    }

    /// A mark at so many strings.
    pub(crate) fn mark(&self, count: u32) -> Mark {
        Mark::of(self.identity.get(), self.generation, count)
    }

    /// Whether a mark is of this interner, and all strings that it has are still there.
    pub(crate) fn admits(&self, mark: &Mark) -> bool {
        if mark.identity != self.identity.get() || mark.generation < self.base && mark.count() != 0
        {
            return false;
        }
        let since = self
            .cuts
            .partition_point(|cut| cut.generation <= mark.generation);
        self.cuts
            .get(since)
            .is_none_or(|lowest| lowest.left >= mark.count())
    }

    /// Notes that so many strings were left. Without memory for that, more marks are taken for bad than are.
    pub(crate) fn cut(&mut self, left: u32, budget: &Budget) {
        self.generation += 1;
        while self.cuts.last().is_some_and(|last| last.left >= left) {
            self.cuts.pop();
        }
        let cut = Cut {
            generation: self.generation,
            left,
        };
        if self.make_room(budget) {
            self.cuts.push(cut);
        } else if let Some(last) = self.cuts.last_mut() {
            last.generation = self.generation;
        } else {
            self.base = self.generation;
        }
    }

    /// Makes every mark worthless.
    pub(crate) fn forget(&mut self) {
        self.identity.number.write_mut(0);
        self.cuts.clear();
    }

    /// Gives up the memory, once there is no string.
    pub(crate) fn rebase(&mut self) {
        self.base = self.generation;
        self.cuts = Vec::new();
    }

    /// Bytes that it takes from the allocator.
    pub(crate) fn bytes(&self) -> usize {
        self.cuts.capacity() * size_of::<Cut>()
    }

    fn make_room(&mut self, budget: &Budget) -> bool {
        let capacity = self.cuts.capacity();
        if self.cuts.len() < capacity {
            return true;
        }
        let more = capacity.max(4);
        let bytes = more * size_of::<Cut>();
        if budget.charge(bytes).is_err() {
            return false;
        }
        let is_made = self.cuts.try_reserve_exact(more).is_ok();
        if !is_made {
            budget.refund(bytes);
        }
        is_made
    }
}
