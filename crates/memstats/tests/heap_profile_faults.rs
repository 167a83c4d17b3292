//! The heap profile around an inner allocator that fails, and with hardly any room for samples.
#![expect(clippy::unwrap_used, reason = "a test, though it has no harness")]
#![expect(unsafe_code, reason = "calls the allocator itself")]

mod support;

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::hint::black_box;

use thrifty_memstats::{Alloc, heap_profile, profiling, set_profiling_rate, stop_profiling};
use thrifty_testkit::{AllocFault, FailingAlloc, exempt, with_failing};

use self::support::{Sum, allocate_here, profile, sampled, sum};

/// Twice, as no program should: each layer samples for itself, and the sums are twice as much.
#[global_allocator]
static ALLOC: Alloc<Alloc<FailingAlloc>> = Alloc::new(Alloc::new(FailingAlloc::system()));

/// Room for samples.
const ROOM: u64 = 64;

fn main() {
    profiling().rate(1 << 30).live_samples(64).start().unwrap();
    stop_profiling();
    let checks: &[(&str, fn())] = &[
        (
            "a failed allocation is no sample",
            a_failed_allocation_is_no_sample,
        ),
        (
            "a failed reallocation keeps the sample",
            a_failed_reallocation_keeps_the_sample,
        ),
        (
            "all that an allocator is asked",
            all_that_an_allocator_is_asked,
        ),
        ("what has no room is counted", what_has_no_room_is_counted),
        ("a lack of room has no bias", a_lack_of_room_has_no_bias),
        ("hooks in a storm of faults", hooks_in_a_storm_of_faults),
    ];
    support::run("faults", checks, |_, _| None);
}

fn a_failed_allocation_is_no_sample() {
    let (_, _, sum) = sampled(1, 1, || {
        let mut bytes: Vec<u8> = Vec::new();
        let (failed, struck) = with_failing(AllocFault::Onwards, 0, || {
            bytes.try_reserve_exact(black_box(5000)).is_err()
        });
        assert!(failed && struck == 1);
    });
    assert_eq!(sum, Sum::default());
}

fn a_failed_reallocation_keeps_the_sample() {
    let (bytes, _, sum) = sampled(1, 1, || {
        let mut bytes = allocate_here(100);
        bytes.push(7);
        let (failed, _) = with_failing(AllocFault::Onwards, 0, || {
            bytes.try_reserve_exact(black_box(5000)).is_err()
        });
        assert!(failed);
        bytes
    });
    assert_eq!(
        (sum.inuse_objects, sum.inuse_bytes),
        (2, 200),
        "once for each layer"
    );
    assert_eq!((sum.alloc_objects, sum.alloc_bytes), (2, 200));
    let before = self::sum(&profile());
    drop(bytes);
    let after = self::sum(&profile());
    assert_eq!(before.inuse_bytes - after.inuse_bytes, 200);
}

/// Each function of the interface, with each kind of size and alignment, and its failure. The compiler may not know
/// what they return: it takes allocations that nobody needs for successful, and leaves them out.
fn all_that_an_allocator_is_asked() {
    let in_use = |more: u64| {
        let sum = sum(&profile());
        (sum.inuse_objects, sum.inuse_bytes - more)
    };
    for align in [1, 2, 16, 64, 4096, 1 << 20] {
        let ((), _, sum) = sampled(1, 1, || {
            let before = in_use(0);
            let layout = Layout::from_size_align(100, align).unwrap();
            let huge = Layout::from_size_align(isize::MAX as usize & !(align - 1), align).unwrap();
            // SAFETY: the layout is not of size zero.
            assert!(black_box(unsafe { alloc(huge) }).is_null());
            // SAFETY: the layout is not of size zero.
            let mut block = black_box(unsafe { alloc(layout) });
            assert!(!block.is_null());
            assert_eq!(in_use(200), (before.0 + 2, before.1), "once for each layer");
            // In place or not, larger, the same, smaller.
            for (from, to) in [(100, 5000), (5000, 5000), (5000, 10), (10, 100)] {
                let layout = Layout::from_size_align(from, align).unwrap();
                let (failed, _) = with_failing(AllocFault::Onwards, 0, || {
                    // SAFETY: the block is of this layout, and the new size is not zero.
                    black_box(unsafe { realloc(block, layout, to) })
                });
                assert!(failed.is_null());
                assert_eq!(in_use(2 * from as u64), (before.0 + 2, before.1));
                // SAFETY: as above; what failed left the block as it was.
                block = black_box(unsafe { realloc(block, layout, to) });
                assert!(!block.is_null());
                assert_eq!(in_use(2 * to as u64), (before.0 + 2, before.1));
            }
            // SAFETY: the block is of this layout.
            unsafe { dealloc(block, layout) };
            let (failed, _) = with_failing(AllocFault::Onwards, 0, || {
                // SAFETY: not of size zero.
                black_box(unsafe { alloc_zeroed(layout) })
            });
            assert!(failed.is_null());
            // SAFETY: not of size zero.
            let zeroed = black_box(unsafe { alloc_zeroed(layout) });
            assert_eq!(in_use(200), (before.0 + 2, before.1));
            // SAFETY: the block is of this layout.
            unsafe { dealloc(zeroed, layout) };
        });
        assert_eq!((sum.inuse_objects, sum.inuse_bytes), (0, 0));
    }
}

/// Every event is a sample until one finds no room: that is counted, and from then on the bytes between two samples are
/// doubled as often as it takes.
fn what_has_no_room_is_counted() {
    let earlier = heap_profile().unwrap();
    let ((first, blocks), after, sum) = sampled(1, 1, || {
        let mut blocks = Vec::with_capacity(2000);
        let first = loop {
            blocks.push(allocate_here(64));
            let now = heap_profile().unwrap();
            if now.dropped.samples != earlier.dropped.samples {
                break now;
            }
        };
        let room = blocks.len();
        blocks.extend((0..1000).map(|_| allocate_here(64)));
        ((first, room), blocks)
    });
    let (first, room) = first;
    let counted = (first.totals().alloc_objects - earlier.totals().alloc_objects)
        + (first.dropped.objects - earlier.dropped.objects);
    // Each layer counted each block and the vector; the last one may have been sampled at the new rate.
    assert!(counted.abs_diff(2 * (room as u64 + 1)) <= 1, "{counted}");
    assert!(
        room as u64 * 2 <= ROOM + 2 && room as u64 * 2 >= ROOM / 8,
        "{room}"
    );
    assert!(sum.samples < 2 * ROOM, "{sum:?}");
    let dropped = after.dropped.samples;
    assert!((1..40).contains(&dropped), "not many more: {dropped}");

    let rates = &after.rates[earlier.rates.len()..];
    assert_eq!((rates[0].rate_bytes, rates[0].is_widened), (1, false));
    let [_, widened @ .., stopped] = rates else {
        panic!("{rates:?}");
    };
    assert_eq!((stopped.rate_bytes, stopped.is_widened), (0, false));
    assert!(widened.len() > 1 && widened.iter().all(|change| change.is_widened));
    let mut wanted = 64;
    for change in widened {
        assert_eq!(change.rate_bytes, wanted);
        assert!(change.after >= rates[0].after);
        wanted *= 2;
    }
    drop(blocks);
    assert_eq!(self::sum(&profile()).inuse_bytes, 0);
}

/// What has room and what has none add up to the truth, on average, whatever rates that led to.
fn a_lack_of_room_has_no_bias() {
    const RUNS: u64 = 300;
    let (mut objects, mut bytes) = (Vec::new(), Vec::new());
    for seed in 0..RUNS {
        let (blocks, profile, sum) = sampled(256, seed, || {
            let size = |nth| if nth % 3 == 0 { 3000 } else { 1000 };
            (0..600)
                .map(|nth| allocate_here(size(nth)))
                .collect::<Vec<_>>()
        });
        let widened = profile.rates.iter().filter(|change| change.is_widened);
        assert!(widened.count() > 0);
        // Both layers, with the vector.
        let (true_objects, true_bytes) = (2 * 601, 2 * (200 * 3000 + 400 * 1000 + 600 * 24));
        let dropped = profile.dropped;
        objects.push((sum.alloc_objects + dropped.objects) as f64 / f64::from(true_objects));
        bytes.push((sum.alloc_bytes + dropped.bytes) as f64 / f64::from(true_bytes));
        drop(blocks);
    }
    for (what, runs) in [("objects", objects), ("bytes", bytes)] {
        let count = runs.len() as f64;
        let mean = runs.iter().sum::<f64>() / count;
        let squares = runs.iter().map(|run| (run - mean).powi(2)).sum::<f64>();
        let error = squares.sqrt() / count;
        println!("  no room: {what} {mean:.3} +- {error:.3} of the truth");
        assert!(error < 0.1 && (mean - 1.0).abs() < 5.0 * error, "{what}");
    }
}

fn hooks_in_a_storm_of_faults() {
    let (_, _, sum) = sampled(300, 1, || {
        for after in 0..200 {
            with_failing(AllocFault::Once, after % 7, || {
                let mut all: Vec<Vec<u8>> = Vec::new();
                for size in 1..20_usize {
                    let mut bytes: Vec<u8> = Vec::new();
                    let got = bytes.try_reserve_exact(size * 10).is_ok();
                    let grown = bytes.try_reserve_exact(size * 25).is_ok();
                    // `Vec` has no way to shrink that may fail.
                    exempt(|| bytes.shrink_to(size));
                    if got && grown && all.try_reserve(1).is_ok() {
                        all.push(bytes);
                    }
                }
            });
            let _ = set_profiling_rate(200 + after);
        }
    });
    assert_eq!((sum.inuse_objects, sum.inuse_bytes), (0, 0));
    assert!(sum.samples > 0);
}
