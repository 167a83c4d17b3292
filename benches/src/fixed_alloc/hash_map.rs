//! A map of nodes: the row `fixed-alloc/hashmap/1t`.
//!
//! The nodes are boxes of `allocator-api2` in an allocator that is handed to them; the map's own
//! table is in the program's. Each operation removes one entry and puts in another one.

use core::{
    alloc::Layout,
    hash::{BuildHasherDefault, Hasher},
    ptr::NonNull,
};

use allocator_api2::{
    alloc::{AllocError, Allocator},
    boxed::Box as BoxIn,
};
use hashbrown::HashMap;

use super::{
    blocks::{Blocks, LAYOUT},
    churn::Places,
    roster::{Form, everyone, sane, with_classes},
};
use crate::suite::{Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "fixed-alloc/hashmap/1t",
        "a hashbrown map of 1024 boxed nodes, of which one after the other is replaced",
    )
    .oracle(|| 1);
    vec![with_classes(sane(everyone(row, Map)), Map)]
}

/// Entries of the map.
const ENTRIES: usize = 1024;

#[derive(Clone, Copy)]
struct Map;

impl Form for Map {
    fn subject<B: Blocks>(self, blocks: B) -> impl Subject + 'static {
        Mapped(blocks)
    }
}

struct Mapped<B>(B);

/// Blocks as an allocator of `allocator-api2`.
struct Api<'a, B>(&'a B);

// SAFETY: blocks are valid for `LAYOUT` until they are freed, whatever happens to the value that
// refers to their allocator; larger layouts are refused. It is not cloned.
unsafe impl<B: Blocks> Allocator for Api<'_, B> {
    #[inline]
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if layout.size() > LAYOUT.size() || layout.align() > LAYOUT.align() {
            return Err(AllocError);
        }
        Ok(NonNull::slice_from_raw_parts(self.0.alloc(), LAYOUT.size()))
    }

    #[inline]
    unsafe fn deallocate(&self, block: NonNull<u8>, _layout: Layout) {
        // SAFETY: the caller's promise: the block is from `allocate`.
        unsafe { self.0.free(block) };
    }
}

/// What the map holds.
struct Node {
    key: u64,
    _rest: [u64; 7],
}

type Nodes<'a, B> = HashMap<u64, BoxIn<Node, Api<'a, B>>, BuildHasherDefault<Mixed>>;

impl<B: Blocks> Subject for Mapped<B> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        let mut worker = MapWorker {
            blocks: &self.0,
            nodes: HashMap::with_capacity_and_hasher(2 * ENTRIES, BuildHasherDefault::default()),
            keys: (0..ENTRIES as u64).collect(),
            places: Places(0),
            next: ENTRIES as u64,
        };
        for key in 0..ENTRIES as u64 {
            worker.insert(key);
        }
        Box::new(worker)
    }
}

struct MapWorker<'a, B: Blocks> {
    blocks: &'a B,
    nodes: Nodes<'a, B>,
    /// The keys that are in the map.
    keys: Vec<u64>,
    places: Places,
    next: u64,
}

impl<B: Blocks> MapWorker<'_, B> {
    #[inline]
    fn insert(&mut self, key: u64) {
        let node = Node {
            key,
            _rest: [key; 7],
        };
        self.nodes
            .insert(key, BoxIn::new_in(node, Api(self.blocks)));
    }
}

impl<B: Blocks> Worker for MapWorker<'_, B> {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let place = self.places.next::<ENTRIES>();
            let (old, new) = (self.keys[place], self.next);
            self.insert(new);
            let removed = self.nodes.remove(&old);
            let found = removed.map_or(!0, |node| node.key);
            sum = sum.wrapping_add(found.wrapping_sub(old).wrapping_add(1));
            self.keys[place] = new;
            self.next = new.wrapping_add(1);
        }
        sum
    }
}

/// A cheap hash of a number.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = thrifty_workloads::rng::mix(number);
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("keys are numbers");
    }
}
