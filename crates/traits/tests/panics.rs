//! A panic during a reset leaves a value that is valid, and drops nothing twice.

#![cfg(feature = "std")]

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet, BinaryHeap, LinkedList, VecDeque};
use std::collections::{HashMap, HashSet};

use thrifty_testkit::{Fault as _, Fuse, Ledger, Tracked, quietly};
use thrifty_traits::Reset;

const ELEMENTS: u32 = 8;

/// Its drop is a site of the fuse, and known to the ledger.
struct Element<'a> {
    number: Tracked<u32>,
    fuse: &'a Fuse,
}

impl<'a> Element<'a> {
    fn new(number: u32, ledger: Ledger, fuse: &'a Fuse) -> Self {
        let number = ledger.track(number);
        Self { number, fuse }
    }
}

impl Drop for Element<'_> {
    fn drop(&mut self) {
        self.fuse.call();
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Element<'_> {}

impl PartialOrd for Element<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Element<'_> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.number.cmp(&other.number)
    }
}

impl core::hash::Hash for Element<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

/// Resets a collection of eight elements, with a panic at each element's drop in turn.
fn check<'a, C: Reset + Extend<I>, I>(
    fuse: &'a Fuse,
    make: impl Fn() -> C,
    item: impl Fn(Element<'a>) -> I,
    len: impl Fn(&C) -> usize,
) {
    let fill = |collection: &mut C, ledger| {
        let elements = (0..ELEMENTS).map(|number| Element::new(number, ledger, fuse));
        collection.extend(elements.map(&item));
        assert_eq!(len(collection), ELEMENTS as usize);
    };
    for site in 0..ELEMENTS {
        let first = Ledger::new();
        let mut collection = make();
        fill(&mut collection, first);
        fuse.arm(u64::from(site));
        let unwound = quietly(|| collection.reset());
        fuse.disarm();
        assert!(unwound.is_err(), "the reset drops element {site}");
        assert_eq!(len(&collection), 0);
        // Elements may have been leaked, if the collection in std leaks them.
        let dropped = first.dead();

        // It works as before: it fills up, and resets without a panic.
        let second = Ledger::new();
        fill(&mut collection, second);
        assert_eq!((first.dead(), second.dead()), (dropped, 0));
        collection.reset();
        assert_eq!(len(&collection), 0);
        second.assert_balanced();
        assert_eq!(first.dead(), dropped);
        assert_eq!(first.check_violations(), Ok(()), "nothing is dropped twice");
    }
}

#[test]
fn sequences_survive() {
    let fuse = Fuse::new();
    check(&fuse, Vec::new, |element| element, Vec::len);
    check(&fuse, VecDeque::new, |element| element, VecDeque::len);
    check(&fuse, LinkedList::new, |element| element, LinkedList::len);
    check(&fuse, BinaryHeap::new, |element| element, BinaryHeap::len);
}

#[test]
fn a_ring_that_wraps_around_survives() {
    let fuse = Fuse::new();
    let others = Ledger::new();
    // Extending from the middle of the buffer makes the contents two slices.
    let wrapped = || {
        let mut ring = VecDeque::with_capacity(ELEMENTS as usize);
        for number in 0..5 {
            ring.push_back(Element::new(number, others, &fuse));
        }
        ring.clear();
        for number in 0..5 {
            ring.push_back(Element::new(number, others, &fuse));
            ring.pop_front();
        }
        ring
    };
    check(&fuse, wrapped, |element| element, VecDeque::len);
    others.assert_balanced();
}

#[test]
fn trees_survive() {
    let fuse = Fuse::new();
    check(&fuse, BTreeSet::new, |element| element, BTreeSet::len);
    check(
        &fuse,
        BTreeMap::new,
        |element| (*element.number, element),
        BTreeMap::len,
    );
}

#[test]
fn tables_survive() {
    let fuse = Fuse::new();
    check(
        &fuse,
        HashSet::new,
        |element| element,
        |set: &HashSet<_>| set.len(),
    );
    let map_len = |map: &HashMap<_, _>| map.len();
    check(
        &fuse,
        HashMap::new,
        |element| (*element.number, element),
        map_len,
    );
}

#[test]
fn an_option_is_none_after_a_panic() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let mut option = Some(Element::new(1, ledger, &fuse));
    fuse.arm(0);
    quietly(|| option.reset()).expect_err("the element blows");
    assert!(option.is_none());
    ledger.assert_balanced();
}

#[test]
fn an_array_is_reset_up_to_the_panic() {
    struct Counter {
        value: u8,
        is_fuse: bool,
    }

    impl Reset for Counter {
        fn reset(&mut self) {
            assert!(!self.is_fuse, "this one does not reset");
            self.value = 0;
        }
    }

    let mut array = [1, 2, 3].map(|value| Counter {
        value,
        is_fuse: value == 2,
    });
    quietly(|| array.reset()).expect_err("the second one panics");
    assert_eq!(array.each_ref().map(|counter| counter.value), [0, 2, 3]);
    array[1].is_fuse = false;
    array.reset();
    assert_eq!(array.each_ref().map(|counter| counter.value), [0, 0, 0]);
}
