//! `Frozen` and `Resolver`: what they hold, what they weigh, and what they make of bytes that are wrong.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

use proptest::prelude::*;
use thrifty_interner::{
    Frozen, FrozenError, InternError, Key, KeysError, LocalInterner, Portable, Resolver, Sym, Sym8,
    Symbol,
};
use thrifty_testkit::{FailingAlloc, thread_counts};
use thrifty_traits::MemoryUsage;
use thrifty_workloads::corpus::CorpusSpec;

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

fn symbol(index: usize) -> Sym {
    Sym::try_from_index(u32::try_from(index).unwrap()).unwrap()
}

/// Both directions, by walks and by calls.
fn assert_holds<K: Key + ?Sized + std::fmt::Debug>(frozen: &Frozen<K>, keys: &[&K]) {
    assert_eq!(
        (frozen.len(), frozen.is_empty()),
        (keys.len(), keys.is_empty())
    );
    assert!(frozen.iter().map(|(_, key)| key).eq(keys.iter().copied()));
    assert!(
        frozen
            .iter()
            .rev()
            .map(|(_, key)| key)
            .eq(keys.iter().rev().copied())
    );
    for (index, key) in keys.iter().enumerate() {
        assert_eq!(frozen.get(key), Some(symbol(index)));
        assert_eq!(frozen.resolve(symbol(index)), *key);
    }
    assert_eq!(frozen.try_resolve(symbol(keys.len())), None);
    assert_eq!(frozen.try_resolve(symbol(u32::MAX as usize - 1)), None);
}

/// Through bytes and back, in place and copied, at addresses of every kind.
fn assert_goes_around<K: Portable + ?Sized + std::fmt::Debug>(keys: &[&K]) {
    let frozen = Frozen::<K>::try_from_keys(keys.iter().copied()).unwrap();
    assert_holds(&frozen, keys);
    let bytes = frozen.to_bytes();
    assert_holds(&Frozen::<K>::copy_from_bytes(&bytes).unwrap(), keys);
    assert_eq!(
        Frozen::<K>::copy_from_bytes(&bytes).unwrap().to_bytes(),
        bytes
    );
    let mut room = vec![0; bytes.len() + 16];
    for at in 0..16 {
        let place = &mut room[at..at + bytes.len()];
        place.copy_from_slice(&bytes);
        let is_aligned = place.as_ptr().addr() % K::ALIGN == 0;
        match Frozen::<K>::from_bytes(place) {
            Ok(mapped) => {
                assert!(is_aligned);
                assert!(mapped.iter().map(|(_, key)| key).eq(keys.iter().copied()));
                assert!(keys.iter().all(|key| mapped.get(key).is_some()));
                assert_eq!(mapped.memory_usage().reserved_bytes, 0);
            }
            Err(error) => {
                assert!(!is_aligned);
                assert_eq!(
                    error,
                    FrozenError::Misaligned {
                        align_bytes: K::ALIGN
                    }
                );
            }
        }
    }
    let resolver = frozen.into_resolver();
    assert!(resolver.iter().map(|(_, key)| key).eq(keys.iter().copied()));
    let bytes = resolver.to_bytes();
    assert!(
        Resolver::<K>::copy_from_bytes(&bytes)
            .unwrap()
            .iter()
            .eq(resolver.iter())
    );
    assert_eq!(
        Frozen::<K>::copy_from_bytes(&bytes).err(),
        Some(FrozenError::NoTable)
    );
    assert!(resolver.try_thaw().unwrap().iter().eq(resolver.iter()));
}

#[test]
fn keys_of_every_kind_go_around() {
    assert_goes_around::<str>(&[]);
    assert_goes_around::<str>(&[""]);
    assert_goes_around::<str>(&["", "ä", "a", "host", "a string of more than sixteen bytes"]);
    assert_goes_around::<[u8]>(&[b"\xff", b"", b"\0\0", b"\0"]);
    assert_goes_around::<[u16]>(&[&[1, 2, 3], &[], &[258]]);
    assert_goes_around::<[u64]>(&[&[1], &[], &[u64::MAX; 50], &[2]]);
    assert_goes_around::<[[u8; 16]]>(&[&[[1; 16]], &[], &[[1; 16], [2; 16]]]);
    assert_goes_around::<[u128]>(&[&[1], &[], &[2, 3]]);
    assert_goes_around::<std::ffi::CStr>(&[c"", c"a", c"ab"]);
    #[cfg(unix)]
    assert_goes_around::<std::ffi::OsStr>(&[
        std::ffi::OsStr::new("a//b"),
        std::ffi::OsStr::new("a/b"),
    ]);
}

#[test]
fn ends_of_every_width() {
    let huge = "x".repeat(70_000);
    let keys: Vec<String> = (0..200).map(|at| at.to_string()).collect();
    let mut keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    assert_goes_around::<str>(&keys);
    // 32 of them, exactly as long as two bytes can say, and one byte more.
    for len in [u16::MAX as usize - 31, u16::MAX as usize - 30] {
        let long = "y".repeat(len);
        let singles: Vec<String> = (0..31_u8)
            .map(|at| char::from(b'A' + at).to_string())
            .collect();
        let mut block: Vec<&str> = singles.iter().map(String::as_str).collect();
        block.push(&long);
        assert_goes_around::<str>(&block);
    }
    keys.insert(100, &huge);
    assert_goes_around::<str>(&keys);
}

#[test]
fn a_key_that_comes_twice_is_named() {
    let error = Frozen::<str>::try_from_keys(["a", "b", "c", "b"]).unwrap_err();
    assert_eq!(
        error,
        KeysError::Duplicate {
            first: 1,
            second: 3
        }
    );
    let many: Vec<[u16; 1]> = (0..256).map(|at| [at]).collect();
    let error = Frozen::<[u16], Sym8>::try_from_keys(many.iter().map(|at| &at[..])).unwrap_err();
    assert_eq!(
        error,
        KeysError::Intern(InternError::SymbolSpace { limit_symbols: 255 })
    );
    let wide = Frozen::<[u16]>::try_from_keys(many.iter().map(|at| &at[..]))
        .unwrap()
        .to_bytes();
    let error = Frozen::<[u16], Sym8>::copy_from_bytes(&wide).unwrap_err();
    assert_eq!(
        error,
        FrozenError::SymbolSpace {
            count: 256,
            limit_symbols: 255
        }
    );
}

#[test]
fn a_corpus_keeps_its_symbols() {
    let corpus = CorpusSpec::LOG_TOKENS.with_tokens(20_000).generate();
    let mut interner: LocalInterner = LocalInterner::new();
    interner.extend(corpus.iter());
    let frozen = interner.freeze();
    for token in corpus.iter() {
        assert_eq!(frozen.get(token), interner.get(token));
    }
    for stranger in corpus.strangers().iter() {
        assert_eq!(frozen.get(stranger), None);
    }
    assert!(frozen.thaw().iter().eq(interner.iter()));
    let again = Frozen::<str>::try_from_keys(corpus.once_each().iter()).unwrap();
    assert_eq!(
        again.to_bytes(),
        frozen.to_bytes(),
        "equal keys give equal bytes"
    );
}

/// Bytes of the allocator that are live after a closure has run, and what it made.
fn live<R>(make: impl FnOnce() -> R) -> (R, usize) {
    let before = thread_counts().live_bytes;
    let made = make();
    let after = thread_counts().live_bytes;
    (made, usize::try_from(after - before).unwrap())
}

/// The bars: at four sizes an octave, so that no doubling flatters.
#[test]
fn what_a_string_costs() {
    for count in [100_000_usize, 118_921, 141_421, 168_179] {
        let strings = (0..count).map(|at| format!("{:010}", at * 7919));
        let strings: Vec<String> = strings.collect();
        let payload = 10 * count;
        let beyond = |bytes: usize| (bytes as f64 - payload as f64) / count as f64;
        let (interner, bytes) = live(|| {
            let mut interner: LocalInterner = LocalInterner::new();
            interner.extend(strings.iter().map(String::as_str));
            interner
        });
        assert_eq!(interner.memory_usage().reserved_bytes, bytes);
        assert_eq!(interner.memory_usage().in_use_bytes, payload);
        assert!(beyond(bytes) <= 20.0, "{count}: local {}", beyond(bytes));
        let (frozen, bytes) = live(|| interner.freeze());
        assert_eq!(frozen.memory_usage().reserved_bytes, bytes);
        assert!(beyond(bytes) <= 8.8, "{count}: frozen {}", beyond(bytes));
        let (resolver, bytes) = live(|| interner.freeze_resolver());
        assert_eq!(resolver.memory_usage().reserved_bytes, bytes);
        assert!(beyond(bytes) <= 2.3, "{count}: resolver {}", beyond(bytes));
        assert_eq!(
            frozen.into_resolver().memory_usage(),
            resolver.memory_usage()
        );
    }
}

#[test]
fn long_strings_keep_to_the_bars_too() {
    let count = 20_000;
    let strings: Vec<String> = (0..count).map(|at| format!("{at:0100}")).collect();
    let mut keys: Vec<&str> = strings.iter().map(String::as_str).collect();
    let huge = "x".repeat(100_000);
    keys.push(&huge);
    let frozen = Frozen::<str>::try_from_keys(keys.iter().copied()).unwrap();
    let usage = frozen.memory_usage();
    let beyond = (usage.reserved_bytes - usage.in_use_bytes) as f64 / count as f64;
    assert!(beyond <= 9.0, "frozen {beyond}");
    let usage = frozen.into_resolver().memory_usage();
    let beyond = (usage.reserved_bytes - usage.in_use_bytes) as f64 / count as f64;
    assert!(beyond <= 4.5, "resolver {beyond}");
}

fn sample() -> Vec<u8> {
    let keys: Vec<String> = (0..40).map(|at| format!("key-{at}")).collect();
    Frozen::<str>::try_from_keys(keys.iter().map(String::as_str))
        .unwrap()
        .to_bytes()
}

#[test]
fn every_truncation_is_refused() {
    let bytes = sample();
    for len in 0..bytes.len() {
        let error = Frozen::<str>::from_bytes(&bytes[..len]).unwrap_err();
        assert!(
            matches!(error, FrozenError::Length { .. }),
            "{len}: {error}"
        );
        assert!(Resolver::<str>::from_bytes(&bytes[..len]).is_err());
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(matches!(
        Frozen::<str>::from_bytes(&longer),
        Err(FrozenError::Length { .. })
    ));
}

#[test]
fn every_flipped_bit_is_refused() {
    let bytes = sample();
    for bit in 0..bytes.len() * 8 {
        let mut wrong = bytes.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(Frozen::<str>::from_bytes(&wrong).is_err(), "bit {bit}");
        assert!(Resolver::<str>::from_bytes(&wrong).is_err(), "bit {bit}");
    }
}

#[test]
fn other_types_are_refused() {
    let bytes = sample();
    let kind = |error: Option<FrozenError>| {
        assert!(matches!(error, Some(FrozenError::Kind { .. })), "{error:?}");
    };
    kind(Frozen::<[u8]>::copy_from_bytes(&bytes).err());
    kind(Frozen::<[u32]>::copy_from_bytes(&bytes).err());
    kind(Resolver::<std::ffi::CStr>::copy_from_bytes(&bytes).err());
    let numbers = Frozen::<[u32]>::try_from_keys([&[1][..], &[2]])
        .unwrap()
        .to_bytes();
    kind(Frozen::<[i32]>::copy_from_bytes(&numbers).err());
    kind(Frozen::<[u64]>::copy_from_bytes(&numbers).err());
    kind(Frozen::<[u16]>::copy_from_bytes(&numbers).err());
    assert_eq!(
        Frozen::<str>::from_bytes(&[0; 64]).unwrap_err(),
        FrozenError::Magic
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_keys_go_around(keys in prop::collection::hash_set("\\PC{0,24}", 0..80)) {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let frozen = Frozen::<str>::try_from_keys(keys.iter().copied()).unwrap();
        assert_holds(&frozen, &keys);
        let bytes = frozen.to_bytes();
        assert_holds(&Frozen::copy_from_bytes(&bytes).unwrap(), &keys);
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Frozen::<str>::from_bytes(&bytes).is_err());
        prop_assert!(Resolver::<[u8]>::from_bytes(&bytes).is_err());
    }

    #[test]
    fn bytes_that_are_wrong_in_many_places_are_refused(
        wrong in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..20),
    ) {
        let right = sample();
        let mut bytes = right.clone();
        for (at, change) in &wrong {
            bytes[at.index(right.len())] ^= change;
        }
        prop_assume!(bytes != right);
        prop_assert!(Frozen::<str>::from_bytes(&bytes).is_err());
    }
}
