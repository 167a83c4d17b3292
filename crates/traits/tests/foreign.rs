//! Types of other crates: `hashbrown` 0.17 and `bytes` 1.

#![cfg(all(feature = "hashbrown-0-17", feature = "bytes-1", feature = "std"))]

use core::hash::{BuildHasher, BuildHasherDefault, Hash};
use std::collections::hash_map::{DefaultHasher, RandomState};

use bytes::{Buf, BufMut, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use thrifty_traits::Reset;

type Hasher = BuildHasherDefault<DefaultHasher>;
type ForeignMap<K, V> = hashbrown::HashMap<K, V, Hasher>;
type ForeignSet<T> = hashbrown::HashSet<T, Hasher>;
type StdMap<K, V> = std::collections::HashMap<K, V, Hasher>;

proptest! {
    #[test]
    fn tables_are_as_new(first in vec(0..2000_u16, 0..300), second in vec(0..2000_u16, 0..300)) {
        let mut map = ForeignMap::default();
        let mut set = ForeignSet::default();
        let mut table = hashbrown::HashTable::new();
        let hash = |item: &u16| Hasher::default().hash_one(item);
        for item in &first {
            map.insert(*item, 1);
            set.insert(*item);
            table.insert_unique(hash(item), *item, hash);
        }
        // Tombstones: removals from full groups.
        for item in first.iter().step_by(2) {
            map.remove(item);
        }
        let retained = [map.retained_bytes(), set.retained_bytes(), table.retained_bytes()];
        map.reset();
        set.reset();
        table.reset();
        prop_assert!(map.is_empty() && set.is_empty() && table.is_empty());
        prop_assert_eq!(map.iter().count() + set.iter().count() + table.iter().count(), 0);
        for item in &first {
            prop_assert!(!map.contains_key(item) && !set.contains(item));
            prop_assert!(table.find(hash(item), |found| found == item).is_none());
        }
        let kept = [map.retained_bytes(), set.retained_bytes(), table.retained_bytes()];
        prop_assert_eq!(kept, retained);

        map.extend(second.iter().map(|item| (*item, 2)));
        let fresh: ForeignMap<_, _> = second.iter().map(|item| (*item, 2)).collect();
        prop_assert_eq!(map, fresh);
    }
}

/// The table of `std` is that of `hashbrown`, so the estimate for the one is checked against
/// what the other knows, for tables that were never filled.
fn compare_estimate<K: Eq + Hash, V>(requested: usize) {
    let foreign = ForeignMap::<K, V>::with_capacity_and_hasher(requested, Hasher::default());
    // Versions differ in how they round a request up. They agree on what a table has room for.
    let ours = StdMap::<K, V>::with_capacity_and_hasher(foreign.capacity(), Hasher::default());
    assert_eq!(ours.capacity(), foreign.capacity());
    let (estimate, exact) = (ours.retained_bytes(), foreign.retained_bytes());
    let entry = size_of::<(K, V)>();
    assert_eq!(
        estimate, exact,
        "room for {requested} entries of {entry} bytes"
    );
}

#[derive(PartialEq, Eq, Hash)]
#[repr(align(64))]
struct Wide(u8);

#[test]
fn the_estimate_for_std_is_what_hashbrown_allocates() {
    for requested in (0..200).chain((200..20_000).step_by(97)) {
        compare_estimate::<u8, ()>(requested);
        compare_estimate::<u8, u8>(requested);
        compare_estimate::<u16, [u8; 3]>(requested);
        compare_estimate::<u64, u64>(requested);
        compare_estimate::<u128, u8>(requested);
        compare_estimate::<String, Vec<u8>>(requested);
        compare_estimate::<Wide, u8>(requested);
    }
}

/// In a full table most removals leave a tombstone, which is no longer room.
#[test]
fn a_reset_wipes_tombstones() {
    for kept in [0, 1] {
        let mut ours = StdMap::<u64, u64>::with_capacity_and_hasher(1000, Hasher::default());
        let full = (ours.capacity(), ours.retained_bytes());
        ours.extend((0..full.0 as u64).map(|key| (key, key)));
        ours.retain(|key, _| *key < kept);
        assert!(ours.capacity() < 1000, "no tombstones: {}", ours.capacity());
        assert!(
            ours.retained_bytes() < full.1,
            "the estimate is low until the reset"
        );
        ours.reset();
        assert_eq!((ours.capacity(), ours.retained_bytes()), full);

        let mut map = ForeignMap::<u64, u64>::with_capacity_and_hasher(1000, Hasher::default());
        let mut set = ForeignSet::<u64>::with_capacity_and_hasher(1000, Hasher::default());
        let mut table = hashbrown::HashTable::<u64>::with_capacity(1000);
        let hash = |item: &u64| Hasher::default().hash_one(item);
        for item in 0..full.0 as u64 {
            map.insert(item, item);
            set.insert(item);
            table.insert_unique(hash(&item), item, hash);
        }
        map.retain(|key, _| *key < kept);
        set.retain(|item| *item < kept);
        table.retain(|item| *item < kept);
        assert!(map.capacity().max(set.capacity()).max(table.capacity()) < 1000);
        map.reset();
        set.reset();
        table.reset();
        assert_eq!(
            [map.capacity(), set.capacity(), table.capacity()],
            [full.0; 3]
        );
    }
}

#[test]
fn the_hasher_is_kept() {
    let hasher = RandomState::new();
    let mut foreign = hashbrown::HashMap::with_hasher(hasher.clone());
    let mut ours = std::collections::HashMap::with_hasher(hasher.clone());
    foreign.insert(1, 1);
    ours.insert(1, 1);
    foreign.reset();
    ours.reset();
    let hash = hasher.hash_one(42);
    assert_eq!(
        [foreign.hasher().hash_one(42), ours.hasher().hash_one(42)],
        [hash; 2]
    );
}

#[test]
fn bytes_mut_keeps_its_buffer_and_hides_its_bytes() {
    let mut buffer = BytesMut::with_capacity(64);
    buffer.put_slice(b"previous request");
    let (address, capacity) = (buffer.as_ptr(), buffer.capacity());
    assert_eq!(buffer.retained_bytes(), capacity);
    buffer.reset();
    assert!(buffer.is_empty() && buffer.remaining() == 0);
    assert_eq!((buffer.as_ptr(), buffer.capacity()), (address, capacity));
    // Growing it by safe means writes over the old bytes.
    buffer.resize(16, 0);
    assert_eq!(&buffer[..], [0; 16]);
}

#[test]
fn bytes_mut_leaves_other_handles_alone() {
    let mut buffer = BytesMut::with_capacity(64);
    buffer.put_slice(b"head and tail");
    let head = buffer.split_to(4).freeze();
    let whole = head.len() + buffer.capacity();
    buffer.reset();
    assert_eq!(&head[..], b"head");
    // The part of this handle only, although the handle keeps the whole buffer alive.
    assert_eq!(buffer.retained_bytes(), whole - head.len());
    buffer.put_slice(b"again");
    assert_eq!((&head[..], &buffer[..]), (&b"head"[..], &b"again"[..]));
}

/// A buffer whose 64 bytes are all in use, and its address.
fn full_buffer() -> (BytesMut, *const u8) {
    let mut buffer = BytesMut::with_capacity(64);
    buffer.put_slice(&[1; 64]);
    assert_eq!(buffer.capacity(), 64);
    let address = buffer.as_ptr();
    (buffer, address)
}

#[test]
fn bytes_mut_gets_its_front_back_when_it_is_alone() {
    let consume: [fn(&mut BytesMut); 6] = [
        |buffer| buffer.advance(60),
        |buffer| buffer.advance(64),
        |buffer| drop(buffer.split()),
        |buffer| drop(buffer.split_to(10)),
        |buffer| drop(buffer.split_to(10).freeze()),
        |buffer| {
            drop(buffer.split_to(10));
            buffer.advance(20);
        },
    ];
    for consume in consume {
        let (mut buffer, address) = full_buffer();
        for _ in 0..3 {
            consume(&mut buffer);
            buffer.reset();
            assert_eq!((buffer.as_ptr(), buffer.retained_bytes()), (address, 64));
            assert!(buffer.is_empty());
            buffer.put_slice(&[2; 64]);
        }
    }
}

#[test]
fn bytes_mut_gets_most_of_its_end_back_when_it_is_alone() {
    for at in 0..64 {
        for advance in [0, at / 2, at] {
            let (mut buffer, address) = full_buffer();
            drop(buffer.split_off(at));
            buffer.advance(advance);
            buffer.reset();
            assert!(buffer.retained_bytes() > 32, "{at} {advance}");
            buffer.reserve(64);
            assert_eq!((buffer.as_ptr(), buffer.capacity()), (address, 64));
        }
    }
}

#[test]
fn bytes_mut_without_a_buffer_gets_none() {
    let mut buffer = BytesMut::new();
    buffer.reset();
    assert_eq!(buffer.capacity(), 0);
}
