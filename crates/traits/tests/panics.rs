//! A panic during a reset leaves a value that is valid, and drops nothing twice.

#![cfg(feature = "std")]

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet, BinaryHeap, LinkedList, VecDeque};
use core::cell::RefCell;
use core::panic::AssertUnwindSafe;
use std::collections::{HashMap, HashSet};
use std::panic::catch_unwind;

use thrifty_traits::Reset;

const ELEMENTS: u32 = 8;

/// Which elements were dropped, in order.
type Ledger = RefCell<Vec<u32>>;

/// Writes its number to a ledger when it is dropped; the one that is the fuse panics.
struct Element<'a> {
    number: u32,
    is_fuse: bool,
    ledger: &'a Ledger,
}

impl Drop for Element<'_> {
    fn drop(&mut self) {
        self.ledger.borrow_mut().push(self.number);
        assert!(!self.is_fuse, "element {} blows", self.number);
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

fn elements(fuse: Option<u32>, ledger: &Ledger) -> impl Iterator<Item = Element<'_>> {
    (0..ELEMENTS).map(move |number| Element {
        number,
        is_fuse: fuse == Some(number),
        ledger,
    })
}

/// Resets a collection of eight elements of which one panics, for each position of that one.
fn check<'a, C: Reset + Extend<I>, I>(
    ledger: &'a Ledger,
    make: impl Fn() -> C,
    item: impl Fn(Element<'a>) -> I,
    len: impl Fn(&C) -> usize,
) {
    for fuse in 0..ELEMENTS {
        ledger.borrow_mut().clear();
        let mut collection = make();
        collection.extend(elements(Some(fuse), ledger).map(&item));
        let unwound = catch_unwind(AssertUnwindSafe(|| collection.reset()));
        assert!(unwound.is_err(), "element {fuse} is dropped by the reset");
        assert_eq!(len(&collection), 0);

        // It works as before: it fills up, and resets without a panic.
        ledger.borrow_mut().retain(|number| *number < ELEMENTS);
        let dropped = ledger.borrow().len();
        collection.extend(elements(None, ledger).map(&item));
        assert_eq!(
            (len(&collection), ledger.borrow().len()),
            (ELEMENTS as usize, dropped)
        );
        let mut first_round = ledger.borrow_mut().split_off(0);
        collection.reset();
        assert_eq!(len(&collection), 0);
        let mut second_round = ledger.borrow_mut().split_off(0);

        // Nothing is dropped twice. (In the first round, elements may have been leaked.)
        first_round.sort_unstable();
        assert!(
            first_round.windows(2).all(|pair| pair[0] < pair[1]),
            "{first_round:?}"
        );
        second_round.sort_unstable();
        assert!(
            second_round.iter().copied().eq(0..ELEMENTS),
            "{second_round:?}"
        );
    }
}

#[test]
fn sequences_survive() {
    let ledger = Ledger::default();
    check(&ledger, Vec::new, |element| element, Vec::len);
    check(&ledger, VecDeque::new, |element| element, VecDeque::len);
    check(&ledger, LinkedList::new, |element| element, LinkedList::len);
    check(&ledger, BinaryHeap::new, |element| element, BinaryHeap::len);
}

#[test]
fn a_ring_that_wraps_around_survives() {
    let ledger = Ledger::default();
    // Extending from the middle of the buffer makes the contents two slices.
    let wrapped = || {
        let mut ring = VecDeque::with_capacity(ELEMENTS as usize);
        for number in 0..5 {
            ring.push_back(Element {
                number: ELEMENTS + number,
                is_fuse: false,
                ledger: &ledger,
            });
        }
        ring.clear();
        for number in 0..5 {
            ring.push_back(Element {
                number: ELEMENTS + number,
                is_fuse: false,
                ledger: &ledger,
            });
            ring.pop_front();
        }
        ledger.borrow_mut().clear();
        ring
    };
    check(&ledger, wrapped, |element| element, VecDeque::len);
}

#[test]
fn trees_survive() {
    let ledger = Ledger::default();
    check(&ledger, BTreeSet::new, |element| element, BTreeSet::len);
    check(
        &ledger,
        BTreeMap::new,
        |element| (element.number, element),
        BTreeMap::len,
    );
}

#[test]
fn tables_survive() {
    let ledger = Ledger::default();
    check(
        &ledger,
        HashSet::new,
        |element| element,
        |set: &HashSet<_>| set.len(),
    );
    let map_len = |map: &HashMap<_, _>| map.len();
    check(
        &ledger,
        HashMap::new,
        |element| (element.number, element),
        map_len,
    );
}

#[test]
fn an_option_is_none_after_a_panic() {
    let ledger = Ledger::default();
    let mut option = Some(Element {
        number: 1,
        is_fuse: true,
        ledger: &ledger,
    });
    catch_unwind(AssertUnwindSafe(|| option.reset())).expect_err("the element blows");
    assert!(option.is_none());
    assert_eq!(*ledger.borrow(), [1]);
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
    catch_unwind(AssertUnwindSafe(|| array.reset())).expect_err("the second one panics");
    assert_eq!(array.each_ref().map(|counter| counter.value), [0, 2, 3]);
    array[1].is_fuse = false;
    array.reset();
    assert_eq!(array.each_ref().map(|counter| counter.value), [0, 0, 0]);
}
