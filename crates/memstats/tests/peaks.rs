//! Peaks of the process: never above the truth, never falling, and below the truth by no more than
//! promised, whatever scopes are open and whoever is kept from running. No test harness, because
//! the figures are of the whole process.
#![expect(clippy::unwrap_used, reason = "a test, though it has no harness")]

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::thread;

use thrifty_memstats::{Alloc, AllocScope, measure, measure_process, read};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

const KIB: usize = 1 << 10;
/// What one thread may allocate between two looks for a peak.
const INTERVAL: u64 = 256 << 10;
/// The same while a process scope is open, and the rounding of a mark.
const FINE_INTERVAL: u64 = (4 << 10) + 16;

fn main() {
    let checks: &[(&str, fn())] = &[
        (
            "a small rise in a process scope is seen",
            a_small_rise_in_a_process_scope_is_seen,
        ),
        (
            "scopes do not put off the look for a peak",
            scopes_do_not_put_off_the_look_for_a_peak,
        ),
        (
            "scopes inside a process scope are seen",
            scopes_inside_a_process_scope_are_seen,
        ),
        (
            "a thread's last blocks are seen",
            a_threads_last_blocks_are_seen,
        ),
        (
            "allocations after the slot was given back",
            allocations_after_the_slot_was_given_back,
        ),
        ("a resize is one block", a_resize_is_one_block),
        (
            "a peak never falls and never exceeds",
            a_peak_never_falls_and_never_exceeds,
        ),
    ];
    thread::spawn(|| ()).join().unwrap();
    for (name, check) in checks {
        check();
        println!("{name}: ok");
    }
    println!("peaks: {} passed, 0 failed", checks.len());
}

/// How often to do what might go wrong in some rounds only. The tools of `cargo xtask verify` copy
/// where the system moves pages, and look at every access: they get fewer rounds.
fn rounds(natively: usize) -> usize {
    match thrifty_testkit::tool() {
        Some(_) => natively / 200,
        None => natively,
    }
}

fn a_small_rise_in_a_process_scope_is_seen() {
    for size in [5_000, 100 * KIB, 200 * KIB, 300 * KIB] {
        let ((), delta) = measure_process(|| drop(black_box(vec![1_u8; size])));
        let delta = delta.unwrap();
        assert!(
            delta.peak_bytes + FINE_INTERVAL >= size as u64,
            "{size}: {delta}"
        );
        assert!(delta.peak_bytes <= size as u64, "{size}: {delta}");
    }
}

fn scopes_do_not_put_off_the_look_for_a_peak() {
    const BLOCKS: usize = 400;
    let scope = AllocScope::new("requests");
    for kind in 0..2 {
        let before = read().unwrap();
        let mut kept = Vec::with_capacity(BLOCKS);
        for _ in 0..BLOCKS {
            kept.push(match kind {
                0 => scope.run(|| black_box(vec![1_u8; 100 * KIB])),
                _ => measure(|| black_box(vec![1_u8; 100 * KIB])).0,
            });
        }
        drop(kept);
        let risen = read().unwrap().peak_bytes - before.live_bytes;
        assert!(
            risen + INTERVAL >= (BLOCKS * 100 * KIB) as u64,
            "saw a rise of {risen} bytes only"
        );
    }
}

fn scopes_inside_a_process_scope_are_seen() {
    let scope = AllocScope::new("requests");
    let (kept, delta) = measure_process(|| {
        (0..1000)
            .map(|_| scope.run(|| black_box(vec![1_u8; 3 * KIB])))
            .collect::<Vec<_>>()
    });
    let delta = delta.unwrap();
    assert!(
        delta.peak_bytes + FINE_INTERVAL >= (1000 * 3 * KIB) as u64,
        "{delta}"
    );
    drop(kept);
    let ((), delta) = measure_process(|| {
        let ((), inner) = measure(|| drop(black_box(vec![1_u8; 100 * KIB])));
        assert_eq!(inner.unwrap().peak_bytes, 100 << 10);
    });
    let delta = delta.unwrap();
    assert!(delta.peak_bytes + FINE_INTERVAL >= 100 << 10, "{delta}");
}

/// Many short threads, each of which allocates less than an interval and hands it on.
fn a_threads_last_blocks_are_seen() {
    let before = read().unwrap();
    let kept: Vec<_> = (0..200)
        .map(|_| {
            thread::spawn(|| black_box(vec![1_u8; 100 * KIB]))
                .join()
                .unwrap()
        })
        .collect();
    drop(kept);
    let risen = read().unwrap().peak_bytes - before.live_bytes;
    assert!(
        risen + 2 * INTERVAL >= (200 * 100 * KIB) as u64,
        "saw a rise of {risen} bytes only"
    );
}

struct AllocatesInDrop;

impl Drop for AllocatesInDrop {
    fn drop(&mut self) {
        drop(black_box(vec![1_u8; 64 << 20]));
    }
}

thread_local! {
    static EARLY: RefCell<Option<AllocatesInDrop>> = const { RefCell::new(None) };
}

fn allocations_after_the_slot_was_given_back() {
    // A reused slot has a long count behind it.
    thread::spawn(|| (0..2000).for_each(|_| drop(black_box(vec![1_u8; 64 * KIB]))))
        .join()
        .unwrap();
    let before = read().unwrap();
    assert!(
        before.peak_bytes < 64 << 20,
        "the check below would prove nothing"
    );
    thread::spawn(|| {
        EARLY.with(|early| *early.borrow_mut() = Some(AllocatesInDrop));
        drop(black_box(vec![1_u8; 10]));
    })
    .join()
    .unwrap();
    let peak = read().unwrap().peak_bytes;
    assert!(
        peak >= 64 << 20,
        "a thread-local's destructor held 64 MiB, seen were {peak}"
    );
}

/// One block changes its size back and forth while others look for peaks without pause.
fn a_resize_is_one_block() {
    const SMALL: usize = 1 << 20;
    let ((), delta) = measure_process(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let looker = {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    drop(black_box(vec![1_u8; 8 * KIB]));
                }
            })
        };
        let mut block: Vec<u8> = Vec::with_capacity(SMALL);
        for _ in 0..rounds(100_000) {
            block.reserve_exact(SMALL + 8);
            block.shrink_to(SMALL);
        }
        stop.store(true, Ordering::Relaxed);
        looker.join().unwrap();
        drop(block);
    });
    let delta = delta.unwrap();
    assert!(
        delta.peak_bytes < (SMALL + 64 * KIB) as u64,
        "one block counted as two: {delta}"
    );
    assert!(delta.peak_bytes + FINE_INTERVAL >= SMALL as u64, "{delta}");
}

/// Eight threads churn, more than there are processors, so that readers are kept from running in
/// the middle of a reading; nothing they say may be more than can have been live.
fn a_peak_never_falls_and_never_exceeds() {
    const THREADS: usize = 8;
    let before = read().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let churn: Vec<_> = (0..THREADS)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    drop(black_box(vec![1_u8; 64 * KIB]));
                }
            })
        })
        .collect();
    let ceiling = before
        .peak_bytes
        .max(before.live_bytes + ((THREADS + 1) * 64 * KIB) as u64);
    let mut peak = before.peak_bytes;
    for _ in 0..rounds(200_000) {
        let now = read().unwrap();
        assert!(
            now.peak_bytes >= peak,
            "the peak fell from {peak} to {}",
            now.peak_bytes
        );
        assert!(
            now.peak_bytes <= ceiling,
            "{} is more than can have been live",
            now.peak_bytes
        );
        assert!(now.live_bytes <= now.peak_bytes, "{now}");
        peak = now.peak_bytes;
    }
    stop.store(true, Ordering::Relaxed);
    churn.into_iter().for_each(|thread| thread.join().unwrap());
}
