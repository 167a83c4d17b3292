//! Hashes that were met lately: who comes again is let in, who was evicted too early is known.
//!
//! Two bytes for a hash, in sets of four that the hash picks; in a set the oldest is overwritten, which is all
//! the ageing there is. An answer may be wrong, seldom, and then a key is cached a sighting too early or too
//! late.

#![forbid(unsafe_code)]

use alloc::vec::Vec;

use crate::error::InternError;

type Set = [u16; 4];

pub(crate) struct Seen {
    sets: Vec<Set>,
}

impl Seen {
    /// How many sets a shard with such a budget has: about as many places as entries, at 64 bytes each.
    pub(crate) const fn sets_for(budget_bytes: usize) -> usize {
        budget_bytes / 256
    }

    pub(crate) const fn bytes_for(sets: usize) -> usize {
        sets * size_of::<Set>()
    }

    pub(crate) fn try_new(count: usize) -> Result<Self, InternError> {
        let mut sets = Vec::new();
        if sets.try_reserve_exact(count).is_err() {
            let size_bytes = Self::bytes_for(count);
            return Err(InternError::Backend { size_bytes });
        }
        sets.resize(count, [0; 4]);
        Ok(Self { sets })
    }

    pub(crate) fn bytes(&self) -> usize {
        Self::bytes_for(self.sets.capacity())
    }

    /// Whether this hash was noted, as far as is known.
    pub(crate) fn has(&self, hash: u32) -> bool {
        self.sets[self.place(hash)].contains(&mark(hash))
    }

    /// Notes a hash; says whether it was noted already.
    pub(crate) fn note(&mut self, hash: u32) -> bool {
        let place = self.place(hash);
        let set = &mut self.sets[place];
        let known = set.iter().position(|each| *each == mark(hash));
        // To the front; behind it all move up to its old place, or the last one goes.
        set[..=known.unwrap_or(3)].rotate_right(1);
        set[0] = mark(hash);
        known.is_some()
    }

    fn place(&self, hash: u32) -> usize {
        // Below the length.
        ((u64::from(hash) * self.sets.len() as u64) >> 32) as usize
    }
}

/// The lower bits, which say least about the place; never zero, which no hash has noted.
#[expect(clippy::cast_possible_truncation, reason = "the lower bits")]
const fn mark(hash: u32) -> u16 {
    hash as u16 | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_remembers_the_last_four() {
        let mut seen = Seen::try_new(16).unwrap();
        assert!(!seen.has(0) && !seen.has(u32::MAX));
        for hash in [2, 4, 6, 8] {
            assert!(!seen.note(hash));
        }
        assert!(seen.note(2) && [2, 4, 6, 8].iter().all(|hash| seen.has(*hash)));
        // The oldest goes, which is no longer 2.
        assert!(!seen.note(10));
        assert!(seen.has(2) && !seen.has(4));
        assert_eq!(seen.bytes(), 128);
    }

    #[test]
    fn a_tiny_budget_has_none() {
        assert_eq!(Seen::sets_for(255), 0);
        assert_eq!(Seen::sets_for(1 << 20), 1 << 12);
    }
}
