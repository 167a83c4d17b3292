//! Bounds: each limit holds, and a limit that makes no sense is an error.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use thrifty_pool::clock::{Clock, Instant, ManualClock};
use thrifty_pool::{
    BuildError, Builder, GetError, Manage, MemoryUsage, Pool, Pressure, Reclaim, ThreadCache, Usage,
};

fn builder() -> Builder<Vec<u8>> {
    Pool::builder(Vec::new)
}

#[test]
fn what_makes_no_sense_is_an_error() {
    let rounds = |rounds| builder().thread_cache(ThreadCache::Rounds(rounds));
    let size = size_of::<Vec<u8>>();
    let cases = [
        (builder().max_idle(0), BuildError::NothingIdle),
        (builder().max_idle_bytes(0), BuildError::NothingIdle),
        (builder().max_total(0), BuildError::NothingMayLive),
        (
            rounds(8).max_idle((8 << 16) + 1),
            BuildError::IdleTooMany { most: 8 << 16 },
        ),
        (
            builder().max_idle(usize::MAX),
            BuildError::IdleTooMany { most: 64 << 16 },
        ),
        (rounds(0), BuildError::NoRounds),
        (rounds(1025), BuildError::RoundsTooMany(1025)),
        (rounds(usize::MAX), BuildError::RoundsTooMany(usize::MAX)),
        (
            rounds(64).max_idle(63),
            BuildError::MagazineTooLarge {
                rounds: 64,
                max_idle: 63,
            },
        ),
        (
            builder().max_item_weight(size - 1),
            BuildError::TooHeavy {
                size,
                max_item_weight: size - 1,
            },
        ),
        (
            builder().decay_interval(Duration::ZERO),
            BuildError::NoInterval,
        ),
    ];
    for (builder, expected) in cases {
        let what = format!("{builder:?}");
        assert_eq!(builder.build().unwrap_err(), expected, "{what}");
        assert!(!expected.to_string().is_empty());
    }
}

#[test]
fn the_ends_of_every_range_are_fine() {
    let builders = [
        builder().max_idle(1),
        builder()
            .max_idle(1024 << 16)
            .thread_cache(ThreadCache::Rounds(1024)),
        builder().max_idle_bytes(1),
        builder().max_idle_bytes(usize::MAX),
        builder().max_total(1),
        builder().max_total(usize::MAX),
        builder().thread_cache(ThreadCache::Rounds(1)),
        builder().thread_cache(ThreadCache::Rounds(1024)),
        builder().thread_cache(ThreadCache::Off),
        builder().max_thread_caches(0),
        builder().max_item_weight(size_of::<Vec<u8>>()),
        builder().max_item_weight(usize::MAX),
        builder().decay_interval(Duration::from_nanos(1)),
        builder().decay_interval(Duration::MAX),
        builder()
            .max_total(1)
            .max_idle(1)
            .max_idle_bytes(1)
            .thread_cache(ThreadCache::Off),
    ];
    for builder in builders {
        let what = format!("{builder:?}");
        let pool = match builder.build() {
            Ok(pool) => pool,
            Err(error) => panic!("{what}: {error}"),
        };
        for _ in 0..3 {
            pool.get().push(1);
            assert!(pool.get().is_empty(), "{what}");
        }
        pool.tick();
        pool.trim(Pressure::High);
        assert_eq!(pool.stats().live, 0, "{what}");
    }
}

#[test]
fn max_total_bounds_what_exists() {
    let pool = builder().max_total(3).build().unwrap();
    let held: Vec<_> = (0..3).map(|_| pool.try_get().unwrap()).collect();
    assert_eq!(pool.try_get().unwrap_err(), GetError::Exhausted);
    assert_eq!(pool.put(vec![1]), Err(vec![1]), "untouched");
    let error = pool.adopt(vec![1]).unwrap_err();
    assert_eq!((error.reason, error.value), (GetError::Exhausted, vec![1]));
    assert_eq!(pool.prefill(1), Ok(0));
    drop(held);
    // Idle ones are within reach, on whichever thread they came back.
    let other = pool.clone();
    let use_all = move || {
        let held: Vec<_> = (0..3).map(|_| other.try_get().unwrap()).collect();
        assert!(other.try_get().is_err());
        drop(held);
    };
    thread::spawn(use_all).join().unwrap();
    let held: Vec<_> = (0..3).map(|_| pool.try_get().unwrap()).collect();
    assert_eq!(pool.stats().created, 3);
    drop(held);
    assert!(thrifty_testkit::quietly(|| pool.get()).is_ok());
}

#[test]
fn get_panics_where_try_get_has_an_error() {
    let pool = builder().max_total(1).build().unwrap();
    let _held = pool.get();
    let payload = thrifty_testkit::quietly(|| drop(pool.get())).unwrap_err();
    assert!(thrifty_testkit::message(&*payload).contains("exhausted"));
    pool.close();
    let payload = thrifty_testkit::quietly(|| drop(pool.get())).unwrap_err();
    assert!(thrifty_testkit::message(&*payload).contains("closed"));
}

/// The bound that the documentation of `Pool` states, for one thread.
fn bound(max_idle: usize, rounds: usize) -> usize {
    let stripes = thread::available_parallelism().map_or(4, usize::from);
    max_idle + 2 * rounds + max_idle.max(2 * stripes)
}

#[test]
fn idle_items_stay_below_the_stated_bound() {
    for (max_idle, cache, rounds) in [
        (1, ThreadCache::Auto, 1),
        (10, ThreadCache::Auto, 8),
        (100, ThreadCache::Rounds(10), 10),
        (7, ThreadCache::Off, 0),
        (1000, ThreadCache::Rounds(64), 64),
    ] {
        let pool = builder()
            .max_idle(max_idle)
            .thread_cache(cache)
            .build()
            .unwrap();
        let many: Vec<_> = (0..3000).map(|_| pool.get()).collect();
        drop(many);
        let stats = pool.stats();
        assert!(
            stats.idle <= bound(max_idle, rounds),
            "{cache:?}: {stats:?}"
        );
        assert!(stats.idle_in_depot <= max_idle, "{stats:?}");
        assert_eq!(stats.in_use, 0);
        assert!(stats.idle > 0, "{stats:?}");
    }
}

#[test]
fn the_depot_stays_below_its_bytes() {
    let pool = Pool::builder(|| Vec::<u8>::with_capacity(1000))
        .max_idle_bytes(50_000)
        .thread_cache(ThreadCache::Rounds(4))
        .build()
        .unwrap();
    drop((0..1000).map(|_| pool.get()).collect::<Vec<_>>());
    let stats = pool.stats();
    let most = 50_000 / 1000 + 2 * 4;
    assert!(stats.idle <= most, "{stats:?}");
}

#[test]
fn items_that_grew_too_heavy_are_dropped_and_others_kept() {
    let pool = builder().max_item_weight(1024).build().unwrap();
    pool.get().reserve_exact(1024 - size_of::<Vec<u8>>());
    assert_eq!(pool.stats().idle, 1);
    pool.get().reserve_exact(1024 - size_of::<Vec<u8>>() + 1);
    assert_eq!(pool.stats().idle, 0);
    let heavy = Vec::with_capacity(2000);
    let back = pool.put(heavy).unwrap_err();
    assert!(back.capacity() >= 2000);
    // By default an item may own 64 KiB.
    let pool = Pool::new(Vec::<u8>::new);
    pool.get().reserve_exact(64 << 10);
    assert_eq!(pool.stats().idle, 1);
    pool.get().reserve_exact((64 << 10) + 1);
    assert_eq!(pool.stats().idle, 0);
}

#[test]
fn items_too_heavy_to_keep_are_not_prefilled() {
    let pool = Pool::builder(|| Vec::<u8>::with_capacity(2000))
        .max_item_weight(1000)
        .build()
        .unwrap();
    assert_eq!(pool.prefill(10), Ok(0));
    assert_eq!(pool.stats().live, 0);
}

#[test]
fn prefill_fills_up_to_what_fits() {
    let pool = builder()
        .max_idle(20)
        .thread_cache(ThreadCache::Off)
        .build()
        .unwrap();
    let kept = pool.prefill(1000).unwrap();
    assert!((1..=bound(20, 0)).contains(&kept), "{kept}");
    assert_eq!((pool.stats().idle, pool.stats().in_use), (kept, 0));
    let pool = builder().build().unwrap();
    assert_eq!((pool.prefill(0), pool.prefill(100)), (Ok(0), Ok(100)));
    let held: Vec<_> = (0..100).map(|_| pool.get()).collect();
    assert_eq!(pool.stats().created, 100);
    drop(held);
}

#[test]
fn a_full_pool_hands_put_items_back() {
    let pool = builder()
        .max_idle(2)
        .thread_cache(ThreadCache::Off)
        .build()
        .unwrap();
    let mut taken = 0;
    let back = loop {
        match pool.put(vec![7; 10]) {
            Ok(()) => taken += 1,
            Err(back) => break back,
        }
        assert!(taken <= bound(2, 0), "no bound");
    };
    assert!(
        back.is_empty() && back.capacity() >= 10,
        "cleaned, with its memory"
    );
    assert_eq!((pool.stats().idle, pool.stats().live), (taken, taken));
}

#[test]
fn a_closed_pool_takes_and_gives_nothing() {
    let pool = builder().build().unwrap();
    pool.prefill(10).unwrap();
    let guard = pool.get();
    pool.close();
    assert!(pool.is_closed());
    assert_eq!((pool.stats().in_use, pool.stats().idle), (1, 0));
    assert_eq!(pool.try_get().unwrap_err(), GetError::Closed);
    assert!(pool.get_idle().is_none());
    assert_eq!(pool.put(vec![1]), Err(vec![1]), "not even cleaned");
    assert_eq!(pool.adopt(vec![1]).unwrap_err().reason, GetError::Closed);
    assert_eq!(pool.prefill(1), Err(GetError::Closed));
    drop(guard);
    pool.close();
    pool.flush_thread();
    assert!(pool.tick().is_nothing());
    assert_eq!(pool.stats().live, 0);
}

#[test]
fn errors_tell_their_cause() {
    use std::error::Error;
    let error: GetError<std::fmt::Error> = GetError::Create(std::fmt::Error);
    assert_eq!(error.to_string(), "the item could not be made");
    assert!(error.source().is_some());
    assert!(GetError::<Infallible>::Closed.source().is_none());
}

#[test]
fn trims_give_back_at_least_what_their_level_promises() {
    let pool = Pool::builder(|| Vec::<u8>::with_capacity(100))
        .build()
        .unwrap();
    pool.prefill(500).unwrap();
    let depot = pool.stats().idle_in_depot;
    let medium = pool.trim(Pressure::Medium);
    assert!(medium.items >= depot);
    assert_eq!(pool.stats().idle_in_depot, 0);
    let high = pool.trim(Pressure::High);
    assert_eq!(medium.items + high.items, 500);
    assert!(medium.bytes + high.bytes >= 500 * 100);
    assert_eq!(pool.stats().live, 0);
    assert_eq!(pool.stats().reclaimed, 500);
    assert!(pool.trim(Pressure::High).items == 0);
    drop(pool.get());
    assert_eq!(pool.stats().idle, 1);
}

/// What a thread's cache serves looks at no clock; a timer that ticks does, and so does a limit
/// controller.
#[test]
fn a_pool_in_use_decays_by_ticks() {
    for by_controller in [false, true] {
        let clock = Arc::new(ManualClock::new());
        let pool = builder().clock(clock.clone()).build().unwrap();
        drop((0..4000).map(|_| pool.get()).collect::<Vec<_>>());
        let weak = pool.downgrade();
        let before = pool.stats().idle_in_depot;
        assert!(before > 3000, "{before}");
        for _ in 0..3 {
            clock.advance(Duration::from_secs(10));
            for _ in 0..100 {
                drop((pool.get(), pool.get()));
            }
            if by_controller {
                weak.reclaim(Pressure::Low);
            } else {
                pool.tick();
            }
        }
        assert_eq!(pool.stats().idle_in_depot, 0, "of {before}");
    }
}

#[test]
fn a_burst_decays_in_two_intervals() {
    let clock = Arc::new(ManualClock::new());
    let pool = builder()
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .decay_interval(Duration::from_secs(10))
        .build()
        .unwrap();
    pool.tick();
    drop((0..2000).map(|_| pool.get()).collect::<Vec<_>>());
    pool.flush_thread();
    assert_eq!(pool.stats().idle, 2000);
    for _ in 0..2 {
        clock.advance(Duration::from_secs(10));
        pool.tick();
    }
    assert_eq!(pool.stats().idle, 0);
    // A step too small ends no interval.
    pool.prefill(10).unwrap();
    pool.flush_thread();
    clock.advance(Duration::from_secs(9));
    assert!(pool.tick().is_nothing());
    assert_eq!(pool.stats().idle, 10);
}

#[test]
fn no_time_is_too_far_off() {
    let pool = builder().build().unwrap();
    pool.prefill(10).unwrap();
    for nanos in [0, u64::MAX, 5, u64::MAX - 1, 0] {
        pool.tick_at(Instant::from_nanos(nanos));
    }
    assert!(pool.stats().idle <= 10);
}

struct Weighty;

impl Manage for Weighty {
    type Item = u64;
    type Error = Infallible;
    fn create(&self) -> Result<u64, Infallible> {
        Ok(0)
    }
    fn weight(&self, _: &u64) -> usize {
        1000
    }
}

#[test]
fn usage_counts_lent_idle_and_the_rest() {
    let pool = Pool::with_manager(Weighty);
    let empty = pool.memory_usage();
    assert_eq!((empty.in_use_bytes, empty.idle_bytes), (0, 0));
    pool.prefill(300).unwrap();
    pool.flush_thread();
    let _two = (pool.get(), pool.get());
    pool.flush_thread();
    let usage = pool.memory_usage();
    let node = size_of::<u64>() + size_of::<usize>();
    assert_eq!(usage.in_use_bytes, 2 * node);
    assert!(usage.idle_bytes >= 298 * 1000, "{usage:?}");
    assert!(usage.idle_bytes <= 298 * (1000 + node), "{usage:?}");
    assert!(usage.reserved_bytes >= usage.in_use_bytes + usage.idle_bytes);
    assert_eq!(pool.stats().usage(), usage);
}

#[test]
fn a_weak_pool_reports_and_trims_while_there_is_a_handle() {
    let pool = Pool::with_manager(Weighty);
    let weak = pool.downgrade();
    let registered: Vec<Box<dyn Reclaim>> = vec![Box::new(weak.clone()), Box::new(pool.clone())];
    pool.prefill(10).unwrap();
    assert_eq!(registered[0].memory_usage(), pool.memory_usage());
    assert_eq!(registered[0].reclaim(Pressure::High).items, 10);
    let guard = pool.get();
    drop(pool);
    assert!(
        weak.upgrade().is_some(),
        "the second registration is a handle"
    );
    let [first, second] = <[_; 2]>::try_from(registered).ok().unwrap();
    drop(second);
    // The guard keeps memory, and no pool.
    assert!(weak.upgrade().is_none());
    assert_eq!(first.memory_usage(), Usage::new());
    assert!(first.reclaim(Pressure::High).is_nothing());
    assert_eq!(*guard, 0);
}
