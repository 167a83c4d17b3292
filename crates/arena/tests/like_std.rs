//! Vectors and strings do what std's do, and stay whole when a closure panics or there is no room.

use std::{cell::Cell, mem, panic::AssertUnwindSafe};

use proptest::prelude::*;
use thrifty_arena::{AllocErrorKind, Arena, ArenaBox, ArenaString, ArenaVec};
use thrifty_testkit::{Fuse, Ledger, Sweep, Tracked, quietly};

#[derive(Clone, Debug)]
enum VecOp {
    Push(u8),
    Insert(usize, u8),
    Remove(usize),
    SwapRemove(usize),
    Truncate(usize),
    Resize(usize, u8),
    Retain(u8),
    Dedup(u8),
    Drain(usize, usize, usize, usize),
    SplitOff(usize),
    Append(Vec<u8>),
    Extend(Vec<u8>),
    Within(usize, usize),
    Clone,
    Shrink,
    Between,
}

fn vec_op() -> impl Strategy<Value = VecOp> {
    let at = || any::<usize>();
    let bytes = || prop::collection::vec(0_u8..6, 0..20);
    prop_oneof![
        (0_u8..6).prop_map(VecOp::Push),
        (at(), 0_u8..6).prop_map(|(at, value)| VecOp::Insert(at, value)),
        at().prop_map(VecOp::Remove),
        at().prop_map(VecOp::SwapRemove),
        at().prop_map(VecOp::Truncate),
        (0_usize..40, 0_u8..6).prop_map(|(len, value)| VecOp::Resize(len, value)),
        (1_u8..6).prop_map(VecOp::Retain),
        (1_u8..6).prop_map(VecOp::Dedup),
        (at(), at(), 0_usize..4, 0_usize..4).prop_map(|(a, b, c, d)| VecOp::Drain(a, b, c, d)),
        at().prop_map(VecOp::SplitOff),
        bytes().prop_map(VecOp::Append),
        bytes().prop_map(VecOp::Extend),
        (at(), at()).prop_map(|(from, to)| VecOp::Within(from, to)),
        Just(VecOp::Clone),
        Just(VecOp::Shrink),
        Just(VecOp::Between),
    ]
}

/// A range within a length.
fn range(a: usize, b: usize, len: usize) -> std::ops::Range<usize> {
    let (a, b) = (a % (len + 1), b % (len + 1));
    a.min(b)..a.max(b)
}

/// Takes some from both ends, and drops the rest.
fn ends<T>(mut items: impl DoubleEndedIterator<Item = T>, front: usize, back: usize) -> Vec<T> {
    let mut taken: Vec<T> = items.by_ref().take(front).collect();
    taken.extend(items.by_ref().rev().take(back));
    taken
}

/// Does the same to both; what comes out of them is the same.
fn apply<'a, T: Clone + PartialEq + std::fmt::Debug>(
    op: VecOp,
    vec: &mut ArenaVec<'a, T>,
    oracle: &mut Vec<T>,
    make: &dyn Fn(u8) -> T,
    number: &dyn Fn(&T) -> u8,
) {
    let len = oracle.len();
    match op {
        VecOp::Push(value) => {
            vec.push(make(value));
            oracle.push(make(value));
        }
        VecOp::Insert(at, value) => {
            vec.insert(at % (len + 1), make(value));
            oracle.insert(at % (len + 1), make(value));
        }
        VecOp::Remove(at) if len > 0 => {
            assert_eq!(vec.remove(at % len), oracle.remove(at % len));
        }
        VecOp::SwapRemove(at) if len > 0 => {
            assert_eq!(vec.swap_remove(at % len), oracle.swap_remove(at % len));
        }
        VecOp::Remove(_) | VecOp::SwapRemove(_) => assert_eq!(vec.pop(), oracle.pop()),
        VecOp::Truncate(to) => {
            vec.truncate(to % (len + 2));
            oracle.truncate(to % (len + 2));
        }
        other => apply_many(other, vec, oracle, make, number),
    }
}

/// [`apply`], for what changes several elements.
fn apply_many<'a, T: Clone + PartialEq + std::fmt::Debug>(
    op: VecOp,
    vec: &mut ArenaVec<'a, T>,
    oracle: &mut Vec<T>,
    make: &dyn Fn(u8) -> T,
    number: &dyn Fn(&T) -> u8,
) {
    let len = oracle.len();
    match op {
        VecOp::Resize(len, value) if value % 2 == 0 => {
            vec.resize(len, make(value));
            oracle.resize(len, make(value));
        }
        VecOp::Resize(len, value) => {
            vec.resize_with(len, || make(value));
            oracle.resize_with(len, || make(value));
        }
        VecOp::Retain(by) => {
            vec.retain(|value| number(value) % by != 0);
            oracle.retain(|value| number(value) % by != 0);
        }
        VecOp::Dedup(1) => {
            vec.dedup();
            oracle.dedup();
        }
        VecOp::Dedup(by) => {
            vec.dedup_by_key(|value| number(value) / by);
            oracle.dedup_by_key(|value| number(value) / by);
        }
        VecOp::Drain(a, b, front, back) => {
            let range = range(a, b, len);
            let drained = ends(vec.drain(range.clone()), front, back);
            assert_eq!(drained, ends(oracle.drain(range), front, back));
        }
        VecOp::SplitOff(at) => {
            let (mut other, mut expected) = (
                vec.split_off(at % (len + 1)),
                oracle.split_off(at % (len + 1)),
            );
            assert_eq!(other, expected[..]);
            other.append(vec);
            expected.append(oracle);
            (*vec, *oracle) = (other, expected);
        }
        VecOp::Append(values) | VecOp::Extend(values) => {
            vec.extend(values.iter().map(|value| make(*value)));
            oracle.extend(values.iter().map(|value| make(*value)));
        }
        VecOp::Within(from, to) => {
            if len > 500 {
                return;
            }
            vec.extend_from_within(range(from, to, len));
            oracle.extend_from_within(range(from, to, len));
        }
        VecOp::Clone => {
            let clone = vec.clone();
            *vec = clone;
        }
        VecOp::Shrink => vec.shrink_to_fit(),
        VecOp::Between => {
            vec.arena().alloc(1_u64);
        }
        _ => unreachable!("applied"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn vectors_do_as_vectors_do(program in prop::collection::vec(vec_op(), 1..60)) {
        let ledger = Ledger::new();
        let arena = Arena::builder().first_chunk(512).build();
        {
            let (mut vec, mut oracle) = (ArenaVec::new_in(&arena), Vec::new());
            let make = |number| ledger.track(number);
            for op in program.clone() {
                apply(op, &mut vec, &mut oracle, &make, &|value: &Tracked<u8>| **value);
                assert_eq!(vec, oracle[..]);
            }
        }
        ledger.assert_balanced();
        // What has no size behaves alike.
        let (mut vec, mut oracle) = (ArenaVec::new_in(&arena), Vec::new());
        for op in program {
            apply(op, &mut vec, &mut oracle, &|_| (), &|()| 3);
            assert_eq!(vec.len(), oracle.len());
        }
    }
}

#[derive(Clone, Debug)]
enum TextOp {
    Push(char),
    PushStr(String),
    Insert(usize, char),
    InsertStr(usize, String),
    Remove(usize),
    Pop,
    Truncate(usize),
    Retain(u32),
    Drain(usize, usize, usize, usize),
    Replace(usize, usize, String),
    SplitOff(usize),
    Upper,
    Clone,
    Bytes,
}

fn text_op() -> impl Strategy<Value = TextOp> {
    let at = || any::<usize>();
    let character = || {
        prop_oneof!["[a-c]", "[é-ü]", "[☀-☃]", "[😀-😃]"]
            .prop_map(|text| text.chars().next().unwrap_or('a'))
    };
    let text = || "[a-cé-í☀-☃😀-😃]{0,8}";
    prop_oneof![
        character().prop_map(TextOp::Push),
        text().prop_map(TextOp::PushStr),
        (at(), character()).prop_map(|(at, character)| TextOp::Insert(at, character)),
        (at(), text()).prop_map(|(at, text)| TextOp::InsertStr(at, text)),
        at().prop_map(TextOp::Remove),
        Just(TextOp::Pop),
        at().prop_map(TextOp::Truncate),
        (2_u32..6).prop_map(TextOp::Retain),
        (at(), at(), 0_usize..4, 0_usize..4).prop_map(|(a, b, c, d)| TextOp::Drain(a, b, c, d)),
        (at(), at(), text()).prop_map(|(from, to, text)| TextOp::Replace(from, to, text)),
        at().prop_map(TextOp::SplitOff),
        Just(TextOp::Upper),
        Just(TextOp::Clone),
        Just(TextOp::Bytes),
    ]
}

/// Where the `at`-th character begins, or the end.
fn boundary(text: &str, at: usize) -> usize {
    let count = text.chars().count();
    let at = at % (count + 1);
    text.char_indices().nth(at).map_or(text.len(), |(at, _)| at)
}

fn apply_text<'a>(op: TextOp, text: &mut ArenaString<'a>, oracle: &mut String) {
    let between = |a, b| {
        let (a, b) = (boundary(oracle, a), boundary(oracle, b));
        a.min(b)..a.max(b)
    };
    match op {
        TextOp::Push(character) => {
            text.push(character);
            oracle.push(character);
        }
        TextOp::PushStr(more) => {
            text.extend([&*more, "-"]);
            oracle.extend([&*more, "-"]);
        }
        TextOp::Insert(at, character) => {
            let at = boundary(oracle, at);
            text.insert(at, character);
            oracle.insert(at, character);
        }
        TextOp::InsertStr(at, more) => {
            let at = boundary(oracle, at);
            text.insert_str(at, &more);
            oracle.insert_str(at, &more);
        }
        TextOp::Remove(at) => {
            let at = boundary(oracle, at);
            if at < oracle.len() {
                assert_eq!(text.remove(at), oracle.remove(at));
            }
        }
        TextOp::Pop => assert_eq!(text.pop(), oracle.pop()),
        TextOp::Truncate(at) => {
            let at = boundary(oracle, at);
            text.truncate(at);
            oracle.truncate(at);
        }
        TextOp::Retain(by) => {
            text.retain(|character| u32::from(character) % by != 0);
            oracle.retain(|character| u32::from(character) % by != 0);
        }
        TextOp::Drain(a, b, front, back) => {
            let range = between(a, b);
            let drained = ends(text.drain(range.clone()), front, back);
            assert_eq!(drained, ends(oracle.drain(range), front, back));
        }
        TextOp::Replace(from, to, with) => {
            let range = between(from, to);
            text.replace_range(range.clone(), &with);
            oracle.replace_range(range, &with);
        }
        TextOp::SplitOff(at) => {
            let at = boundary(oracle, at);
            let (mut other, mut expected) = (text.split_off(at), oracle.split_off(at));
            assert_eq!(other, *expected);
            other.push_str(text);
            expected.push_str(oracle);
            (*text, *oracle) = (other, expected);
        }
        TextOp::Upper => {
            text.make_ascii_uppercase();
            oracle.make_ascii_uppercase();
        }
        TextOp::Clone => {
            let clone = text.clone();
            *text = clone;
        }
        TextOp::Bytes => {
            let bytes = mem::replace(text, ArenaString::new_in(text.arena())).into_bytes();
            *text = ArenaString::from_utf8(bytes).expect("text");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn strings_do_as_strings_do(program in prop::collection::vec(text_op(), 1..60)) {
        let arena = Arena::builder().first_chunk(512).build();
        let (mut text, mut oracle) = (ArenaString::new_in(&arena), String::new());
        for op in program {
            apply_text(op, &mut text, &mut oracle);
            assert_eq!(std::str::from_utf8(text.as_bytes()), Ok(&*oracle));
        }
        assert_eq!(&*text.into_boxed_str(), &*oracle);
    }
}

#[test]
#[expect(
    clippy::reversed_empty_ranges,
    reason = "what happens then is the test"
)]
fn bad_ranges_and_indices_panic_and_change_nothing() {
    use std::ops::Bound::{Excluded, Unbounded};
    let arena = Arena::new();
    let mut vec = ArenaVec::new_in(&arena);
    vec.extend([1, 2, 3]);
    type Act<'t, T> = &'t dyn Fn(&mut T);
    let bad: [Act<'_, ArenaVec<'_, i32>>; 8] = [
        &|vec| drop(vec.drain(2..1)),
        &|vec| drop(vec.drain(..4)),
        &|vec| drop(vec.drain(..=usize::MAX)),
        &|vec| drop(vec.drain((Excluded(usize::MAX), Unbounded))),
        &|vec| drop(vec.split_off(4)),
        &|vec| vec.extend_from_within(1..5),
        &|vec| assert_eq!(vec.remove(3), 0),
        &|vec| vec.insert(4, 1),
    ];
    for (at, act) in bad.iter().enumerate() {
        assert!(quietly(AssertUnwindSafe(|| act(&mut vec))).is_err(), "{at}");
        assert_eq!(vec, [1, 2, 3]);
    }
    let mut text = ArenaString::new_in(&arena);
    text.push_str("aé☃");
    let bad: [Act<'_, ArenaString<'_>>; 8] = [
        &|text| text.insert_str(2, "x"),
        &|text| text.insert(7, 'x'),
        &|text| assert_eq!(text.remove(6), 'x'),
        &|text| assert_eq!(text.remove(2), 'x'),
        &|text| drop(text.drain(..2)),
        &|text| drop(text.split_off(4)),
        &|text| text.replace_range(2..3, ""),
        &|text| text.truncate(2),
    ];
    for (at, act) in bad.iter().enumerate() {
        assert!(
            quietly(AssertUnwindSafe(|| act(&mut text))).is_err(),
            "{at}"
        );
        assert_eq!(text, "aé☃");
    }
}

#[expect(clippy::mem_forget, reason = "what happens then is the test")]
#[test]
fn what_is_forgotten_is_not_dropped_twice() {
    let ledger = Ledger::new();
    let arena = Arena::new();
    let mut vec = ArenaVec::new_in(&arena);
    vec.extend((0..9).map(|number| ledger.track(number)));
    mem::forget(vec.drain(2..5));
    assert!(vec.iter().map(|value| **value).eq([0, 1]));
    drop(vec);
    assert_eq!(ledger.live(), 7);
    let mut text = ArenaString::new_in(&arena);
    text.push_str("stays");
    mem::forget(text.drain(1..3));
    assert_eq!(text, "stays");
}

#[test]
fn panics_in_closures_clones_and_drops_leave_vectors_whole() {
    /// Calls a fuse where it is cloned, compared and dropped.
    struct Blows<'a>(&'a Fuse, Tracked<u32>);
    impl Clone for Blows<'_> {
        fn clone(&self) -> Self {
            self.0.call();
            Self(self.0, self.1.clone())
        }
    }
    impl Drop for Blows<'_> {
        fn drop(&mut self) {
            self.0.call();
        }
    }
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let swept = Sweep::over(&fuse)
        .check("each value is dropped once", || ledger.check())
        .run_with(Arena::new, |arena| {
            let mut vec = ArenaVec::new_in(arena);
            vec.extend((0..12).map(|number| Blows(&fuse, ledger.track(number / 2))));
            vec.dedup_by(|one, before| {
                fuse.call();
                *one.1 == *before.1
            });
            vec.extend_from_within(1..4);
            drop(vec.drain(2..5).next());
            vec.resize(9, Blows(&fuse, ledger.track(70)));
            vec.retain(|value| {
                fuse.call();
                *value.1 % 3 != 1
            });
            let rest = vec.split_off(2);
            let clone = rest.clone();
            drop((rest, clone));
        });
    assert!(
        swept.sites > 40 && swept.unwound == swept.sites,
        "{swept:?}"
    );
}

#[test]
fn a_string_is_text_after_a_panic() {
    let arena = Arena::new();
    let original = "aé☃😀bü☀😁";
    for stop in 0..original.chars().count() {
        let mut text = ArenaString::new_in(&arena);
        text.push_str(original);
        let asked = Cell::new(0);
        let ended = quietly(AssertUnwindSafe(|| {
            text.retain(|_| {
                assert!(asked.get() != stop, "stop");
                asked.set(asked.get() + 1);
                asked.get() % 2 == 0
            });
        }));
        assert!(ended.is_err());
        let kept = original.chars().take(stop).skip(1).step_by(2);
        let expected: String = kept.chain(original.chars().skip(stop)).collect();
        assert_eq!(std::str::from_utf8(text.as_bytes()), Ok(&*expected));
    }
}

#[test]
fn no_room_gives_everything_back_and_changes_nothing() {
    let arena = Arena::builder().limit(1600).build();
    let why = |error: thrifty_arena::AllocError| assert_eq!(error.kind, AllocErrorKind::Limit);
    let mut vec = ArenaVec::new_in(&arena);
    vec.extend((0..20).map(|number| number.to_string()));
    let rejected = vec.try_resize(1000, "back".to_owned()).unwrap_err();
    assert_eq!(rejected.value, "back");
    why(rejected.error);
    let rejected = vec.try_resize_with(1000, || "back".to_owned());
    assert_eq!((rejected.unwrap_err().value)(), "back");
    let mut other = ArenaVec::new_in(&arena);
    other.extend((0..30).map(|number| number.to_string()));
    why(other.try_split_off(1).unwrap_err());
    why(vec.try_append(&mut other).unwrap_err());
    why(vec.try_extend_from_within(..).unwrap_err());
    assert_eq!((vec.len(), other.len()), (20, 30));
    let rejected = vec.try_extend((0..100).map(|number| number.to_string()));
    let rest: Vec<_> = rejected.unwrap_err().value.collect();
    assert_eq!(
        (vec.len() - 20 + rest.len(), rest.last().unwrap().as_str()),
        (100, "99")
    );

    let used = arena.stats().used_bytes;
    let rejected = arena
        .try_alloc_slice_fill(1000, "back".to_owned())
        .unwrap_err();
    assert_eq!(rejected.value, "back");
    let rejected = arena.try_alloc_slice_fill_with(1000, |at| at.to_string());
    assert_eq!((rejected.unwrap_err().value)(7), "7");
    let odd = (0..1000).filter(|number| number % 2 == 1);
    let rejected = arena.try_alloc_iter(odd.clone().map(|number| number.to_string()));
    let back: Vec<_> = rejected.unwrap_err().value.collect();
    assert_eq!(arena.stats().used_bytes, used);
    assert!(
        back.iter()
            .eq(&odd.map(|number| number.to_string()).collect::<Vec<_>>())
    );

    let mut text = ArenaString::new_in(&arena);
    text.push_str("text");
    let long = "long".repeat(1000);
    why(text.try_insert_str(1, &long).unwrap_err());
    why(text.try_replace_range(1..3, &long).unwrap_err());
    why(text.try_reserve(4000).unwrap_err());
    assert_eq!(text, "text");
    why(arena
        .try_alloc_cstr(&std::ffi::CString::new(long).unwrap())
        .unwrap_err());
}

#[test]
fn boxes_iterate_and_c_strings_last() {
    let mut arena = Arena::new();
    let three: ArenaBox<'_, dyn Iterator<Item = u32>> =
        ArenaBox::unsize(arena.alloc_box(0..3), |items| items);
    assert_eq!((three.size_hint(), three.sum::<u32>()), ((3, Some(3)), 3));
    assert_eq!(arena.alloc_cstr(c"").to_bytes_with_nul(), [0]);
    arena.scope(|scope| assert_eq!(scope.alloc_cstr(c"in a scope").count_bytes(), 10));
}
