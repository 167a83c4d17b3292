//! The process's sampler: takes samples in and out, on behalf of the hooks.
#![forbid(unsafe_code)]

use std::time::Instant;

use thrifty_sync::{atomic::AtomicU64, ord, sync::OnceLock};

use super::{
    block::Block,
    capture::{Frames, Stacks},
    filter::Filter,
    prints::Prints,
    rates::{Began, Widened},
    sites::{OTHER, Room, Sites},
    sums::End,
    table::{Sample, Table},
    weight::{MAX_RATE_BYTES, Weight},
};
use crate::{
    profile::size_class,
    thread::{Local, REGISTRY},
};

/// Which addresses may belong to samples: counters for 2^12 up to 2^20 of them.
pub(crate) static FILTER: Filter<{ 1 << 21 }, 12> = Filter::new();

/// The rate that follows after one at which every event is a sample: that of a small block.
const LEAST_WIDENED: u64 = 64;

/// The sampler, once it was started; it is never taken down.
pub(crate) static ENGINE: OnceLock<Engine> = OnceLock::new();

/// All that the sampler keeps.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(super) sites: Sites,
    table: Table<8>,
    pub(super) stacks: Stacks,
    pub(super) started: Instant,
    /// Fingerprints by site, once they were asked for.
    pub(super) prints: OnceLock<Block<Prints>>,
    /// Rates that the lack of room led to.
    pub(super) widened: Widened<256>,
    /// Samples dropped since the rate changed last for that, and how many may be.
    in_vain: AtomicU64,
    patience: u64,
    pub(super) dropped_samples: AtomicU64,
    pub(super) dropped_objects: AtomicU64,
    pub(super) dropped_bytes: AtomicU64,
    pub(super) truncated: AtomicU64,
    pub(super) empty: AtomicU64,
    pub(super) unattributed: AtomicU64,
}

/// Where a sample comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin {
    /// A new block.
    Alloc,
    /// A reallocation of a block that was none; its old size, and the bytes that were copied.
    Realloc { old: u64, copied: u64 },
    /// A reallocation of this sample, and the bytes that were copied.
    Moved { old: Sample, copied: u64 },
}

impl Engine {
    /// A sampler without samples; `None` without memory.
    pub(super) fn new(room: Room, samples: usize) -> Option<Self> {
        Some(Self {
            sites: Sites::new(room)?,
            table: Table::new(samples)?,
            stacks: Stacks::new(),
            started: Instant::now(),
            prints: OnceLock::new(),
            widened: Widened::new(),
            in_vain: AtomicU64::new(0),
            patience: (samples as u64 / 256).max(1),
            dropped_samples: AtomicU64::new(0),
            dropped_objects: AtomicU64::new(0),
            dropped_bytes: AtomicU64::new(0),
            truncated: AtomicU64::new(0),
            empty: AtomicU64::new(0),
            unattributed: AtomicU64::new(0),
        })
    }

    /// Room for fingerprints; false without memory.
    pub(super) fn keep_prints(&self, sites: usize) -> bool {
        if self.prints.get().is_none() {
            let Some(prints) = Block::new(sites) else {
                return false;
            };
            // Only one of those who start the sampler at once is let in here.
            let _ = self.prints.set(prints);
        }
        true
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        let prints = self.prints.get().map_or(0, Block::bytes);
        let stacks = self.stacks.bytes();
        self.sites.bytes() + self.table.bytes() + stacks + prints + size_of_val(&FILTER)
    }

    /// Takes in a block that was just allocated, or moved, as a sample. Without frames it counts
    /// where its predecessor did.
    pub(super) fn begin(
        &self,
        local: &Local,
        address: usize,
        size: u64,
        weight: Weight,
        origin: Origin,
        frames: Option<&Frames>,
    ) {
        let Some(place) = self.table.claim(address) else {
            self.drop_sample(size, weight);
            self.widen(local.draw().rate());
            return;
        };
        let site = match (frames, origin) {
            (Some(frames), _) => self.site(frames),
            (None, Origin::Moved { old, .. }) => old.site,
            (None, _) => OTHER,
        };
        let class = size_class(size);
        let (site, bucket) = match self.sites.bucket(site, class, local.draw().label()) {
            Some(bucket) => (site, bucket),
            None => {
                self.count(&self.unattributed);
                (OTHER, 0)
            }
        };
        let sample = self.sample(local, size, weight, origin, (site, bucket));
        let realloc = match origin {
            Origin::Alloc => None,
            Origin::Realloc { copied, .. } | Origin::Moved { copied, .. } => Some(copied),
        };
        self.sites.bucket_sums(bucket).open(&sample);
        self.sites.sums(site).begin(&sample, realloc);
        FILTER.add(address);
        self.table.fill(&place, &sample);
    }

    fn sample(
        &self,
        local: &Local,
        size: u64,
        weight: Weight,
        origin: Origin,
        (site, bucket): (u32, u32),
    ) -> Sample {
        let new = Sample {
            weight,
            size,
            site,
            bucket,
            first_size: size,
            ..Sample::default()
        };
        match origin {
            Origin::Moved { old, copied } => Sample {
                steps: old.steps.saturating_add(1),
                copied_bytes: old.copied_bytes.saturating_add(copied),
                weight,
                size,
                site,
                bucket,
                ..old
            },
            Origin::Alloc | Origin::Realloc { .. } => {
                let (steps, copied_bytes, first_size) = match origin {
                    Origin::Realloc { old, copied } => (1, copied, old),
                    _ => (0, 0, size),
                };
                Sample {
                    thread: local.draw().thread(),
                    own_allocs: local.alloc_calls(),
                    process_bytes: REGISTRY.allocated_bytes(),
                    nanos: self.nanos(),
                    steps,
                    copied_bytes,
                    first_size,
                    ..new
                }
            }
        }
    }

    /// The site of a stack.
    fn site(&self, frames: &Frames) -> u32 {
        if frames.truncated {
            self.count(&self.truncated);
        }
        let site = self.sites.find(frames.as_slice());
        if frames.as_slice().is_empty() {
            self.count(&self.empty);
        } else if site == OTHER {
            self.count(&self.unattributed);
        }
        site
    }

    /// Takes out the sample at an address, if there is one. Before the address can be handed out again.
    pub(super) fn take(&self, address: usize) -> Option<Sample> {
        let sample = self.table.take(address)?;
        FILTER.remove(address);
        Some(sample)
    }

    /// Puts back a sample that was taken out, since its block stayed as it was.
    pub(super) fn put_back(&self, address: usize, sample: &Sample) {
        if let Some(place) = self.table.claim(address) {
            FILTER.add(address);
            self.table.fill(&place, sample);
        } else {
            self.drop_sample(sample.size, sample.weight);
            self.leave(sample);
        }
    }

    /// Counts out a sample that goes on as another one, or is followed no further.
    pub(super) fn leave(&self, sample: &Sample) {
        if sample.weight.0 != 0 {
            self.sites.bucket_sums(sample.bucket).close(sample);
            self.sites.sums(sample.site).leave(sample);
        }
    }

    /// Counts out a sample that was freed by a thread.
    pub(super) fn end(&self, sample: &Sample, local: Option<&Local>) {
        if sample.weight.0 == 0 {
            return;
        }
        let mut end = End {
            own_allocs: None,
            process_bytes: REGISTRY
                .allocated_bytes()
                .saturating_sub(sample.process_bytes),
            nanos: self.nanos().saturating_sub(sample.nanos),
            together: false,
        };
        if let Some(local) = local {
            let allocs = local.alloc_calls();
            end.together = local.draw().ended(allocs);
            if local.draw().thread() == sample.thread {
                end.own_allocs = Some(allocs.saturating_sub(sample.own_allocs));
            }
        }
        self.sites.sums(sample.site).end(sample, end);
        self.leave(sample);
    }

    /// Notes the content of a block that is about to be freed.
    pub(super) fn print(&self, sample: &Sample, hash: u64) {
        if let Some(prints) = self.prints.get().filter(|_| sample.weight.0 != 0) {
            prints[sample.site as usize].add(hash);
            self.sites.sums(sample.site).hashed(sample.size);
        }
    }

    fn drop_sample(&self, size: u64, weight: Weight) {
        self.count(&self.dropped_samples);
        // ORDERING(memstats.dropped): Relaxed; each is a sum of its own, exact when quiet.
        let order = ord!(memstats.dropped, Relaxed);
        self.dropped_objects.fetch_add(weight.0, order);
        self.dropped_bytes.fetch_add(weight.bytes(size), order);
    }

    /// Doubles the rate that a thread sampled at, once several samples found no room since it changed: half as many
    /// need it then. Each sample keeps its weight, so that the sums stay without bias. A thread whose rate is not the
    /// one in force any more changes nothing.
    fn widen(&self, rate: u64) {
        // ORDERING(memstats.dropped): Relaxed; a number that steers.
        let in_vain = self.in_vain.fetch_add(1, ord!(memstats.dropped, Relaxed)) + 1;
        if in_vain < self.patience || rate == 0 || rate >= MAX_RATE_BYTES {
            return;
        }
        let wider = rate.saturating_mul(2).clamp(LEAST_WIDENED, MAX_RATE_BYTES);
        if REGISTRY.replace_rate_bytes(rate, wider) {
            // ORDERING(memstats.dropped): Relaxed; as above.
            self.in_vain.store(0, ord!(memstats.dropped, Relaxed));
            self.widened.note(self.began(wider));
        }
    }

    /// A rate that begins now.
    pub(super) fn began(&self, rate_bytes: u64) -> Began {
        Began {
            nanos: self.nanos(),
            rate_bytes,
        }
    }

    #[expect(clippy::unused_self, reason = "reads as what it does")]
    fn count(&self, of: &AtomicU64) {
        // ORDERING(memstats.dropped): Relaxed; each is a sum of its own, exact when quiet.
        of.fetch_add(1, ord!(memstats.dropped, Relaxed));
    }

    /// Nanoseconds since the sampler was first started.
    fn nanos(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
