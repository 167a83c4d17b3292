//! Threads that come, go, end, are too many, or exist once only: after a fork.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant as Stopwatch;

use thrifty_pool::clock::Instant;
use thrifty_pool::{Pool, Pressure, StaticPool, ThreadCache};
use thrifty_testkit::{Ledger, Registered, Tracked, around_tls_destructors, churn, together};

type Item = Tracked<u64>;
type Items = Pool<Item, thrifty_pool::With<Item, fn(&mut Item)>>;

/// What users pair a bounded pool with.
struct Semaphore {
    permits: Mutex<usize>,
    is_free: Condvar,
}

impl Semaphore {
    fn acquire(&self) {
        let permits = self.permits.lock().expect("nobody panics");
        let wait = self.is_free.wait_while(permits, |permits| *permits == 0);
        *wait.expect("nobody panics") -= 1;
    }

    fn release(&self) {
        *self.permits.lock().expect("nobody panics") += 1;
        self.is_free.notify_one();
    }
}

#[test]
fn with_a_permit_for_each_item_a_bounded_pool_has_one() {
    for (threads, most) in [(16, 2), (32, 8)] {
        let pool = Pool::builder(String::new)
            .max_total(most)
            .build()
            .expect("sound limits");
        let semaphore = Semaphore {
            permits: Mutex::new(most),
            is_free: Condvar::new(),
        };
        let exhausted = AtomicUsize::new(0);
        together(threads, |_| {
            for _ in 0..160_000 / threads {
                semaphore.acquire();
                if pool.try_get().is_err() {
                    exhausted.fetch_add(1, Relaxed);
                }
                semaphore.release();
            }
        });
        assert_eq!(
            exhausted.load(Relaxed),
            0,
            "{threads} threads, {most} items"
        );
        assert!(pool.stats().live <= most);
    }
}

fn pool(ledger: &Ledger, cache: ThreadCache) -> Items {
    let tracks = *ledger;
    let reset: fn(&mut Item) = |item| **item = 0;
    Pool::builder_with(move || tracks.track(0), reset)
        .thread_cache(cache)
        .build()
        .expect("sound limits")
}

fn caches() -> [ThreadCache; 3] {
    [ThreadCache::Auto, ThreadCache::Off, ThreadCache::Rounds(2)]
}

/// Takes a few, writes to them, and gives them back.
fn work(pool: &Items, seed: usize) {
    let mut held: Vec<_> = (0..1 + seed % 5).map(|_| pool.get()).collect();
    for item in &mut held {
        assert_eq!(***item, 0, "an item came back dirty, or is lent twice");
        ***item = seed as u64 + 1;
    }
    for item in &held {
        assert_eq!(***item, seed as u64 + 1, "an item is lent twice");
    }
}

#[test]
fn threads_share_a_pool_and_lose_nothing() {
    for cache in caches() {
        let ledger = Ledger::new();
        let pool = pool(&ledger, cache);
        together(8, |index| {
            (0..500).for_each(|round| work(&pool, index + round));
        });
        let stats = pool.stats();
        assert_eq!((stats.in_use, stats.live), (0, stats.idle), "{cache:?}");
        assert_eq!(ledger.live(), stats.live as u64);
        // Two magazines of each thread, the stripes, and what was in use at once.
        assert!(stats.live <= 4096, "{stats:?}");
        drop(pool);
        ledger.assert_balanced();
    }
}

#[test]
fn items_made_here_and_returned_there_go_round() {
    let ledger = Ledger::new();
    let pool = pool(&ledger, ThreadCache::Auto);
    let (send, receive) = std::sync::mpsc::sync_channel(16);
    let maker = pool.clone();
    let maker = thread::spawn(move || {
        for number in 1..=20_000 {
            let mut item = maker.get();
            assert_eq!(**item, 0);
            **item = number;
            send.send(item).unwrap();
        }
    });
    for (number, item) in (1..).zip(receive) {
        assert_eq!(**item, number);
    }
    maker.join().unwrap();
    // In flight at once are 18; the rest are the magazines that travel.
    assert!(
        ledger.born() < 1000,
        "{} items for 18 in flight",
        ledger.born()
    );
}

/// Ten thousand threads, sixteen at a time: what exists is bounded by those at a time.
#[test]
fn short_threads_leave_nothing_behind() {
    let ledger = Ledger::new();
    let pool = pool(&ledger, ThreadCache::Rounds(8));
    let generations = if cfg!(debug_assertions) { 125 } else { 625 };
    let most = AtomicUsize::new(0);
    churn(generations, 16, |number| {
        work(&pool, number);
        most.fetch_max(pool.stats().thread_caches, Relaxed);
    });
    let stats = pool.stats();
    assert!(
        ledger.born() <= 16 * 5 * 2,
        "{} items made for 80 at once",
        ledger.born()
    );
    assert_eq!((stats.in_use, stats.idle as u64), (0, ledger.live()));
    assert!(
        most.into_inner() <= 17,
        "a seat is left when its thread ends"
    );
    drop(pool);
    ledger.assert_balanced();
}

/// More threads at a time than may have a cache: the others share the stripes.
#[test]
fn more_threads_than_caches() {
    let ledger = Ledger::new();
    let tracks = ledger;
    let reset: fn(&mut Item) = |item| **item = 0;
    let pool = Pool::builder_with(move || tracks.track(0), reset)
        .max_thread_caches(2)
        .build()
        .unwrap();
    let barrier = std::sync::Barrier::new(12);
    together(12, |index| {
        barrier.wait();
        (0..200).for_each(|round| work(&pool, index + round));
        assert!(pool.stats().thread_caches <= 2);
        barrier.wait();
    });
    assert_eq!(pool.stats().in_use, 0);
    drop(pool);
    ledger.assert_balanced();
}

/// In a process of its own, since it may take what the machine has.
#[cfg(target_os = "linux")]
#[test]
fn more_than_4096_threads_at_once() {
    if thrifty_testkit::is_skipped_under(&[], "thousands of threads, each of which it slows") {
        return;
    }
    let ended = thrifty_testkit::in_child!(|| {
        let ledger = Ledger::new();
        let pool = pool(&ledger, ThreadCache::Auto);
        let wanted = 4200;
        let (sends, waits) = std::sync::mpsc::channel::<()>();
        let waits = Arc::new(Mutex::new(waits));
        let mut threads = Vec::new();
        for index in 0..wanted {
            let (pool, waits) = (pool.clone(), Arc::clone(&waits));
            let body = move || {
                work(&pool, index);
                // Until the sender is gone.
                let _ = waits.lock().unwrap().recv();
                work(&pool, index);
            };
            match thread::Builder::new().stack_size(64 << 10).spawn(body) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    eprintln!("skipped in part: thread {index} does not start: {error}");
                    break;
                }
            }
        }
        drop(sends);
        for thread in threads {
            thread.join().unwrap();
        }
        let stats = pool.stats();
        assert_eq!(stats.in_use, 0);
        // The depot, the caches and the stripes; however many threads there were.
        let cores = thread::available_parallelism().map_or(4, usize::from);
        let holders = (4 * cores).max(16) + cores;
        assert!(stats.live <= 4096 + holders * 2 * 64, "{stats:?}");
        drop(pool);
        ledger.assert_balanced();
    });
    ended.assert_returned();
    if ended.stderr().contains("skipped") {
        eprintln!("{}", ended.stderr());
    }
}

#[test]
fn thread_locals_destructors_may_use_the_pool() {
    for cache in caches() {
        let ledger = Ledger::new();
        let pool = pool(&ledger, cache);
        let held = Arc::new(Mutex::new(Some(pool.get())));
        let late = {
            let (pool, held) = (pool.clone(), Arc::clone(&held));
            move |_: Registered| {
                drop(held.lock().unwrap().take());
                work(&pool, 3);
                pool.flush_thread();
                pool.trim(Pressure::Low);
                pool.stats().in_use
            }
        };
        let touched = pool.clone();
        let seen = around_tls_destructors(move || work(&touched, 7), late);
        assert_eq!(
            seen,
            [(Registered::After, 0), (Registered::Before, 0)],
            "{cache:?}"
        );
        assert_eq!(ledger.live(), pool.stats().idle as u64);
        // What the late ones left is within reach of others.
        let idle = pool.stats().idle;
        let all: Vec<_> = std::iter::from_fn(|| pool.get_idle()).collect();
        assert_eq!(all.len(), idle, "{cache:?}");
        drop(all);
        drop((pool, held));
        ledger.assert_balanced();
    }
}

#[test]
fn the_last_guard_may_be_dropped_in_a_thread_locals_destructor() {
    let ledger = Ledger::new();
    let guard = Mutex::new(Some(pool(&ledger, ThreadCache::Auto).get()));
    around_tls_destructors(|| (), move |_| drop(guard.lock().unwrap().take()));
    ledger.assert_balanced();
}

#[test]
fn a_pool_dropped_by_one_thread_while_others_hold_guards() {
    let ledger = Ledger::new();
    for _ in 0..20 {
        let pool = pool(&ledger, ThreadCache::Auto);
        let barrier = Arc::new(std::sync::Barrier::new(5));
        let threads: Vec<_> = (0..4)
            .map(|index| {
                let (pool, barrier) = (pool.clone(), Arc::clone(&barrier));
                thread::spawn(move || {
                    work(&pool, index);
                    let guards: Vec<_> = (0..10).map(|_| pool.get()).collect();
                    drop(pool);
                    barrier.wait();
                    drop(guards);
                })
            })
            .collect();
        barrier.wait();
        drop(pool);
        for thread in threads {
            thread.join().unwrap();
        }
        ledger.assert_balanced();
    }
}

/// Keys of pools are never reused, and the tables of threads do not fill up.
#[test]
fn a_million_pools_come_and_go() {
    let count = if cfg!(debug_assertions) {
        20_000
    } else {
        1_000_000
    };
    let before = Stopwatch::now();
    let mut kept = Vec::new();
    for number in 0..count {
        let pool = Pool::new(String::new);
        let mut line = pool.get();
        assert_eq!(*line, "");
        line.push('x');
        drop(line);
        if number % (count / 10) == 0 {
            kept.push(pool);
        }
    }
    for pool in kept {
        assert_eq!(pool.stats().idle, 1);
    }
    // A time, and no test of speed: ten times what it takes on a slow machine.
    let passed = before.elapsed();
    let is_slowed = cfg!(debug_assertions) || thrifty_testkit::tool().is_some();
    assert!(is_slowed || passed.as_secs() < 20, "{passed:?}");
}

#[test]
fn trims_meet_threads_at_work() {
    let ledger = Ledger::new();
    let pool = pool(&ledger, ThreadCache::Rounds(4));
    together(4, |index| {
        for round in 0..300_u64 {
            work(&pool, usize::try_from(round).unwrap());
            match (index, round % 7) {
                (0, 0) => drop(pool.trim(Pressure::High)),
                (1, 0) => drop(pool.trim(Pressure::High)),
                (1, 1) => drop(pool.trim(Pressure::Medium)),
                // A storm of intervals that end, for every thread in its own time.
                (_, 4) => drop(pool.tick_at(Instant::from_nanos(round << 35))),
                (2, 2) => pool.flush_thread(),
                (3, 3) => assert!(pool.prefill(5).is_ok()),
                _ => {}
            }
            let usage = pool.stats().usage();
            assert!(usage.reserved_bytes >= usage.idle_bytes);
        }
    });
    assert_eq!(pool.stats().in_use, 0);
    drop(pool);
    ledger.assert_balanced();
}

#[test]
fn a_pool_closed_among_threads_at_work_keeps_nothing() {
    for _ in 0..20 {
        let ledger = Ledger::new();
        let pool = pool(&ledger, ThreadCache::Rounds(2));
        together(4, |index| {
            for round in 0..100 {
                if index == 0 && round == 50 {
                    pool.close();
                }
                let held: Vec<_> = (0..5).filter_map(|_| pool.try_get().ok()).collect();
                assert!(held.is_empty() || round <= 50 || index != 0);
            }
        });
        assert_eq!((pool.stats().live, ledger.live()), (0, 0));
    }
}

/// A child of `fork` has the forking thread only: its cache and the depot are there, and other
/// threads' caches are out of reach. Nothing hangs, since nothing waits for another thread.
#[cfg(unix)]
#[test]
fn a_forked_child_goes_on() {
    if thrifty_testkit::is_skipped_under(&["tsan", "valgrind"], "a forked child beside threads") {
        return;
    }
    static POOL: StaticPool<Vec<u8>> = StaticPool::from_fn(|| {
        Pool::builder(|| Vec::with_capacity(100))
            .thread_cache(ThreadCache::Rounds(2))
            .max_thread_caches(1)
            .max_idle(10)
            .build()
            .unwrap()
    });
    let busy = || {
        let held: Vec<_> = (0..30).map(|_| POOL.get()).collect();
        drop(held);
        POOL.trim(Pressure::Low);
    };
    thrifty_testkit::fork(10, busy, || {
        for _ in 0..10 {
            let mut held: Vec<_> = (0..30).map(|_| POOL.get()).collect();
            held.iter_mut().for_each(|item| item.push(1));
            drop(held);
            assert!(POOL.get().is_empty());
            POOL.flush_thread();
            POOL.trim(Pressure::High);
            let _ = POOL.stats();
        }
    })
    .assert_all_returned();
}
