//! Whether an address may belong to a sample: the question that every free asks.
//!
//! Counters of addresses by their hash, one per byte, at several levels of detail at once:
//!
//! ```text
//! index    0      2^12-1     2^13-1  2^14-1      2^15-1 ...
//!          │      │ level 12   │       │ level 14    │
//!          └──────┴────────────┴───────┴─────────────┴──
//! ```
//!
//! A sample counts at every level, so a free may ask whichever. It asks the smallest one that is
//! sparse enough for the samples there are now: the fewer samples, the less of the cache goes to
//! the question. Changing the level changes one word, and no counter has to move.
//!
//! # Why relaxed accesses suffice
//!
//! A block's counters went up before its address was handed out, and go down after it came back; whoever frees
//! it got it in an order that makes the first happen before. Of a counter he can only see the state
//! after that, and until he subtracts himself, every later state is at least one: each of the others
//! that subtracts has added before.
#![forbid(unsafe_code)]

use thrifty_sync::{
    array,
    atomic::{AtomicU8, AtomicU32, AtomicUsize},
    const_unless_loom, ord,
};

/// Counters for which one sample is answered "maybe" by mistake, at most, while a level is left.
const SPARSENESS: usize = 64;

/// `CELLS` is twice the counters of the finest level, `COARSEST` the binary logarithm of the coarsest.
#[derive(Debug)]
pub(crate) struct Filter<const CELLS: usize, const COARSEST: u32> {
    counters: [AtomicU8; CELLS],
    mask: Mask,
    samples: AtomicUsize,
}

/// The bits of a hash that find its counter; 0 while there never was a sample. Every free reads
/// it, so it has a line of the cache apart from what samples write.
#[derive(Debug)]
#[repr(align(128))]
struct Mask(AtomicU32);

impl<const CELLS: usize, const COARSEST: u32> Filter<CELLS, COARSEST> {
    const FINEST: u32 = CELLS.ilog2() - 1;

    const_unless_loom! {
        /// No samples.
        pub(crate) const fn new() -> Self {
            Self {
                counters: array!(AtomicU8::new(0); CELLS),
                mask: Mask(AtomicU32::new(0)),
                samples: AtomicUsize::new(0),
            }
        }
    }

    /// Whether the address may belong to a sample; "no" is certain.
    #[inline]
    pub(crate) fn may_hold(&self, address: usize) -> bool {
        // ORDERING(memstats.level): Relaxed; see the head: a sample's own level was stored before.
        let mask = self.mask.0.load(ord!(memstats.level, Relaxed));
        if mask == 0 {
            return false;
        }
        // ORDERING(memstats.filter): Relaxed; see the head.
        self.counters[Self::index(address, mask)].load(ord!(memstats.filter, Relaxed)) != 0
    }

    /// Counts a sample in, before its address is handed out.
    pub(crate) fn add(&self, address: usize) {
        for level in Self::levels() {
            self.change(Self::index(address, mask(level)), |count| match count {
                u8::MAX => None,
                count => Some(count + 1),
            });
        }
        // ORDERING(memstats.filter): Relaxed; a number that steers.
        let samples = self.samples.fetch_add(1, ord!(memstats.filter, Relaxed)) + 1;
        self.adapt(samples);
    }

    /// Counts a sample out, while its address has not been handed out again.
    pub(crate) fn remove(&self, address: usize) {
        for level in Self::levels() {
            // A counter that was full may stand for more than it says, and stays.
            self.change(Self::index(address, mask(level)), |count| match count {
                0 | u8::MAX => None,
                count => Some(count - 1),
            });
        }
        // ORDERING(memstats.filter): Relaxed; a number that steers.
        self.samples.fetch_sub(1, ord!(memstats.filter, Relaxed));
    }

    fn change(&self, at: usize, by: impl FnMut(u8) -> Option<u8>) {
        // ORDERING(memstats.filter): Relaxed; see the head. Fails where the counter stays.
        let _ = self.counters[at].fetch_update(
            ord!(memstats.filter, Relaxed),
            ord!(memstats.filter, Relaxed),
            by,
        );
    }

    /// Chooses the level for so many samples.
    fn adapt(&self, samples: usize) {
        let wanted = samples.saturating_mul(SPARSENESS).max(1).ilog2() + 1;
        let level = Self::levels()
            .find(|level| *level >= wanted)
            .unwrap_or(Self::FINEST);
        // ORDERING(memstats.level): Relaxed; see the head.
        if self.mask.0.load(ord!(memstats.level, Relaxed)) != mask(level) {
            self.mask
                .0
                .store(mask(level), ord!(memstats.level, Relaxed));
        }
    }

    fn levels() -> impl Iterator<Item = u32> {
        (COARSEST..=Self::FINEST).step_by(2)
    }

    /// The counter of an address, given the bits of its hash that a level looks at. The last mask changes nothing,
    /// and shows the compiler that there is such a counter.
    #[inline]
    const fn index(address: usize, mask: u32) -> usize {
        let mask = mask as usize;
        (mask + (hash(address) & mask)) & (CELLS - 1)
    }
}

/// Fibonacci hashing, by 2^32 over the square of the golden ratio, odd: a number that fits into an instruction.
#[inline]
const fn hash(address: usize) -> usize {
    const GOLDEN: usize = 0x61C8_8647;
    address.wrapping_mul(GOLDEN) >> if usize::BITS == 64 { 32 } else { 11 }
}

/// The bits that a level looks at.
const fn mask(level: u32) -> u32 {
    (1 << level) - 1
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use super::*;

    type Small = Filter<512, 4>;

    #[test]
    fn what_is_in_it_is_never_denied() {
        let filter = Small::new();
        let addresses: Vec<usize> = (1..=200).map(|nth| nth * 48).collect();
        assert!(!filter.may_hold(addresses[0]));
        for (nth, address) in addresses.iter().enumerate() {
            filter.add(*address);
            assert!(
                addresses[..=nth]
                    .iter()
                    .all(|address| filter.may_hold(*address))
            );
        }
        for (nth, address) in addresses.iter().enumerate() {
            filter.remove(*address);
            let rest = &addresses[nth + 1..];
            assert!(rest.iter().all(|address| filter.may_hold(*address)));
        }
        assert!(!addresses.iter().any(|address| filter.may_hold(*address)));
    }

    #[test]
    fn a_full_counter_stays_full() {
        let filter = Small::new();
        (0..300).for_each(|_| filter.add(64));
        (0..299).for_each(|_| filter.remove(64));
        assert!(filter.may_hold(64), "one is left");
    }

    #[test]
    fn few_samples_are_asked_for_among_few_counters() {
        static FILTER: Filter<{ 1 << 17 }, 8> = Filter::new();
        FILTER.add(4096);
        let denied = (0..10_000)
            .filter(|nth| !FILTER.may_hold(nth * 16 + 8192))
            .count();
        assert!(denied > 9_800, "{denied}");
        (0..500).for_each(|nth| FILTER.add(nth * 4096 + 1_000_000));
        let denied = (0..10_000)
            .filter(|nth| !FILTER.may_hold(nth * 16 + 8192))
            .count();
        assert!(denied > 9_700, "{denied}");
    }
}
