//! The slots of threads for large buffers: trims reach them, closing empties them.
#![cfg(feature = "thread_local")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::cell::RefCell;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use thrifty_pool::{BufferPool, PooledBuf, Pressure, clock::ManualClock};
use thrifty_testkit::together;

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
