//! What a pool does by its settings: sizes, alignment, budgets, decay, closing.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use thrifty_pool::{
    AllocErrorKind, BufError, BufferPool, BufferPoolError, Classes, ClassesError, MemoryUsage,
    Oversize, PooledBuf, Pressure, Reclaim, clock::ManualClock,
};
use thrifty_testkit::together;

const MIB: usize = 1 << 20;

fn filled(pool: &BufferPool, size: usize, byte: u8) -> PooledBuf {
    let mut buf = pool.get(size);
    buf.resize(size, byte);
    buf
}

#[test]
fn capacities_are_those_of_the_classes() {
    let pool = BufferPool::new();
    for (request, capacity) in [
        (0, 256),
        (1, 256),
        (256, 256),
        (257, 512),
        (32_768, 32_768),
        (32_769, 65_536),
        (MIB, MIB),
        (MIB + 1, MIB + 1),
    ] {
        assert_eq!(pool.get(request).capacity(), capacity, "{request}");
        assert_eq!(pool.get_zeroed(request).capacity(), capacity, "{request}");
    }
    let framed = BufferPool::builder().slack(14).build().unwrap();
    assert_eq!(framed.get(4096 + 14).capacity(), 4096 + 14);
    assert_eq!(framed.get(4096 + 15).capacity(), 8192 + 14);
    assert_eq!(framed.get(0).capacity(), 256 + 14);
}

#[test]
fn absurd_sizes_are_errors() {
    let pool = BufferPool::new();
    for size in [usize::MAX, isize::MAX as usize, isize::MAX as usize - 8] {
        for error in [
            pool.try_get(size).unwrap_err(),
            pool.try_get_zeroed(size).unwrap_err(),
            pool.get(3).try_reserve(size).unwrap_err(),
            pool.get(3).try_resize(size, 1).unwrap_err(),
        ] {
            let BufError::Alloc(error) = error else {
                panic!("{error}");
            };
            assert_eq!(error.kind, AllocErrorKind::Overflow);
        }
    }
    assert!(std::panic::catch_unwind(|| pool.get(usize::MAX)).is_err());
    assert_eq!(pool.stats().unpooled, 0);
}

#[test]
fn requests_above_the_largest_class_go_by_the_policy() {
    let unpooled = BufferPool::new();
    let large = unpooled.get(3 * MIB);
    assert_eq!(large.capacity(), 3 * MIB);
    assert_eq!(unpooled.stats().unpooled, 1);
    assert!(unpooled.stats().unpooled_bytes > 3 * MIB);
    drop(large);
    assert_eq!(unpooled.stats().unpooled_bytes, 0);
    assert_eq!(unpooled.stats().idle_bytes(), 0, "it was kept");
    assert_eq!(unpooled.stats().unpooled_created, 1);

    let strict = BufferPool::builder().oversize(Oversize::Error).build();
    let strict = strict.unwrap();
    let oversize = |requested, limit| Err(BufError::Oversize { requested, limit });
    assert_eq!(strict.try_get(MIB + 1).map(drop), oversize(MIB + 1, MIB));
    let mut buf = filled(&strict, MIB, 1);
    assert_eq!(buf.try_reserve(1), oversize(MIB + 1, MIB));
    assert_eq!(buf.len(), MIB);

    let capped = BufferPool::builder().oversize(Oversize::Capped(3 * MIB));
    let capped = capped.build().unwrap();
    assert_eq!(
        capped.try_get(3 * MIB + 1).map(drop),
        oversize(3 * MIB + 1, 3 * MIB)
    );
    let mut buf = filled(&capped, MIB, 1);
    buf.reserve(1);
    assert_eq!(buf.capacity(), 2 * MIB, "twice as much");
    buf.resize(2 * MIB + 1, 2);
    assert_eq!(buf.capacity(), 3 * MIB, "no more than the cap");
    assert_eq!(buf.try_reserve(MIB), oversize(3 * MIB + 1, 3 * MIB));
    assert_eq!((buf[MIB - 1], buf[MIB]), (1, 2));
}

#[test]
fn growing_keeps_the_contents_and_returns_what_it_leaves() {
    let pool = BufferPool::new();
    let mut buf = pool.get(0);
    let mut expected = Vec::new();
    for step in 0..200_u32 {
        let chunk = vec![u8::try_from(step % 251).unwrap(); 10_000];
        buf.extend_from_slice(&chunk);
        expected.extend(chunk);
        assert_eq!(buf.len(), expected.len());
    }
    assert!(buf == expected[..]);
    let stats = pool.stats();
    assert!(stats.classes().iter().all(|class| class.in_use == 0));
    assert_eq!(stats.unpooled, 1);
    drop(buf);
    assert_eq!(pool.stats().unpooled_bytes, 0);
}

#[test]
fn bytes_are_aligned_as_asked_and_frozen_ones_too() {
    for align in [1, 2, 8, 16, 64, 512, 4096, 16_384] {
        let pool = BufferPool::builder().align(align).build().unwrap();
        for size in [1, 300, 5000, 40_000, 2 * MIB] {
            let bufs = [
                pool.get(size),
                pool.get_zeroed(size),
                filled(&pool, size, 1),
            ];
            for buf in bufs {
                assert_eq!(
                    buf.as_ptr().align_offset(align.max(16)),
                    0,
                    "{align}, {size}"
                );
                assert_eq!(buf.freeze().as_ptr().align_offset(align), 0);
            }
        }
        let mut grown = filled(&pool, 100, 3);
        grown.resize(2 * MIB, 4);
        grown.resize(5 * MIB, 5);
        assert_eq!(grown.as_ptr().align_offset(align), 0);
        assert_eq!((grown[99], grown[100], grown[5 * MIB - 1]), (3, 4, 5));
    }
}

#[test]
fn settings_that_are_wrong_are_errors() {
    let build = |builder: thrifty_pool::BufferPoolBuilder| builder.build().map(drop).unwrap_err();
    let new = BufferPool::builder;
    for align in [0, 3, 48, usize::MAX] {
        assert_eq!(build(new().align(align)), BufferPoolError::Align(align));
    }
    for slack in [usize::MAX, isize::MAX as usize] {
        let error = build(new().slack(slack));
        assert!(matches!(error, BufferPoolError::TooLarge { .. }), "{error}");
    }
    let error = build(new().align(1 << (usize::BITS - 1)));
    assert!(matches!(error, BufferPoolError::TooLarge { .. }), "{error}");
    let error = build(new().oversize(Oversize::Capped(MIB - 1)));
    let expected = BufferPoolError::Cap {
        limit: MIB - 1,
        largest: MIB,
    };
    assert_eq!(error, expected);
    assert!(matches!(
        build(new().decay_interval(Duration::ZERO)),
        BufferPoolError::Config(_)
    ));
    let error = BufferPoolError::from(Classes::new(&[2, 1]).unwrap_err());
    assert_eq!(
        error,
        BufferPoolError::Classes(ClassesError::NotAscending(1))
    );
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "a class of 1 bytes does not exceed the one before"
    );
}

/// A pool of one class, whose idle buffers all end up where threads share them.
fn shared_only(size: usize, idle: usize) -> BufferPool {
    let block = size
        + if cfg!(target_pointer_width = "64") {
            48
        } else {
            32
        };
    BufferPool::builder()
        .classes(Classes::new(&[size]).unwrap())
        .max_idle_bytes(idle * block)
        .max_thread_caches(0)
        .build()
        .unwrap()
}

#[test]
fn the_budget_is_met_and_not_exceeded() {
    let size = 64 << 10;
    let slots = usize::from(cfg!(feature = "thread_local"));
    // So few that all threads share one stripe, and one thread can fill all there is.
    for idle in [3, 4, 7] {
        let pool = shared_only(size, idle);
        drop(
            (0..idle + slots)
                .map(|_| pool.get(size))
                .collect::<Vec<_>>(),
        );
        let class = pool.stats().classes()[0];
        assert_eq!((class.shared, class.slotted), (idle, slots), "{class:?}");
        assert_eq!(class.overflowed, 0, "the budget is not met");
        drop(
            (0..idle + slots + 1)
                .map(|_| pool.get(size))
                .collect::<Vec<_>>(),
        );
        let class = pool.stats().classes()[0];
        assert_eq!((class.shared, class.slotted), (idle, slots), "{class:?}");
        assert_eq!(class.overflowed, 1, "one too many was kept");
    }
    let wide = shared_only(size, 40);
    drop((0..100).map(|_| wide.get(size)).collect::<Vec<_>>());
    let shared = wide.stats().classes()[0].shared;
    assert!((20..=40).contains(&shared), "{shared}");
    let least = shared_only(size, 0);
    drop((0..10).map(|_| least.get(size)).collect::<Vec<_>>());
    assert!(least.stats().classes()[0].shared <= 3);
}

/// What threads' caches serve looks at no clock; a timer that ticks does.
#[test]
fn a_class_in_use_decays_by_ticks() {
    let clock = Arc::new(ManualClock::new());
    let pool = BufferPool::builder().clock(clock.clone()).build().unwrap();
    drop((0..4000).map(|_| pool.get(1000)).collect::<Vec<_>>());
    let shared = || pool.stats().classes()[2].shared;
    let before = shared();
    assert!(before > 3000, "{before}");
    for _ in 0..3 {
        clock.advance(Duration::from_secs(10));
        for _ in 0..100 {
            drop((pool.get(1000), pool.get(1000)));
        }
        pool.tick();
    }
    assert_eq!(shared(), 0, "of {before}");
}

/// The most that threads, more than there are stripes, leave in what they share: all get 60
/// buffers of each class before any drops one.
fn most_shared(pool: &BufferPool) -> usize {
    let threads = 2 * thread::available_parallelism().unwrap().get();
    let sizes: Vec<usize> = pool.stats().classes().iter().map(|c| c.size).collect();
    for size in sizes {
        together(threads, |_| {
            let bufs: Vec<_> = (0..60).map(|_| pool.get(size)).collect();
            drop(bufs);
        });
    }
    let stats = pool.stats();
    let shared = stats.classes().iter().map(|c| c.shared * c.block_bytes);
    shared.sum()
}

#[test]
fn threads_that_share_keep_to_the_budget() {
    let large = Classes::powers_of_two(32 << 10, 128 << 10).unwrap();
    let small = Classes::powers_of_two(256, 16 << 10).unwrap();
    for (classes, caches, budget) in [
        (large, 16, 4 * MIB),
        (large, 0, 8 * MIB),
        (small, 0, MIB / 2),
        (small, 0, MIB),
    ] {
        let builder = BufferPool::builder()
            .classes(classes)
            .max_idle_bytes(budget);
        let pool = builder.max_thread_caches(caches).build().unwrap();
        let shared = most_shared(&pool);
        assert!(shared <= budget, "{shared} of {budget} in {classes:?}");
        assert!(shared >= budget / 4, "{shared} of {budget} in {classes:?}");
    }
    let pool = BufferPool::builder().classes(large).max_idle_bytes(0);
    let pool = pool.build().unwrap();
    assert!(most_shared(&pool) > 0);
    for class in pool.stats().classes() {
        assert!(class.shared <= 3, "{class:?}");
    }
}

/// A thread that gets and drops so many buffers that its caches are as full as they get.
fn most_cached(pool: &BufferPool) -> usize {
    let classes = pool.stats();
    for class in classes.classes() {
        for count in [127, 128, 129] {
            drop((0..count).map(|_| pool.get(class.size)).collect::<Vec<_>>());
        }
        for rounds in 1..=64 {
            drop(
                (0..=2 * rounds)
                    .map(|_| pool.get(class.size))
                    .collect::<Vec<_>>(),
            );
        }
    }
    let stats = pool.stats();
    let cached = stats.classes().iter().map(|c| c.cached * c.block_bytes);
    cached.sum()
}

#[test]
fn caches_hold_two_magazines_and_one_buffer_of_each_class() {
    let pool = BufferPool::new();
    let cached = most_cached(&pool);
    let stats = pool.stats();
    let header = stats.classes()[0].block_bytes - 256;
    let headers: usize = stats.classes().iter().map(|c| c.cached * header).sum();
    assert!(cached <= (768 << 10) + headers, "{cached}");
}

#[test]
fn magazines_are_sized_by_what_a_buffer_takes() {
    let headers = 129 * 64;
    let slack = 256 << 10;
    let builder = BufferPool::builder().classes(Classes::new(&[1024]).unwrap());
    let pool = builder.slack(slack).build().unwrap();
    let cached = most_cached(&pool);
    assert_eq!(cached, 0, "it is a large class");
    for align in [64, 4096, 16 << 10] {
        let classes = Classes::powers_of_two(256, 16 << 10).unwrap();
        let pool = BufferPool::builder().classes(classes).align(align);
        let pool = pool.build().unwrap();
        let cached = most_cached(&pool);
        let blocks: usize = pool.stats().classes().iter().map(|c| c.block_bytes).sum();
        let most = 7 * (2 * (64 << 10) + headers) + blocks;
        assert!(cached <= most, "{cached} by {align}");
    }
}

#[test]
fn a_budget_without_bounds_is_one_and_so_is_none() {
    for bytes in [usize::MAX, usize::MAX / 2, 1 << 30, 1, 0] {
        let pool = BufferPool::builder().max_idle_bytes(bytes).build().unwrap();
        for size in [100, 10_000, MIB] {
            drop((pool.get(size), pool.get(size)));
        }
        assert!(pool.memory_usage().reserved_bytes < 32 * MIB);
    }
}

#[test]
fn what_a_burst_leaves_is_gone_after_two_intervals() {
    let clock = Arc::new(ManualClock::new());
    let pool = BufferPool::builder()
        .clock(clock.clone())
        .decay_interval(Duration::from_secs(10))
        .build()
        .unwrap();
    let tick = || {
        clock.advance(Duration::from_secs(10));
        pool.tick()
    };
    tick();
    let small: Vec<_> = (0..1000).map(|_| pool.get(4096)).collect();
    let large: Vec<_> = (0..4).map(|_| pool.get(256 << 10)).collect();
    drop((small, large));
    let before = pool.stats().idle_bytes();
    assert!(before > 1000 * 4096);
    tick();
    tick();
    let after = pool.stats().idle_bytes();
    // Two magazines and one of the class of 4 KiB, and a stripe with three large buffers.
    assert!(
        after <= 33 * 5000 + 3 * 263_000,
        "{after} of {before} bytes are left"
    );
    let slotted: usize = pool.stats().classes().iter().map(|it| it.slotted).sum();
    assert_eq!(slotted, 0, "a slot is never emptied");
    drop(pool.get(256 << 10));
    assert_eq!(pool.tick().items, 0, "the interval is not over");
}

#[test]
fn trims_free_what_they_say() {
    let pool = BufferPool::new();
    let sizes = [100, 4000, 40_000, 300_000];
    let all: Vec<_> = sizes.map(|size| [pool.get(size), pool.get(size)]).into();
    drop(all);
    let idle = pool.stats().idle_bytes();
    assert_eq!(pool.memory_usage().idle_bytes, idle);
    let freed = pool.reclaim(Pressure::High);
    assert_eq!(freed.items, 8);
    // With the magazines that they were in.
    assert!((idle..idle + 4096).contains(&freed.bytes), "{freed}");
    assert_eq!(pool.stats().idle_bytes(), 0);
    assert_eq!(pool.trim(Pressure::High).items, 0);
    let usage = pool.memory_usage();
    assert_eq!((usage.in_use_bytes, usage.idle_bytes), (0, 0));
}

#[test]
fn usage_counts_what_is_out() {
    let pool = BufferPool::new();
    let bufs = [pool.get(100), pool.get(100_000), pool.get(2 * MIB)];
    let usage = pool.memory_usage();
    assert!(usage.in_use_bytes >= 256 + (128 << 10) + 2 * MIB);
    assert!(usage.reserved_bytes >= usage.in_use_bytes);
    assert_eq!(usage.idle_bytes, 0);
    drop(bufs);
    assert_eq!(pool.memory_usage().in_use_bytes, 0);
    let weak = pool.downgrade();
    assert_eq!(weak.memory_usage(), pool.memory_usage());
    drop(pool);
    assert_eq!(weak.memory_usage().reserved_bytes, 0);
    assert!(weak.reclaim(Pressure::High).is_nothing());
    assert!(weak.clone().upgrade().is_none());
}

#[test]
fn a_closed_pool_lends_nothing_and_takes_nothing() {
    let pool = BufferPool::new();
    let (small, large, huge) = (pool.get(10), pool.get(50_000), pool.get(2 * MIB));
    drop((pool.get(10), pool.get(50_000)));
    let other = pool.clone();
    pool.close();
    assert!(other.is_closed());
    assert_eq!(other.stats().idle_bytes(), 0);
    for size in [10, 50_000, 2 * MIB] {
        assert_eq!(other.try_get(size).map(drop), Err(BufError::Closed));
        assert_eq!(other.try_get_zeroed(size).map(drop), Err(BufError::Closed));
    }
    drop((small, large, huge));
    let stats = other.stats();
    assert_eq!((stats.idle_bytes(), stats.unpooled_bytes), (0, 0));
    assert!(stats.classes().iter().all(|class| class.in_use == 0));
}

#[test]
fn buffers_outlive_their_pool_and_still_grow() {
    for explicit in [true, false] {
        let pool = BufferPool::new();
        let mut bufs = [10, 50_000, 2 * MIB].map(|size| filled(&pool, size, 7));
        if explicit {
            pool.close();
        }
        drop(pool);
        for buf in &mut bufs {
            let len = buf.len();
            buf.resize(2 * len + 1000, 8);
            buf.resize(5 * len + 3 * MIB, 9);
            assert_eq!((buf[0], buf[len - 1], buf[len]), (7, 7, 8));
            assert_eq!(buf.last(), Some(&9));
        }
        let frozen = bufs.map(PooledBuf::freeze);
        let clones = frozen.clone();
        drop(frozen);
        assert_eq!(clones[0][0], 7);
    }
}

#[test]
fn texts_can_be_written_and_debug_output_shows_no_contents() {
    use std::fmt::Write as _;
    let pool = BufferPool::builder().name("texts").build().unwrap();
    let mut buf = pool.get(0);
    write!(buf, "{:>300}", "secret").unwrap();
    assert_eq!(&buf[294..], b"secret");
    assert_eq!(
        format!("{buf:?}"),
        "PooledBuf { len: 300, capacity: 512, .. }"
    );
    let bytes = buf.freeze();
    assert_eq!(format!("{bytes:?}"), "PooledBytes { len: 300, .. }");
    assert!(format!("{pool:?}").contains("texts"));
}
