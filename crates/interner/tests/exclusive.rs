//! Marks, rollbacks, emptying, trimming and compaction, against an oracle.

mod support;

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};

use proptest::prelude::*;
use thrifty_interner::{DefaultState, Interner, Mark, StaleMark, Sym, Symbol};
use thrifty_testkit::quietly;
use thrifty_traits::{MemoryUsage, Pressure, Reclaim};

use support::Constant;

#[derive(Clone, Debug)]
enum Step {
    Intern(Vec<u16>),
    Static(usize),
    Mark,
    Rollback(usize),
    Clear,
    Trim(Pressure),
    Compact(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(0..400_u16, 1..60).prop_map(Step::Intern),
        1 => (0..STATIC.len()).prop_map(Step::Static),
        3 => Just(Step::Mark),
        3 => (0..8_usize).prop_map(Step::Rollback),
        1 => Just(Step::Clear),
        2 => prop::sample::select(&Pressure::ALL[..]).prop_map(Step::Trim),
        1 => any::<u32>().prop_map(Step::Compact),
    ]
}

static STATIC: [&str; 3] = [
    "a string that lives for ever",
    "and another one of those",
    "short",
];

/// Strings of all forms: short ones, some with a long length, and far ones.
fn key(number: u16) -> String {
    match number % 40 {
        0 => format!("{number}").repeat(200),
        1 => format!("{number}").repeat(4000),
        _ => format!("key {number}"),
    }
}

/// What should be in an interner, and which marks should be good.
#[derive(Default)]
struct Oracle {
    strings: Vec<String>,
    marks: Vec<(Mark, usize, bool)>,
}

impl Oracle {
    fn intern(&mut self, key: &str) -> usize {
        let known = self.strings.iter().position(|string| string == key);
        known.unwrap_or_else(|| {
            self.strings.push(key.to_owned());
            self.strings.len() - 1
        })
    }

    fn forget_marks_beyond(&mut self, left: usize) {
        for (_, count, good) in &mut self.marks {
            *good &= *count <= left;
        }
    }

    fn forget_marks(&mut self) {
        self.marks.iter_mut().for_each(|mark| mark.2 = false);
    }

    fn check<S: BuildHasher>(&self, interner: &Interner<str, Sym, S>) {
        assert_eq!(interner.len(), self.strings.len());
        let keys: Vec<&str> = interner.iter().map(|(_, key)| key).collect();
        assert_eq!(keys, self.strings);
        for (index, key) in (0..).zip(&self.strings) {
            assert_eq!(interner.get(key), Sym::try_from_index(index));
        }
        for number in 0..400 {
            let key = key(number);
            if !self.strings.contains(&key) {
                assert_eq!(interner.get(&key), None);
            }
        }
        // Static ones stay where they are, unless they are short.
        let is_copied = |key: &&String| key.len() <= 16 || !STATIC.contains(&key.as_str());
        let copied = self.strings.iter().filter(is_copied);
        let payload: usize = copied.map(String::len).sum();
        assert_eq!(interner.memory_usage().in_use_bytes, payload);
    }
}

fn run<S: BuildHasher>(interner: &mut Interner<str, Sym, S>, steps: &[Step]) {
    let mut oracle = Oracle::default();
    for step in steps {
        match step {
            Step::Intern(numbers) => {
                for number in numbers {
                    let key = key(*number);
                    let expected = oracle.intern(&key);
                    assert_eq!(interner.intern(&key).index() as usize, expected);
                }
            }
            Step::Static(index) => {
                let expected = oracle.intern(STATIC[*index]);
                let symbol = interner.intern_static(STATIC[*index]);
                assert_eq!(symbol.index() as usize, expected);
            }
            Step::Mark => oracle
                .marks
                .push((interner.mark(), oracle.strings.len(), true)),
            Step::Rollback(index) => {
                let Some((mark, count, good)) = oracle.marks.iter().rev().nth(*index).copied()
                else {
                    continue;
                };
                let removed = interner.rollback(mark);
                if good {
                    assert_eq!(removed, Ok(oracle.strings.len() - count));
                    oracle.strings.truncate(count);
                    oracle.forget_marks_beyond(count);
                } else {
                    assert_eq!(removed, Err(StaleMark));
                }
            }
            Step::Clear => {
                interner.clear();
                oracle.strings.clear();
                oracle.forget_marks();
            }
            Step::Trim(pressure) => {
                let before = interner.memory_usage().reserved_bytes;
                let freed = interner.trim(*pressure).bytes;
                let after = interner.memory_usage();
                assert_eq!(freed, before - after.reserved_bytes);
                assert_eq!(after.idle_bytes, 0);
            }
            Step::Compact(seed) => {
                let lives =
                    |index: u32| (index.wrapping_mul(0x9e37_79b9) ^ seed).count_ones() % 3 != 0;
                let before = std::mem::take(&mut oracle.strings);
                let remap = interner.compact(|symbol| lives(symbol.index()));
                assert_eq!(remap.len(), before.len());
                for ((old, new), key) in remap.iter().zip(before) {
                    let expected = lives(old.index()).then(|| oracle.intern(&key));
                    assert_eq!(new.map(|symbol| symbol.index() as usize), expected);
                    assert_eq!(remap.get(old), new);
                }
                oracle.forget_marks();
            }
        }
        oracle.check(interner);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_the_owner_does(steps in prop::collection::vec(step(), 1..30), shards in 1..5_usize) {
        let state = DefaultState::with_seed(1);
        run(&mut Interner::builder().hasher(state).shards(shards).build(), &steps);
    }

    #[test]
    fn whatever_the_owner_does_with_a_constant_hasher(steps in prop::collection::vec(step(), 1..30)) {
        run(&mut Interner::builder().hasher(Constant).shards(4).build(), &steps);
    }

    #[test]
    fn whatever_the_owner_does_with_a_hasher_that_changes_its_mind_when_strings_leave(steps in prop::collection::vec(step(), 1..30)) {
        let lies = Liar { offset: Cell::new(0) };
        let mut interner: Interner<str, Sym, Liar> = Interner::with_hasher(lies);
        let mut oracle = Oracle::default();
        for step in steps {
            match step {
                Step::Intern(numbers) => numbers.into_iter().for_each(|number| {
                    oracle.intern(&key(number));
                    interner.intern(&key(number));
                }),
                Step::Mark => oracle.marks.push((interner.mark(), oracle.strings.len(), true)),
                Step::Rollback(index) => {
                    let Some((mark, count, good)) = oracle.marks.iter().rev().nth(index).copied() else { continue };
                    interner.hasher().offset.set(0x0123_4567_89ab_cdef);
                    prop_assert_eq!(interner.rollback(mark).is_ok(), good);
                    interner.hasher().offset.set(0);
                    if good {
                        oracle.strings.truncate(count);
                        oracle.forget_marks_beyond(count);
                    }
                }
                _ => {}
            }
            oracle.check(&interner);
        }
    }
}

/// A hasher that can be told to say something else.
struct Liar {
    offset: Cell<u64>,
}

impl BuildHasher for Liar {
    type Hasher = Lie;

    fn build_hasher(&self) -> Lie {
        Lie(0xcbf2_9ce4_8422_2325 ^ self.offset.get())
    }
}

struct Lie(u64);

impl Hasher for Lie {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.0 >> 29
    }
}

#[test]
fn a_mark_of_another_interner_is_refused() {
    let mut one = Interner::new();
    let other = Interner::new();
    one.intern("a");
    assert_eq!(one.rollback(other.mark()), Err(StaleMark));
    assert_eq!(one.len(), 1);
    let mark = one.mark();
    one.clear();
    assert_eq!(one.rollback(mark), Err(StaleMark));
}

#[test]
fn nested_marks_stay_good_while_inner_ones_are_used() {
    let mut interner = Interner::new();
    let outer = interner.mark();
    for round in 0..100 {
        interner.intern(&format!("kept {round}"));
        let inner = interner.mark();
        for attempt in 0..3 {
            interner.intern(&format!("tried {round} {attempt}"));
            assert_eq!(interner.rollback(inner), Ok(1));
        }
    }
    assert_eq!(interner.len(), 100);
    assert_eq!(interner.rollback(outer), Ok(100));
    assert!(interner.is_empty());
}

#[test]
fn a_round_that_is_rolled_back_leaves_no_memory_behind() {
    let mut interner: Interner = Interner::builder().shards(2).build();
    for index in 0..1000 {
        interner.intern(&format!("stays {index}"));
    }
    let mark = interner.mark();
    let mut reserved = Vec::new();
    for round in 0..5 {
        for index in 0..20_000 {
            interner.intern(&format!("{round} {index}"));
        }
        interner.intern(&"long ".repeat(10_000));
        assert_eq!(interner.rollback(mark), Ok(20_001));
        reserved.push(interner.memory_usage().reserved_bytes);
    }
    // Tables keep their size; what one round's hashes need more than another's is little.
    let (first, last) = (reserved[0], reserved[4]);
    assert!(last < first + first / 4, "{reserved:?}");
    interner.shrink_to_fit();
    let tight = interner.memory_usage().reserved_bytes;
    assert!(tight < last / 2, "{tight} of {last}");
    assert_eq!(interner.len(), 1000);
}

#[test]
fn an_emptied_interner_keeps_its_tables_and_gives_all_back_when_asked() {
    let mut interner = Interner::new();
    for index in 0..10_000 {
        interner.intern(&format!("{index}"));
    }
    let before = interner.memory_usage().reserved_bytes;
    interner.clear();
    let kept = interner.memory_usage();
    assert_eq!(kept.in_use_bytes, 0);
    assert!(kept.reserved_bytes > 10_000 * 8 && kept.reserved_bytes < before);
    assert_eq!(interner.trim(Pressure::High).bytes, kept.reserved_bytes);
    assert_eq!(interner.memory_usage().reserved_bytes, 0);
    assert_eq!(interner.intern("again").index(), 0);
}

#[test]
fn a_shared_interner_gives_nothing_back_and_its_owner_does() {
    let mut interner: Interner = Interner::builder().shards(1).build();
    for index in 0..20_000 {
        interner.intern(&format!("{index}"));
    }
    let idle = interner.memory_usage().idle_bytes;
    assert!(idle > 0);
    for pressure in Pressure::ALL {
        assert!(interner.reclaim(pressure).is_nothing());
    }
    assert_eq!(interner.memory_usage().idle_bytes, idle);
    assert!(interner.trim(Pressure::Low).bytes >= idle);
    assert_eq!(interner.memory_usage().idle_bytes, 0);
    assert_eq!(interner.get("19999").map(Symbol::index), Some(19_999));
}

#[test]
fn compacting_keeps_strings_that_live_for_ever_where_they_are() {
    let mut interner = Interner::new();
    interner.intern("gone");
    let symbol = interner.intern_static(STATIC[0]);
    let remap = interner.compact(|each| each == symbol);
    let now = remap.get(symbol).expect("it stays");
    assert_eq!(interner.resolve(now).as_ptr(), STATIC[0].as_ptr());
    assert_eq!(interner.len(), 1);
}

#[test]
fn a_closure_that_panics_changes_nothing() {
    let mut interner = Interner::new();
    let symbols: Vec<Sym> = (0..100)
        .map(|index| interner.intern(&format!("{index}")))
        .collect();
    let mut asked = 0;
    let panicked = quietly(|| {
        interner.compact(|_| {
            asked += 1;
            assert!(asked < 50, "on purpose");
            true
        })
    });
    assert!(panicked.is_err());
    for (index, symbol) in symbols.into_iter().enumerate() {
        assert_eq!(interner.resolve(symbol), format!("{index}"));
        assert_eq!(interner.get(&format!("{index}")), Some(symbol));
    }
}

/// Hashes as the standard library does, so many times.
struct Brittle {
    state: RandomState,
    left: Cell<u32>,
}

impl BuildHasher for Brittle {
    type Hasher = <RandomState as BuildHasher>::Hasher;

    fn build_hasher(&self) -> Self::Hasher {
        let left = self.left.get();
        assert!(left != 0, "on purpose");
        self.left.set(left - 1);
        self.state.build_hasher()
    }
}

fn brittle() -> Interner<str, Sym, Brittle> {
    Interner::with_hasher(Brittle {
        state: RandomState::new(),
        left: Cell::new(u32::MAX),
    })
}

#[test]
fn a_hasher_that_panics_while_strings_leave_leaves_the_others() {
    let mut interner = brittle();
    let mark = interner.mark();
    for index in 0..100 {
        interner.intern(&format!("{index}"));
    }
    interner.hasher().left.set(30);
    assert!(quietly(|| interner.rollback(mark)).is_err());
    interner.hasher().left.set(u32::MAX);
    assert_eq!(interner.len(), 70);
    for (symbol, key) in &interner {
        assert_eq!(interner.get(key), Some(symbol));
    }
    assert_eq!(interner.get("70"), None);
    assert_eq!(interner.rollback(mark), Ok(70));
    assert!(interner.is_empty());
}

#[test]
fn a_hasher_that_panics_while_compacting_or_interning_changes_nothing() {
    let mut interner = brittle();
    for index in 0..100 {
        interner.intern(&format!("{index}"));
    }
    let reserved = interner.memory_usage();
    interner.hasher().left.set(30);
    assert!(quietly(|| interner.compact(|_| true)).is_err());
    interner.hasher().left.set(0);
    assert!(quietly(|| interner.intern("new")).is_err());
    assert!(quietly(|| interner.get("0")).is_err());
    interner.hasher().left.set(u32::MAX);
    assert_eq!(interner.memory_usage(), reserved);
    for (symbol, key) in &interner {
        assert_eq!(interner.get(key), Some(symbol));
    }
    assert_eq!(interner.len(), 100);
}

/// A string that was refused after room was made for it leaves nothing that a rollback could stumble over.
#[test]
fn rolls_back_over_what_was_refused() {
    for before in 0..70_usize {
        let mut interner: Interner = Interner::builder().shards(1).max_bytes(200_000).build();
        let mark = interner.mark();
        for number in 0..before {
            interner.intern(&format!("{number:02}"));
        }
        // It begins a block if the last one happens to be full; and the next does not fit there.
        assert!(interner.try_intern(&"x".repeat(1 << 20)).is_err());
        interner.intern(&"y".repeat(1000));
        assert_eq!(interner.rollback(mark), Ok(before + 1));
        assert!(interner.is_empty());
    }
}

#[test]
fn marks_of_an_empty_interner_end_with_it_too() {
    let mut interner = Interner::new();
    let mark = interner.mark();
    assert!(interner.compact(|_: Sym| true).is_empty());
    assert_eq!(interner.rollback(mark), Err(StaleMark));
    let mark = interner.mark();
    interner.shrink_to_fit();
    interner.intern("a");
    assert_eq!(interner.rollback(mark), Ok(1));
    interner.intern("b");
    let later = interner.mark();
    assert_eq!(interner.rollback(mark), Ok(1));
    interner.shrink_to_fit();
    interner.intern("c");
    assert_eq!(interner.rollback(later), Err(StaleMark));
    assert_eq!(interner.rollback(mark), Ok(1));
}

/// As many strings as pages have numbers, one less, and one more.
#[test]
fn giving_memory_back_leaves_each_string_its_page() {
    for count in [1, 2, 510, 511, 512, 513, 1023, 1024, 1025] {
        let keys: Vec<String> = (0..count).map(|index| index.to_string()).collect();
        let mut interner: Interner = Interner::new();
        interner.extend(keys.iter().map(String::as_str));
        let check = |interner: &Interner| {
            assert!(interner.iter().map(|(_, key)| key).eq(&keys), "{count}");
            let last = interner.get(&keys[count - 1]).unwrap();
            assert_eq!(interner.resolve(last), keys[count - 1]);
        };
        let mark = interner.mark();
        (0..600).for_each(|index| _ = interner.intern(&format!("more {index}")));
        assert_eq!(interner.rollback(mark), Ok(600));
        check(&interner);
        for pressure in Pressure::ALL {
            interner.trim(pressure);
            check(&interner);
        }
        let next = interner.intern("next");
        assert_eq!(
            (next.index() as usize, interner.resolve(next)),
            (count, "next")
        );
    }
}
