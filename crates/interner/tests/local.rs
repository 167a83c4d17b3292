//! `LocalInterner` against an oracle, at its boundaries, and with hashers that misbehave.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

mod support;

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::hash::{BuildHasher, Hasher};

use proptest::prelude::*;
use thrifty_interner::{
    DefaultState, InternError, Interner, Key, LocalInterner, Mark, StaleMark, Sym, Sym8, Sym16,
    Symbol,
};
use thrifty_testkit::{Fuse, Sweep, quietly};
use thrifty_traits::{MemoryUsage, Pressure};
use thrifty_workloads::corpus::{CorpusSpec, Interned};

use support::Constant;

/// What an interner should be: a list and a map.
#[derive(Default)]
struct Oracle {
    strings: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Oracle {
    fn intern(&mut self, string: &str) -> u32 {
        if let Some(number) = self.numbers.get(string) {
            return *number;
        }
        let number = u32::try_from(self.strings.len()).unwrap();
        self.strings.push(string.to_owned());
        self.numbers.insert(string.to_owned(), number);
        number
    }

    fn truncate(&mut self, len: usize) {
        for string in self.strings.drain(len..) {
            self.numbers.remove(&string);
        }
    }
}

/// Both directions agree, and nothing else is there.
fn assert_same<S: BuildHasher>(interner: &LocalInterner<str, Sym, S>, oracle: &Oracle) {
    assert_eq!(interner.len(), oracle.strings.len());
    assert!(
        interner
            .iter()
            .map(|(_, string)| string)
            .eq(oracle.strings.iter())
    );
    for (index, string) in oracle.strings.iter().enumerate() {
        let symbol = interner.get(string).unwrap();
        assert_eq!(symbol.index() as usize, index);
        assert_eq!(interner.resolve(symbol), string);
    }
    let payload: usize = oracle.strings.iter().map(String::len).sum();
    assert_eq!(interner.payload_bytes(), payload);
    let usage = interner.memory_usage();
    assert_eq!(usage.in_use_bytes, payload);
    assert!(usage.in_use_bytes + usage.idle_bytes <= usage.reserved_bytes);
}

#[derive(Clone, Debug)]
enum Step {
    Intern(String),
    Long(u8, usize),
    Mark,
    Rollback,
    Clear,
    Shrink,
    Reserve(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => "[a-c]{0,4}".prop_map(Step::Intern),
        4 => any::<u16>().prop_map(|at| Step::Intern(at.to_string())),
        1 => (any::<u8>(), 0..40_000_usize).prop_map(|(byte, len)| Step::Long(byte % 3, len)),
        2 => Just(Step::Mark),
        1 => Just(Step::Rollback),
        1 => (0..20_u8).prop_map(|at| if at == 0 { Step::Clear } else { Step::Shrink }),
        1 => (0..50_usize).prop_map(Step::Reserve),
    ]
}

fn run<S: BuildHasher>(interner: &mut LocalInterner<str, Sym, S>, steps: &[Step]) {
    let mut oracle = Oracle::default();
    let mut marks: Vec<Mark> = Vec::new();
    let (mut stale, mut cleared) = (0, 0);
    for step in steps {
        match step {
            Step::Intern(string) => {
                assert_eq!(interner.intern(string).index(), oracle.intern(string));
            }
            Step::Long(byte, len) => {
                let string = char::from(b'x' + byte).to_string().repeat(*len);
                assert_eq!(interner.intern(&string).index(), oracle.intern(&string));
            }
            Step::Mark => {
                marks.push(interner.mark());
                continue;
            }
            Step::Rollback => {
                let Some(mark) = marks.pop() else { continue };
                let before = interner.len();
                let Ok(removed) = interner.rollback(mark) else {
                    // Marks are used from the last to the first, so that only `clear` makes them stale.
                    stale += 1;
                    assert!(stale <= cleared);
                    continue;
                };
                assert_eq!(interner.len(), before - removed);
                oracle.truncate(interner.len());
            }
            Step::Clear => {
                interner.clear();
                cleared += marks.len();
                oracle.truncate(0);
            }
            Step::Shrink => interner.shrink_to_fit(),
            Step::Reserve(additional) => interner.try_reserve(*additional).unwrap(),
        }
        assert_same(interner, &oracle);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_does_as_a_list_and_a_map(steps in prop::collection::vec(step(), 1..60)) {
        run(&mut LocalInterner::new(), &steps);
    }

    #[test]
    fn collisions_cost_time_alone(steps in prop::collection::vec(step(), 1..30)) {
        let builder = LocalInterner::builder();
        run(&mut builder.hasher(Constant).build(), &steps);
    }
}

#[test]
fn a_corpus_gets_the_numbers_of_first_sight() {
    let corpus = CorpusSpec::LOG_TOKENS.with_tokens(30_000).generate();
    let oracle = Interned::new(&corpus);
    let mut interner: LocalInterner = LocalInterner::new();
    for (token, number) in corpus.iter().zip(&oracle.symbols) {
        assert_eq!(interner.intern(token).index(), *number);
    }
    assert!(
        interner
            .iter()
            .map(|(_, string)| string)
            .eq(oracle.strings.iter().copied())
    );
    for stranger in corpus.strangers().iter() {
        assert_eq!(interner.get(stranger), None);
    }
}

#[test]
fn lengths_at_every_boundary() {
    let mut interner: LocalInterner = LocalInterner::new();
    let lengths = [
        0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 253, 254, 255, 256, 257, 505, 509, 512, 16_377, 16_378,
        16_381, 16_384, 16_385, 32_767, 65_529, 65_533, 65_535, 65_536, 65_537, 200_000,
    ];
    let string = |len: usize| "ab".repeat(len / 2 + 1)[..len].to_owned();
    let symbols = lengths.map(|len| interner.intern(&string(len)));
    for (len, symbol) in lengths.iter().zip(symbols) {
        assert_eq!(interner.resolve(symbol), string(*len));
        assert_eq!(interner.get(&string(*len)), Some(symbol));
    }
    assert_eq!(interner.len(), lengths.len());
}

#[test]
fn small_strings_go_on_behind_large_ones() {
    // More records in the open chunk than its numbers reach from its first, were it not closed in time.
    let mut interner: LocalInterner<[u8], Sym> = LocalInterner::new();
    interner.intern(b"first");
    let large = vec![1; 16_384];
    for at in 0..70_000_u32 {
        let mut bytes = at.to_le_bytes().to_vec();
        if at < 40 {
            bytes.extend_from_slice(&large);
        }
        assert_eq!(interner.intern(&bytes).index(), at + 1);
    }
    for at in 40..70_000_u32 {
        assert_eq!(interner.get(&at.to_le_bytes()).unwrap().index(), at + 1);
    }
}

fn keys_come_back<K: Key + ?Sized + std::fmt::Debug>(keys: &[&K]) {
    let mut interner: LocalInterner<K> = LocalInterner::new();
    let symbols: Vec<_> = keys.iter().map(|key| interner.intern(key)).collect();
    for (key, symbol) in keys.iter().zip(symbols) {
        assert_eq!(interner.resolve(symbol), *key);
        assert_eq!(interner.get(key), Some(symbol));
    }
    let frozen = interner.freeze();
    let resolver = interner.freeze_resolver();
    for (symbol, key) in &interner {
        assert_eq!(
            (frozen.get(key), frozen.resolve(symbol)),
            (Some(symbol), key)
        );
        assert_eq!(resolver.resolve(symbol), key);
    }
    assert!(frozen.thaw().iter().eq(interner.iter()));
}

#[test]
fn keys_of_every_kind() {
    keys_come_back::<str>(&[
        "",
        "a",
        "ä",
        "long enough to be hashed in a loop, at least twice",
    ]);
    keys_come_back::<[u8]>(&[b"", b"\0", b"\xff\xfe", b"\0\0"]);
    keys_come_back::<OsStr>(&[OsStr::new(""), OsStr::new("a//b"), OsStr::new("a/b")]);
    keys_come_back::<CStr>(&[c"", c"a", c"ab"]);
    keys_come_back::<[u16]>(&[&[], &[1], &[1, 2], &[256]]);
    keys_come_back::<[u64]>(&[&[], &[1; 40], &[2], &[0]]);
    keys_come_back::<[u128]>(&[&[], &[1; 40], &[2], &[0], &[7; 2000]]);
    keys_come_back::<[char]>(&[&['a'], &['b', 'ä']]);
    keys_come_back::<[bool]>(&[&[true], &[false, true]]);
    keys_come_back::<[[u8; 3]]>(&[&[[1, 2, 3]], &[[1, 2, 3], [4, 5, 6]]]);
}

#[test]
fn symbols_run_out_without_a_hole() {
    let mut few: LocalInterner<[u8], Sym8> = LocalInterner::new();
    for at in 0..255 {
        assert_eq!(few.intern(&[at]).index(), u32::from(at));
    }
    let full = InternError::SymbolSpace { limit_symbols: 255 };
    assert_eq!(few.try_intern(&[255]), Err(full));
    assert!(quietly(|| few.intern(&[255])).is_err());
    assert_eq!((few.len(), few.get(&[255])), (255, None));
    assert_eq!(few.intern(&[7]).index(), 7);

    let mut more: LocalInterner<[u16], Sym16> = LocalInterner::new();
    for at in 0..u16::MAX {
        more.intern(&[at]);
    }
    assert!(more.try_intern(&[u16::MAX]).is_err());
    assert_eq!(more.resolve(more.get(&[65_534]).unwrap()), [65_534]);
}

#[test]
fn limits_are_kept_exactly() {
    for limit in [0, 1, 100, 500, 512, 513, 1000, 1024, 4096, 50_000] {
        let mut interner: LocalInterner = LocalInterner::builder().max_bytes(limit).build();
        let mut oracle = Oracle::default();
        let mut refused = 0;
        for at in 0..5000 {
            let string = if at % 50 == 0 {
                at.to_string().repeat(50)
            } else {
                at.to_string()
            };
            match interner.try_intern(&string) {
                Ok(symbol) => assert_eq!(symbol.index(), oracle.intern(&string)),
                Err(error) => {
                    assert_eq!(error, InternError::MemoryLimit { limit_bytes: limit });
                    refused += 1;
                }
            }
            let reserved = interner.memory_usage().reserved_bytes;
            assert_eq!(
                interner.headroom().bytes_left.checked_add(reserved),
                Some(limit)
            );
        }
        assert!(refused > 0);
        assert_same(&interner, &oracle);
        if limit >= 500 {
            assert!(!interner.is_empty(), "{limit} bytes hold something");
        }
    }
    let mut short: LocalInterner = LocalInterner::builder().max_length(3).build();
    let error = InternError::TooLong {
        length_bytes: 4,
        limit_bytes: 3,
    };
    assert_eq!(short.try_intern("abcd"), Err(error));
    assert!(short.try_intern("abc").is_ok());
}

#[test]
fn what_is_idle_is_given_back() {
    let mut interner: LocalInterner = LocalInterner::new();
    interner.extend(["a", "b"]);
    interner.try_reserve(100_000).unwrap();
    assert!(interner.trim(Pressure::Low).is_nothing());
    let before = interner.memory_usage().reserved_bytes;
    let reclaimed = interner.trim(Pressure::High);
    assert_eq!(
        before - reclaimed.bytes,
        interner.memory_usage().reserved_bytes
    );
    assert!(
        interner.memory_usage().reserved_bytes < 150,
        "{}",
        interner.memory_usage()
    );
    assert_eq!(interner.intern("b").index(), 1);
    assert_eq!(interner.intern("c").index(), 2);
    interner.clear();
    interner.trim(Pressure::Medium);
    assert_eq!(interner.memory_usage().reserved_bytes, 0);
}

/// Counts what is hashed.
struct Counting<'a>(&'a Cell<u64>, DefaultState);

impl BuildHasher for Counting<'_> {
    type Hasher = thrifty_interner::DefaultHasher;

    fn build_hasher(&self) -> Self::Hasher {
        self.0.set(self.0.get() + 1);
        self.1.build_hasher()
    }
}

/// A request interns one string and rolls back, in a table that has few slots left.
#[test]
fn going_back_costs_the_same_in_a_table_that_is_nearly_full() {
    for spare in [0, 1, 2, 8, 64, 200, 300, 400] {
        let hashed = Cell::new(0);
        let state = Counting(&hashed, DefaultState::with_seed(1));
        let mut interner = LocalInterner::<str>::builder().hasher(state).build();
        for at in 0..2048 * 7 / 8 - spare {
            interner.intern(&at.to_string());
        }
        let mark = interner.mark();
        let before = hashed.get();
        for at in 0..1000 {
            interner.intern(&format!("request {at}"));
            assert_eq!(interner.rollback(mark), Ok(1));
        }
        // Two for each request, and now and then those of all others.
        let hashes = hashed.get() - before;
        assert!(hashes < 20_000, "{hashes} with {spare} to spare");
    }
}

/// Hashes as the default does, until the fuse blows.
struct Fused(Fuse, DefaultState);

impl BuildHasher for Fused {
    type Hasher = thrifty_interner::DefaultHasher;

    fn build_hasher(&self) -> Self::Hasher {
        self.0.call();
        self.1.build_hasher()
    }
}

#[test]
fn a_panicking_hasher_changes_nothing() {
    let fuse = Fuse::new();
    let swept = Sweep::over(&fuse).run_with(
        || {
            let state = Fused(fuse.clone(), DefaultState::with_seed(1));
            LocalInterner::<str>::builder().hasher(state).build()
        },
        |interner| {
            let mut oracle = Oracle::default();
            let mut blown = false;
            let mut mark = interner.mark();
            for at in 0..40_u32 {
                if interner.len() == 20 {
                    mark = interner.mark();
                }
                let string = at.to_string();
                match quietly(|| interner.intern(&string)) {
                    Ok(symbol) => assert_eq!(symbol.index(), oracle.intern(&string)),
                    Err(_) => blown = true,
                }
            }
            // Back by half: whatever was forgotten before the panic was forgotten whole.
            if quietly(|| interner.rollback(mark)).is_err() {
                blown = true;
            }
            oracle.truncate(interner.len());
            for at in 100..120_u32 {
                let string = at.to_string();
                match quietly(|| interner.intern(&string)) {
                    Ok(symbol) => assert_eq!(symbol.index(), oracle.intern(&string)),
                    Err(_) => blown = true,
                }
            }
            if quietly(|| assert_same(interner, &oracle)).is_err() {
                assert!(!blown, "one blow, and still wrong");
                assert_same(interner, &oracle);
            }
        },
    );
    assert!(swept.sites > 100, "{swept:?}");
}

/// A hasher that never says the same twice.
#[derive(Default)]
struct Fickle(Cell<u64>);

impl BuildHasher for Fickle {
    type Hasher = FickleHasher;

    fn build_hasher(&self) -> FickleHasher {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        FickleHasher(self.0.get())
    }
}

struct FickleHasher(u64);

impl Hasher for FickleHasher {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[test]
fn a_fickle_hasher_breaks_nothing_but_its_promise() {
    let mut interner = LocalInterner::<str>::builder()
        .hasher(Fickle::default())
        .build();
    for round in 0..3 {
        let mark = interner.mark();
        for at in 0..200 {
            let symbol = interner.intern(&at.to_string());
            assert_eq!(interner.resolve(symbol), at.to_string());
        }
        if round < 2 {
            interner.rollback(mark).unwrap();
            assert_eq!(interner.len(), 0);
        }
    }
}

#[test]
fn panics_name_what_is_wrong() {
    let interner: LocalInterner = LocalInterner::new();
    let payload = quietly(|| interner.resolve(Sym::try_from_index(3).unwrap())).unwrap_err();
    let message = thrifty_testkit::message(&*payload);
    assert_eq!(
        message,
        "symbol 3 is not one of the 0 that were given out here"
    );
}

#[test]
fn marks_of_others_and_of_the_past_are_stale() {
    let mut interner: LocalInterner = LocalInterner::new();
    let empty = interner.mark();
    interner.intern("a");
    let other: LocalInterner = LocalInterner::new();
    assert_eq!(interner.rollback(other.mark()), Err(StaleMark));
    assert_eq!(interner.rollback(Interner::new().mark()), Err(StaleMark));
    let mark = interner.mark();
    assert_eq!(interner.rollback(empty), Ok(1));
    interner.extend(["b", "c"]);
    assert_eq!(interner.rollback(mark), Err(StaleMark));
    assert_eq!(interner.rollback(empty), Ok(2));
    let cleared = interner.mark();
    interner.clear();
    assert_eq!(interner.rollback(cleared), Err(StaleMark));
}
