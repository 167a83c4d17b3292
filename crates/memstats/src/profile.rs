//! The sampling heap profile, as data: sites, totals, differences.
#![forbid(unsafe_code)]

mod error;
mod histogram;
mod site;

use alloc::{string::String, vec::Vec};
use core::time::Duration;
use std::collections::HashMap;
use std::time::SystemTime;

use crate::{export::Code, stats::MemStats};

#[cfg(feature = "serde-1")]
pub(crate) use self::histogram::MAGNITUDES;
pub(crate) use self::site::size_class;
pub use self::{
    error::ProfileError,
    histogram::Histogram,
    site::{Bucket, Contents, Growth, Lifetimes, Print, Site},
};

/// Who allocated what, and what of it is in use; from [`heap_profile`](crate::heap_profile).
///
/// # Memory
///
/// Its sites: some two kilobytes each.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde-1", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct HeapProfile {
    /// Bytes between two samples, on average; 1 when every event was a sample, 0 when sampling
    /// had been stopped.
    pub rate_bytes: u64,
    /// The rates that there were, the oldest first: the last 64 that were chosen, and the first 256 that came of a
    /// lack of room. A [`delta`](Self::delta) has those of the newer profile.
    #[cfg_attr(feature = "serde-1", serde(default))]
    pub rates: Vec<RateChange>,
    /// When it was taken.
    pub taken: SystemTime,
    /// How long sampling had been going on: since its first start, or since the older profile of
    /// a [`delta`](Self::delta).
    pub duration: Duration,
    /// The places that allocated, in no particular order.
    pub sites: Vec<Site>,
    /// What threads called themselves, by [`Bucket::label`]; the first is empty, for those that did
    /// not.
    pub labels: Vec<String>,
    /// Samples that were taken and are in no site.
    pub dropped: Dropped,
    /// How well stacks could be captured.
    pub capture: Capture,
    /// What the counters said when the profile was taken: exact, and about the whole life of the
    /// process, not since sampling began.
    pub counted: MemStats,
    /// Bytes of memory that the profiler itself reserved, outside of the counted heap.
    pub internal_bytes: u64,
    /// What is known of the code that the stacks lead to. Empty at first; filled by
    /// [`locate`](Self::locate) and `symbolize`.
    #[cfg_attr(feature = "serde-1", serde(default))]
    pub code: Code,
}

/// A rate of sampling, and when it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct RateChange {
    /// Since sampling was first started.
    pub after: Duration,
    /// Bytes between two samples from then on; 0 when sampling was stopped.
    pub rate_bytes: u64,
    /// Whether it is twice the one before because samples in use had no room; chosen by the
    /// program otherwise.
    pub is_widened: bool,
}

/// Samples that had no room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Dropped {
    /// Sampled events.
    pub samples: u64,
    /// The objects that they stood for.
    pub objects: u64,
    /// The bytes that they stood for.
    pub bytes: u64,
}

/// How stacks were captured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Capture {
    /// What walks the stacks now.
    pub unwinder: Unwinder,
    /// Stacks that were walked by tables: see [`Unwinder::Tables`].
    pub walked: u64,
    /// Stacks on which the tables were compared with the system's unwinder: each that led to a new place in the
    /// code, and one in 256 of the others.
    pub compared: u64,
    /// Of those, the ones that were not the same. After the first, nothing is walked by tables any more.
    pub different: u64,
    /// Stacks that the system's unwinder found: all that were not walked by tables.
    pub unwound: u64,
    /// Stacks that were cut off at the most frames that are kept.
    pub truncated: u64,
    /// Samples without a single frame, as in a program without unwind tables.
    pub empty: u64,
    /// Samples whose stack found no room, and which count for the site without a stack.
    pub unattributed: u64,
}

/// What walks the stacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde-1", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Unwinder {
    /// Nothing does: a test at the start saw no frames, as in a program without unwind tables. All samples
    /// then count for the site without a stack.
    #[default]
    None,
    /// The system's unwinder: some 20 microseconds a stack.
    System,
    /// A walk of this crate's own, by the program's unwind tables, of which it keeps what it learned: some
    /// 100 nanoseconds a stack. A frame pointer is used where a function's table says that it is one. On x86-64
    /// Linux.
    ///
    /// A stack through a place in the code for the first time is the system's unwinder's, and what the table says of
    /// the place is used from then on if it agrees with that. One in 256 of the other stacks is compared
    /// ([`Capture::compared`]). Stacks that lead through signal handlers or libraries that can be
    /// unloaded are the system's unwinder's ([`Capture::unwound`]).
    Tables,
}

/// Sums over the sites of a profile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Sampled events.
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

impl HeapProfile {
    /// The places that allocated.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The sums over all sites.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for site in &self.sites {
            totals.samples += site.samples;
            totals.alloc_objects += site.alloc_objects;
            totals.alloc_bytes += site.alloc_bytes;
            totals.inuse_objects += site.inuse_objects;
            totals.inuse_bytes += site.inuse_bytes;
        }
        totals
    }

    /// What was allocated since an `older` profile of the same process, and what is in use now.
    ///
    /// In-use figures are not subtracted: a heap that stays as it is would vanish. Figures that
    /// cannot be subtracted, peaks and contents, are those of `self`. Sites that did nothing
    /// since and hold nothing are left out.
    #[must_use]
    pub fn delta(&self, older: &Self) -> Self {
        let before: HashMap<&[usize], &Site> = older
            .sites
            .iter()
            .map(|site| (site.stack.as_slice(), site))
            .collect();
        let since = |site: &Site| match before.get(site.stack.as_slice()) {
            Some(old) => site.since(old),
            None => site.clone(),
        };
        let sites = self.sites.iter().map(since);
        let old = older.dropped;
        Self {
            duration: self.taken.duration_since(older.taken).unwrap_or_default(),
            sites: sites
                .filter(|site| site.samples != 0 || site.inuse_objects != 0)
                .collect(),
            dropped: Dropped {
                samples: self.dropped.samples.saturating_sub(old.samples),
                objects: self.dropped.objects.saturating_sub(old.objects),
                bytes: self.dropped.bytes.saturating_sub(old.bytes),
            },
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(sites: Vec<Site>) -> HeapProfile {
        HeapProfile {
            rate_bytes: 1,
            rates: Vec::new(),
            taken: SystemTime::UNIX_EPOCH,
            duration: Duration::ZERO,
            sites,
            labels: vec![String::new()],
            dropped: Dropped::default(),
            capture: Capture::default(),
            counted: MemStats::default(),
            internal_bytes: 0,
            code: Code::default(),
        }
    }

    fn site(stack: &[usize], allocs: u64, inuse: u64) -> Site {
        let bucket = Bucket {
            min_size: 10,
            max_size: 10,
            samples: allocs,
            alloc_objects: allocs,
            alloc_bytes: allocs * 10,
            inuse_objects: inuse,
            inuse_bytes: inuse * 10,
            ..Bucket::default()
        };
        Site {
            stack: stack.to_vec(),
            samples: allocs,
            alloc_objects: allocs,
            alloc_bytes: allocs * 10,
            inuse_objects: inuse,
            inuse_bytes: inuse * 10,
            buckets: vec![bucket],
            ..Site::default()
        }
    }

    #[test]
    fn a_delta_subtracts_what_was_allocated_and_keeps_what_is_in_use() {
        let older = profile(vec![site(&[1], 10, 5), site(&[2], 7, 0)]);
        let mut newer = profile(vec![site(&[1], 15, 6), site(&[2], 7, 0), site(&[3], 1, 1)]);
        newer.taken = SystemTime::UNIX_EPOCH + Duration::from_secs(2);
        let delta = newer.delta(&older);
        assert_eq!(delta.duration, Duration::from_secs(2));
        assert_eq!(delta.sites, [site(&[1], 5, 6), site(&[3], 1, 1)]);
        assert_eq!(delta.sites[0].buckets[0].alloc_bytes, 50);
        let totals = delta.totals();
        assert_eq!((totals.alloc_objects, totals.inuse_bytes), (6, 70));
        assert_eq!(
            older.delta(&newer).totals().alloc_objects,
            0,
            "swapped, nothing is negative"
        );
    }
}
