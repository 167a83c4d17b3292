//! From a hash to the number of an entry: open addressing that is never littered.
//!
//! A slot is `hash32 | number + 1`, zero where it is empty. Probing is linear, and a removal moves later slots
//! back, so that a cache that removes as often as it inserts never has to be rebuilt for its tombstones; and a
//! slot knows its hash, so that neither growth nor removal touches an entry. `hashbrown`'s table has both
//! troubles at a constant number of entries, and only sizes that are powers of two, which a bound in bytes
//! would waste up to half of.
//!
//! # Invariants
//!
//! 1. There are more slots than entries, so that a search ends.
//! 2. Between the home of an entry and its slot no slot is empty, and there are fewer than `PROBES`.

#![forbid(unsafe_code)]

use alloc::vec::Vec;

use crate::error::InternError;

/// No entry is farther from its home. With a sound hash and four slots of five taken, five of 10^8 unique keys found
/// no place nearer; where somebody makes keys collide, this bounds what each costs.
const PROBES: usize = 512;

#[derive(Default)]
pub(crate) struct Index {
    slots: Vec<u64>,
}

impl Index {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new() }
    }

    /// How many slots there are for so many entries: a quarter more, and one.
    const fn slots_for(entries: usize) -> usize {
        entries + entries / 4 + 1
    }

    /// How many bytes an index for so many entries takes.
    pub(crate) const fn bytes_for(entries: usize) -> usize {
        Self::slots_for(entries).saturating_mul(size_of::<u64>())
    }

    /// An empty index with room for so many entries.
    pub(crate) fn try_with_room(entries: usize) -> Result<Self, InternError> {
        let mut slots = Vec::new();
        if slots.try_reserve_exact(Self::slots_for(entries)).is_err() {
            let size_bytes = Self::bytes_for(entries);
            return Err(InternError::Backend { size_bytes });
        }
        slots.resize(Self::slots_for(entries), 0);
        Ok(Self { slots })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u64>()
    }

    /// The number of the entry with this hash that is the right one.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is_right: impl FnMut(u32) -> bool) -> Option<u32> {
        let at = self.slot_of(hash, is_right)?;
        Some(entry_in(self.slots[at]))
    }

    #[inline]
    fn slot_of(&self, hash: u32, mut is_right: impl FnMut(u32) -> bool) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let mut at = self.home(hash);
        for _ in 0..PROBES {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if hash_in(slot) == hash && is_right(entry_in(slot)) {
                return Some(at);
            }
            at = self.after(at);
        }
        None
    }

    /// Notes an entry that is not there yet; false if it would be too far from its home.
    ///
    /// # Panics
    ///
    /// If there are as many entries as there is room for.
    #[must_use]
    pub(crate) fn insert(&mut self, hash: u32, entry: u32) -> bool {
        let mut at = self.home(hash);
        for _ in 0..PROBES {
            if self.slots[at] == 0 {
                self.slots[at] = (u64::from(hash) << 32) | (u64::from(entry) + 1);
                return true;
            }
            at = self.after(at);
        }
        false
    }

    /// Forgets an entry.
    pub(crate) fn remove(&mut self, hash: u32, entry: u32) {
        let Some(mut hole) = self.slot_of(hash, |other| other == entry) else {
            return;
        };
        let mut at = self.after(hole);
        while self.slots[at] != 0 {
            let slot = self.slots[at];
            // INVARIANT: 2 — a slot may move to the hole unless its home lies behind it.
            if self.distance(self.home(hash_in(slot)), at) >= self.distance(hole, at) {
                self.slots[hole] = slot;
                hole = at;
            }
            at = self.after(at);
        }
        self.slots[hole] = 0;
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        // Below the length.
        ((u64::from(hash) * self.slots.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        let next = at + 1;
        if next == self.slots.len() { 0 } else { next }
    }

    /// How many steps it is from one slot to another, forwards.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from {
            to - from
        } else {
            to + self.slots.len() - from
        }
    }
}

#[inline]
const fn hash_in(slot: u64) -> u32 {
    (slot >> 32) as u32
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
const fn entry_in(slot: u64) -> u32 {
    (slot as u32).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hashes that crowd: at few homes, at the end, where the probing wraps.
    fn hash() -> impl Strategy<Value = u32> {
        prop_oneof![any::<u32>(), 0..4_u32, (u32::MAX - 4)..=u32::MAX]
    }

    proptest! {
        #[test]
        fn it_finds_what_was_noted_and_nothing_else(
            steps in prop::collection::vec((hash(), any::<bool>(), any::<prop::sample::Index>()), 1..200),
        ) {
            let mut index = Index::try_with_room(40).unwrap();
            let mut oracle: Vec<(u32, u32)> = Vec::new();
            let mut next = 0;
            for (hash, inserts, which) in steps {
                if inserts && oracle.len() < 40 {
                    prop_assert!(index.insert(hash, next));
                    oracle.push((hash, next));
                    next += 1;
                } else if !oracle.is_empty() {
                    let (hash, entry) = oracle.swap_remove(which.index(oracle.len()));
                    index.remove(hash, entry);
                    prop_assert_eq!(index.find(hash, |other| other == entry), None);
                }
                for &(hash, entry) in &oracle {
                    prop_assert_eq!(index.find(hash, |other| other == entry), Some(entry));
                }
                prop_assert_eq!(index.slots.iter().filter(|slot| **slot != 0).count(), oracle.len());
            }
        }
    }

    #[test]
    fn what_is_too_far_from_its_home_is_refused() {
        let mut index = Index::try_with_room(2 * PROBES).unwrap();
        let taken = (0..).take_while(|&entry| index.insert(7, entry)).count();
        assert_eq!(taken, PROBES);
        assert_eq!(index.find(7, |entry| entry == 511), Some(511));
        index.remove(7, 0);
        assert!(index.insert(7, 512));
        assert!((1..=512).all(|entry| index.find(7, |other| other == entry).is_some()));
    }

    #[test]
    fn an_index_without_slots_finds_nothing() {
        assert_eq!(Index::new().find(1, |_| true), None);
        assert_eq!(Index::new().bytes(), 0);
    }
}
