//! What the programs that test the heap profile share.
#![expect(clippy::unwrap_used, reason = "part of tests")]

use std::hint::black_box;
use std::time::Instant;

use thrifty_memstats::{HeapProfile, heap_profile, profiling, stop_profiling};

/// Runs the checks, or those whose name contains the first argument. `impossible` says why one cannot hold
/// under a tool of `cargo xtask verify`.
pub(crate) fn run(
    program: &str,
    checks: &[(&str, fn())],
    impossible: fn(&str, &str) -> Option<&'static str>,
) {
    let tool = thrifty_testkit::tool().unwrap_or_default();
    let only = std::env::args()
        .nth(1)
        .filter(|name| !name.starts_with('-'));
    let mut skipped = 0;
    let mut passed = 0;
    for (name, check) in checks {
        if only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            continue;
        }
        if let Some(why) = impossible(&tool, name) {
            println!("memstats, {name}: SKIPPED under {tool}, {why}");
            skipped += 1;
            continue;
        }
        let start = Instant::now();
        check();
        stop_profiling();
        println!("{name}: ok, {} ms", start.elapsed().as_millis());
        passed += 1;
    }
    println!("{program}: {passed} passed, 0 failed, {skipped} skipped");
}

/// What one piece of code did, by the profile.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) samples: u64,
    pub(crate) alloc_objects: u64,
    pub(crate) alloc_bytes: u64,
    pub(crate) inuse_objects: u64,
    pub(crate) inuse_bytes: u64,
}

pub(crate) fn profile() -> HeapProfile {
    let profile = heap_profile().unwrap();
    for site in profile.sites() {
        assert!(site.inuse_objects <= site.alloc_objects, "{site:?}");
        assert!(site.inuse_bytes <= site.alloc_bytes, "{site:?}");
        for bucket in &site.buckets {
            assert!(bucket.inuse_objects <= bucket.alloc_objects, "{bucket:?}");
            assert!(bucket.inuse_bytes <= bucket.alloc_bytes, "{bucket:?}");
            assert!(
                bucket.min_size <= bucket.typical_size()
                    && bucket.typical_size() <= bucket.max_size
            );
        }
    }
    profile
}

pub(crate) fn sum(profile: &HeapProfile) -> Sum {
    let totals = profile.totals();
    Sum {
        samples: totals.samples,
        alloc_objects: totals.alloc_objects,
        alloc_bytes: totals.alloc_bytes,
        inuse_objects: totals.inuse_objects,
        inuse_bytes: totals.inuse_bytes,
    }
}

/// Runs `work` with sampling at a rate, and says what the profile has more than before.
pub(crate) fn sampled<R>(rate: u64, seed: u64, work: impl FnOnce() -> R) -> (R, HeapProfile, Sum) {
    let before = profile_or_none();
    let held = before.as_ref().map(sum).unwrap_or_default();
    profiling().rate(rate).seed(seed).start().unwrap();
    let result = work();
    assert!(stop_profiling());
    let after = profile();
    let now = sum(&after);
    let delta = before.map_or_else(|| after.clone(), |before| after.delta(&before));
    let sum = Sum {
        samples: now.samples - held.samples,
        alloc_objects: now.alloc_objects - held.alloc_objects,
        alloc_bytes: now.alloc_bytes - held.alloc_bytes,
        inuse_objects: now.inuse_objects.wrapping_sub(held.inuse_objects),
        inuse_bytes: now.inuse_bytes.wrapping_sub(held.inuse_bytes),
    };
    (result, delta, sum)
}

fn profile_or_none() -> Option<HeapProfile> {
    heap_profile().ok()
}

#[inline(never)]
pub(crate) fn allocate_here(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(black_box(bytes)))
}
