//! Programs of operations against the obvious: blocks that do not overlap and keep what is in them.
#![expect(unsafe_code, reason = "uses raw blocks")]

use std::alloc::Layout;
use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use proptest::prelude::*;
use thrifty_fixed_alloc::{FixedAlloc, Pressure, ThreadCache};

#[derive(Clone, Debug)]
enum Op {
    Alloc,
    Zeroed,
    Batch(usize),
    Free(usize),
    FreeMany(usize, usize),
    Get,
    Flush,
    Trim(Pressure),
    Elsewhere(usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let pressure = prop_oneof![
        Just(Pressure::Low),
        Just(Pressure::Medium),
        Just(Pressure::High)
    ];
    let op = prop_oneof![
        8 => Just(Op::Alloc),
        2 => Just(Op::Zeroed),
        2 => (0_usize..200).prop_map(Op::Batch),
        8 => any::<usize>().prop_map(Op::Free),
        2 => (any::<usize>(), 0_usize..200).prop_map(|(at, len)| Op::FreeMany(at, len)),
        1 => Just(Op::Get),
        1 => Just(Op::Flush),
        1 => pressure.prop_map(Op::Trim),
        1 => any::<usize>().prop_map(Op::Elsewhere),
    ];
    proptest::collection::vec(op, 1..120)
}

fn layouts() -> impl Strategy<Value = (Layout, Option<usize>)> {
    let sizes = prop_oneof![1_usize..300, Just(4096_usize), 5000_usize..9000];
    (sizes, 0_u32..8, prop::option::of(10_u32..18)).prop_map(|(size, align, slab)| {
        let layout = Layout::from_size_align(size, 1 << align).expect("a layout");
        let smallest = (2 * layout.pad_to_align().size() + layout.align() + 8).next_power_of_two();
        (layout, slab.map(|slab| smallest.max(1 << slab)))
    })
}

fn caches() -> impl Strategy<Value = ThreadCache> {
    prop_oneof![
        Just(ThreadCache::Auto),
        Just(ThreadCache::Off),
        (1_usize..20).prop_map(ThreadCache::Rounds),
    ]
}

/// A block that moves to another thread.
struct Moved(NonNull<u8>);

// SAFETY: raw memory, bound to no thread.
unsafe impl Send for Moved {}

/// The subject, and what the oracle knows about it: each live block and the byte it is filled with.
struct World {
    blocks: FixedAlloc,
    live: BTreeMap<usize, (NonNull<u8>, u8)>,
    next: u8,
}

impl World {
    fn add(&mut self, block: NonNull<u8>) {
        let bytes = self.blocks.block_bytes();
        let start = block.addr().get();
        assert_eq!(start % self.blocks.block_layout().align(), 0);
        if let Some((before, _)) = self.live.range(..=start).next_back() {
            assert!(before + bytes <= start, "two blocks overlap");
        }
        if let Some((after, _)) = self.live.range(start..).next() {
            assert!(start + bytes <= *after, "two blocks overlap");
        }
        self.next = self.next.wrapping_add(1);
        // SAFETY: a live block of so many bytes.
        unsafe { block.write_bytes(self.next, bytes) };
        self.live.insert(start, (block, self.next));
    }

    fn remove(&mut self, at: usize) -> Option<NonNull<u8>> {
        let key = *self.live.keys().nth(at % self.live.len().max(1))?;
        let (block, filled) = self.live.remove(&key)?;
        // SAFETY: a live block of so many bytes, which were written.
        let bytes =
            unsafe { std::slice::from_raw_parts(block.as_ptr(), self.blocks.block_bytes()) };
        assert!(bytes.iter().all(|&byte| byte == filled), "a block changed");
        Some(block)
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Alloc => {
                let block = self.blocks.try_alloc().expect("there is memory");
                assert_eq!(block.len(), self.blocks.block_bytes());
                self.add(block.cast());
            }
            Op::Zeroed => {
                let block = self.blocks.try_alloc_zeroed().expect("there is memory");
                // SAFETY: a block of so many bytes, which were zeroed.
                assert!(unsafe { block.as_ref() }.iter().all(|&byte| byte == 0));
                self.add(block.cast());
            }
            Op::Batch(len) => {
                let mut places = vec![MaybeUninit::uninit(); len];
                assert_eq!(self.blocks.try_alloc_batch(&mut places), len);
                for place in places {
                    // SAFETY: all of them were written.
                    self.add(unsafe { place.assume_init() });
                }
            }
            Op::Free(at) => {
                if let Some(block) = self.remove(at) {
                    // SAFETY: a block that was live.
                    unsafe { self.blocks.free(block) };
                }
            }
            Op::FreeMany(at, len) => {
                let many: Vec<_> = (0..len).map_while(|_| self.remove(at)).collect();
                // SAFETY: blocks that were live.
                unsafe { self.blocks.free_batch(&many) };
            }
            Op::Get => {
                let block = self.blocks.get();
                assert!(block.iter().all(|&byte| byte == 0));
                self.add(block.into_raw().cast());
            }
            Op::Flush => self.blocks.flush_thread(),
            Op::Trim(pressure) => {
                let before = self.blocks.stats();
                let freed = self.blocks.trim(pressure);
                let after = self.blocks.stats();
                assert_eq!(before.slabs - after.slabs, freed.items);
                assert!(pressure == Pressure::Low || after.empty_slabs == 0);
            }
            Op::Elsewhere(at) => {
                let Some(block) = self.remove(at).map(Moved) else {
                    return;
                };
                let blocks = &self.blocks;
                std::thread::scope(|scope| {
                    let thread = scope.spawn(move || {
                        let Moved(block) = { block };
                        // SAFETY: a block that was live.
                        unsafe { blocks.free(block) };
                    });
                    // Beyond what the scope does, this waits for the thread's destructors.
                    thread.join().expect("it frees");
                });
            }
        }
    }

    /// The figures say what the oracle knows.
    fn check(&self) {
        let stats = self.blocks.stats();
        assert_eq!(stats.in_use, self.live.len());
        let slabs = stats.slabs_fetched - stats.slabs_released;
        assert_eq!(stats.slabs as u64, slabs);
        assert_eq!(stats.in_use_bytes, self.live.len() * stats.block_bytes);
        assert!(stats.usage().in_use_bytes + stats.usage().idle_bytes <= stats.reserved_bytes);
        for &(block, _) in self.live.values() {
            assert!(self.blocks.contains(block));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn blocks_are_their_users_alone(
        ops in ops(),
        (layout, slab_bytes) in layouts(),
        cache in caches(),
        spare in 0_usize..4,
        hardened in prop::bool::weighted(0.3),
    ) {
        let mut builder = FixedAlloc::builder(layout)
            .thread_cache(cache)
            .spare_slabs(spare)
            .hardened(hardened);
        if let Some(bytes) = slab_bytes {
            builder = builder.slab_bytes(bytes);
        }
        let blocks = builder.build().expect("a configuration that makes sense");
        let mut world = World { blocks, live: BTreeMap::new(), next: 0 };
        for op in &ops {
            world.apply(op);
            world.check();
        }
        while let Some(block) = world.remove(0) {
            // SAFETY: a block that was live.
            unsafe { world.blocks.free(block) };
        }
        world.blocks.trim(Pressure::High);
        let stats = world.blocks.stats();
        prop_assert_eq!((stats.in_use, stats.slabs, stats.faults), (0, 0, 0), "{:?}", stats);
    }
}
