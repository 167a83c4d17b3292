//! From the sampler's sums to a profile.
#![forbid(unsafe_code)]

use alloc::{string::String, vec::Vec};
use std::time::SystemTime;

use thrifty_sync::{atomic::AtomicU64, ord};

use super::{
    engine::Engine,
    sums::{BucketReading, Magnitudes, SiteSums},
    weight::objects,
};
use crate::{
    export::Code,
    profile::{
        Bucket, Capture, Contents, Dropped, Growth, HeapProfile, Histogram, Lifetimes, Print,
        RateChange, Site,
    },
    stats::MemStats,
};

impl Engine {
    /// Reads everything. Other threads go on meanwhile; each bucket is consistent in itself.
    pub(super) fn snapshot(
        &self,
        rate_bytes: u64,
        rates: Vec<RateChange>,
        labels: Vec<String>,
        counted: MemStats,
    ) -> HeapProfile {
        let sites = self.sites.iter().map(|site| self.read_site(site));
        HeapProfile {
            sites: sites.filter(|site| site.samples != 0).collect(),
            rate_bytes,
            rates,
            taken: SystemTime::now(),
            duration: self.started.elapsed(),
            labels,
            dropped: Dropped {
                samples: number(&self.dropped_samples),
                objects: objects(number(&self.dropped_objects)),
                bytes: number(&self.dropped_bytes),
            },
            capture: Capture {
                unwinder: self.stacks.unwinder(),
                walked: number(&self.stacks.walked),
                compared: number(&self.stacks.compared),
                different: number(&self.stacks.different),
                unwound: number(&self.stacks.unwound),
                truncated: number(&self.truncated),
                empty: number(&self.empty),
                unattributed: number(&self.unattributed),
            },
            counted,
            internal_bytes: self.bytes() as u64,
            code: Code::default(),
        }
    }

    fn read_site(&self, site: u32) -> Site {
        let sums = self.sites.sums(site);
        let buckets: Vec<Bucket> = self
            .sites
            .buckets(site)
            .map(|bucket| self.sites.bucket_sums(bucket).read())
            .filter(|reading| reading.samples != 0)
            .map(bucket)
            .collect();
        let mut read = Site {
            stack: if site == super::sites::OTHER {
                Vec::new()
            } else {
                self.sites.stack(site).collect()
            },
            peak_inuse_bytes: number(&sums.peak_bytes),
            reallocs: objects(number(&sums.reallocs)),
            copied_bytes: number(&sums.copied_bytes),
            freed_objects: objects(number(&sums.freed)),
            freed_elsewhere: objects(number(&sums.freed_elsewhere)),
            freed_together: objects(number(&sums.freed_together)),
            lifetimes: Lifetimes {
                own_allocs: histogram(&sums.own_allocs),
                process_bytes: histogram(&sums.process_bytes),
                nanos: histogram(&sums.nanos),
            },
            growth: growth(sums),
            contents: self.contents(site, sums),
            ..Site::default()
        };
        for bucket in &buckets {
            read.samples += bucket.samples;
            read.alloc_objects += bucket.alloc_objects;
            read.alloc_bytes += bucket.alloc_bytes;
            read.inuse_objects += bucket.inuse_objects;
            read.inuse_bytes += bucket.inuse_bytes;
        }
        read.buckets = buckets;
        read
    }

    fn contents(&self, site: u32, sums: &SiteSums) -> Option<Contents> {
        let prints = &self.prints.get()?[site as usize];
        let prints = prints.iter().map(|(hash, blocks)| Print { hash, blocks });
        Some(Contents {
            blocks: number(&sums.hashed_blocks),
            bytes: number(&sums.hashed_bytes),
            prints: prints.collect(),
        })
    }
}

fn bucket(reading: BucketReading) -> Bucket {
    Bucket {
        min_size: reading.min_size.min(reading.max_size),
        max_size: reading.max_size,
        label: reading.label,
        samples: reading.samples,
        alloc_objects: objects(reading.alloc_objects),
        alloc_bytes: reading.alloc_bytes,
        inuse_objects: objects(reading.inuse_objects),
        inuse_bytes: reading.inuse_bytes,
    }
}

fn growth(sums: &SiteSums) -> Growth {
    Growth {
        chains: objects(number(&sums.chains)),
        steps: objects(number(&sums.chain_steps)),
        copied_bytes: number(&sums.chain_copied_bytes),
        first_bytes: number(&sums.chain_first_bytes),
        final_bytes: number(&sums.chain_final_bytes),
        final_sizes: histogram(&sums.final_sizes),
    }
}

fn histogram(sums: &Magnitudes) -> Histogram {
    Histogram(core::array::from_fn(|at| objects(number(&sums.0[at]))))
}

fn number(sum: &AtomicU64) -> u64 {
    // ORDERING(memstats.site_read): Relaxed; each is a sum of its own, exact when quiet.
    sum.load(ord!(memstats.site_read, Relaxed))
}
