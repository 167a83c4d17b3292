//! No memory: at each site in turn an error or a copy, nothing half inserted and nothing lost; and on a hit no
//! allocation at all.

use thrifty_interner::{Dedup, InternError, Pressure, Shared, WhenFull};
use thrifty_testkit::{AllocFault, FailingAlloc, Sweep, exempt, thread_counts, with_failing};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

const KEYS: usize = 40;

fn keys() -> Vec<String> {
    (0..KEYS)
        .map(|i| format!("a key of some bytes, {i}"))
        .collect()
}

fn make(policy: WhenFull, second_sighting: bool) -> Dedup {
    Dedup::builder(16 << 10)
        .shards(2)
        .when_full(policy)
        .second_sighting(second_sighting)
        .build()
}

/// What std allocates once for a process is no site of ours.
fn warm_up() {
    let _ = make(WhenFull::Evict, false).dedup("warm");
    let _ = thrifty_interner::DefaultState::new();
}

#[test]
fn what_there_is_no_memory_for_is_an_error_or_a_copy() {
    warm_up();
    let keys = keys();
    for policy in [WhenFull::Evict, WhenFull::Unshared, WhenFull::Refuse] {
        for second_sighting in [false, true] {
            for fault in [AllocFault::Once, AllocFault::Onwards] {
                let swept = Sweep::over(fault)
                    .unchanged("live", || thread_counts().live())
                    .run(|| {
                        let cache = make(policy, second_sighting);
                        let result = fill(&cache, &keys);
                        // Whatever failed, what is cached is whole, and the cache goes on.
                        let len = cache.len();
                        let found = keys.iter().filter_map(|key| cache.get(key)).count();
                        assert_eq!(found, len);
                        result
                    });
                assert!(swept.sites > KEYS as u64, "{policy:?} {swept:?}");
                assert!(swept.refused > 0, "{policy:?} {swept:?}");
            }
        }
    }
}

fn fill(cache: &Dedup, keys: &[String]) -> Result<(), InternError> {
    for round in 0..2 {
        for key in keys {
            let before = cache.len();
            match cache.try_dedup(key) {
                Ok(shared) => assert_eq!(*shared, **key),
                Err(error) => {
                    assert!(matches!(error, InternError::Backend { .. }), "{error}");
                    assert_eq!(cache.len(), before);
                    return Err(error);
                }
            }
            assert!(cache.len() >= before.min(KEYS) || round == 1);
        }
    }
    Ok(())
}

#[test]
fn a_trim_that_finds_no_memory_frees_all_the_same() {
    let cache = make(WhenFull::Evict, false);
    let held = cache.dedup("held");
    for key in keys() {
        let _ = cache.dedup(&key);
    }
    let reserved = cache.stats().reserved_bytes;
    let (freed, struck) = with_failing(AllocFault::Onwards, 0, || cache.trim(Pressure::High));
    assert!(struck > 0);
    assert_eq!(freed.items, KEYS);
    assert_eq!(cache.stats().reserved_bytes, reserved - freed.bytes);
    assert_eq!(cache.get("held"), Some(held));
}

#[test]
fn a_hit_and_a_drop_allocate_nothing() {
    let cache: Dedup = Dedup::new(1 << 20);
    let held = cache.dedup("held");
    let before = thread_counts();
    for _ in 0..100 {
        assert!(Shared::ptr_eq(&cache.dedup("held"), &held));
        assert!(cache.get("held").is_some() && cache.get("absent").is_none());
        drop(held.clone());
        let _ = cache.stats();
    }
    let did = thread_counts().since(&before);
    assert_eq!((did.allocs, did.reallocs, did.frees), (0, 0, 0));
}

#[test]
fn a_new_key_in_a_full_cache_allocates_its_block_and_frees_one() {
    let cache = make(WhenFull::Evict, false);
    let key = |i: usize| exempt(|| format!("key {i:08}"));
    for i in 0..10_000 {
        let _ = cache.dedup(&key(i));
    }
    let before = thread_counts();
    for i in 10_000..11_000 {
        let key = key(i);
        let _ = cache.dedup(&key);
        exempt(|| drop(key));
    }
    let did = thread_counts().since(&before);
    assert_eq!((did.allocs, did.reallocs, did.live_blocks), (1000, 0, 0));
}

/// Large keys after many small ones: the tables shrink, or stay where there is no memory for others.
#[test]
fn tables_shrink_where_there_is_memory() {
    warm_up();
    let large = "large".repeat(800);
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run_with(
                || {
                    let cache: Dedup = Dedup::builder(16 << 10).shards(1).build();
                    (0..2000).for_each(|i| drop(cache.dedup(&format!("{i:x}"))));
                    cache
                },
                |cache| {
                    let result = cache.try_dedup(&large).map(drop);
                    let stats = cache.stats();
                    assert!(stats.reserved_bytes <= 16 << 10, "{stats}");
                    assert_eq!(cache.get(&large).is_some(), result.is_ok());
                    result
                },
            );
        // The block, and tables of half the size and less.
        assert!(swept.sites > 2, "{swept:?}");
    }
}

#[test]
fn everything_is_given_back_in_the_end() {
    warm_up();
    let before = thread_counts();
    let held = {
        let cache = make(WhenFull::Evict, true);
        let keys = keys();
        let mut held = Vec::new();
        for _ in 0..3 {
            held.extend(keys.iter().map(|key| cache.dedup(key)));
        }
        cache.clear();
        held.extend(keys.iter().map(|key| cache.dedup(key)));
        held
    };
    assert!(held.iter().all(|handle| handle.starts_with("a key")));
    drop(held);
    assert_eq!(thread_counts().since(&before).live(), (0, 0));
}

#[test]
fn the_bound_is_what_the_allocator_was_asked_for() {
    warm_up();
    let cache = make(WhenFull::Evict, false);
    let before = thread_counts();
    for i in 0..3000_usize {
        let key = exempt(|| format!("{:x<1$}", i, i % 90));
        drop(cache.dedup(&key));
        exempt(|| drop(key));
        let live = thread_counts().since(&before).live_bytes;
        assert_eq!(cache.stats().reserved_bytes as i64, live);
        assert!(live <= 16 << 10);
    }
}

#[test]
fn what_is_refused_is_not_copied() {
    let cache: Dedup = Dedup::builder(16 << 10)
        .shards(1)
        .when_full(WhenFull::Refuse)
        .build();
    while cache.try_dedup(&format!("key {}", cache.len())).is_ok() {}
    let giant = "giant".repeat(100_000);
    let before = thread_counts();
    let refused = Some(InternError::MemoryLimit {
        limit_bytes: 16 << 10,
    });
    assert_eq!(cache.try_dedup(&giant).err(), refused);
    for key in ["one more", "another"] {
        assert_eq!(cache.try_dedup(key).err(), refused);
    }
    assert_eq!(thread_counts().since(&before).allocs, 0);
}
