//! Sums over the whole process, in a program where nothing else runs: thread churn, more threads
//! than slots, blocks freed elsewhere, thread-local destructors, peaks, and what the operating
//! system sees.
#![expect(clippy::unwrap_used, reason = "a test, though it has no harness")]

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::{
    Arc, Barrier,
    atomic::{AtomicBool, Ordering},
    mpsc,
};
use std::thread;

use thrifty_memstats::{Alloc, MemStats, measure_process, os, read, thread as this_thread};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

const MIB: u64 = 1 << 20;
const MIB_SIZE: usize = 1 << 20;

fn main() {
    let checks: &[(&str, fn())] = &[
        ("sums are exact when quiet", sums_are_exact_when_quiet),
        (
            "a block freed by another thread",
            a_block_freed_by_another_thread,
        ),
        (
            "a thread whose first event is a free",
            a_thread_whose_first_event_is_a_free,
        ),
        ("thread churn under a reader", thread_churn_under_a_reader),
        ("more threads than slots", more_threads_than_slots),
        ("destructors of thread-locals", destructors_of_thread_locals),
        ("ten thousand threads", ten_thousand_threads),
        ("peaks of the process", peaks_of_the_process),
        (
            "process scopes nest and overlap",
            process_scopes_nest_and_overlap,
        ),
        (
            "a panic closes a process scope",
            a_panic_closes_a_process_scope,
        ),
        ("zeroed memory stays lazy", zeroed_memory_stays_lazy),
        ("growth stays in place", growth_stays_in_place),
    ];
    // What std allocates once, on the first use of a thing, is not what the checks look for.
    thread::spawn(|| ()).join().unwrap();
    let tool = thrifty_testkit::tool().unwrap_or_default();
    let mut skipped = 0;
    for (name, check) in checks {
        if let Some(why) = impossible(&tool, name) {
            println!("memstats, {name}: SKIPPED under {tool}, {why}");
            skipped += 1;
            continue;
        }
        check();
        println!("{name}: ok");
    }
    let passed = checks.len() - skipped;
    println!("process: {passed} passed, 0 failed, {skipped} skipped");
}

/// Why a check cannot hold under a tool of `cargo xtask verify`.
fn impossible(tool: &str, name: &str) -> Option<&'static str> {
    match (tool, name) {
        ("", _) => None,
        (_, "zeroed memory stays lazy" | "growth stays in place") => {
            Some("whose allocator fills and moves blocks in its own way")
        }
        ("valgrind", "more threads than slots") => Some("which has room for 500 threads"),
        _ => None,
    }
}

fn now() -> MemStats {
    read().expect("the allocator is installed")
}

fn sums_are_exact_when_quiet() {
    let before = now();
    let blocks: [Vec<u8>; 3] = black_box([10, 20, 30].map(Vec::with_capacity));
    let held = now();
    assert_eq!(held.live_bytes - before.live_bytes, 60);
    assert_eq!(held.live_blocks - before.live_blocks, 3);
    drop(blocks);
    let delta = now().since(&before);
    assert_eq!(
        (delta.allocs, delta.frees, delta.allocated_bytes),
        (3, 3, 60)
    );
    assert_eq!((delta.net_bytes(), delta.net_blocks()), (0, 0));
    assert_eq!(now().live_bytes, before.live_bytes);
}

fn a_block_freed_by_another_thread() {
    let before = now();
    for _ in 0..100 {
        let block = black_box(vec![0_u8; 1000]);
        thread::spawn(move || drop(block)).join().unwrap();
    }
    let delta = now().since(&before);
    assert_eq!((delta.net_bytes(), delta.net_blocks()), (0, 0));
    assert!(delta.allocated_bytes >= 100 * 1000);
}

fn a_thread_whose_first_event_is_a_free() {
    let (send, receive) = mpsc::sync_channel::<Vec<u8>>(1);
    let counted = thread::spawn(move || {
        let before = this_thread().unwrap();
        drop(receive.recv().unwrap());
        (before, this_thread().unwrap())
    });
    send.send(black_box(vec![0; 500])).unwrap();
    let (before, after) = counted.join().unwrap();
    assert!(after.freed_bytes - before.freed_bytes >= 500);
}

/// 13 short threads a round hand their blocks on to this one, while another thread reads without
/// pause: no reading is ever negative (it would wrap to a huge number), none loses a count.
fn thread_churn_under_a_reader() {
    let begin = now();
    let stop = Arc::new(AtomicBool::new(false));
    let reader = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            let mut readings = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                let seen = now();
                assert!(
                    seen.live_bytes < 1 << 40,
                    "live bytes went below zero: {seen}"
                );
                assert!(
                    seen.live_blocks < 1 << 30,
                    "live blocks went below zero: {seen}"
                );
                readings += 1;
            }
            readings
        })
    };
    for round in 0..60_usize {
        let threads: Vec<_> = (0..13_usize)
            .map(|seed| {
                thread::spawn(move || {
                    let mut kept = Vec::new();
                    for step in 0..400 {
                        kept.push(black_box(vec![0_u8; (seed * 31 + step * 7 + round) % 300]));
                        if step % 3 == 0 {
                            kept.swap_remove((step * 17) % kept.len());
                        }
                    }
                    kept
                })
            })
            .collect();
        for thread in threads {
            drop(thread.join().unwrap());
        }
    }
    stop.store(true, Ordering::Relaxed);
    assert!(reader.join().unwrap() > 0, "the reader never read");
    drop(stop);
    let delta = now().since(&begin);
    assert_eq!(
        (delta.net_bytes(), delta.net_blocks()),
        (0, 0),
        "a count was lost: {delta}"
    );
}

/// 1200 threads live at once, 1024 of which can have a slot; each hands its last block to this one.
fn more_threads_than_slots() {
    const THREADS: usize = 1200;
    let before = now();
    let all_there = Arc::new(Barrier::new(THREADS));
    let mut handles = Vec::new();
    for _ in 0..THREADS {
        let barrier = Arc::clone(&all_there);
        let run = move || {
            barrier.wait();
            let start = this_thread().unwrap();
            for _ in 0..20 {
                drop(black_box(vec![0_u8; 64]));
            }
            let end = this_thread().unwrap();
            assert_eq!(
                end.allocs - start.allocs,
                20,
                "a thread without a slot counts, too"
            );
            assert_eq!(end.freed_bytes - start.freed_bytes, 20 * 64);
            barrier.wait();
            black_box(vec![0_u8; 64])
        };
        handles.push(
            thread::Builder::new()
                .stack_size(128 << 10)
                .spawn(run)
                .unwrap(),
        );
    }
    for handle in handles.drain(..) {
        assert_eq!(handle.join().unwrap().len(), 64);
    }
    drop(handles);
    drop(all_there);
    let delta = now().since(&before);
    assert_eq!(
        (delta.net_bytes(), delta.net_blocks()),
        (0, 0),
        "a count was lost: {delta}"
    );
    assert!(delta.allocs >= THREADS as u64 * 20);
}

/// A thread-local whose destructor allocates, frees and keeps nothing.
struct AllocatesInDrop(u64);

impl Drop for AllocatesInDrop {
    fn drop(&mut self) {
        for _ in 0..self.0 {
            drop(black_box(vec![0_u8; 1000]));
        }
    }
}

thread_local! {
    static EARLY: RefCell<Option<AllocatesInDrop>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<AllocatesInDrop>> = const { RefCell::new(None) };
}

/// One destructor is registered before the first event of the thread, and so runs after the slot
/// was given back; the other one runs before.
fn destructors_of_thread_locals() {
    let before = now();
    for _ in 0..50 {
        thread::spawn(|| {
            EARLY.with(|early| *early.borrow_mut() = Some(AllocatesInDrop(7)));
            drop(black_box(vec![0_u8; 10]));
            LATE.with(|late| *late.borrow_mut() = Some(AllocatesInDrop(5)));
        })
        .join()
        .unwrap();
    }
    let delta = now().since(&before);
    assert_eq!(
        (delta.net_bytes(), delta.net_blocks()),
        (0, 0),
        "a count was lost: {delta}"
    );
    assert!(
        delta.allocated_bytes >= 50 * (7 + 5) * 1000 + 50 * 10,
        "{delta}"
    );
}

/// Slots are given back: ten thousand threads, one after the other, do not run out of them.
fn ten_thousand_threads() {
    let before = now();
    for _ in 0..10_000 {
        thread::spawn(|| drop(black_box(Box::new(1_u64))))
            .join()
            .unwrap();
    }
    let delta = now().since(&before);
    assert_eq!(
        (delta.net_bytes(), delta.net_blocks()),
        (0, 0),
        "a count was lost: {delta}"
    );
    assert!(delta.allocs >= 10_000);
}

fn peaks_of_the_process() {
    let before = now();
    drop(black_box(vec![0_u8; 32 * MIB_SIZE]));
    let after = now();
    assert!(after.live_bytes < before.live_bytes + MIB);
    assert!(
        after.peak_bytes >= before.live_bytes + 32 * MIB,
        "a large block is seen at once"
    );

    let ((), delta) = measure_process(|| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                thread::spawn(|| {
                    let small: Vec<_> = (0..2000)
                        .map(|_| black_box(Box::new([0_u8; 256])))
                        .collect();
                    drop(small);
                })
            })
            .collect();
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap());
    });
    let delta = delta.unwrap();
    let one = 2000 * (256 + 8);
    assert_eq!((delta.net_bytes(), delta.net_blocks()), (0, 0));
    assert!(delta.allocated_bytes >= 4 * one);
    assert!(
        delta.peak_bytes >= one - 5 * 4096,
        "each thread was at its own peak once: {delta}"
    );
    assert!(
        delta.peak_bytes <= 4 * one + 64 * 1024,
        "and all together at most at four: {delta}"
    );
}

fn process_scopes_nest_and_overlap() {
    let ((), outer) = measure_process(|| {
        drop(black_box(vec![0_u8; 4 * MIB_SIZE]));
        let ((), inner) = measure_process(|| drop(black_box(vec![0_u8; MIB_SIZE])));
        let inner = inner.unwrap();
        assert!(
            (MIB - 16..MIB + 4096).contains(&inner.peak_bytes),
            "not the outer one's: {inner}"
        );
    });
    let outer = outer.unwrap();
    assert!(
        (4 * MIB - 16..4 * MIB + 4096).contains(&outer.peak_bytes),
        "{outer}"
    );

    // More at once than can follow a peak of their own: counts stay exact, peaks a lower bound.
    let start = Arc::new(Barrier::new(12));
    let threads: Vec<_> = (0..12)
        .map(|_| {
            let start = Arc::clone(&start);
            thread::spawn(move || {
                let ((), delta) = measure_process(|| {
                    start.wait();
                    drop(black_box(vec![0_u8; 100_000]));
                    start.wait();
                });
                let delta = delta.unwrap();
                assert!(delta.allocated_bytes >= 12 * 100_000, "{delta}");
                assert!(delta.peak_bytes <= 12 * 100_000 + 64 * 1024, "{delta}");
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

fn a_panic_closes_a_process_scope() {
    for _ in 0..20 {
        let result = std::panic::catch_unwind(|| {
            measure_process(|| std::panic::resume_unwind(Box::new(())))
        });
        assert!(result.is_err());
    }
    let ((), delta) = measure_process(|| drop(black_box(vec![0_u8; MIB_SIZE])));
    assert!(
        delta.unwrap().peak_bytes >= MIB - 16,
        "no cell was left for this scope"
    );
}

fn zeroed_memory_stays_lazy() {
    let Some(before) = os::memory().resident_bytes else {
        println!("zeroed memory: SKIPPED, this system does not tell the resident bytes");
        return;
    };
    let zeros = black_box(vec![0_u8; 256 * MIB_SIZE]);
    let after = os::memory().resident_bytes.unwrap();
    assert!(
        after < before + 16 * MIB,
        "vec![0; 256 MiB] became resident: {before} -> {after}"
    );
    assert_eq!(zeros[zeros.len() / 2], 0);
}

fn growth_stays_in_place() {
    if cfg!(not(all(target_os = "linux", target_env = "gnu"))) {
        println!("growth in place: SKIPPED, only glibc is known to grow large blocks in place");
        return;
    }
    let before = os::memory().resident_bytes.unwrap();
    let mut numbers: Vec<u64> = Vec::new();
    for number in 0..(128 * MIB / 8) {
        numbers.push(black_box(number));
    }
    let grown = os::memory().resident_peak_bytes.unwrap();
    assert!(
        numbers.iter().rev().take(10).eq((0..(128 * MIB / 8))
            .rev()
            .take(10)
            .collect::<Vec<_>>()
            .iter())
    );
    // A wrapper without `realloc` copies, and so holds the old half beside the new whole.
    assert!(
        grown < before + 160 * MIB,
        "growing to 128 MiB took {} MiB",
        (grown - before) / MIB
    );
}
