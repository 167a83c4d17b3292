//! What resets do to the heap, counted by the allocator: nothing, and `retained_bytes` knows
//! it.

#![cfg(feature = "std")]

extern crate alloc;

use alloc::collections::{BTreeMap, BinaryHeap, LinkedList, VecDeque};
use core::cell::RefCell;
use core::fmt::Debug;
use core::hash::Hash;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io::Cursor;
use std::path::PathBuf;

use thrifty_testkit::{FailingAlloc, thread_counts};
use thrifty_traits::Reset;

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

/// Calls of this thread to the allocator, frees included.
fn calls_now() -> u64 {
    let all = thread_counts();
    all.allocs + all.zeroed_allocs + all.reallocs + all.frees
}

/// Bytes that this thread allocated minus bytes that it freed.
fn live_now() -> i64 {
    thread_counts().live_bytes
}

/// Fills, resets, and fills again: from the first reset on, the allocator is not called.
///
/// After the reset the value holds as many bytes as `retained_bytes` says.
fn check<T: Reset>(mut value: T, mut fill: impl FnMut(&mut T), live_before: i64) {
    let name = core::any::type_name::<T>();
    fill(&mut value);
    let calls = calls_now();
    for _ in 0..3 {
        value.reset();
        assert_eq!(calls_now(), calls, "resetting {name} went to the allocator");
        fill(&mut value);
        assert_eq!(calls_now(), calls, "refilling {name} went to the allocator");
    }
    value.reset();
    let held = live_now() - live_before;
    assert_eq!(value.retained_bytes() as i64, held, "of {name}");
    assert!(held > 0, "{name} held nothing to begin with");
}

macro_rules! steady {
    ($make:expr, $fill:expr) => {{
        let live_before = live_now();
        check($make, $fill, live_before);
    }};
}

#[test]
fn the_allocator_counts() {
    let (calls, live) = (calls_now(), live_now());
    let mut bytes = Vec::<u8>::with_capacity(100);
    assert_eq!((calls_now(), live_now()), (calls + 1, live + 100));
    bytes.reserve_exact(200);
    assert_eq!((calls_now(), live_now()), (calls + 2, live + 200));
    drop(bytes);
    assert_eq!((calls_now(), live_now()), (calls + 3, live));
}

#[test]
fn buffers_are_kept() {
    steady!(Vec::new(), |v| v.extend(0..1000_u32));
    steady!(VecDeque::new(), |v| v.extend(0..1000_u32));
    steady!(BinaryHeap::new(), |v| v.extend(0..1000_u32));
    steady!(String::new(), |s| s.extend(['x'; 1000]));
    steady!(OsString::new(), |s| (0..100).for_each(|_| s.push("part")));
    steady!(PathBuf::new(), |p| (0..100).for_each(|_| p.push("part")));
    steady!(Cursor::new(Vec::new()), |c| c.get_mut().extend(0..100_u8));
}

#[test]
fn nested_buffers_are_kept() {
    let fill = |value: &mut (Box<[Vec<u8>; 2]>, RefCell<String>)| {
        value.0[0].extend(0..100);
        value.0[1].extend(0..200);
        value.1.get_mut().extend(['x'; 50]);
    };
    steady!(Default::default(), fill);
    let slice = || vec![Vec::new(); 3].into_boxed_slice();
    steady!(slice(), |slice: &mut Box<[Vec<u64>]>| slice[1].push(1));
}

/// The size of a table is exact, whatever the size and alignment of its entries.
fn check_tables<T: Clone + Debug + Eq + Hash>(numbered: impl Fn(u16) -> T) {
    for len in [1, 3, 4, 7, 8, 14, 15, 28, 29, 100, 1000] {
        let items: Vec<_> = (0..len).map(&numbered).collect();
        steady!(HashSet::new(), |set: &mut HashSet<T>| {
            set.extend(items.iter().cloned());
        });
        steady!(HashMap::new(), |map: &mut HashMap<T, u8>| {
            map.extend(items.iter().cloned().map(|item| (item, 1)));
        });
    }
}

#[test]
fn hash_tables_are_kept() {
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    #[repr(align(64))]
    struct Wide(u16);

    check_tables(|number| number);
    check_tables(|number| number % 200);
    check_tables(|number| number.to_le_bytes().map(u64::from));
    check_tables(|number| (number, [0_u8; 3]));
    check_tables(u128::from);
    check_tables(Wide);
    check_tables(|number| number.to_le_bytes()[0]);
}

/// Removals leave tombstones, which `clear` does not wipe from a table without entries.
/// Refilling it would then make it grow.
#[test]
fn tombstones_do_not_outlive_a_reset() {
    // The capacity of a table with 2048 buckets.
    const FULL: usize = 1792;

    steady!(HashMap::new(), |map: &mut HashMap<usize, u64>| {
        map.extend((0..FULL).map(|key| (key, 1)));
        map.retain(|_, _| false);
        assert!(map.capacity() < FULL, "no tombstones: {}", map.capacity());
    });
}

#[test]
fn what_keeps_nothing_frees_everything() {
    let live = live_now();
    let mut nodes = (
        BTreeMap::from([(1, 2)]),
        LinkedList::from([1, 2]),
        Some(Box::new(1)),
        core::cell::OnceCell::from(vec![1]),
    );
    nodes.0.reset();
    nodes.1.reset();
    nodes.2.reset();
    nodes.3.reset();
    assert_eq!(live_now(), live);
}
