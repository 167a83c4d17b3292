//! Which addresses belong to samples.
//!
//! ```text
//! keys     │ 0 · a · 0 0 0 b 0 │ 0 0 c 0 0 0 0 0 │ ...     a line of the cache each
//! records  │     a         b   │     c           │         same place, nine words each
//! ```
//!
//! An address may stand in either of two lines. Who frees a block looks for its address with plain
//! loads: nobody else may add or remove it meanwhile, since nobody else has it.
//!
//! # Invariants
//!
//! 1. Between `claim` and `take` of an address, its place belongs to whoever has the block.
//! 2. A place whose key is 0, or was claimed and not filled yet, has a record of weight 0.
#![forbid(unsafe_code)]

use thrifty_sync::{
    atomic::{AtomicU64, AtomicUsize},
    ord,
};

use super::{
    block::Block,
    weight::{Weight, mix},
};

const WORDS: usize = 9;

/// A sampled block in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sample {
    pub(crate) weight: Weight,
    pub(crate) size: u64,
    pub(crate) site: u32,
    pub(crate) bucket: u32,
    /// Who allocated it, and when by three clocks.
    pub(crate) thread: u32,
    pub(crate) own_allocs: u64,
    pub(crate) process_bytes: u64,
    pub(crate) nanos: u64,
    /// Reallocations so far, what they copied, and the size before the first.
    pub(crate) steps: u32,
    pub(crate) copied_bytes: u64,
    pub(crate) first_size: u64,
}

/// A sample's words. The first is its weight.
#[derive(Debug, Default)]
#[repr(transparent)]
pub(crate) struct Record([AtomicU64; WORDS]);

/// The samples in use, by address; `WIDTH` keys in a line of the cache.
#[derive(Debug)]
pub(crate) struct Table<const WIDTH: usize> {
    keys: Block<AtomicUsize>,
    records: Block<Record>,
}

/// A place taken for an address.
#[derive(Debug)]
#[must_use = "a place that is not filled stands for nothing"]
pub(crate) struct Place(usize);

impl<const WIDTH: usize> Table<WIDTH> {
    /// Room for about `samples`, a power of two and at least `WIDTH`; `None` without memory.
    pub(crate) fn new(samples: usize) -> Option<Self> {
        Some(Self {
            keys: Block::new(samples)?,
            records: Block::new(samples)?,
        })
    }

    /// Bytes reserved.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.bytes() + self.records.bytes()
    }

    /// Takes a place for the address of a block that was just allocated; `None` when both lines are
    /// full.
    pub(crate) fn claim(&self, address: usize) -> Option<Place> {
        self.places(address).find_map(|place| {
            // ORDERING(memstats.key): Relaxed; a hint before the exchange, and for who looks up:
            // his own address was put there before he got it.
            if self.keys[place].load(ord!(memstats.key, Relaxed)) != 0 {
                return None;
            }
            // ORDERING(memstats.key_claim): Acquire; pairs with memstats.key_take: the record of
            // whoever had the place before is gone before this one is written.
            self.keys[place]
                .compare_exchange(
                    0,
                    address,
                    ord!(memstats.key_claim, Acquire),
                    ord!(memstats.key, Relaxed),
                )
                .is_ok()
                .then_some(Place(place))
        })
    }

    /// Writes the record of a place, weight last: a child forked in between finds none.
    pub(crate) fn fill(&self, place: &Place, sample: &Sample) {
        let words = sample.words();
        for (word, value) in self.records[place.0].0.iter().zip(words).rev() {
            // ORDERING(memstats.record): Relaxed; by invariant 1 one thread after the other has
            // the place, and the block's way from one to the other orders their accesses.
            word.store(value, ord!(memstats.record, Relaxed));
        }
    }

    /// Takes out the sample at an address, if there is one. To be called before the block is given
    /// back to its allocator, which could hand the address out again.
    pub(crate) fn take(&self, address: usize) -> Option<Sample> {
        let place = self.places(address).find(|place| {
            // ORDERING(memstats.key): Relaxed; see `claim`.
            self.keys[*place].load(ord!(memstats.key, Relaxed)) == address
        })?;
        let record = &self.records[place].0;
        // ORDERING(memstats.record): Relaxed; see `fill`.
        let words = core::array::from_fn(|nth| record[nth].load(ord!(memstats.record, Relaxed)));
        // INVARIANT: 2 — the weight goes first.
        // ORDERING(memstats.record): Relaxed; see `fill`.
        record[0].store(0, ord!(memstats.record, Relaxed));
        // ORDERING(memstats.key_take): Release; pairs with memstats.key_claim.
        self.keys[place].store(0, ord!(memstats.key_take, Release));
        Some(Sample::from_words(words))
    }

    /// The places where an address may stand.
    fn places(&self, address: usize) -> impl Iterator<Item = usize> {
        let hash = mix(address as u64);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "any bits of the hash will do"
        )]
        let lines = [hash as usize, (hash >> 32) as usize];
        let last_line = self.keys.len() / WIDTH - 1;
        lines.into_iter().flat_map(move |line| {
            let start = (line & last_line) * WIDTH;
            start..start + WIDTH
        })
    }
}

impl Sample {
    fn words(&self) -> [u64; WORDS] {
        [
            self.weight.0,
            self.size,
            pair(self.site, self.bucket),
            self.own_allocs,
            self.process_bytes,
            self.nanos,
            pair(self.thread, self.steps),
            self.copied_bytes,
            self.first_size,
        ]
    }

    fn from_words(words: [u64; WORDS]) -> Self {
        let [
            weight,
            size,
            place,
            own_allocs,
            process_bytes,
            nanos,
            who,
            copied_bytes,
            first_size,
        ] = words;
        let ((site, bucket), (thread, steps)) = (halves(place), halves(who));
        Self {
            weight: Weight(weight),
            size,
            site,
            bucket,
            thread,
            own_allocs,
            process_bytes,
            nanos,
            steps,
            copied_bytes,
            first_size,
        }
    }
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

#[expect(clippy::cast_possible_truncation, reason = "each half in turn")]
const fn halves(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use super::*;

    fn sample(number: u64) -> Sample {
        Sample {
            weight: Weight(number + 1),
            size: number,
            site: 1,
            bucket: 2,
            thread: 3,
            own_allocs: 4,
            process_bytes: 5,
            nanos: 6,
            steps: 7,
            copied_bytes: 8,
            first_size: number,
        }
    }

    #[test]
    fn what_was_put_in_comes_out_once() {
        let table = Table::<8>::new(64).unwrap();
        let addresses: Vec<usize> = (1..=32).map(|nth| nth * 16).collect();
        for address in &addresses {
            let place = table.claim(*address).unwrap();
            table.fill(&place, &sample(*address as u64));
        }
        assert_eq!(table.take(16 * 1000), None);
        for address in &addresses {
            assert_eq!(table.take(*address), Some(sample(*address as u64)));
            assert_eq!(table.take(*address), None);
        }
    }

    #[test]
    fn a_full_table_refuses() {
        let table = Table::<8>::new(8).unwrap();
        for address in 1..=8 {
            let place = table.claim(address).unwrap();
            table.fill(&place, &sample(1));
        }
        assert!(table.claim(9).is_none());
        assert!(table.take(3).is_some());
        assert!(table.claim(9).is_some());
        assert_eq!(
            table.take(9).map(|sample| sample.weight),
            Some(Weight(0)),
            "claimed and not filled, it stands for nothing"
        );
    }

    #[test]
    fn most_places_can_be_used() {
        let table = Table::<8>::new(1 << 12).unwrap();
        let room = (1..=1 << 12)
            .filter(|nth| table.claim(nth * 32).is_some())
            .count();
        assert!(room > (1 << 12) * 8 / 10, "{room}");
    }
}
