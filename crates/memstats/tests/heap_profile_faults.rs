//! The heap profile around an inner allocator that fails, one that hands out the same address again at
//! once, and with hardly any room for samples.
#![expect(clippy::unwrap_used, reason = "a test, though it has no harness")]

mod support;

use std::hint::black_box;
use std::thread;

use thrifty_memstats::{Alloc, heap_profile, profiling, read, set_profiling_rate, stop_profiling};
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
        ("addresses come and go", addresses_come_and_go),
        ("what has no room is counted", what_has_no_room_is_counted),
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

/// An address that was a sample, is freed by one thread and handed out to another one, which samples
/// it too, and so on: no end meets another one's beginning.
fn addresses_come_and_go() {
    let ((), _, sum) = sampled(1, 1, || {
        // Joined one by one: a scope may end while its threads still free what std gave them.
        let threads: Vec<_> = (0..4)
            .map(|nth| {
                thread::spawn(move || {
                    for round in 0..500 {
                        drop(allocate_here(64));
                        if round % 50 == nth {
                            thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
    assert_eq!(sum.inuse_bytes, 0);
    assert!(sum.samples >= 4 * 500);
}

fn what_has_no_room_is_counted() {
    let dropped = heap_profile().unwrap().dropped;
    let ((before, blocks, after), _, sum) = sampled(1, 1, || {
        let before = read().unwrap();
        let blocks: Vec<_> = (0..1000).map(|_| allocate_here(64)).collect();
        (before, blocks, read().unwrap())
    });
    let now = heap_profile().unwrap().dropped;
    let counted = after.since(&before);
    assert!(sum.samples <= ROOM && sum.samples >= ROOM / 2, "{sum:?}");
    assert_eq!(
        sum.alloc_bytes + (now.bytes - dropped.bytes),
        counted.allocated_bytes
    );
    assert_eq!(
        sum.alloc_objects + (now.objects - dropped.objects),
        counted.allocs
    );
    drop(blocks);
    assert_eq!(self::sum(&profile()).inuse_bytes, 0);
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
