//! Collections of other crates in arenas, through `Allocator`.
#![cfg(feature = "allocator-api2-02")]
#![expect(unsafe_code, reason = "calls the allocator by hand")]

use std::{alloc::Layout, mem::MaybeUninit, ptr::NonNull};

use allocator_api2::{alloc::Allocator, boxed::Box as ApiBox, vec::Vec as ApiVec};
use hashbrown::{DefaultHashBuilder, HashMap};
use proptest::prelude::*;
use thrifty_arena::{Arena, BufArena};

#[test]
fn maps_live_in_arenas() {
    let arena = Arena::new();
    let mut map = HashMap::with_hasher_in(DefaultHashBuilder::default(), &arena);
    for number in 0..5000_u32 {
        map.insert(arena.alloc_fmt(format_args!("{number}")) as &str, number);
    }
    assert!((0..5000).all(|number| map[number.to_string().as_str()] == number));
    assert!(arena.stats().used_bytes > 5000 * 20);
}

#[test]
fn vectors_and_boxes_live_in_scopes_and_buffers() {
    let mut arena = Arena::new();
    let sum: u64 = arena.scope(|scope| {
        let mut vec = ApiVec::new_in(&scope);
        vec.extend(0..1000_u64);
        let boxed = ApiBox::new_in(1_u64, &scope);
        vec.iter().sum::<u64>() + *boxed
    });
    assert_eq!((sum, arena.stats().used_bytes), (499_501, 0));
    let mut buffer = [MaybeUninit::uninit(); 1024];
    let arena = BufArena::fixed(&mut buffer);
    let mut vec = ApiVec::new_in(&arena);
    while vec.try_reserve(1).is_ok() {
        vec.push(1_u8);
    }
    assert!(vec.len() >= 512, "grows where it is: {}", vec.len());
}

#[test]
fn the_last_block_grows_shrinks_and_goes() {
    let arena = Arena::new();
    let mut vec: ApiVec<u64, _> = ApiVec::with_capacity_in(4, &arena);
    vec.extend([1, 2, 3, 4]);
    let start = vec.as_ptr();
    vec.extend(0..100);
    assert_eq!(vec.as_ptr(), start, "grew where it is");
    vec.truncate(4);
    vec.shrink_to_fit();
    assert_eq!(arena.stats().used_bytes, 32);
    drop(vec);
    assert_eq!(arena.stats().used_bytes, 0);
}

#[derive(Clone, Debug)]
enum Op {
    New(usize, u32),
    Resize(usize, usize, u32, bool),
    Free(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0_usize..600, 0_u32..9).prop_map(|(size, shift)| Op::New(size, shift)),
        (any::<usize>(), 0_usize..900, 0_u32..9, any::<bool>())
            .prop_map(|(which, size, shift, zeroed)| Op::Resize(which, size, shift, zeroed)),
        (any::<usize>(), 0_usize..40_000, 0_u32..9, any::<bool>())
            .prop_map(|(which, size, shift, zeroed)| Op::Resize(which, size, shift, zeroed)),
        any::<usize>().prop_map(Op::Free),
    ]
}

struct Block {
    start: NonNull<u8>,
    layout: Layout,
    content: Vec<u8>,
}

impl Block {
    fn bytes(&mut self) -> &mut [u8] {
        let mut bytes = NonNull::slice_from_raw_parts(self.start, self.layout.size());
        // SAFETY: allocated, and filled right afterwards.
        unsafe { bytes.as_mut() }
    }

    fn fill(&mut self, with: u8) {
        let start = self.start;
        // SAFETY: so many bytes are allocated.
        unsafe { start.write_bytes(with, self.layout.size()) };
        self.content = vec![with; self.layout.size()];
    }
}

fn resize(allocator: impl Allocator, block: &mut Block, size: usize, shift: u32, zeroed: bool) {
    let new = Layout::from_size_align(size, 1 << shift).expect("a layout");
    let (start, old) = (block.start, block.layout);
    let grown = if size < old.size() {
        // SAFETY: allocated with this layout, and not smaller than the new one.
        unsafe { allocator.shrink(start, old, new) }
    } else if zeroed {
        // SAFETY: allocated with this layout, and not larger than the new one.
        unsafe { allocator.grow_zeroed(start, old, new) }
    } else {
        // SAFETY: allocated with this layout, and not larger than the new one.
        unsafe { allocator.grow(start, old, new) }
    };
    let grown = grown.expect("room");
    assert_eq!(grown.len(), size);
    block.start = grown.cast();
    block.layout = new;
    assert_eq!(block.start.addr().get() % new.align(), 0);
    if !zeroed && size > old.size() {
        // SAFETY: within the block.
        let tail = unsafe { block.start.add(old.size()) };
        // SAFETY: so many bytes are behind.
        unsafe { tail.write_bytes(0, size - old.size()) };
    }
    block.content.resize(size, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Blocks keep their content, through growth and shrinking, with other alignments, in any order.
    #[test]
    fn blocks_keep_their_content(program in prop::collection::vec(op(), 1..60)) {
        let arena = Arena::builder().first_chunk(512).max_chunk(16 << 10).build();
        let allocator = &arena;
        let mut blocks: Vec<Block> = vec![];
        let mut fill = 0_u8;
        for op in program {
            fill = fill.wrapping_add(1);
            match op {
                Op::New(size, shift) => {
                    let layout = Layout::from_size_align(size, 1 << shift).unwrap();
                    let start = allocator.allocate(layout).unwrap().cast();
                    let mut block = Block { start, layout, content: vec![] };
                    block.fill(fill);
                    blocks.push(block);
                }
                Op::Resize(which, size, shift, zeroed) if !blocks.is_empty() => {
                    let at = which % blocks.len();
                    resize(allocator, &mut blocks[at], size, shift, zeroed);
                }
                Op::Free(which) if !blocks.is_empty() => {
                    let block = blocks.remove(which % blocks.len());
                    // SAFETY: allocated with this layout, and not used again.
                    unsafe { allocator.deallocate(block.start, block.layout) };
                }
                _ => {}
            }
            for block in &mut blocks {
                let content = std::mem::take(&mut block.content);
                assert_eq!(block.bytes(), content);
                block.content = content;
            }
        }
    }
}
