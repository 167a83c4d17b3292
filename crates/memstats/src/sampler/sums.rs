//! What is summed up over the samples of a site, and of a bucket of it.
//!
//! Sums of objects are in the fixed point of a [`Weight`]; sums of bytes are whole.
#![forbid(unsafe_code)]

use thrifty_sync::{
    atomic::{AtomicU32, AtomicU64},
    ord,
};

use super::{
    table::Sample,
    weight::{PLACES, Weight},
};

/// Magnitudes in a histogram; as many as in the public one, and few in a model.
pub(crate) const MAGNITUDES: usize = if cfg!(all(thrifty_loom, feature = "loom")) {
    1
} else {
    48
};

/// Samples of one site, size class and thread label.
#[derive(Debug, Default)]
pub(crate) struct BucketSums {
    /// Size class and label; written before the bucket is published.
    pub(super) key: AtomicU64,
    /// The next bucket of the site plus one; likewise.
    pub(super) next: AtomicU32,
    samples: AtomicU64,
    alloc_objects: AtomicU64,
    alloc_bytes: AtomicU64,
    freed_objects: AtomicU64,
    freed_bytes: AtomicU64,
    max_size: AtomicU64,
    /// The complement of the smallest size, so that it starts at zero and only grows.
    not_min_size: AtomicU64,
}

/// A bucket's sums as they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BucketReading {
    pub(crate) label: u16,
    pub(crate) samples: u64,
    pub(crate) alloc_objects: u64,
    pub(crate) alloc_bytes: u64,
    pub(crate) inuse_objects: u64,
    pub(crate) inuse_bytes: u64,
    pub(crate) min_size: u64,
    pub(crate) max_size: u64,
}

/// What is known of a site beside its buckets.
#[derive(Debug)]
pub(crate) struct SiteSums {
    /// The stack's hash and where its frames are; written before the site is published.
    pub(super) hash: AtomicU64,
    pub(super) frames: AtomicU64,
    /// The newest bucket plus one.
    pub(super) buckets: AtomicU32,
    pub(crate) live_bytes: AtomicU64,
    pub(crate) peak_bytes: AtomicU64,
    pub(crate) reallocs: AtomicU64,
    pub(crate) copied_bytes: AtomicU64,
    pub(crate) freed: AtomicU64,
    pub(crate) freed_elsewhere: AtomicU64,
    pub(crate) freed_together: AtomicU64,
    pub(crate) chains: AtomicU64,
    pub(crate) chain_steps: AtomicU64,
    pub(crate) chain_copied_bytes: AtomicU64,
    pub(crate) chain_first_bytes: AtomicU64,
    pub(crate) chain_final_bytes: AtomicU64,
    pub(crate) hashed_blocks: AtomicU64,
    pub(crate) hashed_bytes: AtomicU64,
    pub(crate) final_sizes: Magnitudes,
    pub(crate) own_allocs: Magnitudes,
    pub(crate) process_bytes: Magnitudes,
    pub(crate) nanos: Magnitudes,
}

/// Sums by magnitude.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Magnitudes(pub(super) [AtomicU64; MAGNITUDES]);

/// How a sampled block came to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    /// Allocations of its own thread since; `None` when another thread freed it.
    pub(crate) own_allocs: Option<u64>,
    pub(crate) process_bytes: u64,
    pub(crate) nanos: u64,
    /// Whether the thread freed another sample just before.
    pub(crate) together: bool,
}

impl BucketSums {
    /// Counts a sample in.
    pub(crate) fn open(&self, sample: &Sample) {
        // ORDERING(memstats.sample_sum): Relaxed; who sees a block's end sees these, too, by
        // memstats.ended_objects and memstats.ended_bytes.
        let order = ord!(memstats.sample_sum, Relaxed);
        self.samples.fetch_add(1, order);
        self.alloc_objects.fetch_add(sample.weight.0, order);
        self.alloc_bytes
            .fetch_add(sample.weight.bytes(sample.size), order);
        self.max_size.fetch_max(sample.size, order);
        self.not_min_size.fetch_max(!sample.size, order);
    }

    /// Counts out what [`open`](Self::open) counted in.
    pub(crate) fn close(&self, sample: &Sample) {
        // ORDERING(memstats.ended_objects): Release; pairs with memstats.see_ended_objects: the
        // sample was counted in before its block came to this thread. Another thread's addition
        // continues the release sequence.
        self.freed_objects
            .fetch_add(sample.weight.0, ord!(memstats.ended_objects, Release));
        // ORDERING(memstats.ended_bytes): Release; pairs with memstats.see_ended_bytes, likewise:
        // either sum may be the only one that is seen yet.
        self.freed_bytes.fetch_add(
            sample.weight.bytes(sample.size),
            ord!(memstats.ended_bytes, Release),
        );
    }

    /// Reads the sums, those of freed objects first, so that nothing in use is negative.
    pub(crate) fn read(&self) -> BucketReading {
        // ORDERING(memstats.see_ended_objects): Acquire; pairs with memstats.ended_objects.
        let freed_objects = self
            .freed_objects
            .load(ord!(memstats.see_ended_objects, Acquire));
        // ORDERING(memstats.see_ended_bytes): Acquire; pairs with memstats.ended_bytes.
        let freed_bytes = self
            .freed_bytes
            .load(ord!(memstats.see_ended_bytes, Acquire));
        // ORDERING(memstats.sample_sum): Relaxed; see `open`.
        let load = |sum: &AtomicU64| sum.load(ord!(memstats.sample_sum, Relaxed));
        let (alloc_objects, alloc_bytes) = (load(&self.alloc_objects), load(&self.alloc_bytes));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the label is the lower half"
        )]
        let label = load(&self.key) as u16;
        BucketReading {
            label,
            samples: load(&self.samples),
            alloc_objects,
            alloc_bytes,
            inuse_objects: alloc_objects.wrapping_sub(freed_objects),
            inuse_bytes: alloc_bytes.wrapping_sub(freed_bytes),
            min_size: !load(&self.not_min_size),
            max_size: load(&self.max_size),
        }
    }
}

impl SiteSums {
    /// Notes that a sample began here; `copied_bytes` if it is a reallocation.
    pub(crate) fn begin(&self, sample: &Sample, realloc: Option<u64>) {
        let bytes = sample.weight.bytes(sample.size);
        // ORDERING(memstats.site_sum): Relaxed; each is a sum of its own, exact when quiet.
        let order = ord!(memstats.site_sum, Relaxed);
        let live = self.live_bytes.fetch_add(bytes, order).wrapping_add(bytes);
        // While others add and subtract, the difference may wrap for a moment.
        if live <= u64::MAX / 2 && live > self.peak_bytes.load(order) {
            self.peak_bytes.fetch_max(live, order);
        }
        if let Some(copied) = realloc {
            self.reallocs.fetch_add(sample.weight.0, order);
            self.copied_bytes
                .fetch_add(sample.weight.bytes(copied), order);
        }
    }

    /// Notes that a sample is no longer in use here, freed or reallocated.
    pub(crate) fn leave(&self, sample: &Sample) {
        // ORDERING(memstats.site_sum): Relaxed; see `begin`.
        self.live_bytes.fetch_sub(
            sample.weight.bytes(sample.size),
            ord!(memstats.site_sum, Relaxed),
        );
    }

    /// Notes that a sample was freed.
    pub(crate) fn end(&self, sample: &Sample, end: End) {
        let weight = sample.weight;
        // ORDERING(memstats.site_sum): Relaxed; see `begin`.
        let order = ord!(memstats.site_sum, Relaxed);
        self.freed.fetch_add(weight.0, order);
        if end.together {
            self.freed_together.fetch_add(weight.0, order);
        }
        match end.own_allocs {
            Some(allocs) => self.own_allocs.add(allocs, weight),
            None => {
                self.freed_elsewhere.fetch_add(weight.0, order);
            }
        }
        self.process_bytes.add(end.process_bytes, weight);
        self.nanos.add(end.nanos, weight);
        if sample.steps > 0 {
            self.chains.fetch_add(weight.0, order);
            self.chain_steps
                .fetch_add(weight.0.saturating_mul(sample.steps.into()), order);
            self.chain_copied_bytes
                .fetch_add(weight.bytes(sample.copied_bytes), order);
            self.chain_first_bytes
                .fetch_add(weight.bytes(sample.first_size), order);
            self.chain_final_bytes
                .fetch_add(weight.bytes(sample.size), order);
            self.final_sizes.add(sample.size, weight);
        }
    }

    /// Notes that a block's content was hashed.
    pub(crate) fn hashed(&self, bytes: u64) {
        // ORDERING(memstats.site_sum): Relaxed; see `begin`.
        self.hashed_blocks
            .fetch_add(1, ord!(memstats.site_sum, Relaxed));
        self.hashed_bytes
            .fetch_add(bytes, ord!(memstats.site_sum, Relaxed));
    }
}

impl Magnitudes {
    fn add(&self, figure: u64, weight: Weight) {
        let bits = (u64::BITS - figure.leading_zeros()) as usize;
        // ORDERING(memstats.site_sum): Relaxed; see `SiteSums::begin`.
        self.0[bits.min(MAGNITUDES - 1)].fetch_add(weight.0, ord!(memstats.site_sum, Relaxed));
    }
}

impl Default for Magnitudes {
    fn default() -> Self {
        Self(core::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Default for SiteSums {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            hash: zero(),
            frames: zero(),
            buckets: AtomicU32::new(0),
            live_bytes: zero(),
            peak_bytes: zero(),
            reallocs: zero(),
            copied_bytes: zero(),
            freed: zero(),
            freed_elsewhere: zero(),
            freed_together: zero(),
            chains: zero(),
            chain_steps: zero(),
            chain_copied_bytes: zero(),
            chain_first_bytes: zero(),
            chain_final_bytes: zero(),
            hashed_blocks: zero(),
            hashed_bytes: zero(),
            final_sizes: Magnitudes::default(),
            own_allocs: Magnitudes::default(),
            process_bytes: Magnitudes::default(),
            nanos: Magnitudes::default(),
        }
    }
}

const _: () = assert!(PLACES < 32, "sums of weights need their upper half");
