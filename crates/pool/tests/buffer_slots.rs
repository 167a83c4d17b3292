//! The slots of threads for large buffers: trims reach them, closing empties them.
#![cfg(feature = "thread_local")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use thrifty_pool::clock::{Clock, Instant, ManualClock};
use thrifty_pool::{BufferPool, PooledBuf, Pressure};
use thrifty_testkit::{in_child, quietly, together};

const LARGE: usize = 100_000;

fn slotted(pool: &BufferPool) -> usize {
    pool.stats()
        .classes()
        .iter()
        .map(|class| class.slotted)
        .sum()
}

fn is_at_rest(pool: &BufferPool) {
    let stats = pool.stats();
    for class in stats.classes() {
        assert_eq!(class.in_use, 0, "{class:?}");
        let live = usize::try_from(class.created - class.freed).unwrap();
        assert_eq!(class.idle(), live, "{class:?}");
    }
    assert_eq!((stats.unpooled, stats.unpooled_bytes), (0, 0));
}

#[test]
fn a_trim_reaches_the_slots_of_idle_threads() {
    let pool = BufferPool::new();
    let idle = Arc::new(Barrier::new(2));
    let (p, i) = (pool.clone(), Arc::clone(&idle));
    let thread = thread::spawn(move || {
        drop(p.get(LARGE));
        i.wait();
        i.wait();
        p.get(LARGE).as_ptr().addr()
    });
    idle.wait();
    assert_eq!(slotted(&pool), 1);
    assert!(pool.trim(Pressure::Low).is_nothing(), "it was just used");
    assert_eq!(pool.trim(Pressure::Low).items, 1, "nobody wanted it");
    assert_eq!(slotted(&pool), 0);
    drop(pool.get(LARGE));
    assert_eq!(pool.trim(Pressure::Medium).items, 1);
    idle.wait();
    thread.join().unwrap();
    is_at_rest(&pool);
}

#[test]
fn slots_of_idle_threads_age_while_others_work() {
    let clock = Arc::new(ManualClock::new());
    let interval = Duration::from_secs(10);
    let pool = BufferPool::builder()
        .clock(clock.clone())
        .decay_interval(interval)
        .build()
        .unwrap();
    let idle = Arc::new(Barrier::new(2));
    let (p, i) = (pool.clone(), Arc::clone(&idle));
    let thread = thread::spawn(move || {
        drop(p.get(LARGE));
        i.wait();
        i.wait();
    });
    idle.wait();
    for _ in 0..4 {
        for _ in 0..100 {
            drop(pool.get(LARGE));
        }
        clock.advance(interval);
    }
    assert_eq!(slotted(&pool), 1, "this thread's, and not the other's");
    idle.wait();
    thread.join().unwrap();
}

#[test]
fn a_closed_pool_has_empty_slots_whoever_puts_meanwhile() {
    for _ in 0..200 {
        let pool = BufferPool::new();
        let weak = pool.downgrade();
        let bufs = [(); 3].map(|()| Mutex::new(Some(pool.get(LARGE))));
        let pool = Mutex::new(Some(pool));
        together(4, |index| match bufs.get(index) {
            Some(buf) => drop(buf.lock().unwrap().take()),
            None => drop(pool.lock().unwrap().take()),
        });
        assert!(weak.upgrade().is_none());
    }
}

/// A thread that first meets a large buffer when it ends, after others that use `thread_local`.
#[test]
fn a_first_slot_in_a_destructor_is_no_abort() {
    thread_local! {
        static LATE: RefCell<Option<(PooledBuf, Arc<()>)>> = const { RefCell::new(None) };
    }
    let pool = BufferPool::new();
    let alive = Arc::new(());
    let token = Arc::clone(&alive);
    let buf = pool.get(LARGE);
    thread::spawn(move || {
        // First to be registered, so last to be destroyed.
        LATE.with(|late| *late.borrow_mut() = Some((buf, token)));
        let other = thread_local::ThreadLocal::new();
        other.get_or(|| 1);
    })
    .join()
    .unwrap();
    assert_eq!(Arc::strong_count(&alive), 1, "the destructor has not run");
    is_at_rest(&pool);
}

/// The same, looked at by a panic hook: `thread_local` is not asked where it would panic, which would
/// abort a program without unwinding and lose a thread number in any other.
#[test]
fn a_buffer_that_a_destructor_drops_provokes_no_panic() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LATE: RefCell<Option<PooledBuf>> = const { RefCell::new(None) };
    }
    in_child!(|| {
        std::panic::set_hook(Box::new(|_| {
            PANICS.fetch_add(1, Relaxed);
        }));
        let pool = BufferPool::new();
        for _ in 0..10 {
            let buf = pool.get(LARGE);
            let end = move || {
                LATE.set(Some(buf));
                thread_local::ThreadLocal::new().get_or(|| 1);
            };
            thread::spawn(end).join().unwrap();
        }
        drop(std::panic::take_hook());
        assert_eq!(PANICS.load(Relaxed), 0);
        is_at_rest(&pool);
    })
    .assert_returned();
}

/// A thread that gets one buffer, drops it, and waits until `work` is done.
fn beside_an_idle_thread(pool: &BufferPool, work: impl FnOnce()) {
    let idle = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            drop(pool.get(LARGE));
            idle.wait();
            idle.wait();
        });
        idle.wait();
        work();
        idle.wait();
    });
}

#[test]
fn slots_age_also_where_classes_are_used_in_turn() {
    let clock = Arc::new(ManualClock::new());
    let pool = BufferPool::builder().clock(clock.clone()).build().unwrap();
    let sizes = [32, 64, 128, 256].map(|kib| kib << 10);
    for in_turn in 1..=sizes.len() {
        beside_an_idle_thread(&pool, || {
            for _ in 0..4 {
                for _ in 0..64 {
                    // The idle thread's class is the last one, which all counts but its own skip.
                    let others = sizes.iter().filter(|size| **size != 128 << 10);
                    others
                        .take(in_turn - 1)
                        .for_each(|size| drop(pool.get(*size)));
                    drop(pool.get(LARGE));
                }
                clock.advance(Duration::from_secs(10));
            }
            let stats = pool.stats();
            let class = stats.classes().iter().find(|class| class.size == 128 << 10);
            assert_eq!(
                class.unwrap().slotted,
                1,
                "this thread's; {in_turn} in turn"
            );
        });
        pool.trim(Pressure::High);
    }
}

#[test]
fn a_clock_that_panics_reaches_nobody() {
    #[derive(Debug)]
    struct Broken(AtomicUsize);
    impl Clock for Broken {
        fn now(&self) -> Instant {
            self.0.fetch_add(1, Relaxed);
            panic!("on purpose")
        }
    }
    let clock = Arc::new(Broken(AtomicUsize::new(0)));
    let pool = BufferPool::builder().clock(clock.clone()).build().unwrap();
    let all_there = quietly(|| (0..100).all(|_| pool.try_get(LARGE).is_ok()));
    assert!(all_there.expect("contained"));
    assert_eq!(clock.0.load(Relaxed), 1, "one look in 64");
    is_at_rest(&pool);
}
