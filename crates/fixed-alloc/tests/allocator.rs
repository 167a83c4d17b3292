//! The `Allocator` of allocator-api2: collections behave as on the global allocator.
#![cfg(feature = "allocator-api2-02")]
#![expect(unsafe_code, reason = "calls an allocator as collections do")]

use std::alloc::Layout;
use std::ptr::NonNull;

use allocator_api2::alloc::{Allocator, Global};
use allocator_api2::boxed::Box as BoxIn;
use allocator_api2::vec::Vec as VecIn;
use hashbrown::HashMap;
use proptest::prelude::*;
use thrifty_fixed_alloc::{FixedAlloc, Pressure};

type Hasher = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

fn blocks(bytes: usize, align: usize) -> FixedAlloc {
    FixedAlloc::new(layout(bytes, align)).expect("there is memory")
}

fn layout(bytes: usize, align: usize) -> Layout {
    Layout::from_size_align(bytes, align).expect("a layout")
}

fn bytes(block: NonNull<[u8]>) -> &'static [u8] {
    // SAFETY: the tests write or zero what they look at, and look before they free.
    unsafe { block.as_ref() }
}

/// Ends with no block in use, or something was lost.
fn settled(blocks: &FixedAlloc) {
    assert_eq!(blocks.stats().in_use, 0);
}

#[test]
fn what_fits_gets_a_whole_block() {
    let blocks = blocks(100, 16);
    for (size, align) in [(1, 1), (100, 16), (112, 16), (50, 8)] {
        let layout = layout(size, align);
        let block = (&blocks).allocate(layout).expect("it fits");
        assert_eq!(block.len(), 112);
        assert_eq!(block.cast::<u8>().addr().get() % 16, 0);
        // SAFETY: a block that is live, with a layout that fits it.
        unsafe { (&blocks).deallocate(block.cast(), Layout::from_size_align(112, align).unwrap()) };
    }
    for (size, align) in [(113, 1), (1, 32), (usize::MAX / 4, 1)] {
        assert!((&blocks).allocate(layout(size, align)).is_err());
        assert!((&blocks).allocate_zeroed(layout(size, align)).is_err());
    }
    settled(&blocks);
}

#[test]
fn no_bytes_are_no_block() {
    let blocks = blocks(64, 8);
    for align in [1, 8, 64, 4096] {
        let nothing = (&blocks).allocate(layout(0, align)).expect("nothing fits");
        assert_eq!(
            (nothing.len(), nothing.cast::<u8>().addr().get() % align),
            (0, 0)
        );
        assert_eq!(blocks.stats().in_use, 0);
        // SAFETY: from the call above.
        unsafe { (&blocks).deallocate(nothing.cast(), layout(0, align)) };
    }
    let nothing = (&blocks).allocate(layout(0, 1)).expect("nothing fits");
    // SAFETY: from the call above; the new layout is larger.
    let block = unsafe { (&blocks).grow(nothing.cast(), layout(0, 1), layout(10, 1)) };
    let block = block.expect("it fits");
    assert_eq!((block.len(), blocks.stats().in_use), (64, 1));
    // SAFETY: from the call above; the new layout is smaller.
    let nothing = unsafe { (&blocks).shrink(block.cast(), layout(10, 1), layout(0, 1)) };
    assert_eq!(nothing.expect("nothing fits").len(), 0);
    settled(&blocks);
}

#[test]
fn growing_and_shrinking_within_a_block_moves_nothing() {
    let blocks = blocks(64, 8);
    let handle = blocks.handle();
    let first = handle.allocate(layout(8, 8)).expect("it fits");
    // SAFETY: a live block.
    unsafe { first.cast::<u64>().write(7) };
    // SAFETY: a live block with its layout.
    let grown = unsafe { handle.grow(first.cast(), layout(8, 8), layout(64, 8)) };
    assert_eq!(grown.expect("it fits"), first);
    // SAFETY: a live block with its layout.
    let large = unsafe { handle.grow(first.cast(), layout(64, 8), layout(65, 8)) };
    assert!(large.is_err());
    // SAFETY: as above.
    let strict = unsafe { handle.grow(first.cast(), layout(64, 8), layout(64, 16)) };
    assert!(strict.is_err());
    // SAFETY: a live block with its layout; a clone of the allocator is the allocator.
    let shrunk = unsafe {
        handle
            .clone()
            .shrink(first.cast(), layout(64, 8), layout(8, 4))
    };
    assert_eq!(shrunk.expect("it fits"), first);
    // SAFETY: as above.
    let strict = unsafe { handle.shrink(first.cast(), layout(8, 4), layout(4, 64)) };
    assert!(strict.is_err());
    // SAFETY: a live block, written above.
    assert_eq!(unsafe { first.cast::<u64>().read() }, 7);
    // SAFETY: a live block with its layout.
    unsafe { handle.deallocate(first.cast(), layout(8, 4)) };
    settled(&blocks);
}

#[test]
fn zeroed_is_zeroed_on_blocks_that_were_used() {
    // With one block there is no other to get.
    let one = FixedAlloc::builder(layout(64, 8)).max_blocks(1).build();
    let blocks = one.expect("there is memory");
    for _ in 0..3 {
        let dirty = (&blocks).allocate(layout(64, 8)).expect("it fits");
        // SAFETY: a live block of so many bytes.
        unsafe { dirty.cast::<u8>().write_bytes(0xff, 64) };
        // SAFETY: a live block with its layout.
        unsafe { (&blocks).deallocate(dirty.cast(), layout(64, 8)) };
        let clean = (&blocks).allocate_zeroed(layout(10, 1)).expect("it fits");
        assert_eq!(clean.cast::<u8>(), dirty.cast(), "the same block again");
        assert_eq!(bytes(clean), [0; 64]);
        // SAFETY: a live block of so many bytes.
        unsafe { clean.cast::<u8>().write_bytes(0xee, 64) };
        // SAFETY: a live block with its layout.
        let grown = unsafe { (&blocks).grow_zeroed(clean.cast(), layout(10, 1), layout(20, 1)) };
        let grown = grown.expect("it fits");
        assert_eq!(bytes(grown)[..10], [0xee; 10]);
        assert_eq!(bytes(grown)[10..], [0; 54]);
        // SAFETY: a live block with its layout.
        unsafe { (&blocks).deallocate(grown.cast(), layout(20, 1)) };
    }
    settled(&blocks);
}

#[test]
fn boxes_hold_values_and_trait_objects() {
    let blocks = blocks(64, 16);
    let number = BoxIn::new_in(5_u128, &blocks);
    let text = BoxIn::new_in(String::from("text"), blocks.handle());
    assert_eq!(
        (*number, text.as_str(), blocks.stats().in_use),
        (5, "text", 2)
    );
    let moved = std::thread::spawn(move || text.len()).join().unwrap();
    assert_eq!(moved, 4);
    let too_large = BoxIn::try_new_in([0_u64; 9], &blocks);
    assert!(too_large.is_err());
    drop(number);
    settled(&blocks);
}

#[test]
fn a_hash_table_uses_what_it_did_not_ask_for() {
    let blocks = blocks(1 << 16, 64);
    let mut map = HashMap::with_hasher_in(Hasher::default(), &blocks);
    for key in 0..1500_u64 {
        map.insert(key, key * 2);
    }
    assert!((0..1500).all(|key| map.get(&key) == Some(&(key * 2))));
    let roomy: HashMap<u64, u64, Hasher, _> =
        HashMap::with_capacity_and_hasher_in(10, Hasher::default(), &blocks);
    assert!(roomy.capacity() > 10, "{}", roomy.capacity());
    drop(roomy);
    // Two blocks at the most while it grows.
    assert!(blocks.stats().in_use <= 2);
    assert!(map.try_reserve(1 << 20).is_err(), "no block is so large");
    map.retain(|key, _| key % 100 == 0);
    map.shrink_to_fit();
    assert_eq!(map.len(), 15);
    drop(map);
    settled(&blocks);
    blocks.trim(Pressure::High);
    assert_eq!(blocks.stats().slabs, 0);
}

#[derive(Clone, Debug)]
enum Op {
    Push(u16),
    Pop,
    Reserve(usize),
    Shrink,
    Truncate(usize),
    Boxed(u64),
    Insert(u8, u32),
    Remove(u8),
    Tidy,
    Clone,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => any::<u16>().prop_map(Op::Push),
        2 => Just(Op::Pop),
        1 => (0_usize..200).prop_map(Op::Reserve),
        1 => Just(Op::Shrink),
        1 => (0_usize..50).prop_map(Op::Truncate),
        2 => any::<u64>().prop_map(Op::Boxed),
        6 => (any::<u8>(), any::<u32>()).prop_map(|(key, value)| Op::Insert(key, value)),
        2 => any::<u8>().prop_map(Op::Remove),
        1 => Just(Op::Tidy),
        1 => Just(Op::Clone),
    ];
    proptest::collection::vec(op, 1..200)
}

/// Collections on some allocator.
struct World<A: Allocator + Clone> {
    vec: VecIn<u16, A>,
    boxes: VecIn<BoxIn<u64, A>, A>,
    map: HashMap<u8, u32, Hasher, A>,
    alloc: A,
}

impl<A: Allocator + Clone> World<A> {
    fn new(alloc: A) -> Self {
        Self {
            vec: VecIn::new_in(alloc.clone()),
            boxes: VecIn::new_in(alloc.clone()),
            map: HashMap::with_hasher_in(Hasher::default(), alloc.clone()),
            alloc,
        }
    }

    /// What there is afterwards.
    fn apply(&mut self, op: &Op) -> (Vec<u16>, Vec<u64>, Vec<(u8, u32)>) {
        match *op {
            Op::Push(value) => self.vec.push(value),
            Op::Pop => {
                self.vec.pop();
                self.boxes.pop();
            }
            Op::Reserve(more) => self.vec.reserve(more),
            Op::Shrink => self.vec.shrink_to_fit(),
            Op::Truncate(len) => self.vec.truncate(len),
            Op::Boxed(value) => self.boxes.push(BoxIn::new_in(value, self.alloc.clone())),
            Op::Insert(key, value) => {
                self.map.insert(key, value);
            }
            Op::Remove(key) => {
                self.map.remove(&key);
            }
            Op::Tidy => self.map.shrink_to_fit(),
            Op::Clone => {
                self.vec = self.vec.clone();
                self.map = self.map.clone();
            }
        }
        let mut map: Vec<_> = self.map.iter().map(|(key, value)| (*key, *value)).collect();
        map.sort_unstable();
        (
            self.vec.to_vec(),
            self.boxes.iter().map(|it| **it).collect(),
            map,
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn collections_do_as_on_the_global_allocator(ops in ops(), hardened in any::<bool>()) {
        let blocks = FixedAlloc::builder(layout(8192, 16)).hardened(hardened).build().unwrap();
        let mut global = World::new(Global);
        let mut by_reference = World::new(&blocks);
        let mut by_handle = World::new(blocks.handle());
        for op in &ops {
            let expected = global.apply(op);
            prop_assert_eq!(&by_reference.apply(op), &expected);
            prop_assert_eq!(&by_handle.apply(op), &expected);
        }
        drop((by_reference, by_handle));
        prop_assert_eq!((blocks.stats().in_use, blocks.stats().faults), (0, 0));
    }
}
