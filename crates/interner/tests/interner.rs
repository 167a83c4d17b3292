//! The concurrent interner against an oracle, at its boundaries, and under many threads.

mod support;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Barrier;
use std::thread;

use proptest::prelude::*;
use thrifty_interner::{DefaultState, InternError, Interner, Sym, Sym8, Symbol};
use thrifty_traits::MemoryUsage;

use support::Constant;

proptest! {
    #[test]
    fn symbols_are_dense_and_stand_for_what_was_interned(keys in prop::collection::vec("[a-c]{0,4}|.{0,40}", 0..400)) {
        let interner = Interner::new();
        let mut oracle: HashMap<String, Sym> = HashMap::new();
        let mut order = Vec::new();
        for key in &keys {
            prop_assert_eq!(interner.get(key), oracle.get(key).copied());
            let symbol = interner.intern(key);
            let new = oracle.len();
            let known = *oracle.entry(key.clone()).or_insert_with(|| {
                order.push(key.clone());
                Sym::try_from_index(u32::try_from(new).unwrap()).unwrap()
            });
            prop_assert_eq!(symbol, known);
            prop_assert_eq!(interner.resolve(symbol), key.as_str());
        }
        prop_assert_eq!(interner.len(), oracle.len());
        let all: Vec<&str> = interner.iter().map(|(_, key)| key).collect();
        prop_assert_eq!(all, order);
        let payload: usize = oracle.keys().map(String::len).sum();
        prop_assert_eq!(interner.memory_usage().in_use_bytes, payload);
    }
}

#[test]
fn lengths_at_every_boundary_of_the_encoding() {
    let interner: Interner<[u8]> = Interner::builder().build();
    let lengths = [
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        9,
        15,
        16,
        17,
        31,
        32,
        33,
        251,
        252,
        253,
        254,
        255,
        256,
        8191,
        8192,
        8193,
        65_535,
        65_536,
        131_071,
        131_072,
        131_073,
        1 << 20,
    ];
    let mut symbols = Vec::new();
    for round in 0..3_u8 {
        for length in lengths {
            let mut key = vec![round; length];
            if let Some(last) = key.last_mut() {
                *last = b'z';
            }
            symbols.push((interner.intern(&key), key));
        }
    }
    for (symbol, key) in &symbols {
        assert_eq!(interner.resolve(*symbol), key);
        assert_eq!(interner.get(key), Some(*symbol));
    }
}

#[test]
fn a_constant_hasher_is_slow_at_most() {
    let interner: Interner<str, Sym, Constant> = Interner::with_hasher(Constant);
    let keys: Vec<String> = (0..5000).map(|index| format!("key {index}")).collect();
    let symbols: Vec<Sym> = keys.iter().map(|key| interner.intern(key)).collect();
    for (key, symbol) in keys.iter().zip(symbols) {
        assert_eq!(interner.get(key), Some(symbol));
        assert_eq!(interner.resolve(symbol), key);
    }
    assert_eq!(interner.get("absent"), None);
}

#[test]
fn symbols_run_out_without_a_hole() {
    let interner: Interner<str, Sym8> = Interner::builder().build();
    for index in 0..255 {
        assert_eq!(interner.intern(&format!("{index}")).index(), index);
    }
    let full = Err(InternError::SymbolSpace { limit_symbols: 255 });
    assert_eq!(interner.try_intern("more"), full);
    assert_eq!(interner.try_intern("more"), full);
    assert_eq!(interner.len(), 255);
    assert_eq!(interner.intern("17").index(), 17);
    assert_eq!(interner.get("more"), None);
}

#[test]
fn a_limit_is_never_exceeded_and_what_is_there_stays() {
    for limit in (0..40_000).step_by(487) {
        let interner: Interner = Interner::builder().max_bytes(limit).shards(2).build();
        let mut known = Vec::new();
        for index in 0..4000 {
            let key = format!("key number {index}");
            match interner.try_intern(&key) {
                Ok(symbol) => known.push((symbol, key)),
                Err(InternError::MemoryLimit { limit_bytes }) => assert_eq!(limit_bytes, limit),
                Err(other) => panic!("{other}"),
            }
            assert!(interner.memory_usage().reserved_bytes <= limit);
        }
        assert_eq!(interner.len(), known.len());
        for (symbol, key) in known {
            assert_eq!(interner.get(&key), Some(symbol));
            assert_eq!(interner.resolve(symbol), key);
        }
    }
}

#[test]
fn many_threads_agree() {
    let interner = Interner::new();
    let keys: Vec<String> = (0..20_000).map(|index| format!("key {index}")).collect();
    let barrier = Barrier::new(4);
    let symbols: Vec<Vec<Sym>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4_usize)
            .map(|thread| {
                let (interner, keys, barrier) = (&interner, &keys, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let mut symbols = vec![None; keys.len()];
                    for step in 0..keys.len() {
                        let index = (step * 7 + thread * 5003) % keys.len();
                        let symbol = interner.intern(&keys[index]);
                        assert_eq!(interner.resolve(symbol), keys[index]);
                        assert_eq!(interner.get(&keys[index]), Some(symbol));
                        symbols[index] = Some(symbol);
                    }
                    symbols.into_iter().map(Option::unwrap).collect()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(symbols.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(interner.len(), keys.len());
    assert_eq!(interner.iter().count(), keys.len());
}

#[test]
fn a_symbol_from_elsewhere_is_refused() {
    let interner = Interner::new();
    assert_eq!(interner.try_resolve(Sym::try_from_index(0).unwrap()), None);
    interner.intern("a");
    for index in [1, 511, 512, 4096, u32::MAX - 1] {
        assert_eq!(
            interner.try_resolve(Sym::try_from_index(index).unwrap()),
            None
        );
    }
}

#[test]
#[should_panic(expected = "is not of this interner, which has 1 strings")]
fn resolving_a_symbol_from_elsewhere_panics() {
    let interner = Interner::new();
    interner.intern("a");
    let _ = interner.resolve(Sym::try_from_index(1).unwrap());
}

#[test]
fn aligned_keys_come_back_aligned() {
    let interner: Interner<[u64]> = Interner::builder().build();
    let keys: Vec<Vec<u64>> = (0..2000)
        .map(|index| (0..index % 70).map(|part| part * index).collect())
        .collect();
    let symbols: Vec<Sym> = keys.iter().map(|key| interner.intern(key)).collect();
    for (key, symbol) in keys.iter().zip(symbols) {
        assert_eq!(interner.resolve(symbol), key.as_slice());
    }
}

#[test]
fn a_first_string_costs_at_most_four_kilobytes() {
    let interner: Interner = Interner::builder().shards(8).build();
    interner.intern("a");
    let reserved = interner.memory_usage().reserved_bytes;
    assert!(reserved <= 4096 + 1024, "{reserved}");
}

#[test]
fn chance_makes_no_shard_change_its_hash() {
    for seed in 0..4 {
        let state = DefaultState::with_seed(seed);
        let interner: Interner = Interner::builder().hasher(state).shards(2).build();
        for index in 0..60_000 {
            interner.intern(&format!("key {index}"));
        }
        let stats = interner.stats();
        assert_eq!(stats.keyed_shards, 0, "seed {seed}: {stats:?}");
    }
}

#[test]
fn few_strings_with_one_hash_make_a_shard_change_it() {
    let interner: Interner<str, Sym, Constant> = Interner::with_hasher(Constant);
    for index in 0..64 {
        interner.intern(&format!("key {index}"));
    }
    let stats = interner.stats();
    assert_eq!(stats.keyed_shards, 1, "{stats:?}");
    assert!(stats.longest_probe <= 64, "{stats:?}");
}

/// The hash of a key is the number that it is.
#[derive(Clone, Copy, Default)]
struct Counting(u64);

impl Hasher for Counting {
    fn write(&mut self, bytes: &[u8]) {
        let digits = bytes.iter().map(|digit| u64::from(digit - b'0'));
        self.0 = digits.fold(0, |sum, digit| sum * 10 + digit);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl BuildHasher for Counting {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

/// Their searches begin at the same place, though none has another's tag.
#[test]
fn a_chain_too_long_for_chance_makes_a_shard_change_its_hash() {
    let interner: Interner<str, Sym, Counting> = Interner::with_hasher(Counting(0));
    for index in 0..5000 {
        interner.intern(&format!("{index}"));
    }
    let stats = interner.stats();
    assert_eq!(stats.keyed_shards, 1, "{stats:?}");
    // One chain of all would be 5000; by chance, in some 6000 slots, one of 1500 is there once in ten millions.
    assert!(stats.longest_probe <= 1500, "{stats:?}");
}

/// `intern` begins where its search ended, and `intern_utf8` anew.
#[test]
fn a_shard_changes_its_hash_at_the_same_string_however_that_came() {
    fn check<S: BuildHasher + Clone>(state: S, strings: usize, step: usize) {
        let resumed: Interner<str, Sym, S> = Interner::with_hasher(state.clone());
        let anew: Interner<str, Sym, S> = Interner::with_hasher(state);
        for index in 0..strings {
            let key = index.to_string();
            resumed.intern(&key);
            anew.intern_utf8(key.as_bytes()).unwrap();
            if index % step == 0 {
                let keyed = resumed.stats().keyed_shards;
                assert_eq!(keyed, anew.stats().keyed_shards, "{key}");
            }
        }
        assert_eq!(resumed.stats().keyed_shards, 1);
    }
    check(Constant, 64, 1);
    check(Counting(0), 5000, 10);
}
