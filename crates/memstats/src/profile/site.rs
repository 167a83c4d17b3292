//! What a heap profile says of one place in the program.
#![forbid(unsafe_code)]

use alloc::vec::Vec;

use super::histogram::Histogram;

/// A place that allocated, by its stack.
///
/// Objects and bytes are estimates of what the whole program did there, not of the sampled events
/// only: each sample counts with a weight of its own, fixed when it was taken. The estimates have
/// no bias, and rest on [`samples`](Self::samples) events; their relative error is about one over
/// the square root of that. At rate 1 they are exact.
///
/// A reallocation ends an object of the old size and begins one of the new size, as in Go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Site {
    /// Return addresses, innermost first. Empty for what could not be attributed: stacks past the
    /// table's capacity, and those that could not be unwound.
    pub stack: Vec<usize>,
    /// Sampled events behind the estimates.
    pub samples: u64,
    /// Objects allocated.
    pub alloc_objects: u64,
    /// Bytes allocated.
    pub alloc_bytes: u64,
    /// Objects allocated here and not freed yet; never more than were allocated.
    pub inuse_objects: u64,
    /// Bytes allocated here and not freed yet; never more than were allocated.
    pub inuse_bytes: u64,
    /// The most bytes in use at once.
    pub peak_inuse_bytes: u64,
    /// The same objects and bytes by size, and by thread label where labels were given. The sums
    /// over all buckets are the figures above.
    pub buckets: Vec<Bucket>,
    /// Objects among the allocated ones that were reallocations of an earlier object.
    pub reallocs: u64,
    /// Bytes that those had to copy because the object could not stay where it was.
    pub copied_bytes: u64,
    /// Objects that ended in a free, and not in another reallocation.
    pub freed_objects: u64,
    /// Objects among those that another thread freed than the one that allocated.
    pub freed_elsewhere: u64,
    /// Objects among those that were freed right after another sampled one, within sixteen
    /// allocations of the freeing thread: things that die together.
    pub freed_together: u64,
    /// How long the freed objects lived.
    pub lifetimes: Lifetimes,
    /// What became of objects that were reallocated on the way.
    pub growth: Growth,
    /// What short strings and byte buffers held, where
    /// [`fingerprints`](crate::Profiling::fingerprints) were asked for.
    pub contents: Option<Contents>,
}

/// The part of a [`Site`] with similar sizes: a quarter of a power of two, and one thread label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Bucket {
    /// The smallest size sampled.
    pub min_size: u64,
    /// The largest size sampled.
    pub max_size: u64,
    /// Index of the allocating thread's label in [`HeapProfile::labels`](crate::HeapProfile); 0
    /// for threads without one.
    pub label: u16,
    /// Sampled events behind the estimates.
    pub samples: u64,
    /// Objects allocated.
    pub alloc_objects: u64,
    /// Bytes allocated.
    pub alloc_bytes: u64,
    /// Objects in use.
    pub inuse_objects: u64,
    /// Bytes in use.
    pub inuse_bytes: u64,
}

impl Bucket {
    /// One size for all of the bucket: the only one if all are equal, otherwise the mean.
    pub const fn typical_size(&self) -> u64 {
        if self.min_size == self.max_size || self.alloc_objects == 0 {
            return self.max_size;
        }
        let mean = self.alloc_bytes / self.alloc_objects;
        if mean < self.min_size {
            self.min_size
        } else if mean > self.max_size {
            self.max_size
        } else {
            mean
        }
    }
}

/// How long objects lived, by three clocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Lifetimes {
    /// In allocations of the thread that allocated and freed the object; those that another
    /// thread freed are missing here. 0 for what was freed before the thread allocated again.
    pub own_allocs: Histogram,
    /// In bytes that the whole process allocated meanwhile.
    pub process_bytes: Histogram,
    /// In nanoseconds.
    pub nanos: Histogram,
}

/// Objects that grew, or shrank, by reallocations before they were freed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Growth {
    /// Objects that were freed after at least one reallocation.
    pub chains: u64,
    /// The reallocations that these went through.
    pub steps: u64,
    /// The bytes that these copied on their way.
    pub copied_bytes: u64,
    /// The sizes at which they were first seen, summed up.
    pub first_bytes: u64,
    /// The sizes at which they were freed, summed up.
    pub final_bytes: u64,
    /// The sizes at which they were freed.
    pub final_sizes: Histogram,
}

/// Fingerprints of contents, taken when sampled blocks of alignment 1 and up to 256 bytes were freed.
///
/// Of all fingerprints seen, the numerically smallest are kept, 64 at most: a fair choice of
/// contents, since a fingerprint is a hash. No content can be read back from one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Contents {
    /// Blocks that were looked at.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The fingerprints that were kept.
    pub prints: Vec<Print>,
}

/// A fingerprint, and how many blocks had it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Print {
    /// A hash of 48 bits, never zero.
    pub hash: u64,
    /// Blocks with it; stays at 65535.
    pub blocks: u16,
}

/// Fingerprints that a site keeps.
pub(crate) const PRINTS: usize = 64;
/// Bits of a fingerprint.
pub(crate) const PRINT_BITS: u32 = 48;

impl Contents {
    /// How many different contents were seen: exact below 64, an estimate from there on.
    pub fn distinct(&self) -> u64 {
        let kept = self.prints.len();
        let largest = self
            .prints
            .iter()
            .map(|print| print.hash)
            .max()
            .unwrap_or(0);
        if kept < PRINTS || largest == 0 {
            return kept as u64;
        }
        let space = (1_u64 << PRINT_BITS) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "positive, and at most 2^48 times 64; a cast of floats saturates anyway"
        )]
        let estimate = (((kept - 1) as f64) * space / largest as f64).round() as u64;
        estimate
    }

    /// The share of the kept contents' blocks whose content was seen once only, 0 to 1: an
    /// estimate (Good's and Turing's) of how likely the next block brings a content that is new.
    pub fn share_of_singletons(&self) -> f64 {
        let blocks: u64 = self
            .prints
            .iter()
            .map(|print| u64::from(print.blocks))
            .sum();
        let once = self.prints.iter().filter(|print| print.blocks == 1).count();
        if blocks == 0 {
            return 0.0;
        }
        once as f64 / blocks as f64
    }
}

impl Site {
    /// Whether this is the site of all that could not be attributed.
    pub fn is_other(&self) -> bool {
        self.stack.is_empty()
    }

    /// What was added since an `older` state of the same site; what is in use stays as it is.
    pub(super) fn since(&self, older: &Self) -> Self {
        Self {
            stack: self.stack.clone(),
            samples: self.samples.saturating_sub(older.samples),
            alloc_objects: self.alloc_objects.saturating_sub(older.alloc_objects),
            alloc_bytes: self.alloc_bytes.saturating_sub(older.alloc_bytes),
            inuse_objects: self.inuse_objects,
            inuse_bytes: self.inuse_bytes,
            peak_inuse_bytes: self.peak_inuse_bytes,
            buckets: self.buckets_since(older),
            reallocs: self.reallocs.saturating_sub(older.reallocs),
            copied_bytes: self.copied_bytes.saturating_sub(older.copied_bytes),
            freed_objects: self.freed_objects.saturating_sub(older.freed_objects),
            freed_elsewhere: self.freed_elsewhere.saturating_sub(older.freed_elsewhere),
            freed_together: self.freed_together.saturating_sub(older.freed_together),
            lifetimes: Lifetimes {
                own_allocs: self.lifetimes.own_allocs.since(&older.lifetimes.own_allocs),
                process_bytes: self
                    .lifetimes
                    .process_bytes
                    .since(&older.lifetimes.process_bytes),
                nanos: self.lifetimes.nanos.since(&older.lifetimes.nanos),
            },
            growth: self.growth.since(&older.growth),
            contents: self.contents.clone(),
        }
    }

    /// The buckets less those of the same size class and label in `older`.
    fn buckets_since(&self, older: &Self) -> Vec<Bucket> {
        let same = |bucket: &Bucket| {
            let key = (size_class(bucket.min_size), bucket.label);
            older
                .buckets
                .iter()
                .find(|old| (size_class(old.min_size), old.label) == key)
        };
        let since = |bucket: &Bucket| {
            let Some(old) = same(bucket) else {
                return *bucket;
            };
            Bucket {
                samples: bucket.samples.saturating_sub(old.samples),
                alloc_objects: bucket.alloc_objects.saturating_sub(old.alloc_objects),
                alloc_bytes: bucket.alloc_bytes.saturating_sub(old.alloc_bytes),
                ..*bucket
            }
        };
        self.buckets.iter().map(since).collect()
    }
}

impl Growth {
    fn since(&self, older: &Self) -> Self {
        Self {
            chains: self.chains.saturating_sub(older.chains),
            steps: self.steps.saturating_sub(older.steps),
            copied_bytes: self.copied_bytes.saturating_sub(older.copied_bytes),
            first_bytes: self.first_bytes.saturating_sub(older.first_bytes),
            final_bytes: self.final_bytes.saturating_sub(older.final_bytes),
            final_sizes: self.final_sizes.since(&older.final_sizes),
        }
    }
}

/// The size class of a bucket: a quarter of a power of two.
pub(crate) fn size_class(size: u64) -> u32 {
    let log2 = (size | 1).ilog2();
    // The two bits below the highest one; of a size below 4, what there is.
    let below = u128::from(size) << 2 >> log2 & 3;
    log2 * 4 + u32::try_from(below).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_rise_with_the_size() {
        let mut last = 0;
        for size in (0_u64..4096)
            .chain((12..63).map(|bit| 1 << bit))
            .chain([u64::MAX])
        {
            let class = size_class(size);
            assert!(
                class >= last && class <= 255,
                "{size}: {class} after {last}"
            );
            last = class;
        }
        assert_eq!(size_class(8), size_class(9));
        assert_ne!(size_class(9), size_class(10));
        assert_eq!(size_class(64), size_class(79));
        assert_ne!(size_class(64), size_class(80));
    }

    #[test]
    fn a_bucket_of_one_size_says_that_size() {
        let bucket = Bucket {
            min_size: 48,
            max_size: 48,
            alloc_objects: 3,
            alloc_bytes: 150,
            ..Bucket::default()
        };
        assert_eq!(bucket.typical_size(), 48);
        let bucket = Bucket {
            min_size: 64,
            max_size: 79,
            alloc_objects: 2,
            alloc_bytes: 140,
            ..Bucket::default()
        };
        assert_eq!(bucket.typical_size(), 70);
    }

    #[test]
    fn few_contents_are_counted_and_many_estimated() {
        let print = |hash, blocks| Print { hash, blocks };
        let few = Contents {
            prints: vec![print(1, 5), print(9, 1), print(30, 2)],
            ..Contents::default()
        };
        assert_eq!(few.distinct(), 3);
        assert_eq!(few.share_of_singletons(), 1.0 / 8.0);
        // The 64 smallest of 6400 evenly spread hashes.
        let step = (1_u64 << PRINT_BITS) / 6400;
        let prints = (1..=64).map(|rank| print(rank * step, 1)).collect();
        let many = Contents {
            prints,
            ..Contents::default()
        };
        assert!(
            (6200..=6400).contains(&many.distinct()),
            "{}",
            many.distinct()
        );
    }
}
