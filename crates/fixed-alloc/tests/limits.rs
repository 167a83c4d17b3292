//! Limits are met exactly, and what makes no sense is refused.
#![expect(unsafe_code, reason = "uses raw blocks")]

use std::alloc::Layout;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use thrifty_fixed_alloc::{
    AllocErrorKind, Block, ConfigError, FixedAlloc, Pressure, Slab, ThreadCache,
};
use thrifty_testkit::together;

/// Takes blocks until there are none.
fn drain(blocks: &FixedAlloc) -> (Vec<Block>, AllocErrorKind) {
    let mut taken = Vec::new();
    loop {
        match blocks.try_get() {
            Ok(block) => taken.push(block),
            Err(error) => return (taken, error.kind),
        }
    }
}

#[test]
fn max_blocks_is_met_exactly() {
    let caches = [
        ThreadCache::Auto,
        ThreadCache::Off,
        ThreadCache::Rounds(7),
        ThreadCache::Rounds(64),
    ];
    for cache in caches {
        for max in [1, 2, 63, 64, 65, 1000] {
            let blocks = FixedAlloc::builder(Layout::new::<u64>())
                .max_blocks(max)
                .thread_cache(cache)
                .build()
                .unwrap();
            for _ in 0..3 {
                let (taken, why) = drain(&blocks);
                assert_eq!(
                    (taken.len(), why),
                    (max, AllocErrorKind::Limit),
                    "{cache:?}"
                );
                assert_eq!(blocks.stats().in_use, max);
            }
        }
    }
}

#[test]
fn max_bytes_is_met_exactly() {
    for (slabs, rest) in [(1, 0), (3, 0), (3, 100), (5, (1 << 12) - 1)] {
        let max_bytes = slabs * (1 << 12) + rest;
        let blocks = FixedAlloc::builder(Layout::new::<[u64; 8]>())
            .slab_bytes(1 << 12)
            .max_bytes(max_bytes)
            .build()
            .unwrap();
        for _ in 0..3 {
            let (taken, why) = drain(&blocks);
            let stats = blocks.stats();
            assert_eq!(why, AllocErrorKind::Limit);
            assert_eq!((stats.slabs, stats.free, stats.idle), (slabs, 0, 0));
            assert!(stats.slabs * stats.slab_bytes <= max_bytes);
            assert_eq!(taken.len(), stats.in_use);
        }
    }
}

#[test]
fn threads_share_a_bounded_allocator_to_the_last_block() {
    let blocks = FixedAlloc::builder(Layout::new::<u64>())
        .max_blocks(100)
        .build()
        .unwrap();
    let taken: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| drain(&blocks).0)).collect();
        let taken: Vec<_> = threads.into_iter().map(|it| it.join().unwrap()).collect();
        taken.iter().map(Vec::len).sum()
    });
    assert_eq!(taken, 100);
    assert_eq!(
        drain(&blocks).0.len(),
        100,
        "what other threads gave back is within reach"
    );
}

#[test]
fn slabs_are_kept_as_spares_and_no_more() {
    for spare in [0, 1, 2, 5] {
        let blocks = FixedAlloc::builder(Layout::new::<[u8; 1024]>())
            .spare_slabs(spare)
            .thread_cache(ThreadCache::Off)
            .build()
            .unwrap();
        let taken: Vec<_> = (0..1000).map(|_| blocks.get()).collect();
        let fetched = blocks.stats().slabs;
        assert!(fetched > 10);
        drop(taken);
        blocks.trim(Pressure::Low);
        blocks.trim(Pressure::Low);
        blocks.trim(Pressure::Low);
        let stats = blocks.stats();
        let idle = stats.idle.div_ceil(62);
        assert!(stats.empty_slabs <= spare, "{stats:?}");
        assert!(stats.slabs <= spare + idle + 1, "{stats:?}");
        blocks.trim(Pressure::High);
        assert_eq!(blocks.stats().slabs, 0);
    }
}

#[test]
fn a_program_on_the_edge_of_a_slab_fetches_none() {
    let blocks = FixedAlloc::builder(Layout::new::<[u8; 64]>())
        .thread_cache(ThreadCache::Rounds(4))
        .build()
        .unwrap();
    let many = || (0..3000).map(|_| blocks.get()).collect::<Vec<_>>();
    drop(many());
    drop(many());
    let before = blocks.stats().slabs_fetched;
    let held = many();
    let edge = blocks.stats().slabs;
    for _ in 0..50 {
        drop((0..500).map(|_| blocks.get()).collect::<Vec<_>>());
    }
    drop(held);
    let fetched = blocks.stats().slabs_fetched - before;
    assert!(fetched <= edge as u64, "{fetched} slabs for {edge}");
}

#[test]
fn the_fullest_slabs_are_used_first() {
    let blocks = FixedAlloc::builder(Layout::new::<[u8; 64]>())
        .slab_bytes(4096)
        .spare_slabs(0)
        .thread_cache(ThreadCache::Off)
        .max_blocks(10_000)
        .build()
        .unwrap();
    let mut taken: Vec<_> = (0..620).map(|_| blocks.get()).collect();
    assert_eq!(blocks.stats().slabs, 10);
    // Slab `n` keeps one block in ten more than slab `n - 1`.
    taken.sort_by_key(|block| block.as_ptr().addr());
    let slab = |block: &Block| block.as_ptr().addr() / 4096;
    let mut slabs: Vec<_> = taken.iter().map(slab).collect();
    slabs.dedup();
    let mut nth = 0;
    taken.retain(|block| {
        nth += 1;
        let rank = slabs.iter().position(|&it| it == slab(block)).unwrap();
        nth % 10 <= rank
    });
    blocks.trim(Pressure::High);
    // As many again as are free in the fuller half go to that half.
    let before = blocks.stats();
    let more: Vec<_> = (0..before.free / 4).map(|_| blocks.get()).collect();
    assert_eq!(blocks.stats().slabs, before.slabs);
    let fuller = |block: &Block| slabs.iter().position(|&it| it == slab(block)).unwrap() >= 4;
    assert!(more.iter().all(fuller));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let word = Layout::new::<u64>();
    let build = |builder: thrifty_fixed_alloc::Builder| builder.build().unwrap_err();
    let zero = FixedAlloc::builder(Layout::new::<()>());
    assert_eq!(build(zero), ConfigError::ZeroSized);
    let none = FixedAlloc::builder(word).max_blocks(0);
    assert_eq!(build(none), ConfigError::NothingMayLive);
    let rounds = FixedAlloc::builder(word).thread_cache(ThreadCache::Rounds(0));
    assert_eq!(build(rounds), ConfigError::NoRounds);
    let rounds = FixedAlloc::builder(word).thread_cache(ThreadCache::Rounds(1025));
    assert_eq!(build(rounds), ConfigError::RoundsTooMany(1025));
    let interval = FixedAlloc::builder(word).decay_interval(Duration::ZERO);
    assert_eq!(build(interval), ConfigError::NoInterval);
    let small = FixedAlloc::builder(word).slab_bytes(8);
    let error = ConfigError::SlabTooSmall {
        slab_bytes: 8,
        block: word,
    };
    assert_eq!(build(small), error);
    let large = FixedAlloc::builder(word).slab_bytes(usize::MAX);
    assert_eq!(build(large), ConfigError::SlabTooLarge(usize::MAX));
    let half = usize::MAX / 2 + 1;
    let large = FixedAlloc::builder(word).slab_bytes(half);
    assert_eq!(build(large), ConfigError::SlabTooLarge(half));
    #[cfg(target_pointer_width = "64")]
    {
        let many = FixedAlloc::builder(Layout::new::<u8>()).slab_bytes(1 << 40);
        assert_eq!(build(many), ConfigError::SlabTooLarge(1 << 40));
    }
    let limit = FixedAlloc::builder(word)
        .slab_bytes(1 << 16)
        .max_bytes(1000);
    let error = ConfigError::LimitBelowSlab {
        max_bytes: 1000,
        slab_bytes: 1 << 16,
    };
    assert_eq!(build(limit), error);
    let limit = FixedAlloc::builder(word).max_bytes(0);
    assert!(matches!(build(limit), ConfigError::LimitBelowSlab { .. }));
    let limit = FixedAlloc::builder(Layout::new::<[u8; 1000]>()).max_bytes(1000);
    let error = ConfigError::LimitBelowSlab {
        max_bytes: 1000,
        slab_bytes: 1024,
    };
    assert_eq!(build(limit), error);
    for size in [
        isize::MAX as usize,
        isize::MAX as usize / 2,
        isize::MAX as usize / 4,
    ] {
        let huge = Layout::from_size_align(size, 1).unwrap();
        assert_eq!(
            build(FixedAlloc::builder(huge)),
            ConfigError::TooLarge(huge)
        );
        let aligned = Layout::from_size_align(1, (size + 1).next_power_of_two() / 2).unwrap();
        assert_eq!(
            build(FixedAlloc::builder(aligned)),
            ConfigError::TooLarge(aligned)
        );
    }
    assert!(
        !build(FixedAlloc::builder(word).max_blocks(0))
            .to_string()
            .is_empty()
    );
}

#[test]
fn a_slab_may_be_asked_to_have_one_huge_block() {
    let bytes = isize::MAX as usize / 4;
    let huge = Layout::from_size_align(bytes, 1).unwrap();
    assert!(FixedAlloc::new(huge).is_err(), "there is no room for eight");
    let one = FixedAlloc::builder(huge).slab_bytes(bytes + 4096);
    assert!(one.build().is_ok());
}

#[test]
fn blocks_that_no_machine_has_room_for_are_an_error() {
    let huge = Layout::from_size_align(usize::MAX >> 6, 1).unwrap();
    let blocks = FixedAlloc::new(huge).expect("it fits the address space");
    assert_eq!(blocks.try_get().unwrap_err().kind, AllocErrorKind::Backend);
    assert_eq!(
        blocks.try_alloc_zeroed().unwrap_err().kind,
        AllocErrorKind::Backend
    );
    let mut places = [const { std::mem::MaybeUninit::uninit() }; 3];
    assert_eq!(blocks.try_alloc_batch(&mut places), 0);
    assert_eq!((blocks.stats().slabs, blocks.stats().in_use), (0, 0));
}

#[test]
fn large_and_strictly_aligned_blocks_work() {
    for (size, align) in [
        (1 << 20, 4096),
        (1, 1 << 16),
        (3 << 20, 1 << 20),
        (100, 8192),
    ] {
        let layout = Layout::from_size_align(size, align).unwrap();
        let blocks = FixedAlloc::new(layout).unwrap();
        let mut taken: Vec<_> = (0..20).map(|_| blocks.get_uninit()).collect();
        for block in &mut taken {
            assert_eq!(block.as_non_null().addr().get() % align, 0);
            assert!(block.len() >= size);
            block[0].write(1);
            let last = block.len() - 1;
            block[last].write(1);
        }
        drop(taken);
        blocks.trim(Pressure::High);
        assert_eq!(blocks.stats().slabs, 0);
    }
}

#[test]
fn a_raw_block_outlives_the_allocator() {
    let blocks = FixedAlloc::new(Layout::new::<u64>()).unwrap();
    let handle = blocks.handle();
    let weak = blocks.downgrade();
    let block = blocks.try_alloc().unwrap().cast::<u64>();
    drop(blocks);
    // SAFETY: a block that is live.
    unsafe { block.write(7) };
    // SAFETY: as above.
    assert_eq!(unsafe { block.read() }, 7);
    // SAFETY: a block of this allocator, by another handle.
    unsafe { handle.free(block.cast()) };
    drop(handle);
    assert!(weak.upgrade().is_none());
}

/// So many threads take a block each and give it back; how often there was none.
fn refusals(blocks: &FixedAlloc, threads: usize) -> usize {
    let refused = AtomicUsize::new(0);
    together(threads, |_| {
        for _ in 0..5_000 {
            if blocks.try_get_uninit().is_err() {
                refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    refused.into_inner()
}

#[test]
fn as_many_blocks_as_threads_are_enough() {
    for threads in [2, 4, 8] {
        let few = FixedAlloc::builder(Layout::new::<u64>()).max_blocks(threads);
        let off = few.clone().thread_cache(ThreadCache::Off);
        for builder in [few, off] {
            let blocks = builder.build().unwrap();
            assert_eq!(refusals(&blocks, threads), 0, "{threads}");
        }
    }
    for spare in [0, 2] {
        let blocks = FixedAlloc::builder(Layout::from_size_align(4096, 1).unwrap())
            .slab_bytes(32 << 10)
            .max_bytes(32 << 10)
            .spare_slabs(spare)
            .thread_cache(ThreadCache::Off)
            .build()
            .unwrap();
        assert_eq!(refusals(&blocks, 7), 0, "{spare} spares");
    }
}

#[test]
fn too_many_rounds_are_refused_however_many() {
    for rounds in [usize::MAX, usize::MAX / 2, usize::MAX / 4 + 2, 1 << 30] {
        let builder = FixedAlloc::builder(Layout::new::<u64>());
        let built = builder.thread_cache(ThreadCache::Rounds(rounds)).build();
        assert_eq!(built.unwrap_err(), ConfigError::RoundsTooMany(rounds));
    }
}

#[test]
fn a_tick_goes_by_the_clock_of_the_system() {
    let blocks = FixedAlloc::builder(Layout::new::<[u8; 1024]>())
        .decay_interval(Duration::from_nanos(1))
        .build()
        .unwrap();
    drop((0..1000).map(|_| blocks.get()).collect::<Vec<_>>());
    blocks.flush_thread();
    let ticks = (0..1_000_000).take_while(|_| {
        blocks.tick();
        blocks.stats().slabs > 2
    });
    assert!(ticks.count() < 1_000_000, "time does not pass");
}

#[test]
fn trims_at_once_count_each_slab_once() {
    let blocks = FixedAlloc::builder(Layout::new::<[u8; 1024]>())
        .build()
        .unwrap();
    let said = AtomicUsize::new(0);
    for _ in 0..20 {
        drop((0..2000).map(|_| blocks.get_uninit()).collect::<Vec<_>>());
        blocks.flush_thread();
        together(4, |_| {
            let freed = blocks.trim(Pressure::High);
            said.fetch_add(freed.items, Ordering::Relaxed);
        });
        assert_eq!(blocks.stats().slabs, 0);
    }
    assert_eq!(said.into_inner() as u64, blocks.stats().slabs_released);
}

#[test]
fn a_trim_gives_the_books_back() {
    let blocks = FixedAlloc::builder(Layout::new::<u8>())
        .slab_bytes(1024)
        .max_blocks(100_000)
        .build()
        .unwrap();
    let before = blocks.stats().reserved_bytes;
    let taken = drain(&blocks).0;
    let books = blocks.stats().reserved_bytes - before;
    assert!(books > blocks.stats().slabs * 1024);
    drop(taken);
    blocks.trim(Pressure::Medium);
    assert_eq!(blocks.stats().reserved_bytes, before);
    assert_eq!(drain(&blocks).0.len(), 100_000);
}

#[test]
fn a_panic_points_to_the_caller() {
    static SEEN: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    let one = FixedAlloc::builder(Layout::new::<u64>()).max_blocks(1);
    let (one, few) = (
        one.build().unwrap(),
        Slab::builder().max_blocks(1).build().unwrap(),
    );
    let held = (one.get(), few.insert(1));
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().expect("there is always one");
        if place.file() == file!() {
            SEEN.lock().unwrap().push(place.line());
        }
    }));
    let first = line!() + 2;
    let calls: [&dyn Fn(); 5] = [
        &|| drop(one.get()),
        &|| drop(one.get_uninit()),
        &|| drop(few.insert(2)),
        &|| drop(few.uninit()),
        &|| drop(few.insert_with(|| 2)),
    ];
    for call in calls {
        assert!(std::panic::catch_unwind(AssertUnwindSafe(call)).is_err());
    }
    std::panic::set_hook(hook);
    let seen = SEEN.lock().unwrap().clone();
    assert_eq!(seen, (first..first + 5).collect::<Vec<_>>());
    drop(held);
}
