//! The sampling heap profile of a program where nothing else runs: exact against the counters,
//! sampled against the truth, through threads, reallocations, storms and forks.
#![expect(clippy::unwrap_used, reason = "a test, though it has no harness")]

mod support;

use std::hint::black_box;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use thrifty_memstats::{
    Alloc, HeapProfile, ProfileError, Site, Unwinder, heap_profile, label_thread, profiling, read,
    set_profiling_rate, stop_profiling,
};

use self::support::{allocate_here, profile, sampled, sum};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

fn main() {
    nothing_before_the_start();
    let checks: &[(&str, fn())] = &[
        (
            "exact mode counts what the counters count",
            exact_mode_counts_what_the_counters_count,
        ),
        ("stacks lead to the code", stacks_lead_to_the_code),
        ("both ways to a stack agree", both_ways_to_a_stack_agree),
        ("reallocations are followed", reallocations_are_followed),
        ("lifetimes and who freed", lifetimes_and_who_freed),
        ("contents", contents),
        ("labels", labels),
        ("a profile is not in itself", a_profile_is_not_in_itself),
        ("start and stop", start_and_stop),
        ("blocks of before", blocks_of_before),
        ("a panic hook takes a profile", a_panic_hook_takes_a_profile),
        ("addresses come and go", addresses_come_and_go),
        (
            "snapshots while threads come and go",
            snapshots_while_threads_come_and_go,
        ),
        ("storms of starts and stops", storms_of_starts_and_stops),
        ("more threads than slots", more_threads_than_slots),
        ("destructors of thread-locals", destructors_of_thread_locals),
        ("a child goes on", a_child_goes_on),
    ];
    support::run("heap_profile", checks, impossible);
}

/// Why a check cannot hold under a tool of `cargo xtask verify`.
fn impossible(tool: &str, name: &str) -> Option<&'static str> {
    match (tool, name) {
        ("valgrind", "more threads than slots") => Some("which has room for 500 threads"),
        ("msan" | "valgrind", "contents") => Some("which does not see what is written by then"),
        ("valgrind" | "tsan", "a child goes on") => Some("which follows no fork of threads"),
        _ => None,
    }
}

fn nothing_before_the_start() {
    assert_eq!(heap_profile().unwrap_err(), ProfileError::NotStarted);
    assert_eq!(set_profiling_rate(1), Err(ProfileError::NotStarted));
    assert!(!stop_profiling());
    for wrong in [
        profiling().rate(0),
        profiling().rate(u64::MAX),
        profiling().live_samples(0),
    ] {
        assert!(matches!(wrong.start(), Err(ProfileError::Invalid(_))));
    }
    profiling().rate(1).live_samples(1 << 18).start().unwrap();
    assert!(stop_profiling());
    assert!(
        sum(&profile()).samples < 20,
        "a start alone is next to nothing"
    );
}

fn exact_mode_counts_what_the_counters_count() {
    let ((before, kept, after), delta, sum) = sampled(1, 1, || {
        let before = read().unwrap();
        let mut kept: Vec<Vec<u8>> = Vec::new();
        for nth in 0..1000 {
            kept.push(black_box(vec![1; nth + 1]));
            drop(black_box(vec![0_u64; nth + 1]));
        }
        kept.truncate(100);
        kept.shrink_to_fit();
        let after = read().unwrap();
        (before, kept, after)
    });
    let counted = after.since(&before);
    assert_eq!(sum.alloc_objects, counted.alloc_calls());
    assert_eq!(sum.alloc_bytes, counted.allocated_bytes);
    let in_use = after.live_bytes - before.live_bytes;
    assert_eq!(sum.inuse_bytes, in_use);
    assert_eq!(sum.inuse_objects, 101);
    assert_eq!(
        sum.samples, sum.alloc_objects,
        "each is a sample of weight one"
    );
    assert_eq!(delta.dropped.samples, 0);
    drop(kept);
    let left = self::sum(&profile());
    assert_eq!(
        left.inuse_objects,
        self::sum(&delta).inuse_objects - 101,
        "followed after the stop"
    );
}

/// The site that has a function among its inner frames, by the function's address.
fn site_of(profile: &HeapProfile, function: usize, length: usize) -> Option<&Site> {
    let within = |ip: &usize| (function..function + length).contains(ip);
    profile
        .sites()
        .iter()
        .find(|site| site.stack.iter().take(6).any(within))
}

fn stacks_lead_to_the_code() {
    let (block, delta, _) = sampled(1, 1, || allocate_here(12_345));
    if delta.capture.unwinder == Unwinder::None {
        println!("stacks: SKIPPED, this program cannot be unwound");
        return;
    }
    let function = allocate_here as fn(usize) -> Vec<u8> as usize;
    let site = site_of(&delta, function, 2000).expect("the function is on some stack");
    assert_eq!((site.inuse_objects, site.inuse_bytes), (1, 12_345));
    assert!(site.stack.len() > 3, "not shallow: {site:?}");
    assert_eq!(site.buckets.len(), 1);
    assert_eq!(
        (site.buckets[0].min_size, site.buckets[0].max_size),
        (12_345, 12_345)
    );
    assert!(!site.is_other());
    drop(block);
}

/// Every stack through a new place in the code is compared with the system's unwinder, in this program
/// as in all others; here it is made sure that there are many.
fn both_ways_to_a_stack_agree() {
    #[inline(never)]
    fn descend(depth: usize) -> usize {
        let held = allocate_here(depth + 1);
        let below = if depth == 0 { 0 } else { descend(depth - 1) };
        below + black_box(held).capacity()
    }
    let ((), profile, _) = sampled(1, 1, || {
        // Among them one whose stack has just as many frames as are kept.
        for depth in [1, 200].into_iter().chain(30..70) {
            descend(black_box(depth));
        }
        let panicked = std::panic::catch_unwind(|| {
            let _guard = allocate_here(100);
            std::panic::resume_unwind(Box::new(descend(3)));
        });
        assert!(panicked.is_err());
        thread::spawn(|| descend(black_box(20))).join().unwrap();
        let mut numbers: Vec<usize> = (0..100).rev().collect();
        numbers.sort_by_cached_key(|number| allocate_here(*number));
    });
    let capture = profile.capture;
    assert_eq!(capture.different, 0, "{capture:?}");
    assert!(capture.truncated > 0, "the deepest are cut off");
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        assert_eq!(capture.unwinder, Unwinder::Tables, "{capture:?}");
        assert!(capture.compared > 15, "{capture:?}");
        assert!(capture.walked > 500, "{capture:?}");
        // The lessons are the only ones.
        assert!(capture.unwound < capture.compared, "{capture:?}");
    }
}

fn reallocations_are_followed() {
    let (mut text, delta, _) = sampled(1, 1, || {
        let mut text: Vec<u8> = Vec::with_capacity(8);
        for byte in 0..1000_u32 {
            text.push(black_box(byte.to_le_bytes()[0]));
        }
        text
    });
    let steps: u64 = delta.sites().iter().map(|site| site.reallocs).sum();
    assert_eq!(steps, 7, "8 to 1024");
    let in_use: u64 = delta.sites().iter().map(|site| site.inuse_bytes).sum();
    assert!(in_use >= 1024);
    let before = profile();
    text.shrink_to(1000);
    drop(text);
    let ended = profile().delta(&before);
    let growth: Vec<_> = ended
        .sites()
        .iter()
        .filter(|site| site.growth.chains > 0)
        .collect();
    let growth = &growth[0].growth;
    assert_eq!(
        (growth.chains, growth.first_bytes, growth.final_bytes),
        (1, 8, 1000)
    );
    assert_eq!(growth.steps, 8);
    assert_eq!(growth.final_sizes.quantile(0.5), Some(1023));
}

fn lifetimes_and_who_freed() {
    let ((), delta, _) = sampled(1, 1, || {
        for _ in 0..50 {
            drop(allocate_here(777));
        }
        let block = allocate_here(778);
        thread::spawn(move || drop(block)).join().unwrap();
    });
    let site = |size: u64| {
        let has = |site: &&Site| site.buckets.iter().any(|bucket| bucket.min_size == size);
        delta.sites().iter().find(has).unwrap()
    };
    let short = site(777);
    assert_eq!(
        (
            short.alloc_objects,
            short.freed_objects,
            short.freed_elsewhere
        ),
        (50, 50, 0)
    );
    assert_eq!(
        short.lifetimes.own_allocs.0[0], 50,
        "freed before anything else was allocated"
    );
    assert_eq!(short.lifetimes.process_bytes.total(), 50);
    assert_eq!(short.lifetimes.nanos.total(), 50);
    assert!(short.freed_together >= 49);
    assert_eq!(site(778).freed_elsewhere, 1);
}

fn contents() {
    profiling().rate(1).fingerprints(true).start().unwrap();
    stop_profiling();
    let (_, delta, _) = sampled(1, 1, || {
        for nth in 0..90 {
            drop(black_box(format!("host-{:06}", nth % 3)));
            drop(black_box([7_u8; 300].to_vec()));
        }
    });
    if !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        return;
    }
    let contents = delta
        .sites()
        .iter()
        .filter_map(|site| site.contents.as_ref());
    let contents: Vec<_> = contents.filter(|contents| contents.blocks >= 90).collect();
    assert_eq!(contents.len(), 1, "long buffers are not looked at");
    assert_eq!(contents[0].distinct(), 3);
    assert_eq!(
        contents[0]
            .prints
            .iter()
            .map(|print| print.blocks)
            .sum::<u16>(),
        90
    );
    assert_eq!(contents[0].share_of_singletons(), 0.0);
}

fn labels() {
    let (_, delta, _) = sampled(1, 1, || {
        let work = |label: &'static str| {
            move || {
                label_thread(label).unwrap();
                drop(allocate_here(4321));
            }
        };
        for label in ["reader", "writer", "reader"] {
            thread::spawn(work(label)).join().unwrap();
        }
    });
    let of = |label: &str| {
        let at = delta
            .labels
            .iter()
            .position(|known| known == label)
            .unwrap();
        let buckets = delta.sites().iter().flat_map(|site| &site.buckets);
        let mine =
            buckets.filter(|bucket| usize::from(bucket.label) == at && bucket.max_size == 4321);
        mine.map(|bucket| bucket.alloc_objects).sum::<u64>()
    };
    assert_eq!((of("reader"), of("writer")), (2, 1));
}

fn a_profile_is_not_in_itself() {
    profiling().rate(1).start().unwrap();
    let before = sum(&profile());
    let profiles = [profile(), profile(), profile()];
    assert_eq!(sum(&profiles[2]), before);
    profiling().start().unwrap_err();
    drop(profiles);
    drop(allocate_here(10));
    let after = sum(&profile());
    assert_eq!(after.samples, before.samples + 1, "and sampling goes on");
}

fn start_and_stop() {
    profiling().start().unwrap();
    assert_eq!(profiling().start(), Err(ProfileError::AlreadyStarted));
    assert_eq!(heap_profile().unwrap().rate_bytes, 512 << 10);
    assert_eq!(set_profiling_rate(64 << 10), Ok(()));
    assert_eq!(heap_profile().unwrap().rate_bytes, 64 << 10);
    assert!(set_profiling_rate(0).is_err());
    assert!(stop_profiling());
    assert!(!stop_profiling());
    let before = sum(&profile());
    drop(allocate_here(64 << 20));
    assert_eq!(sum(&profile()), before, "stopped is stopped");
}

/// What was allocated while nothing was sampled is no sample, whatever becomes of it; and the first thing that a
/// thread does may be to free.
fn blocks_of_before() {
    let mut blocks: Vec<_> = (0..100).map(|nth| allocate_here(nth * 10 + 1)).collect();
    let ((), _, sum) = sampled(1, 1, || {
        for block in blocks.drain(50..) {
            drop(block);
        }
        let kept = allocate_here(10);
        let sampled_and_not = (kept, blocks.pop().unwrap());
        thread::spawn(move || drop(sampled_and_not)).join().unwrap();
    });
    assert_eq!(sum.inuse_objects, 0);
    let before = self::sum(&profile());
    drop(blocks);
    assert_eq!(self::sum(&profile()), before);
}

/// A panic allocates, and whoever looks at it may want to know about the heap.
fn a_panic_hook_takes_a_profile() {
    let (seen, _, _) = sampled(1, 1, || {
        let before = std::panic::take_hook();
        static SAMPLES: AtomicU64 = AtomicU64::new(0);
        std::panic::set_hook(Box::new(|_| {
            SAMPLES.store(sum(&profile()).samples, Ordering::Relaxed);
        }));
        let held = allocate_here(50);
        std::panic::catch_unwind(|| panic!("on purpose")).unwrap_err();
        std::panic::set_hook(before);
        drop(held);
        SAMPLES.load(Ordering::Relaxed)
    });
    assert!(seen > 0);
}

/// An address that was a sample, is freed by another thread and handed out to that one, which samples it too, and so
/// on: no end meets another one's beginning.
fn addresses_come_and_go() {
    const ROUNDS: usize = 500;
    let (moved, delta, sum) = sampled(1, 1, || {
        let hand = Arc::new(Mutex::new(Vec::new()));
        // Joined one by one: a scope may end while its threads still free what std gave them.
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let hand = Arc::clone(&hand);
                thread::spawn(move || {
                    let mut moved = 0;
                    for _ in 0..ROUNDS {
                        let mine = allocate_here(64);
                        let address = mine.as_ptr();
                        let other = mem::replace(&mut *hand.lock().unwrap(), mine);
                        let freed = other.as_ptr();
                        drop(other);
                        let again = allocate_here(64);
                        moved += usize::from(again.as_ptr() == freed && freed != address);
                        thread::yield_now();
                    }
                    moved
                })
            })
            .collect();
        let moved = threads.into_iter().map(|thread| thread.join().unwrap());
        moved.sum::<usize>()
    });
    // glibc hands out what a thread freed last; the tools set freed blocks aside.
    let hands_out_again = cfg!(target_env = "gnu") && thrifty_testkit::tool().is_none();
    assert!(moved > ROUNDS || !hands_out_again, "{moved}");
    assert_eq!(delta.dropped.samples, 0);
    assert_eq!(sum.inuse_bytes, 0);
    assert!(sum.samples >= 4 * 2 * ROUNDS as u64);
}

fn snapshots_while_threads_come_and_go() {
    let stop = AtomicBool::new(false);
    profiling().rate(512).start().unwrap();
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut readings = 0;
            while !stop.load(Ordering::Relaxed) {
                profile();
                readings += 1;
            }
            readings
        });
        for _ in 0..40 {
            let (send, receive) = mpsc::channel::<Vec<u8>>();
            let workers: Vec<_> = (0..4)
                .map(|nth| {
                    let send = send.clone();
                    scope.spawn(move || {
                        for size in 0..200 {
                            let mut bytes = allocate_here(size + nth);
                            bytes.reserve_exact(size * 3);
                            send.send(bytes).unwrap();
                        }
                    })
                })
                .collect();
            drop(send);
            receive.iter().for_each(drop);
            workers
                .into_iter()
                .for_each(|worker| worker.join().unwrap());
        }
        stop.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
    stop_profiling();
    assert_eq!(profile().dropped.samples, 0);
}

fn storms_of_starts_and_stops() {
    let (stop, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    let before = sum(&profile());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut held = Vec::new();
                let mut nth = 0_usize;
                while !stop.load(Ordering::Relaxed) {
                    nth += 1;
                    held.push(allocate_here(nth % 700));
                    if held.len() > 100 {
                        held.clear();
                        rounds.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        for nth in 0..1000_u64 {
            if nth % 2 == 0 {
                profiling().rate(1 + nth % 5 * 1000).start().unwrap();
                let _ = set_profiling_rate(100 + nth);
            } else {
                assert!(stop_profiling());
            }
            // Starts and stops meet threads at work; two rounds, since one may have begun before.
            let seen = rounds.load(Ordering::Relaxed);
            while nth % 45 == 44 && rounds.load(Ordering::Relaxed) < seen + 2 {
                thread::yield_now();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    stop_profiling();
    let after = sum(&profile());
    assert!(after.samples > before.samples);
    // What the checks before left in use may be gone, what this one sampled is.
    assert!(
        after.inuse_bytes <= before.inuse_bytes + 4096,
        "{before:?} {after:?}"
    );
}

/// With more threads than the counters have slots the rest share, and are sampled just the same.
fn more_threads_than_slots() {
    let count = 1100;
    let ((), delta, _) = sampled(1, 1, || {
        let (send, receive) = mpsc::sync_channel::<()>(0);
        let receive = Arc::new(Mutex::new(receive));
        let threads: Vec<_> = (0..count)
            .map(|_| {
                let receive = Arc::clone(&receive);
                thread::Builder::new()
                    .stack_size(64 << 10)
                    .spawn(move || {
                        assert!(receive.lock().unwrap().recv().is_err());
                        drop(allocate_here(3333));
                    })
                    .unwrap()
            })
            .collect();
        drop(send);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
    let buckets = delta.sites().iter().flat_map(|site| &site.buckets);
    let mine = buckets.filter(|bucket| bucket.max_size == 3333);
    assert_eq!(mine.map(|bucket| bucket.alloc_objects).sum::<u64>(), count);
}

fn destructors_of_thread_locals() {
    struct Late(Vec<u8>);
    impl Drop for Late {
        fn drop(&mut self) {
            drop(allocate_here(2222));
            self.0 = Vec::new();
        }
    }
    thread_local! { static LATE: Late = Late(allocate_here(2221)); }
    let ((), delta, _) = sampled(1, 1, || {
        for _ in 0..20 {
            thread::spawn(|| LATE.with(|late| assert_eq!(late.0.capacity(), 2221)))
                .join()
                .unwrap();
        }
    });
    for size in [2221, 2222] {
        let buckets = delta.sites().iter().flat_map(|site| &site.buckets);
        let mine: Vec<_> = buckets.filter(|bucket| bucket.max_size == size).collect();
        assert_eq!(
            mine.iter().map(|bucket| bucket.alloc_objects).sum::<u64>(),
            20
        );
        assert_eq!(
            mine.iter().map(|bucket| bucket.inuse_objects).sum::<u64>(),
            0
        );
    }
}

#[cfg(unix)]
fn a_child_goes_on() {
    profiling().rate(64).start().unwrap();
    let busy = || {
        let blocks: Vec<_> = (0..50).map(|nth| allocate_here(nth * 7 + 1)).collect();
        drop(blocks);
    };
    let child = || {
        let before = sum(&profile());
        let blocks: Vec<_> = (0..2000).map(|nth| allocate_here(nth % 300 + 1)).collect();
        let held = sum(&profile());
        assert!(held.samples > before.samples, "sampling goes on");
        drop(blocks);
        let after = sum(&profile());
        assert!(after.inuse_bytes < held.inuse_bytes);
    };
    thrifty_testkit::fork(10, busy, child).assert_all_returned();
}

#[cfg(not(unix))]
fn a_child_goes_on() {}
