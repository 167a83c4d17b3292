//! The concurrent interner where memory runs out, at each site in turn, and where its user's code misbehaves.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use thrifty_interner::{DefaultState, InternError, Interner, KeysError, Remap, Sym, Symbol};
use thrifty_testkit::{
    AllocFault, FailingAlloc, Sweep, ThreadCounts, around_tls_destructors, churn, quietly,
    thread_counts,
};
use thrifty_traits::{MemoryUsage, Pressure};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

const FAULTS: [AllocFault; 2] = [AllocFault::Once, AllocFault::Onwards];

/// Enough for several pages, chunks and sizes of tables; short ones, some with a long length, and far ones.
fn strings() -> Vec<String> {
    (0..1500_usize)
        .map(|at| match at % 200 {
            199 => format!("{at:09000}"),
            198 => format!("{at:0300}"),
            _ => format!("key {at}"),
        })
        .collect()
}

/// With a seed, so that each run of a sweep has the same sites.
fn interner() -> Interner {
    Interner::builder()
        .hasher(DefaultState::with_seed(7))
        .shards(2)
        .build()
}

/// Everything that must be true of an interner with these strings, in their order.
fn check<S: BuildHasher>(interner: &Interner<str, Sym, S>, strings: &[&str]) {
    assert_eq!(interner.len(), strings.len());
    for ((symbol, key), expected) in interner.iter().zip(strings) {
        assert_eq!(key, *expected);
        assert_eq!(interner.get(key), Some(symbol));
    }
    let payload: usize = strings.iter().map(|key| key.len()).sum();
    assert_eq!(interner.memory_usage().in_use_bytes, payload);
}

#[test]
fn a_refused_string_is_not_there_and_the_others_are() {
    let strings = strings();
    let mut known = Vec::with_capacity(strings.len());
    for fault in FAULTS {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run_with(interner, |interner| {
                known.clear();
                let mut refused = Ok(());
                for key in &strings {
                    match interner.try_intern(key) {
                        Ok(symbol) => {
                            assert_eq!(symbol.index() as usize, known.len());
                            known.push(key.as_str());
                        }
                        Err(error) => {
                            assert!(matches!(error, InternError::Backend { size_bytes: 1.. }));
                            assert_eq!(interner.get(key), None);
                            refused = Err(error);
                        }
                    }
                }
                check(interner, &known);
                refused
            });
        assert!(swept.sites > 30 && swept.refused > 10, "{swept:?}");
    }
}

#[test]
fn compacting_without_memory_changes_nothing() {
    let strings = strings();
    let all: Vec<&str> = strings.iter().map(String::as_str).collect();
    let odd: Vec<&str> = all.iter().skip(1).step_by(2).copied().collect();
    let filled = || {
        let mut interner = interner();
        interner.extend(all.iter().copied());
        interner
    };
    for fault in FAULTS {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run_with(filled, |interner| -> Result<Remap<Sym>, InternError> {
                let remap = interner.try_compact(|symbol| symbol.index() % 2 == 1);
                check(interner, if remap.is_ok() { &odd } else { &all });
                remap
            });
        assert!(swept.sites > 20, "{swept:?}");
    }
}

#[test]
fn going_back_and_trimming_need_no_memory() {
    let strings = strings();
    let all: Vec<&str> = strings.iter().map(String::as_str).collect();
    let (first, rest) = all.split_at(300);
    for fault in FAULTS {
        Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run_with(
                || {
                    let mut interner = interner();
                    interner.extend(first.iter().copied());
                    let mark = interner.mark();
                    interner.extend(rest.iter().copied());
                    (interner, mark)
                },
                |(interner, mark)| {
                    assert_eq!(interner.rollback(*mark), Ok(rest.len()));
                    check(interner, first);
                    // With memory or without: where there is none, a table keeps its size.
                    interner.trim(Pressure::High);
                    check(interner, first);
                    interner.clear();
                    check(interner, &[]);
                    interner.shrink_to_fit();
                    assert_eq!(interner.memory_usage().reserved_bytes, 0);
                },
            );
    }
}

#[test]
fn reserving_without_memory_is_an_error() {
    for fault in FAULTS {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run(|| {
                Interner::<str, Sym>::builder()
                    .shards(2)
                    .capacity(5000)
                    .try_build()
            });
        assert!(swept.sites > 5 && swept.refused == swept.sites, "{swept:?}");
    }
}

#[test]
fn collecting_and_freezing_fail_without_harm() {
    let strings = strings();
    let all: Vec<&str> = strings.iter().map(String::as_str).collect();
    let interner = interner();
    all.iter().for_each(|key| {
        interner.intern(key);
    });
    for fault in FAULTS {
        let sweep = || Sweep::over(fault).unchanged("live", || thread_counts().live());
        let swept = sweep().run(|| -> Result<(), InternError> {
            let frozen = interner.try_freeze()?;
            let resolver = interner.try_freeze_resolver()?;
            assert!(frozen.iter().eq(interner.iter()) && frozen.iter().eq(resolver.iter()));
            Ok(())
        });
        assert!(swept.sites > 0 && swept.refused == swept.sites, "{swept:?}");
        // The number of shards is the machine's, and so is that of sites.
        let swept = sweep().run(|| {
            let collected = Interner::<str, Sym>::try_from_keys(all.iter().copied())?;
            assert!(collected.iter().eq(interner.iter()));
            Ok::<_, KeysError>(())
        });
        assert!(swept.refused > 0, "{swept:?}");
        check(&interner, &all);
    }
}

#[test]
fn a_batch_without_memory_says_how_far_it_came() {
    let strings = strings();
    let all: Vec<&str> = strings.iter().map(String::as_str).collect();
    for fault in FAULTS {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run_with(interner, |interner| {
                let mut symbols = Vec::new();
                let result = interner.try_intern_many(all.iter().copied(), &mut symbols);
                let known = &all[..symbols.len()];
                for (symbol, key) in symbols.iter().zip(known) {
                    assert_eq!(interner.resolve(*symbol), *key);
                }
                check(interner, known);
                result
            });
        assert!(swept.refused > 10, "{swept:?}");
    }
}

#[test]
fn what_is_there_is_found_without_an_allocation() {
    let strings = strings();
    let interner = interner();
    let mut symbols: Vec<Sym> = Vec::with_capacity(2 * strings.len());
    let all = strings.iter().map(String::as_str);
    interner.try_intern_many(all, &mut symbols).unwrap();
    let before = thread_counts();
    for (key, symbol) in strings.iter().zip(&symbols) {
        assert_eq!(interner.intern(key), *symbol);
        assert_eq!(interner.get(key), Some(*symbol));
        assert_eq!(interner.resolve(*symbol), key);
        assert_eq!(interner.try_intern_utf8(key.as_bytes()), Ok(Ok(*symbol)));
        assert_eq!(interner.try_intern_with_status(key), Ok((*symbol, false)));
    }
    assert_eq!(interner.iter().count(), strings.len());
    symbols.clear();
    let all = strings.iter().map(String::as_str);
    interner.try_intern_many(all, &mut symbols).unwrap();
    assert_eq!(thread_counts().since(&before), ThreadCounts::default());
}

thread_local! {
    /// What a hasher interns into, as a trap.
    static TRAP: RefCell<Option<&'static Interner<str, Sym, Reentrant>>> = const { RefCell::new(None) };
}

/// A hasher that interns into the interner that it hashes for.
#[derive(Default)]
struct Reentrant(DefaultState);

impl BuildHasher for Reentrant {
    type Hasher = <DefaultState as BuildHasher>::Hasher;

    fn build_hasher(&self) -> Self::Hasher {
        if let Some(interner) = TRAP.take() {
            interner.intern("from inside");
            TRAP.set(Some(interner));
        }
        self.0.build_hasher()
    }
}

#[test]
fn a_hasher_may_intern_itself() {
    static INTERNER: OnceLock<Interner<str, Sym, Reentrant>> = OnceLock::new();
    let interner = INTERNER.get_or_init(Interner::default);
    TRAP.set(Some(interner));
    for index in 0..2000 {
        interner.intern(&format!("{index}"));
    }
    TRAP.set(None);
    assert_eq!(interner.len(), 2001);
    assert_eq!(interner.get("from inside").map(Symbol::index), Some(0));
}

/// A hasher that panics at some strings.
#[derive(Default)]
struct Picky(DefaultState);

struct PickyHasher(<DefaultState as BuildHasher>::Hasher);

impl BuildHasher for Picky {
    type Hasher = PickyHasher;

    fn build_hasher(&self) -> PickyHasher {
        PickyHasher(self.0.build_hasher())
    }
}

impl Hasher for PickyHasher {
    fn write(&mut self, bytes: &[u8]) {
        assert!(bytes != b"panic", "on purpose");
        self.0.write(bytes);
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

#[test]
fn a_hasher_that_panics_in_the_middle_of_a_batch_leaves_what_came_before() {
    let interner: Interner<str, Sym, Picky> = Interner::default();
    let mut symbols = Vec::new();
    let keys = ["a", "b", "panic", "c"];
    assert!(quietly(|| interner.try_intern_many(keys, &mut symbols)).is_err());
    assert_eq!(symbols.len(), interner.len());
    check(&interner, &["a", "b"]);
    assert!(quietly(|| interner.intern("panic")).is_err());
    interner.intern("c");
    check(&interner, &["a", "b", "c"]);
}

static NAMES: Interner = Interner::new();

#[test]
fn a_static_interner_serves_threads_that_end() {
    let touch = || {
        NAMES.intern("touched");
    };
    let called = around_tls_destructors(touch, |_| {
        let symbol = NAMES.intern("from a thread that ends");
        assert_eq!(NAMES.resolve(symbol), "from a thread that ends");
        NAMES.get("touched")
    });
    assert!(!called.is_empty());
    assert!(called.iter().all(|(_, touched)| touched.is_some()));
}

#[test]
fn generations_of_threads_find_what_their_predecessors_left() {
    let interner = Interner::new();
    churn(20, 4, |_| {
        for index in 0..50 {
            let key = format!("{index}");
            assert_eq!(interner.resolve(interner.intern(&key)), key);
        }
    });
    assert_eq!(interner.len(), 50);
}

/// The last strings before a limit, and those that are refused at it, allocate nothing only to free it again: they
/// would cost a thousand times what the others do.
#[test]
fn at_the_limit_nothing_is_allocated_in_vain() {
    let interner: Interner = Interner::builder().shards(1).max_bytes(1 << 20).build();
    let mut keys = (0..).map(|index| format!("key number {index}"));
    while interner.try_intern(&keys.next().unwrap()).is_ok() {}
    let reserved = interner.memory_usage().reserved_bytes;
    assert!(reserved > (1 << 20) * 9 / 10, "{reserved}");
    let known = interner.len();
    let refused: Vec<String> = keys.take(1000).collect();
    let before = thread_counts();
    for key in &refused {
        let outcome = interner.try_intern(key);
        assert!(outcome.is_err() || interner.len() > known);
    }
    let asked = thread_counts().since(&before).zeroed_allocs;
    // Here and there a small chunk still fits.
    assert!(asked < 100, "{asked}");
}

/// As before, but here the allocator refuses, after it has given a part of what a larger table needs.
#[test]
fn what_the_allocator_has_refused_is_not_asked_for_each_time() {
    let interner: Interner = Interner::builder().shards(1).build();
    let mut keys = (0..).map(|index| format!("key number {index}"));
    let mut attempt = || {
        let key = keys.next().unwrap();
        let _armed = AllocFault::Onwards.arm(4);
        interner.try_intern(&key).is_ok()
    };
    let mut refused_in_a_row = 0;
    while refused_in_a_row < 100 {
        refused_in_a_row = if attempt() { 0 } else { refused_in_a_row + 1 };
    }
    let known = interner.len();
    let before = thread_counts();
    for _ in 0..1000 {
        assert!(!attempt());
    }
    let asked = thread_counts().since(&before).zeroed_allocs;
    assert!(asked < 1500, "{asked}");
    // Once there is memory again, it is not long until strings are taken.
    let again = (0..100).filter(|at| interner.try_intern(&format!("later {at}")).is_ok());
    assert!(again.count() > 50 && interner.len() > known + 50);
}

/// An interner whose table is full, and could not grow for so many strings.
fn starved(strings: usize) -> Interner {
    let interner: Interner = Interner::builder().shards(1).build();
    let mut refused = 0;
    for index in 0.. {
        let key = format!("key number {index}");
        let _armed = AllocFault::Onwards.arm(4);
        let outcome = interner.try_intern(&key);
        refused = if outcome.is_ok() { 0 } else { refused + 1 };
        if refused == strings {
            break;
        }
    }
    interner
}

/// Whoever gives memory back and tries again is not told what the allocator has said before.
#[test]
fn after_a_trim_the_allocator_is_asked_again() {
    // One after the other, so that some are in the middle of those that are refused without asking.
    for strings in 100..104 {
        let mut interner = starved(strings);
        interner.trim(Pressure::Low);
        let first = interner.try_intern("first").map(Symbol::index);
        assert_eq!(
            first.map(|index| index as usize + 1),
            Ok(interner.len()),
            "{strings}"
        );
    }
}

/// What stays elsewhere was never reserved, so it is not in use here.
#[test]
fn static_strings_are_no_bytes_in_use() {
    static LONG: [u8; 100_000] = [b'a'; 100_000];
    let long = std::str::from_utf8(&LONG).unwrap();
    let mut interner = Interner::new();
    let mark = interner.mark();
    interner.intern_static(long);
    interner.intern_static("short");
    let usage = interner.memory_usage();
    assert!(
        usage.in_use_bytes + usage.idle_bytes <= usage.reserved_bytes,
        "{usage}"
    );
    assert_eq!(usage.in_use_bytes, 5);
    assert_eq!(interner.rollback(mark), Ok(2));
    assert_eq!(interner.memory_usage().in_use_bytes, 0);
}
