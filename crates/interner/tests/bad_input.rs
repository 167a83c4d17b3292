//! Input that is hard: lengths at the edges of blocks, hashers that tell little, symbols from elsewhere, and iterators
//! that come back to the interner that asks them.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::hash::{BuildHasher, Hasher};

use thrifty_interner::{
    Dedup, Frozen, InternError, Interner, Key, LocalInterner, Resolver, Shared, Sym, Sym8, Sym16,
    Symbol,
};
use thrifty_testkit::quietly;

/// Of the length, and of no other that is asked for here.
fn of_length(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at ^ length ^ length >> 8).to_le_bytes()[0])
        .collect()
}

/// Each length comes first, so that it begins a block of memory, and then between others, where it ends one.
#[test]
fn a_string_of_any_length_may_be_the_first() {
    let edges = (5..18).flat_map(|bits| (1_usize << bits) - 24..(1 << bits) + 24);
    for length in (0..40).chain(edges.filter(|length| length % 2 == 0 || *length < 2048)) {
        let keys = [
            of_length(length),
            vec![7],
            of_length(length + 1),
            vec![8, 8],
        ];
        let shared: Interner<[u8]> = Interner::builder().shards(1).build();
        let mut local: LocalInterner<[u8]> = LocalInterner::new();
        for (index, key) in (0..).zip(&keys) {
            assert_eq!(shared.intern(key).index(), index, "{length}");
            assert_eq!(local.intern(key).index(), index, "{length}");
        }
        assert!(
            shared
                .iter()
                .map(|(_, key)| key)
                .eq(keys.iter().map(Vec::as_slice))
        );
        assert!(shared.iter().eq(local.iter()), "{length}");
        assert!(shared.iter().eq(shared.freeze().iter()), "{length}");
        assert!(keys.iter().all(|key| shared.get(key) == local.get(key)));
    }
}

/// Whose bytes nobody looks at: the hasher does not, and each is refused before it is copied.
#[cfg(target_pointer_width = "64")]
#[test]
fn more_than_four_gigabytes_are_refused() {
    if thrifty_testkit::is_skipped_under(&[], "four gigabytes, all of which it looks at") {
        return;
    }
    let giant = vec![0_u8; (1 << 32) + 1];
    let refused = |error: InternError| {
        let is_right = matches!(error, InternError::TooLong { length_bytes, limit_bytes }
            if length_bytes == giant.len() && limit_bytes <= u32::MAX as usize);
        assert!(is_right, "{error}");
    };
    let mut local: LocalInterner<[u8], Sym, Partial> = LocalInterner::with_hasher(Partial(0));
    refused(local.try_intern(&giant).unwrap_err());
    refused(Shared::<[u8]>::try_new(&giant).unwrap_err());
    let cache: Dedup<[u8]> = Dedup::new(1 << 20);
    refused(cache.try_dedup(&giant).unwrap_err());
    // It has no such limit; another that is reached is.
    let builder = Interner::builder().hasher(Partial(0)).max_bytes(1 << 20);
    let shared: Interner<[u8], Sym, Partial> = builder.build();
    let full = InternError::MemoryLimit {
        limit_bytes: 1 << 20,
    };
    assert_eq!(shared.try_intern(&giant), Err(full));
    assert!(shared.is_empty() && local.is_empty() && cache.is_empty());
}

/// A good hash, of which only some bits are left.
#[derive(Clone, Copy)]
struct Partial(u64);

impl BuildHasher for Partial {
    type Hasher = PartialHasher;

    fn build_hasher(&self) -> PartialHasher {
        PartialHasher {
            kept: self.0,
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }
}

struct PartialHasher {
    kept: u64,
    hash: u64,
}

impl Hasher for PartialHasher {
    fn write(&mut self, bytes: &[u8]) {
        if self.kept == 0 {
            return;
        }
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        (self.hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.hash >> 29) & self.kept
    }
}

/// Strings whose hashes agree in what tables are searched by, in what they compare first, or in all but a bit.
#[test]
fn hashers_that_tell_little_cost_time_alone() {
    let low = u64::from(u32::MAX);
    for kept in [
        0,
        1,
        1 << 63,
        low,
        !low,
        0xff,
        0xff << 56,
        0x00ff_ff00_0000_0000,
        low << 16,
    ] {
        let state = Partial(kept);
        let shared: Interner<str, Sym, Partial> =
            Interner::builder().hasher(state).shards(4).build();
        let mut local: LocalInterner<str, Sym, Partial> = LocalInterner::with_hasher(state);
        let cache: Dedup<str, Partial> = Dedup::with_hasher(1 << 20, state);
        let mut oracle: HashMap<String, u32> = HashMap::new();
        for at in 0..2500_u32 {
            let key = format!("{}", at.wrapping_mul(2_654_435_761) % 1500);
            let next = u32::try_from(oracle.len()).unwrap();
            let expected = *oracle.entry(key.clone()).or_insert(next);
            assert_eq!(shared.intern(&key).index(), expected, "{kept:#x}");
            assert_eq!(local.intern(&key).index(), expected, "{kept:#x}");
            assert_eq!(*cache.dedup(&key), *key, "{kept:#x}");
        }
        for (key, index) in &oracle {
            let symbol = Sym::try_from_index(*index);
            assert_eq!((shared.get(key), local.get(key)), (symbol, symbol));
        }
        assert_eq!((shared.get("absent"), local.get("absent")), (None, None));
        assert!(cache.get("absent").is_none());
    }
}

fn keys_come_back<K: Key + ?Sized + std::fmt::Debug>(keys: &[&K]) {
    let interner: Interner<K> = Interner::default();
    let symbols: Vec<Sym> = keys.iter().map(|key| interner.intern(key)).collect();
    assert_eq!(interner.len(), keys.len());
    for (key, symbol) in keys.iter().zip(symbols) {
        assert_eq!(interner.get(key), Some(symbol));
        assert_eq!(interner.resolve(symbol), *key);
        let address = interner.resolve(symbol).as_bytes().as_ptr().addr();
        assert_eq!(address % K::ALIGN, 0);
    }
}

/// Of which some begin or end as others do, or hold zeros, or what is no text.
#[test]
fn keys_that_resemble_each_other_are_kept_apart() {
    let long = "prefix and suffix ".repeat(40);
    let mut texts: Vec<&str> = (0..=long.len()).map(|end| &long[..end]).collect();
    texts.extend((1..18).map(|start| &long[start..]));
    texts.extend(["\0", "\0\0", "a\0", "a\0b", "ä", "a\u{308}"]);
    keys_come_back::<str>(&texts);
    keys_come_back::<[u8]>(&[b"", b"\0", b"\0\0", b"\xff\xfe", b"\xff", b"\xc3"]);
    keys_come_back::<CStr>(&[c"", c"a", c"ab"]);
    keys_come_back::<OsStr>(&["", "a//b", "a/b", "a/b/", "./a/b"].map(OsStr::new));
    keys_come_back::<[u16]>(&[&[], &[0], &[0, 0], &[1], &[256]]);
    keys_come_back::<[u64]>(&[&[], &[0], &[0; 40], &[1]]);
    keys_come_back::<[u128]>(&[&[], &[0], &[0; 2000], &[1]]);
}

/// What is too long for what is left is refused, and what is not is taken.
#[test]
fn a_refused_long_string_leaves_room_for_short_ones() {
    for limit in [6000, 8000, 12_000, 40_000] {
        let shared: Interner = Interner::builder().max_bytes(limit).shards(1).build();
        let mut local: LocalInterner = LocalInterner::builder().max_bytes(limit).build();
        let full = InternError::MemoryLimit { limit_bytes: limit };
        for at in 0..50 {
            let long = format!("{at}").repeat(limit);
            assert_eq!(shared.try_intern(&long), Err(full));
            assert_eq!(local.try_intern(&long), Err(full));
            let short = format!("{at}");
            assert_eq!(
                shared.try_intern(&short).map(Symbol::index),
                Ok(at),
                "{limit}"
            );
            assert_eq!(
                local.try_intern(&short).map(Symbol::index),
                Ok(at),
                "{limit}"
            );
            assert_eq!((shared.get(&long), local.get(&long)), (None, None));
        }
        assert!(shared.iter().eq(local.iter()));
    }
}

#[test]
fn symbols_of_sixteen_bits_run_out_without_a_hole() {
    let interner: Interner<[u16], Sym16> = Interner::default();
    for at in 0..u16::MAX {
        assert_eq!(interner.intern(&[at]).index(), u32::from(at));
    }
    let full = Err(InternError::SymbolSpace {
        limit_symbols: 65_535,
    });
    assert_eq!(interner.try_intern(&[u16::MAX]), full);
    assert_eq!(interner.len(), 65_535);
    assert!(
        interner
            .iter()
            .all(|(symbol, key)| interner.get(key) == Some(symbol))
    );
}

#[test]
fn symbols_of_a_larger_set_lead_to_nothing() {
    let mut small: LocalInterner = LocalInterner::new();
    small.intern("a");
    let (frozen, resolver) = (small.freeze(), small.freeze_resolver());
    let none: Frozen = LocalInterner::new().freeze();
    for index in [1, 2, 31, 32, 33, 512, 65_536, u32::MAX - 1] {
        let foreign = Sym::try_from_index(index).unwrap();
        assert_eq!(small.try_resolve(foreign), None);
        assert_eq!(frozen.try_resolve(foreign), None);
        assert_eq!(resolver.try_resolve(foreign), None);
        assert_eq!(none.try_resolve(foreign), None);
        assert!(quietly(|| small.resolve(foreign).len()).is_err());
        assert!(quietly(|| frozen.resolve(foreign).len()).is_err());
        assert!(quietly(|| resolver.resolve(foreign).len()).is_err());
    }
    assert_eq!(Sym::try_from_index(u32::MAX), None);
    assert_eq!(Sym8::try_from_index(255), None);
}

#[test]
fn interning_inside_a_walk_is_fine_and_is_not_walked() {
    let interner = Interner::new();
    (0..1000).for_each(|at| {
        interner.intern(&format!("{at}"));
    });
    let mut walked = 0;
    for (_, key) in &interner {
        interner.intern(&format!("{key} again"));
        walked += 1;
    }
    assert_eq!((walked, interner.len()), (1000, 2000));
}

/// An iterator is the user's code too: it may intern in the interner that asks it, and it may panic.
#[test]
fn an_iterator_of_keys_may_use_the_interner_or_panic() {
    let words: Vec<String> = (0..42_000).map(|at| format!("word {at}")).collect();
    // Small, and from so many strings on that batches are looked for together.
    for known in [0, 40_000] {
        let interner = Interner::new();
        words[..known].iter().for_each(|word| {
            interner.intern(word);
        });
        let mut symbols = Vec::new();
        let new = &words[known..known + 2000];
        let keys = new.iter().map(|word| {
            assert_eq!(interner.resolve(interner.intern(word)), word);
            interner.intern(&format!("{word} too"));
            word.as_str()
        });
        interner.intern_many(keys, &mut symbols);
        assert_eq!(symbols.len(), 2000);
        let resolved = symbols.iter().map(|symbol| interner.resolve(*symbol));
        assert!(resolved.eq(new.iter().map(String::as_str)));

        let before = interner.len();
        let mut symbols = Vec::new();
        let panicked = quietly(|| {
            let new: Vec<String> = (0..100).map(|at| format!("new {at}")).collect();
            let keys = new.iter().enumerate().map(|(at, word)| {
                assert!(at < 70, "enough");
                word.as_str()
            });
            interner.intern_many(keys, &mut symbols);
        });
        assert!(panicked.is_err());
        // Whole batches, and of the last one nothing or what came before.
        assert_eq!(interner.len() - before, symbols.len());
        assert!((64..=70).contains(&symbols.len()), "{}", symbols.len());
        assert!(
            interner
                .iter()
                .all(|(symbol, key)| interner.get(key) == Some(symbol))
        );
    }
}

#[test]
fn compacting_may_keep_all_or_nothing() {
    let mut interner = Interner::new();
    let keys: Vec<String> = (0..3000).map(|at| format!("{at}")).collect();
    keys.iter().for_each(|key| {
        interner.intern(key);
    });
    let remap = interner.compact(|_| true);
    assert!(remap.iter().all(|(old, new)| new == Some(old)));
    assert!(
        interner
            .iter()
            .map(|(_, key)| key)
            .eq(keys.iter().map(String::as_str))
    );
    let remap = interner.compact(|_| false);
    assert!(remap.len() == 3000 && remap.iter().all(|(_, new)| new.is_none()));
    assert!(interner.is_empty() && interner.get("7").is_none());
    assert_eq!(interner.intern("7").index(), 0);
}

/// A resolver of one image, asked for by the symbols of another kind.
#[test]
fn images_of_all_sizes_of_symbols() {
    let mut few: LocalInterner<str, Sym8> = LocalInterner::new();
    few.extend(["a", "b"]);
    let bytes = few.freeze().to_bytes();
    let wide = Resolver::<str, Sym>::from_bytes(&bytes).unwrap();
    assert!(wide.iter().map(|(_, key)| key).eq(["a", "b"]));
    let narrow = Frozen::<str, Sym8>::from_bytes(&bytes).unwrap();
    assert_eq!(narrow.get("b"), few.get("b"));
}
