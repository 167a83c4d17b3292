//! Collections over size classes behave as over the global allocator.
#![cfg(feature = "allocator-api2-02")]
#![expect(unsafe_code, reason = "calls an allocator as collections do")]

use std::alloc::Layout;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::ptr::NonNull;

use allocator_api2::alloc::{Allocator, Global};
use allocator_api2::boxed::Box as BoxIn;
use allocator_api2::vec::Vec as VecIn;
use hashbrown::HashMap;
use proptest::prelude::*;
use thrifty_fixed_alloc::{ClassAlloc, ThreadCache};

type Hasher = BuildHasherDefault<DefaultHasher>;

/// An operation on a world of collections.
#[derive(Clone, Debug)]
enum Op {
    Push(usize, u64),
    Extend(usize, Vec<u64>),
    Truncate(usize, usize),
    ShrinkToFit(usize),
    Clear(usize),
    Insert(u16, Vec<u8>),
    Remove(u16),
    ShrinkMap,
    Box(u64),
    Unbox,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let vec = 0..3_usize;
    let op = prop_oneof![
        (vec.clone(), any::<u64>()).prop_map(|(at, value)| Op::Push(at, value)),
        (vec.clone(), prop::collection::vec(any::<u64>(), 0..200))
            .prop_map(|(at, values)| Op::Extend(at, values)),
        (vec.clone(), 0..50_usize).prop_map(|(at, len)| Op::Truncate(at, len)),
        vec.clone().prop_map(Op::ShrinkToFit),
        vec.prop_map(Op::Clear),
        (0..200_u16, prop::collection::vec(any::<u8>(), 0..1500))
            .prop_map(|(key, value)| Op::Insert(key, value)),
        (0..200_u16).prop_map(Op::Remove),
        Just(Op::ShrinkMap),
        any::<u64>().prop_map(Op::Box),
        Just(Op::Unbox),
    ];
    prop::collection::vec(op, 1..120)
}

struct World<A: Allocator + Clone> {
    from: A,
    vecs: [VecIn<u64, A>; 3],
    map: HashMap<u16, VecIn<u8, A>, Hasher, A>,
    boxes: VecIn<BoxIn<u64, A>, A>,
}

impl<A: Allocator + Clone> World<A> {
    fn new(from: A) -> Self {
        Self {
            vecs: [(); 3].map(|()| VecIn::new_in(from.clone())),
            map: HashMap::with_hasher_in(Hasher::default(), from.clone()),
            boxes: VecIn::new_in(from.clone()),
            from,
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Push(at, value) => self.vecs[*at].push(*value),
            Op::Extend(at, values) => self.vecs[*at].extend_from_slice(values),
            Op::Truncate(at, len) => self.vecs[*at].truncate(*len),
            Op::ShrinkToFit(at) => self.vecs[*at].shrink_to_fit(),
            Op::Clear(at) => self.vecs[*at] = VecIn::new_in(self.from.clone()),
            Op::Insert(key, value) => {
                let mut bytes = VecIn::new_in(self.from.clone());
                bytes.extend_from_slice(value);
                self.map.insert(*key, bytes);
            }
            Op::Remove(key) => drop(self.map.remove(key)),
            Op::ShrinkMap => self.map.shrink_to_fit(),
            Op::Box(value) => self.boxes.push(BoxIn::new_in(*value, self.from.clone())),
            Op::Unbox => drop(self.boxes.pop()),
        }
    }

    /// Everything that can be seen, in an order that does not hang on the allocator.
    fn seen(&self) -> String {
        let mut map: Vec<_> = self
            .map
            .iter()
            .map(|(key, value)| (*key, value.to_vec()))
            .collect();
        map.sort();
        let vecs: Vec<_> = self.vecs.iter().map(|vec| vec.to_vec()).collect();
        let boxes: Vec<_> = self.boxes.iter().map(|boxed| **boxed).collect();
        format!("{map:?} {vecs:?} {boxes:?}")
    }
}

fn run<A: Allocator + Clone>(from: A, ops: &[Op]) -> String {
    let mut world = World::new(from);
    for op in ops {
        world.apply(op);
    }
    world.seen()
}

/// An operation on raw blocks.
#[derive(Clone, Debug)]
enum RawOp {
    New {
        size: usize,
        align: u32,
        zeroed: bool,
    },
    Resize {
        at: usize,
        size: usize,
        align: u32,
        zeroed: bool,
    },
    Free {
        at: usize,
        whole: bool,
    },
}

fn raw_ops() -> impl Strategy<Value = Vec<RawOp>> {
    let size = prop_oneof![4 => 0..1200_usize, 1 => 0..40_usize, 1 => 1000..9000_usize];
    let op = prop_oneof![
        2 => (size.clone(), 0..9_u32, any::<bool>()).prop_map(|(size, align, zeroed)| RawOp::New { size, align, zeroed }),
        3 => (0..64_usize, size, 0..9_u32, any::<bool>()).prop_map(|(at, size, align, zeroed)| RawOp::Resize { at, size, align, zeroed }),
        1 => (0..64_usize, any::<bool>()).prop_map(|(at, whole)| RawOp::Free { at, whole }),
    ];
    prop::collection::vec(op, 1..150)
}

struct Held {
    block: NonNull<[u8]>,
    layout: Layout,
    fill: u8,
}

impl Held {
    fn check(&self) {
        assert!(self.block.len() >= self.layout.size());
        assert_eq!(
            self.block.cast::<u8>().addr().get() % self.layout.align(),
            0
        );
        // SAFETY: a live block, filled by `fill`.
        let bytes = unsafe {
            std::slice::from_raw_parts(self.block.cast::<u8>().as_ptr(), self.layout.size())
        };
        assert!(
            bytes.iter().all(|&byte| byte == self.fill),
            "{:?}",
            self.layout
        );
    }

    /// All of the block is written to: whoever lends more than it has will hear of it.
    fn fill(&mut self, fill: u8) {
        self.fill = fill;
        // SAFETY: a live block of this length.
        unsafe { self.block.cast::<u8>().write_bytes(fill, self.block.len()) };
    }
}

fn is_zero(block: NonNull<[u8]>, from: usize, to: usize) -> bool {
    // SAFETY: a live block; what is looked at was to be zeroed.
    let bytes = unsafe { std::slice::from_raw_parts(block.cast::<u8>().as_ptr(), to) };
    bytes[from..].iter().all(|&byte| byte == 0)
}

fn run_raw<A: Allocator>(from: &A, ops: &[RawOp]) {
    let mut held: Vec<Held> = Vec::new();
    let layout = |size, align: u32| Layout::from_size_align(size, 1 << align).expect("a layout");
    for (op, fill) in ops.iter().zip((1..=251_u8).cycle()) {
        match *op {
            RawOp::New {
                size,
                align,
                zeroed,
            } => {
                let layout = layout(size, align);
                let block = if zeroed {
                    let block = from.allocate_zeroed(layout).expect("there is memory");
                    assert!(is_zero(block, 0, size));
                    block
                } else {
                    from.allocate(layout).expect("there is memory")
                };
                let mut new = Held {
                    block,
                    layout,
                    fill,
                };
                new.fill(fill);
                held.push(new);
            }
            RawOp::Resize {
                at,
                size,
                align,
                zeroed,
            } if !held.is_empty() => {
                let at = at % held.len();
                let it = &mut held[at];
                it.check();
                let (block, old, new) = (it.block.cast(), it.layout, layout(size, align));
                let kept = old.size().min(new.size());
                it.block = if new.size() < old.size() {
                    // SAFETY: a live block with its layout.
                    unsafe { from.shrink(block, old, new) }.expect("there is memory")
                } else if zeroed {
                    // SAFETY: a live block with its layout.
                    let block =
                        unsafe { from.grow_zeroed(block, old, new) }.expect("there is memory");
                    assert!(is_zero(block, old.size(), size));
                    block
                } else {
                    // SAFETY: a live block with its layout.
                    unsafe { from.grow(block, old, new) }.expect("there is memory")
                };
                it.layout = Layout::from_size_align(kept, new.align()).expect("a layout");
                it.check();
                it.layout = new;
                it.fill(fill);
            }
            RawOp::Free { at, whole } if !held.is_empty() => {
                let it = held.swap_remove(at % held.len());
                it.check();
                free(from, &it, whole);
            }
            _ => {}
        }
    }
    for it in held {
        it.check();
        free(from, &it, false);
    }
}

fn free<A: Allocator>(from: &A, it: &Held, whole: bool) {
    // What has no bytes must be freed as such.
    let size = if whole && it.layout.size() > 0 {
        it.block.len()
    } else {
        it.layout.size()
    };
    let layout = Layout::from_size_align(size, it.layout.align()).expect("a layout");
    // SAFETY: a live block; each size up to its length fits it.
    unsafe { from.deallocate(it.block.cast(), layout) };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn collections_behave_as_on_the_global_allocator(ops in ops()) {
        let expected = run(Global, &ops);
        let classes = ClassAlloc::new();
        prop_assert_eq!(run(&classes, &ops), expected.clone());
        prop_assert_eq!(classes.stats().in_use, 0);
        let handle = ClassAlloc::builder().thread_cache(ThreadCache::Off).build().unwrap().into_handle().unwrap();
        prop_assert_eq!(run(handle.clone(), &ops), expected.clone());
        prop_assert_eq!(handle.stats().in_use, 0);
        let hardened = ClassAlloc::builder().hardened(true).build().unwrap();
        prop_assert_eq!(run(&hardened, &ops), expected);
        prop_assert_eq!((hardened.stats().in_use, hardened.stats().faults), (0, 0));
    }

    #[test]
    fn raw_blocks_keep_what_was_written(ops in raw_ops()) {
        run_raw(&Global, &ops);
        let classes = ClassAlloc::new();
        run_raw(&&classes, &ops);
        prop_assert_eq!(classes.stats().in_use, 0);
        let hardened = ClassAlloc::builder().hardened(true).build().unwrap();
        run_raw(&&hardened, &ops);
        prop_assert_eq!((hardened.stats().in_use, hardened.stats().faults), (0, 0));
    }
}

#[test]
fn a_map_that_is_told_more_than_it_asked_for_gives_all_of_it_back() {
    let classes = ClassAlloc::new();
    let mut map: HashMap<u32, u32, Hasher, &ClassAlloc> =
        HashMap::with_hasher_in(Hasher::default(), &classes);
    for n in 0..1000 {
        map.insert(n, n);
        if n % 97 == 0 {
            map.shrink_to_fit();
        }
    }
    map.retain(|n, _| n % 100 == 0);
    map.shrink_to_fit();
    assert!(map.len() == 10 && classes.stats().in_use == 1);
    drop(map);
    assert_eq!(classes.stats().in_use, 0);
}
