//! The books against a set of addresses.

use core::alloc::Layout;
use core::ptr::NonNull;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Books, Fault, Room};
use crate::batch::{BATCH, Batch};
use crate::shape::Shape;
use crate::slab::{Backing, Global, Slab};

/// Books whose slabs go back at the end.
struct Owned(Books);

impl Drop for Owned {
    fn drop(&mut self) {
        while let Some(slab) = self.0.remove_any() {
            release(&self.0.shape, slab);
        }
    }
}

#[expect(unsafe_code, reason = "frees the memory of a slab")]
fn release(shape: &Shape, slab: Slab) {
    // SAFETY: from `enter` below with this layout; the tests use no block.
    unsafe { Global.release_slab(slab, shape.slab) };
}

impl Owned {
    fn new(size: usize, slab_bytes: usize) -> Self {
        let block = Layout::from_size_align(size, 8).expect("a layout");
        Self(Books::new(
            Shape::try_new(block, Some(slab_bytes), usize::MAX).expect("a shape"),
            false,
        ))
    }

    fn enter(&mut self) {
        let shape = self.0.shape;
        if let Some(slabs) = self.0.wants_room() {
            let room = Room::try_new(slabs, &shape, false).expect("there is memory");
            drop(self.0.move_into(room));
        }
        self.0
            .enter(Global.slab(shape.slab).expect("there is memory"));
    }

    /// Each list has exactly the slabs that belong in it.
    fn check_lists(&self) {
        let mut listed = BTreeSet::new();
        for (list, &head) in self.0.heads.iter().enumerate() {
            assert_eq!(head != super::NIL, self.0.filled >> list & 1 == 1);
            let (mut before, mut at) = (super::NIL, head);
            while let Some(record) = self.0.records.get(at as usize) {
                assert_eq!(self.0.list_for(record.used), Some(list));
                assert_eq!(record.before, before);
                assert!(listed.insert(at), "a slab in two lists");
                (before, at) = (at, record.next);
            }
        }
        let records = self.0.records.iter().filter(|it| it.slab.is_some());
        let unfilled = records.filter(|it| it.used < self.0.shape.blocks);
        assert_eq!(unfilled.count(), listed.len());
    }
}

#[derive(Clone, Debug)]
enum Op {
    Take(usize),
    Give(Vec<usize>),
    Remove(usize),
    Wrong(usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (1_usize..=BATCH).prop_map(Op::Take),
        4 => proptest::collection::vec(any::<usize>(), 0..BATCH).prop_map(Op::Give),
        1 => (0_usize..3).prop_map(Op::Remove),
        1 => any::<usize>().prop_map(Op::Wrong),
    ];
    proptest::collection::vec(op, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn they_know_which_blocks_are_free(
        ops in ops(),
        (size, slab_bytes) in prop_oneof![
            Just((8, 64)), Just((24, 64)), Just((8, 1024)), Just((8, 4096)), Just((40, 8192)),
        ],
    ) {
        let mut books = Owned::new(size, slab_bytes);
        let mut used: BTreeMap<usize, NonNull<()>> = BTreeMap::new();
        for op in &ops {
            match op {
                Op::Take(wanted) => {
                    let mut batch = Batch::new();
                    books.0.take(&mut batch, *wanted);
                    if batch.len() < *wanted {
                        prop_assert_eq!(books.0.filled, 0, "there were others");
                        books.enter();
                        books.0.take(&mut batch, *wanted);
                    }
                    for block in batch.as_slice() {
                        let address = block.addr().get();
                        prop_assert_eq!(address % 8, 0);
                        prop_assert!(used.insert(address, *block).is_none(), "taken twice");
                    }
                }
                Op::Give(picks) => {
                    let picked = picks.iter().filter_map(|pick| {
                        let key = *used.keys().nth(pick % used.len().max(1))?;
                        used.remove(&key)
                    });
                    let blocks: Vec<_> = picked.collect();
                    prop_assert_eq!(books.0.give(&blocks), Ok(()));
                    if let Some(&freed) = blocks.first() {
                        prop_assert_eq!(books.0.give(&[freed]), Err(Fault::Double));
                        prop_assert_eq!(books.0.check(freed.addr().get()), Err(Fault::Double));
                    }
                }
                Op::Remove(keep) => {
                    while let Some(slab) = books.0.remove_empty(*keep) {
                        release(&books.0.shape, slab);
                    }
                    prop_assert!(books.0.figures.empty <= *keep);
                }
                Op::Wrong(pick) => {
                    if let Some(&block) = used.values().nth(pick % used.len().max(1)) {
                        let inside = block.map_addr(|address| address | 1);
                        prop_assert_eq!(books.0.give(&[inside]), Err(Fault::Interior));
                        prop_assert_eq!(books.0.check(block.addr().get()).map(NonNull::cast), Ok(block));
                    }
                    let nowhere = NonNull::dangling();
                    prop_assert_eq!(books.0.give(&[nowhere]), Err(Fault::Foreign));
                }
            }
            books.check_lists();
            prop_assert_eq!(books.0.figures.used, used.len());
        }
    }
}
