//! What the cache promises: contents, sharing, limits, and what is refused.

mod support;

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, OsStr};
use std::hash::{BuildHasher, Hasher, RandomState};

use thrifty_interner::{
    Dedup, DefaultState, InternError, Key, MemoryUsage, Pressure, Reclaim, Shared, WhenFull,
};

use support::Constant;

fn unique(i: usize) -> String {
    format!("unique id {i:08}")
}

#[test]
fn a_handle_is_one_word_also_an_optional_one() {
    assert_eq!(size_of::<Shared<str>>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Shared<str>>>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Shared<[u128]>>>(), size_of::<usize>());
}

#[test]
fn equal_keys_share_and_others_do_not() {
    let cache: Dedup = Dedup::new(1 << 20);
    let (a, b, c) = (cache.dedup("a"), cache.dedup("a"), cache.dedup("c"));
    assert!(Shared::ptr_eq(&a, &b));
    assert!(!Shared::ptr_eq(&a, &c));
    assert_eq!((&*a, &*c), ("a", "c"));
    assert_eq!(Shared::holders(&a), 3);
    assert_eq!(cache.stats().hits, 1);
    assert_eq!(cache.stats().misses, 2);
    assert!(cache.get("b").is_none());
    assert_eq!(cache.get("a"), Some(b));
}

#[test]
fn a_handle_compares_orders_hashes_and_prints_as_its_key() {
    let words = ["b", "", "a", "a\0", "ab"];
    let handles: Vec<_> = words.map(Shared::<str>::from).into();
    for (x, hx) in words.iter().zip(&handles) {
        for (y, hy) in words.iter().zip(&handles) {
            assert_eq!(x == y, hx == hy);
            assert_eq!(x.cmp(y), hx.cmp(hy));
            assert_eq!(x.partial_cmp(y), hx.partial_cmp(hy));
        }
        let state = RandomState::new();
        assert_eq!(state.hash_one(x), state.hash_one(hx));
        assert_eq!(format!("{x:?} {x}"), format!("{hx:?} {hx}"));
        assert!(hx == x && *hx == **x && hx.as_ref() == *x);
    }
    let map: HashMap<Shared<str>, usize> = handles.into_iter().zip(0..).collect();
    assert_eq!(map.get("ab"), Some(&4));
    assert_eq!(map.get("z"), None);
}

#[test]
fn keys_of_every_kind_come_back_as_they_were() {
    fn check<K: ?Sized + Key + std::fmt::Debug>(keys: &[&K]) {
        let cache = Dedup::<K>::new(1 << 20);
        let first: Vec<_> = keys.iter().map(|key| cache.dedup(key)).collect();
        for (key, first) in keys.iter().zip(&first) {
            let again = cache.dedup(key);
            assert!(Shared::ptr_eq(first, &again));
            assert_eq!(&*again, *key);
            assert_eq!(again.as_bytes().as_ptr().addr() % K::ALIGN, 0);
        }
        assert_eq!(cache.len(), keys.len());
    }
    check::<str>(&["", "a", "grün", &"x".repeat(70_000)[..200]]);
    check::<[u8]>(&[b"", b"\0", b"\0\0", b"\xff\xfe"]);
    check::<CStr>(&[c"", c"a", c"ab"]);
    check::<OsStr>(&[OsStr::new(""), OsStr::new("a//b"), OsStr::new("a/b")]);
    check::<[u16]>(&[&[], &[1], &[1, 0], &[256]]);
    check::<[u64]>(&[&[], &[1], &[1, u64::MAX]]);
    check::<[u128]>(&[&[], &[1], &[1, u128::MAX]]);
    check::<[[u32; 3]]>(&[&[], &[[1, 2, 3]]]);
}

#[test]
fn an_evicted_key_loses_sharing_and_nothing_else() {
    let cache: Dedup = Dedup::builder(4096).shards(1).build();
    let held: Vec<_> = (0..1000).map(|i| cache.dedup(&unique(i))).collect();
    assert!(cache.stats().evictions > 900, "{}", cache.stats());
    for (i, handle) in held.iter().enumerate() {
        assert_eq!(**handle, *unique(i));
    }
    let again = cache.dedup(&unique(0));
    assert!(again == held[0] && !Shared::ptr_eq(&again, &held[0]));
    drop(cache);
    for (i, handle) in held.iter().enumerate() {
        assert_eq!(**handle, *unique(i));
        assert_eq!(Shared::holders(handle), 1);
    }
}

#[test]
fn a_million_unique_keys_stay_within_the_limit() {
    const LIMIT: usize = 1 << 20;
    let cache: Dedup = Dedup::new(LIMIT);
    for i in 0..1_000_000 {
        assert_eq!(*cache.dedup(&unique(i)), *unique(i));
        if i % 1000 == 0 {
            assert!(cache.memory_usage().reserved_bytes <= LIMIT);
        }
    }
    let stats = cache.stats();
    assert!(
        stats.reserved_bytes <= LIMIT && stats.reserved_bytes > LIMIT / 10 * 7,
        "{stats}"
    );
    assert_eq!(stats.misses, 1_000_000);
    assert_eq!(stats.evictions, 1_000_000 - stats.keys as u64);
}

#[test]
fn unique_keys_do_not_push_out_hot_ones() {
    for second_sighting in [false, true] {
        // What is remembered collides by chance: a seed, so that it is the same chance each time.
        let cache = Dedup::<str>::builder(64 << 10)
            .shards(1)
            .second_sighting(second_sighting)
            .hasher(DefaultState::with_seed(1))
            .build();
        let hot: Vec<_> = (0..200).map(|i| format!("a hot key {i}")).collect();
        for _ in 0..3 {
            for key in &hot {
                let _ = cache.dedup(key);
            }
        }
        // Three unique keys for each hot one, ten times what fits.
        for i in 0..3 * 200 * 20 {
            let _ = cache.dedup(&unique(i));
            if i % 3 == 0 {
                let _ = cache.dedup(&hot[i / 3 % hot.len()]);
            }
        }
        let found = hot.iter().filter(|key| cache.get(key).is_some()).count();
        assert!(found >= 198, "{found}, second sighting: {second_sighting}");
    }
}

#[test]
fn the_doorkeeper_lets_in_who_comes_again() {
    let cache: Dedup = Dedup::builder(64 << 10)
        .shards(1)
        .second_sighting(true)
        .build();
    let first = cache.dedup("x");
    assert_eq!((cache.len(), Shared::holders(&first)), (0, 1));
    assert_eq!(cache.stats().unshared, 1);
    let second = cache.dedup("x");
    assert_eq!((cache.len(), Shared::holders(&second)), (1, 2));
    for i in 0..100 {
        let _ = cache.dedup(&unique(i));
    }
    assert_eq!(cache.len(), 1);
    assert!(cache.get("x").is_some());
}

#[test]
fn a_limit_that_holds_nothing_gives_copies() {
    for limit in [0, 1, 63, 256, 300, 400, 500, 600, 1000] {
        let cache: Dedup = Dedup::builder(limit).shards(1).build();
        let long = "x".repeat(1000);
        for key in ["", "a", &long, "a", &long] {
            assert_eq!(*cache.dedup(key), *key);
            assert!(
                cache.stats().reserved_bytes <= limit,
                "{limit}: {}",
                cache.stats()
            );
            assert!(cache.memory_usage().reserved_bytes <= limit);
        }
        assert!(cache.get(&long).is_none());
    }
    let nothing: Dedup = Dedup::new(0);
    assert!(nothing.dedup("a") == nothing.dedup("a") && nothing.is_empty());
    assert_eq!(nothing.headroom().bytes_left, 0);
}

#[test]
fn a_full_cache_that_forgets_nothing() {
    let make = |policy| -> Dedup { Dedup::builder(2048).shards(1).when_full(policy).build() };

    let unshared = make(WhenFull::Unshared);
    let all: Vec<_> = (0..200).map(|i| unshared.dedup(&unique(i))).collect();
    let kept = unshared.len();
    assert!((1..200).contains(&kept));
    assert_eq!(unshared.stats().unshared, 200 - kept as u64);
    assert_eq!(unshared.stats().evictions, 0);
    for (i, handle) in all.iter().enumerate() {
        assert_eq!(Shared::holders(handle), 1 + usize::from(i < kept));
    }

    let refuse = make(WhenFull::Refuse);
    let taken = (0..200).take_while(|&i| refuse.try_dedup(&unique(i)).is_ok());
    assert_eq!(taken.count(), kept);
    let error = refuse.try_dedup(&unique(199)).unwrap_err();
    assert_eq!(error, InternError::MemoryLimit { limit_bytes: 2048 });
    assert!(refuse.get(&unique(0)).is_some());
    assert!(refuse.try_dedup(&unique(0)).is_ok());
    assert!(std::panic::catch_unwind(|| refuse.dedup(&unique(199))).is_err());
    assert_eq!(refuse.stats().unshared, 0);
}

#[test]
fn keys_that_are_too_long_pass_by() {
    let cache: Dedup = Dedup::builder(1 << 20).max_length(4).build();
    assert!(Shared::ptr_eq(&cache.dedup("four"), &cache.dedup("four")));
    assert!(!Shared::ptr_eq(
        &cache.dedup("fives"),
        &cache.dedup("fives")
    ));
    let strict: Dedup = Dedup::builder(1 << 20)
        .max_length(4)
        .when_full(WhenFull::Refuse)
        .build();
    assert!(strict.try_dedup("four").is_ok());
    assert_eq!(
        strict.try_dedup("fives").unwrap_err(),
        InternError::TooLong {
            length_bytes: 5,
            limit_bytes: 4
        }
    );
    // A quarter of a shard is the most that is cached.
    let small: Dedup = Dedup::builder(4096).shards(1).build();
    let large = "x".repeat(1100);
    assert!(!Shared::ptr_eq(&small.dedup(&large), &small.dedup(&large)));
}

#[test]
fn colliding_keys_are_told_apart_at_bounded_cost() {
    let cache = Dedup::<str>::builder(1 << 20).hasher(Constant).build();
    for _ in 0..2 {
        for i in 0..1000 {
            assert_eq!(*cache.dedup(&unique(i)), *unique(i));
        }
    }
    // Those that are too far from their home get copies.
    let stats = cache.stats();
    assert!((100..=512).contains(&stats.keys), "{stats}");
    assert!(stats.unshared > 0 && stats.hits > 0, "{stats}");
    cache.trim(Pressure::High);
    assert!(cache.is_empty());
}

#[test]
fn a_hasher_may_use_the_cache_it_hashes_for() {
    struct Reentrant;
    static CACHE: std::sync::LazyLock<Dedup<str, Reentrant>> =
        std::sync::LazyLock::new(|| Dedup::<str>::builder(1 << 20).hasher(Reentrant).build());

    struct Hashing(RandomState, Vec<u8>);
    impl BuildHasher for Reentrant {
        type Hasher = Hashing;

        fn build_hasher(&self) -> Hashing {
            Hashing(RandomState::new(), Vec::new())
        }
    }
    impl Hasher for Hashing {
        fn finish(&self) -> u64 {
            let _ = &self.0;
            self.1.iter().map(|byte| u64::from(*byte)).sum()
        }

        fn write(&mut self, bytes: &[u8]) {
            self.1.extend_from_slice(bytes);
            if bytes.len() > 1 {
                assert_eq!(*CACHE.dedup("i"), *"i");
            }
        }
    }
    assert_eq!(*CACHE.dedup("outer"), *"outer");
    assert_eq!(*CACHE.dedup("outer"), *"outer");
    assert_eq!(CACHE.len(), 2);
}

#[test]
fn a_panic_in_the_hasher_changes_nothing() {
    struct Panics;
    impl BuildHasher for Panics {
        type Hasher = Constant;

        fn build_hasher(&self) -> Constant {
            assert!(!std::thread::panicking());
            if PANIC.with(|panic| panic.get()) {
                panic!("on purpose");
            }
            Constant
        }
    }
    thread_local!(static PANIC: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    let cache = Dedup::<str>::builder(1 << 20).hasher(Panics).build();
    let held = cache.dedup("a");
    PANIC.set(true);
    let result = thrifty_testkit::quietly(|| cache.dedup("b"));
    assert!(result.is_err());
    PANIC.set(false);
    assert_eq!(cache.len(), 1);
    assert!(Shared::ptr_eq(&cache.dedup("a"), &held));
}

#[test]
fn a_cache_in_a_static_serves_destructors_of_thread_locals() {
    static CACHE: Dedup = Dedup::new(1 << 20);
    struct AtEnd(Shared<str>);
    impl Drop for AtEnd {
        fn drop(&mut self) {
            assert!(Shared::ptr_eq(&CACHE.dedup("at the end"), &self.0));
        }
    }
    thread_local!(static LAST: AtEnd = AtEnd(CACHE.dedup("at the end")));
    for _ in 0..3 {
        std::thread::spawn(|| LAST.with(|_| ())).join().unwrap();
    }
    assert_eq!(CACHE.stats().hits, 5);
}

#[test]
fn trims_free_what_nobody_holds() {
    let cache: Dedup = Dedup::builder(1 << 20).shards(2).build();
    let held: Vec<_> = (0..10).map(|i| cache.dedup(&unique(i))).collect();
    for i in 10..300 {
        let _ = cache.dedup(&unique(i));
    }
    for i in 10..30 {
        let _ = cache.dedup(&unique(i));
    }
    // What was asked for again stays once, and what is held.
    let low = cache.reclaim(Pressure::Low);
    assert_eq!((low.items, cache.len()), (270, 30));
    assert_eq!(low.bytes, 270 * (unique(0).len() + 8));
    assert_eq!(cache.reclaim(Pressure::Low).items, 20);
    assert!(cache.reclaim(Pressure::Low).is_nothing());

    for i in 10..300 {
        let _ = cache.dedup(&unique(i));
        let _ = cache.dedup(&unique(i));
    }
    assert_eq!(cache.trim(Pressure::Medium).items, 290);
    let before = cache.stats().reserved_bytes;
    let high = cache.trim(Pressure::High);
    assert_eq!(
        (high.items, high.bytes),
        (0, before - cache.stats().reserved_bytes)
    );
    assert!(high.bytes > 0);
    for (i, handle) in held.iter().enumerate() {
        assert!(Shared::ptr_eq(handle, &cache.dedup(&unique(i))));
    }
    drop(held);
    assert_eq!(cache.trim(Pressure::High).items, 10);
    let usage = cache.memory_usage();
    assert_eq!((usage.in_use_bytes, usage.idle_bytes), (0, 0));
    assert_eq!(usage.reserved_bytes, 2 * 256);
}

#[test]
fn usage_tells_what_is_held() {
    let cache: Dedup = Dedup::new(1 << 20);
    assert_eq!(cache.memory_usage().reserved_bytes, 0);
    let held = cache.dedup("four");
    let _ = cache.dedup("seven77");
    let usage = cache.memory_usage();
    // Of two keys in at most two shards all are looked at, but the share of a shard is rounded.
    assert!((3..=5).contains(&usage.in_use_bytes), "{usage}");
    assert_eq!(usage.in_use_bytes + usage.idle_bytes, 11);
    assert!(usage.reserved_bytes > 11);
    assert_eq!(
        usage.reserved_bytes + cache.headroom().bytes_left,
        cache.max_bytes()
    );
    drop(held);
    cache.clear();
    assert!(cache.is_empty());
    assert_eq!(cache.memory_usage().idle_bytes, 0);
}

#[test]
fn a_weak_cache_can_be_registered() {
    let cache: std::sync::Arc<Dedup> = std::sync::Arc::new(Dedup::new(1 << 20));
    let weak = std::sync::Arc::downgrade(&cache);
    let _ = cache.dedup("a");
    let controlled: Box<dyn Reclaim> = Box::new(weak);
    assert_eq!(controlled.reclaim(Pressure::Medium).items, 1);
    drop(cache);
    assert!(controlled.reclaim(Pressure::High).is_nothing());
    assert_eq!(controlled.memory_usage().reserved_bytes, 0);
}

#[test]
fn every_distinct_key_has_one_handle_while_there_is_room() {
    let cache: Dedup = Dedup::new(8 << 20);
    let mut distinct = HashSet::new();
    for i in 0..10_000_usize {
        let key = unique(i * i % 997);
        distinct.insert(cache.dedup(&key));
    }
    assert_eq!(cache.len(), distinct.len());
    assert_eq!(cache.stats().evictions, 0);
}

#[test]
fn tables_of_many_small_keys_make_room_for_large_ones() {
    let limit = 1 << 16;
    let cache: Dedup = Dedup::builder(limit).shards(1).build();
    for i in 0..20_000 {
        let _ = cache.dedup(&format!("{i:x}"));
    }
    let small = cache.stats();
    assert!(small.reserved_bytes > limit * 9 / 10, "{small}");
    // Each may take a quarter of the limit, and then three are there beside each other.
    let large = |i: u32| format!("{i:015000}");
    for round in 0..3 {
        for i in 0..3 {
            let _ = cache.dedup(&large(i));
            let stats = cache.stats();
            assert!(stats.keys > 1 && stats.reserved_bytes <= limit, "{stats}");
        }
        assert!(round == 0 || (0..3).all(|i| cache.get(&large(i)).is_some()));
    }
}

#[test]
fn tables_that_a_trim_has_emptied_make_room_too() {
    let limit = 1 << 16;
    for policy in [WhenFull::Evict, WhenFull::Unshared, WhenFull::Refuse] {
        let cache: Dedup = Dedup::builder(limit).shards(1).when_full(policy).build();
        for i in 0..20_000 {
            let _ = cache.try_dedup(&format!("{i:x}"));
        }
        cache.trim(Pressure::Medium);
        assert!(cache.is_empty() && cache.headroom().bytes_left < limit / 2);
        for i in 0..3 {
            let large = format!("{i:015000}");
            assert!(cache.try_dedup(&large).is_ok(), "{policy:?}");
            assert!(cache.get(&large).is_some(), "{policy:?}: {}", cache.stats());
        }
    }
}
