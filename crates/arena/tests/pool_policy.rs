//! What a pool of arenas keeps, and that an arena comes back as new.

use std::{cell::Cell, ops::Deref, sync::Arc};

use thrifty_arena::{Arena, ArenaPool, MemoryUsage, Pressure, Retain};

#[test]
fn a_limit_that_a_request_set_ends_with_it() {
    let pool = ArenaPool::with_settings(4, Arena::builder().limit(1 << 20));
    let arena = pool.get();
    arena.alloc(1);
    arena.set_limit(0);
    drop(arena);
    let arena = pool.get();
    assert_eq!(arena.limit(), 1 << 20);
    arena.alloc_slice_fill(10_000, 0_u8);
}

/// Many at once, once: what nobody needs any more goes, without anybody asking.
#[test]
fn a_burst_is_forgotten() {
    let pool = ArenaPool::new();
    let lent: Vec<_> = (0..32).map(|_| pool.get()).collect();
    for arena in &lent {
        arena.alloc_slice_fill(1 << 20, 0_u8);
    }
    drop(lent);
    assert!(pool.memory_usage().idle_bytes >= 32 << 20);
    for _ in 0..20_000 {
        pool.get().alloc([0_u8; 100]);
    }
    let idle = pool.memory_usage().idle_bytes;
    assert!(idle <= 1 << 20, "{} arenas, {idle} bytes", pool.idle());
    // Who wants to keep everything says so.
    let pool = ArenaPool::with_settings(32, Arena::builder().retain(Retain::All));
    let lent: Vec<_> = (0..32).map(|_| pool.get()).collect();
    lent.iter().for_each(|arena| assert_eq!(*arena.alloc(1), 1));
    drop(lent);
    for _ in 0..20_000 {
        pool.get().alloc(1);
    }
    assert_eq!(pool.idle(), 32);
}

/// One thread takes arenas, another one gives them back: neither ever finds its own again.
#[test]
fn a_burst_that_wanders_is_forgotten() {
    let pool = Arc::new(ArenaPool::new());
    let lent: Vec<_> = (0..32).map(|_| pool.get()).collect();
    lent.iter().for_each(|arena| assert_eq!(*arena.alloc(1), 1));
    drop(lent);
    assert_eq!(pool.idle(), 32);
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    let there = Arc::clone(&pool);
    let thread = std::thread::spawn(move || {
        for _ in 0..20_000 {
            let arena = ArenaPool::get_shared(&there);
            arena.alloc(1);
            send.send(arena).unwrap();
        }
    });
    receive.into_iter().for_each(drop);
    thread.join().unwrap();
    assert!(pool.idle() <= 12, "{}", pool.idle());
}

/// What is used at once again and again stays.
#[test]
fn a_steady_load_makes_no_arena() {
    let pool = ArenaPool::new();
    let used = |pool: &ArenaPool| {
        let lent: Vec<_> = (0..10).map(|_| pool.get()).collect();
        let warm = lent.iter().filter(|arena| arena.stats().reserved_bytes > 0);
        let warm = warm.count();
        lent.iter().for_each(|arena| assert_eq!(*arena.alloc(1), 1));
        warm
    };
    assert_eq!(used(&pool), 0);
    for _ in 0..3000 {
        assert_eq!(used(&pool), 10);
    }
}

#[test]
fn a_pool_is_trimmed() {
    let pool = ArenaPool::new();
    pool.get().alloc([0_u8; 1000]);
    assert!(pool.trim(Pressure::Low).is_nothing());
    assert!(pool.trim(Pressure::Low).bytes > 1000);
    pool.get().alloc([0_u8; 1000]);
    assert_eq!(pool.trim(Pressure::High).items, 1);
    assert_eq!(pool.memory_usage().reserved_bytes, 0);
}

/// A pointer that leads elsewhere each time.
#[derive(Clone)]
struct Fickle(Arc<[ArenaPool; 2]>, Cell<usize>);

impl Deref for Fickle {
    type Target = ArenaPool;

    fn deref(&self) -> &ArenaPool {
        self.1.set(self.1.get() + 1);
        &self.0[self.1.get() % 2]
    }
}

#[test]
fn an_arena_goes_to_no_other_pool() {
    let secret = ArenaPool::with_settings(4, Arena::builder().zeroize(true));
    let pools = Arc::new([ArenaPool::new(), secret]);
    for pool in &*pools {
        pool.get().alloc([1_u8; 1000]);
    }
    let guard = ArenaPool::get_shared(&Fickle(Arc::clone(&pools), Cell::new(0)));
    guard.alloc(1);
    drop(guard);
    for pool in &*pools {
        let usage = pool.memory_usage();
        assert!(
            pool.idle() <= 1 && usage.reserved_bytes < 1 << 20,
            "{usage:?}"
        );
    }
}

#[test]
fn threads_share_what_is_idle() {
    // What one thread gave back another one gets, wherever it waits.
    let pool = ArenaPool::with_settings(3, Arena::builder());
    for _ in 0..20 {
        std::thread::scope(|scope| {
            scope.spawn(|| pool.get().alloc([0_u8; 100])[0]);
        });
    }
    assert_eq!(pool.idle(), 1, "one at a time");
    let lent: Vec<_> = (0..3).map(|_| pool.get()).collect();
    lent.iter().for_each(|arena| assert_eq!(*arena.alloc(1), 1));
    drop(lent);
    assert_eq!(pool.idle(), 3);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let lent: Vec<_> = (0..3).map(|_| pool.get()).collect();
            assert!(lent.iter().all(|arena| arena.stats().reserved_bytes > 0));
            assert_eq!(pool.idle(), 0);
        });
    });
}
