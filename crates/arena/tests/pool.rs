//! The pool of arenas: what waits, what is kept, who may have it.

use std::{
    cell::Cell,
    sync::{Arc, Weak},
};

use thrifty_arena::{Arena, ArenaPool, MemoryUsage, PooledArena, Pressure, Retain};
use thrifty_testkit::{AllocFault, FailingAlloc, Sweep, quietly, thread_counts, together};
use thrifty_traits::Reclaim;

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

thrifty_testkit::auto_traits! {
    ArenaPool: [Send Sync Unpin !Copy],
    PooledArena<&'static ArenaPool>: [Send !Sync Unpin !Copy],
    PooledArena<Arc<ArenaPool>>: [Send !Sync Unpin !Copy],
    PooledArena<std::rc::Rc<ArenaPool>>: [!Send !Sync Unpin !Copy],
}

#[test]
fn an_arena_comes_back_empty_and_warm() {
    let pool = ArenaPool::new();
    for round in 0..5 {
        let arena = pool.get();
        assert_eq!(arena.stats().used_bytes, 0);
        assert_eq!(arena.stats().reserved_bytes > 0, round > 0);
        arena.alloc_slice_fill(1000, round);
    }
    assert_eq!(pool.idle(), 1);
    let before = thread_counts();
    pool.get().alloc([0_u8; 1000]);
    assert_eq!(thread_counts(), before);
}

#[test]
fn so_many_wait_and_no_more() {
    let pool = ArenaPool::with_settings(2, Arena::builder());
    let lent: Vec<_> = (0..5).map(|_| pool.get()).collect();
    for arena in &lent {
        arena.alloc(1);
    }
    drop(lent);
    assert_eq!((pool.idle(), pool.max_idle()), (2, 2));
    let none = ArenaPool::with_settings(0, Arena::builder());
    none.get().alloc(1);
    assert_eq!((none.idle(), none.memory_usage().reserved_bytes), (0, 0));
}

#[test]
fn each_keeps_so_much_and_no_more() {
    for (retain, most) in [(Retain::Nothing, 0), (Retain::Bytes(20_000), 20_000)] {
        let pool = ArenaPool::with_settings(4, Arena::builder().retain(retain));
        pool.get().alloc_slice_fill(1 << 20, 0_u8);
        assert!(pool.memory_usage().idle_bytes <= most);
    }
    // A request that was out of the ordinary is forgotten.
    let pool = ArenaPool::new();
    pool.get().alloc_slice_fill(1 << 20, 0_u8);
    assert!(pool.memory_usage().idle_bytes > 1 << 20);
    for _ in 0..60 {
        pool.get().alloc_slice_fill(1000, 0_u8);
    }
    assert!(pool.memory_usage().idle_bytes <= 16 << 10);
}

#[test]
fn figures_follow() {
    let pool = ArenaPool::new();
    pool.get().alloc([0_u8; 1000]);
    let idle = pool.memory_usage();
    assert!(idle.idle_bytes > 1000 && idle.in_use_bytes == 0);
    let arena = pool.get();
    assert_eq!(pool.memory_usage().in_use_bytes, idle.idle_bytes);
    assert_eq!(pool.memory_usage().idle_bytes, 0);
    assert_eq!(arena.memory_usage().reserved_bytes, idle.idle_bytes);
    drop(arena);
    assert_eq!(pool.memory_usage(), idle);
}

#[test]
fn low_pressure_leaves_the_working_set() {
    let pool = Arc::new(ArenaPool::new());
    let use_at_once = |count| {
        let lent: Vec<_> = (0..count).map(|_| pool.get()).collect();
        for arena in &lent {
            arena.alloc([0_u8; 100]);
        }
    };
    use_at_once(10);
    assert!(pool.reclaim(Pressure::Low).is_nothing());
    use_at_once(3);
    assert_eq!(pool.reclaim(Pressure::Low).items, 7);
    use_at_once(3);
    assert!(pool.reclaim(Pressure::Low).is_nothing());
    let weak: Weak<ArenaPool> = Arc::downgrade(&pool);
    assert_eq!(weak.memory_usage(), pool.memory_usage());
    assert_eq!(weak.reclaim(Pressure::Medium).items, 3);
    assert_eq!(pool.memory_usage().reserved_bytes, 0);
    drop(pool);
    assert!(weak.reclaim(Pressure::High).is_nothing());
}

#[test]
fn requests_in_many_threads() {
    let pool = Arc::new(ArenaPool::with_settings(3, Arena::builder()));
    together(4, |thread| {
        for round in 0..500_usize {
            let mut arena = ArenaPool::get_shared(&pool);
            let words = arena.alloc_slice_fill(round % 50 + 1, thread);
            assert!(words.iter().all(|word| *word == thread));
            let sum = arena.scope(|scope| scope.alloc_slice_fill(3, 2).iter().sum::<usize>());
            assert_eq!(sum, 6);
            if round % 100 == 0 {
                pool.reclaim(Pressure::High);
            }
        }
    });
    assert!(pool.idle() <= 3);
    pool.reclaim(Pressure::High);
    assert_eq!(pool.memory_usage().reserved_bytes, 0);
}

#[test]
fn a_request_that_panics_gives_its_arena_back() {
    let pool = ArenaPool::new();
    let failed = quietly(|| {
        let arena = pool.get();
        arena.alloc([0_u8; 100]);
        panic!("request");
    });
    assert!(failed.is_err());
    assert_eq!((pool.idle(), pool.memory_usage().in_use_bytes), (1, 0));
}

#[expect(clippy::mem_forget, reason = "what happens then is the test")]
#[test]
fn a_forgotten_guard_costs_its_arena_only() {
    let pool = ArenaPool::new();
    std::mem::forget(pool.get());
    assert_eq!(*pool.get().alloc(1), 1);
    assert_eq!(pool.idle(), 1);
}

#[test]
fn a_guard_may_outlive_everything_else() {
    thread_local! {
        static LAST: Cell<Option<PooledArena<Arc<ArenaPool>>>> = const { Cell::new(None) };
    }
    let pool = Arc::new(ArenaPool::new());
    let there = Arc::clone(&pool);
    let thread = std::thread::spawn(move || {
        let arena = ArenaPool::get_shared(&there);
        arena.alloc(1);
        LAST.set(Some(arena));
    });
    thread.join().unwrap();
    assert_eq!(pool.idle(), 1);
}

#[test]
fn no_memory_loses_no_arena() {
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live memory", || thread_counts().live())
            .run_with(ArenaPool::new, |pool| {
                let (arena, another) = (pool.get(), pool.get());
                let made = arena
                    .try_alloc(1_u64)
                    .map(drop)
                    .map_err(|rejected| rejected.error);
                drop((arena, another));
                // Where there is no memory for the shelf, the second one is freed.
                assert!((1..=2).contains(&pool.idle()));
                assert_eq!(pool.memory_usage().in_use_bytes, 0);
                made
            });
        assert!(swept.sites >= 2, "{swept:?}");
    }
}
