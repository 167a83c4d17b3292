//! Random programs: contents are right, handles stay valid, and the bytes stay within the limit, always.

use proptest::prelude::*;
use thrifty_interner::{Dedup, MemoryUsage, Pressure, Shared, WhenFull};

#[derive(Clone, Debug)]
enum Step {
    Dedup(u16),
    /// Many small keys, which nobody holds.
    Flood(u16),
    Get(u16),
    Drop(prop::sample::Index),
    Clone(prop::sample::Index),
    Trim(Pressure),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    // Few keys, so that they come again, and among them many that do not.
    let key = || prop_oneof![0..20_u16, any::<u16>()];
    prop_oneof![
        12 => key().prop_map(Step::Dedup),
        1 => any::<u16>().prop_map(Step::Flood),
        4 => key().prop_map(Step::Get),
        5 => any::<prop::sample::Index>().prop_map(Step::Drop),
        3 => any::<prop::sample::Index>().prop_map(Step::Clone),
        1 => prop::sample::select(&Pressure::ALL[..]).prop_map(Step::Trim),
        1 => Just(Step::Clear),
    ]
}

/// Of lengths from 0 to some 200, a few of them longer than is cached.
fn text(key: u16) -> String {
    let word = if key == 0 {
        String::new()
    } else {
        format!("{key},")
    };
    word.repeat(1 + usize::from(key) % 40)
}

fn run(cache: &Dedup, policy: WhenFull, steps: &[Step]) {
    let mut held: Vec<(u16, Shared<str>)> = Vec::new();
    for step in steps {
        match step {
            Step::Dedup(key) => match cache.try_dedup(&text(*key)) {
                Ok(handle) => {
                    if let Some(cached) = cache.get(&text(*key)) {
                        assert!(Shared::ptr_eq(&cached, &handle));
                    }
                    held.push((*key, handle));
                }
                Err(_) => assert!(policy == WhenFull::Refuse && cache.get(&text(*key)).is_none()),
            },
            Step::Flood(first) => {
                for key in 0..60 {
                    let key = format!("{:x}", u32::from(*first) + key);
                    assert!(cache.try_dedup(&key).map_or(true, |handle| *handle == *key));
                }
            }
            Step::Get(key) => held.extend(cache.get(&text(*key)).map(|handle| (*key, handle))),
            Step::Drop(which) if !held.is_empty() => {
                held.swap_remove(which.index(held.len()));
            }
            Step::Clone(which) if !held.is_empty() => {
                let copy = held[which.index(held.len())].clone();
                held.push(copy);
            }
            Step::Trim(pressure) => {
                let before = cache.stats();
                let freed = cache.trim(*pressure);
                let after = cache.stats();
                assert_eq!(before.keys - after.keys, freed.items);
                assert_eq!(before.reserved_bytes - after.reserved_bytes, freed.bytes);
            }
            Step::Clear => cache.clear(),
            Step::Drop(_) | Step::Clone(_) => {}
        }
        let stats = cache.stats();
        assert!(stats.reserved_bytes <= cache.max_bytes(), "{stats}");
        assert_eq!(cache.memory_usage().reserved_bytes, stats.reserved_bytes);
        for (key, handle) in &held {
            assert_eq!(**handle, *text(*key));
        }
    }
    cache.trim(Pressure::High);
    // What is left is held, and what is held has its cached handle, if that is still the same block.
    for (key, handle) in &held {
        let others = held
            .iter()
            .filter(|(_, other)| Shared::ptr_eq(other, handle))
            .count();
        let cached = cache.get(&text(*key));
        let is_cached = cached.is_some_and(|cached| Shared::ptr_eq(&cached, handle));
        assert_eq!(Shared::holders(handle), others + usize::from(is_cached));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn contents_and_limits_hold(
        steps in prop::collection::vec(step(), 1..150),
        limit in prop_oneof![0..2000_usize, 2000..20_000_usize],
        shards in 1..5_usize,
        policy in prop::sample::select(vec![WhenFull::Evict, WhenFull::Unshared, WhenFull::Refuse]),
        second_sighting in any::<bool>(),
        max_length in prop_oneof![Just(usize::MAX), Just(50)],
    ) {
        let cache = Dedup::builder(limit)
            .shards(shards)
            .when_full(policy)
            .second_sighting(second_sighting)
            .max_length(max_length)
            .build();
        run(&cache, policy, &steps);
    }
}
