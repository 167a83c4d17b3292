//! What a poisoning allocator shows, and where it ends the process.
#![expect(unsafe_code, reason = "reads and writes what nobody may")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;

use thrifty_testkit::{Ended, Ending, FREED, FRESH, PoisonAlloc, REDZONE, in_child};

#[global_allocator]
static ALLOC: PoisonAlloc = PoisonAlloc::system();

/// Four words stand before a block that is not aligned to more.
const HEADER_AND_ZONE: isize = 4 * size_of::<usize>() as isize;

/// An allocator that frees nothing before its own end, so that freed blocks can be looked at.
#[derive(Default)]
struct Hoard {
    blocks: RefCell<Vec<(*mut u8, Layout)>>,
}

// SAFETY: passes on to the system's allocator, and frees later, which a caller cannot tell. The list
// lives in the global allocator, which this is not.
unsafe impl GlobalAlloc for Hoard {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        let block = unsafe { System.alloc(layout) };
        self.blocks.borrow_mut().push((block, layout));
        block
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}

impl Drop for Hoard {
    fn drop(&mut self) {
        for (block, layout) in self.blocks.get_mut().drain(..) {
            // SAFETY: allocated above with this layout, and not freed since.
            unsafe { System.dealloc(block, layout) };
        }
    }
}

fn bytes(block: *const u8, len: usize) -> Vec<u8> {
    let read = |at| {
        // SAFETY: the callers pass blocks, and stay within their redzones.
        unsafe { block.wrapping_add(at).read_volatile() }
    };
    (0..len).map(read).collect()
}

#[test]
fn each_size_and_alignment_is_filled_aligned_and_fenced() {
    let alloc = PoisonAlloc::new(Hoard::default());
    for align in [1, 2, 8, 16, 32, 64, 4096] {
        for size in [1, 7, 8, 100, 5000] {
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: the size is not zero.
            let block = unsafe { alloc.alloc(layout) };
            assert_eq!(block.addr() % align, 0);
            assert_eq!(bytes(block, size), vec![FRESH; size]);
            assert_eq!(bytes(block.wrapping_add(size), 16), [REDZONE; 16]);
            assert_eq!(bytes(block.wrapping_sub(16), 16), [REDZONE; 16]);
            // SAFETY: allocated above, with this layout.
            unsafe { alloc.dealloc(block, layout) };
            assert_eq!(bytes(block, size), vec![FREED; size]);
        }
    }
}

#[test]
fn zeroed_memory_is_zero_and_a_realloc_moves_and_keeps() {
    let alloc = PoisonAlloc::new(Hoard::default());
    let layout = Layout::from_size_align(8, 8).unwrap();
    // SAFETY: the size is not zero.
    let block = unsafe { alloc.alloc_zeroed(layout) };
    assert_eq!(bytes(block, 8), [0; 8]);
    // SAFETY: allocated above, with this layout.
    let moved = unsafe { alloc.realloc(block, layout, 12) };
    assert_ne!(moved, block);
    assert_eq!(bytes(block, 8), [FREED; 8], "the old block is gone");
    assert_eq!(bytes(moved, 12), [[0; 8].as_slice(), &[FRESH; 4]].concat());
}

#[test]
fn a_size_that_leaves_no_room_for_redzones_is_refused() {
    let layout = Layout::from_size_align(isize::MAX as usize - 8, 8).unwrap();
    // SAFETY: the size is not zero.
    assert!(unsafe { ALLOC.alloc(layout) }.is_null());
    let mut bytes: Vec<u8> = Vec::new();
    assert!(bytes.try_reserve_exact(isize::MAX as usize).is_err());
}

#[test]
fn an_honest_program_runs_as_ever() {
    let mut map: HashMap<String, Vec<u32>> = HashMap::new();
    for number in 0..1000_u32 {
        map.entry(format!("{}", number % 7))
            .or_default()
            .push(number);
    }
    assert_eq!(map.values().map(Vec::len).sum::<usize>(), 1000);
}

/// Writes one byte at a distance from an eight-byte block, and frees it.
fn after_a_write_at(distance: isize) {
    let layout = Layout::new::<u64>();
    // SAFETY: the size is not zero.
    let block = black_box(unsafe { ALLOC.alloc(layout) });
    let place = block.wrapping_offset(distance);
    // SAFETY: a write outside the block, on purpose, and inside what the allocator keeps around it.
    unsafe { place.write_volatile(0x77) };
    // SAFETY: allocated above, with this layout.
    unsafe { ALLOC.dealloc(block, layout) };
}

fn assert_refused(ended: &Ended, said: &str) {
    ended.assert(Ending::Aborted, said);
    assert!(ended.stderr().contains("of 8 bytes, align 8"), "{ended}");
}

#[test]
fn a_write_inside_is_nothing_to_report() {
    in_child!(|| after_a_write_at(7)).assert_returned();
}

#[test]
fn a_write_just_behind_is_caught() {
    assert_refused(&in_child!(|| after_a_write_at(8)), "written to behind it");
}

#[test]
fn a_write_sixteen_behind_is_caught() {
    assert_refused(&in_child!(|| after_a_write_at(23)), "written to behind it");
}

#[test]
fn a_write_just_before_is_caught() {
    assert_refused(&in_child!(|| after_a_write_at(-1)), "written to before it");
}

#[test]
fn a_write_into_the_header_is_caught() {
    assert_refused(
        &in_child!(|| after_a_write_at(2 - HEADER_AND_ZONE)),
        "or written to before it",
    );
}

#[test]
fn another_layout_is_caught() {
    let ended = in_child!(|| {
        let layout = Layout::from_size_align(9, 8).unwrap();
        // SAFETY: the size is not zero.
        let block = unsafe { ALLOC.alloc(layout) };
        let wrong = Layout::from_size_align(8, 8).unwrap();
        // SAFETY: broken on purpose: the layout is not the block's.
        unsafe { ALLOC.dealloc(block, wrong) };
    });
    assert_refused(&ended, "freed with another layout");
}

#[test]
fn a_second_free_is_caught_while_the_memory_is_there() {
    let ended = in_child!(|| {
        let alloc = PoisonAlloc::new(Hoard::default());
        let layout = Layout::from_size_align(8, 8).unwrap();
        // SAFETY: the size is not zero.
        let block = unsafe { alloc.alloc(layout) };
        // SAFETY: allocated above, with this layout.
        unsafe { alloc.dealloc(block, layout) };
        // SAFETY: broken on purpose: it is freed already; its memory is hoarded.
        unsafe { alloc.dealloc(block, layout) };
    });
    assert_refused(&ended, "or freed twice");
}
