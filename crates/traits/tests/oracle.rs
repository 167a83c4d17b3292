//! A value that was filled and reset against one that was never used.

#![cfg(feature = "std")]

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet, BinaryHeap, LinkedList, VecDeque};
use core::cmp::Reverse;
use core::fmt::Debug;
use core::num::{Saturating, Wrapping};
use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use thrifty_traits::Reset;

/// What a test can see of a collection.
trait Subject: Reset + Default {
    /// Everything that the contents amount to, in an order that does not depend on a hasher.
    type Seen: Debug + PartialEq;

    fn seen(&self) -> Self::Seen;

    /// Adds an item; what the item does depends on the collection.
    fn feed(&mut self, item: u16);

    /// How much fits without an allocation; 0 where that is not a notion.
    fn room(&self) -> usize;

    /// Whether `retained_bytes` depends on nothing but the capacity.
    const STEADY: bool = true;
}

macro_rules! subject {
    (
        $ty:ty,
        sees $seen:ty = |$this:ident| $look:expr,
        feeds |$fed:ident, $item:ident| $feed:expr,
        room |$roomy:ident| $room:expr
        $(, steady = $steady:literal)?
    ) => {
        impl Subject for $ty {
            type Seen = $seen;

            fn seen(&self) -> $seen {
                let $this = self;
                $look
            }

            fn feed(&mut self, $item: u16) {
                let $fed = self;
                $feed;
            }

            fn room(&self) -> usize {
                let $roomy = self;
                $room
            }

            $(const STEADY: bool = $steady;)?
        }
    };
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<_> = items.into_iter().collect();
    items.sort();
    items
}

subject!(Vec<u16>, sees Self = |v| v.clone(), feeds |v, i| v.push(i), room |v| v.capacity());
subject!(
    VecDeque<u16>,
    sees Vec<u16> = |d| d.iter().copied().collect(),
    // Both ends and removals, so that the ring wraps around.
    feeds |d, i| match i % 3 {
        0 => d.push_front(i),
        1 => d.push_back(i),
        _ => drop(d.pop_front()),
    },
    room |d| d.capacity()
);
subject!(
    BinaryHeap<u16>,
    sees Vec<u16> = |h| sorted(h.iter().copied()),
    feeds |h, i| h.push(i),
    room |h| h.capacity()
);
subject!(
    String,
    sees Self = |s| s.clone(),
    feeds |s, i| s.extend(char::from_u32(u32::from(i))),
    room |s| s.capacity()
);
subject!(
    OsString,
    sees Self = |s| s.clone(),
    feeds |s, i| s.push(i.to_string()),
    room |s| s.capacity()
);
subject!(
    PathBuf,
    sees Self = |p| p.clone(),
    feeds |p, i| p.push(i.to_string()),
    room |p| p.capacity()
);
// Removals leave tombstones, which hide capacity until the reset.
subject!(
    HashMap<u16, u32>,
    sees Vec<(u16, u32)> = |m| sorted(m.iter().map(|(key, value)| (*key, *value))),
    feeds |m, i| if i % 3 == 0 { m.remove(&(i / 3)) } else { m.insert(i, 1) },
    room |m| m.capacity(),
    steady = false
);
subject!(
    HashSet<u16>,
    sees Vec<u16> = |s| sorted(s.iter().copied()),
    feeds |s, i| if i % 3 == 0 { s.remove(&(i / 3)) } else { s.insert(i) },
    room |s| s.capacity(),
    steady = false
);
subject!(
    BTreeMap<u16, u32>,
    sees Self = |m| m.clone(),
    feeds |m, i| m.insert(i, 1),
    room |_m| 0
);
subject!(BTreeSet<u16>, sees Self = |s| s.clone(), feeds |s, i| s.insert(i), room |_s| 0);
subject!(LinkedList<u16>, sees Self = |l| l.clone(), feeds |l, i| l.push_back(i), room |_l| 0);

fn feed_all<S: Subject>(subject: &mut S, items: &[u16]) {
    for item in items {
        subject.feed(*item);
    }
}

/// Reset contracts 1 and 2, and that `retained_bytes` means what it says.
fn check<S: Subject>(first: &[u16], second: &[u16]) -> Result<(), TestCaseError> {
    let mut used = S::default();
    feed_all(&mut used, first);
    let (room, retained) = (used.room(), used.retained_bytes());
    used.reset();

    let mut fresh = S::default();
    prop_assert_eq!(used.seen(), fresh.seen());
    prop_assert!(
        used.room() >= room,
        "capacity went from {} to {}",
        room,
        used.room()
    );
    if S::STEADY {
        prop_assert_eq!(used.room(), room);
        prop_assert_eq!(used.retained_bytes(), retained);
    } else {
        prop_assert!(used.retained_bytes() >= retained);
    }
    prop_assert_eq!(used.retained_bytes() == 0, used.room() == 0);

    // The reset value goes on to behave like the fresh one.
    feed_all(&mut used, second);
    feed_all(&mut fresh, second);
    prop_assert_eq!(used.seen(), fresh.seen());

    used.reset();
    used.reset();
    prop_assert_eq!(used.seen(), S::default().seen());
    Ok(())
}

macro_rules! collections {
    ($($name:ident: $ty:ty,)+) => {
        proptest! {$(
            #[test]
            fn $name(first in vec(0..2000_u16, 0..300), second in vec(0..2000_u16, 0..300)) {
                check::<$ty>(&first, &second)?;
            }
        )+}
    };
}

collections! {
    vec_is_as_new: Vec<u16>,
    vec_deque_is_as_new: VecDeque<u16>,
    binary_heap_is_as_new: BinaryHeap<u16>,
    string_is_as_new: String,
    os_string_is_as_new: OsString,
    path_buf_is_as_new: PathBuf,
    hash_map_is_as_new: HashMap<u16, u32>,
    hash_set_is_as_new: HashSet<u16>,
    btree_map_is_as_new: BTreeMap<u16, u32>,
    btree_set_is_as_new: BTreeSet<u16>,
    linked_list_is_as_new: LinkedList<u16>,
}

fn reset<T: Reset>(mut value: T) -> T {
    value.reset();
    value
}

proptest! {
    #[test]
    fn scalars_are_zero(
        unsigned: (u8, u16, u32, u64, u128, usize),
        signed: (i8, i16, i32, i64, i128, isize),
        others: (bool, char, Duration),
        floats: (f32, f64),
    ) {
        prop_assert_eq!(reset(unsigned), Default::default());
        prop_assert_eq!(reset(signed), Default::default());
        prop_assert_eq!(reset(others), (false, '\0', Duration::ZERO));
        // Bits, because -0.0 equals 0.0 and NaN equals nothing.
        let (single, double) = reset(floats);
        prop_assert_eq!((single.to_bits(), double.to_bits()), (0, 0));
    }

    #[test]
    fn wrappers_reset_what_they_wrap(number: u64, text: String, option: Option<String>) {
        prop_assert_eq!(reset(Wrapping(number)), Wrapping(0));
        prop_assert_eq!(reset(Saturating(number)), Saturating(0));
        prop_assert_eq!(reset(Reverse(number)), Reverse(0));
        prop_assert_eq!(reset(option), None);
        let capacity = text.capacity();
        let kept = reset(Reverse(text));
        prop_assert_eq!((kept.0.as_str(), kept.0.capacity()), ("", capacity));
        prop_assert_eq!(kept.retained_bytes(), capacity);
    }
}

#[test]
fn negative_zero_and_nan_become_zero() {
    assert_eq!(reset(-0.0_f64).to_bits(), 0);
    assert_eq!(reset(f32::NAN).to_bits(), 0);
}

#[test]
fn the_longest_tuple_resets_every_element() {
    let tuple = (
        1_u8,
        2_u16,
        3_u32,
        4_u64,
        5_i8,
        6_i16,
        7_i32,
        8_i64,
        true,
        'x',
        11_u8,
        vec![12],
    );
    let retained = tuple.retained_bytes();
    assert_eq!(retained, tuple.11.capacity() * size_of::<i32>());
    let tuple = reset(tuple);
    assert_eq!(tuple, (0, 0, 0, 0, 0, 0, 0, 0, false, '\0', 0, vec![]));
    assert_eq!(tuple.retained_bytes(), retained);
}

#[test]
fn a_collection_of_zero_sized_elements_retains_nothing() {
    let units = vec![(); 1000];
    assert_eq!(units.capacity(), usize::MAX);
    assert_eq!(units.retained_bytes(), 0);
}
