//! Fingerprints of one site's contents: the numerically smallest, and how often each was seen.
//!
//! A word holds a fingerprint (upper 48 bits, never 0) and its count (lower 16), so that one
//! exchange changes both.
#![forbid(unsafe_code)]

use thrifty_sync::{atomic::AtomicU64, ord};

/// Fingerprints kept of a site.
pub(crate) const PRINTS: usize = 64;
const COUNT_BITS: u32 = 16;
const MAX_COUNT: u64 = (1 << COUNT_BITS) - 1;

/// The fingerprints of one site. The words that are taken come first.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Prints([AtomicU64; PRINTS]);

impl Default for Prints {
    fn default() -> Self {
        Self(core::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Prints {
    /// Counts a content by its hash. Of two threads that do it at the same moment, one may be
    /// turned away; it tries again a few times and then gives up.
    pub(crate) fn add(&self, hash: u64) {
        let print = (hash >> COUNT_BITS).max(1);
        for _ in 0..4 {
            if self.try_add(print) {
                return;
            }
        }
    }

    /// False when another thread changed the word that was to change.
    fn try_add(&self, print: u64) -> bool {
        let mut largest = (0, 0);
        for (at, word) in self.0.iter().enumerate() {
            // ORDERING(memstats.print): Relaxed; the word is all that is exchanged.
            let seen = word.load(ord!(memstats.print, Relaxed));
            if seen == 0 {
                return self.exchange(at, 0, print << COUNT_BITS | 1);
            }
            if seen >> COUNT_BITS == print {
                return seen & MAX_COUNT == MAX_COUNT || self.exchange(at, seen, seen + 1);
            }
            if seen > largest.1 {
                largest = (at, seen);
            }
        }
        let (at, seen) = largest;
        seen >> COUNT_BITS < print || self.exchange(at, seen, print << COUNT_BITS | 1)
    }

    fn exchange(&self, at: usize, old: u64, new: u64) -> bool {
        // ORDERING(memstats.print): Relaxed; the word is all that is exchanged.
        self.0[at]
            .compare_exchange(
                old,
                new,
                ord!(memstats.print, Relaxed),
                ord!(memstats.print, Relaxed),
            )
            .is_ok()
    }

    /// The fingerprints and their counts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u16)> {
        self.0.iter().filter_map(|word| {
            // ORDERING(memstats.print): Relaxed; the word is all that is exchanged.
            let word = word.load(ord!(memstats.print, Relaxed));
            let count = (word & MAX_COUNT) as u16;
            (word != 0).then_some((word >> COUNT_BITS, count))
        })
    }
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_are_kept_with_their_counts() {
        let prints = Prints::default();
        for round in 0..3 {
            for nth in (1..=100_u64).rev() {
                if round < 1 || nth % 2 == 0 {
                    prints.add(nth << 40);
                }
            }
        }
        let mut kept: Vec<_> = prints.iter().collect();
        kept.sort_unstable();
        assert_eq!(kept.len(), PRINTS);
        assert_eq!(kept[0], (1 << 24, 1));
        assert_eq!(kept[1], (2 << 24, 3));
        assert_eq!(kept[63], (64 << 24, 3));
    }

    #[test]
    fn a_count_stays_at_its_most() {
        let prints = Prints::default();
        (0..70_000).for_each(|_| prints.add(0));
        assert_eq!(prints.iter().collect::<Vec<_>>(), [(1, u16::MAX)]);
    }
}
