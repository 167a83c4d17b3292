//! The protocols between threads, each as a model named after what it proves.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `no_two_ranges_overlap` | arena.set_head, arena.see_head |
//! | `a_partial_block_has_one_owner` | |
//! | `the_limit_is_never_exceeded` | arena.set_head, arena.see_head |
//!
//! That each block is freed once is asserted where the arena ends: what was freed is what was reserved.

use thrifty_sync::{model::Model, sync::Arc, thread};

use crate::{Arena, MemoryUsage, SharedArena, config::BELOW};

/// With room for 208 bytes, whatever loom adds to the header.
const BLOCK: usize = SharedArena::BLOCK_OVERHEAD + 208;

/// Blocks of one size.
fn tiny(limit: usize) -> Arc<SharedArena> {
    let settings = Arena::builder()
        .first_chunk(BLOCK + BELOW)
        .max_chunk(BLOCK + BELOW)
        .big_above(usize::MAX)
        .limit(limit);
    Arc::new(SharedArena::with_settings(settings))
}

/// Half of what a block has, and a little more: two do not fit.
const LARGE: usize = 120;

/// A range, in numbers, so that it can be sent.
type Range = (usize, usize);

fn range(bytes: &mut [u8], mark: u8) -> Range {
    bytes.fill(mark);
    let start = bytes.as_ptr().addr();
    (start, start + bytes.len())
}

fn assert_apart(mut ranges: Vec<Range>) {
    ranges.sort_unstable();
    assert!(
        ranges.is_sorted_by(|a, b| a.1 <= b.0),
        "two ranges overlap: {ranges:?}"
    );
}

/// Two threads allocate directly; the first, or one of them, opens a block, and they open more.
#[test]
fn no_two_ranges_overlap() {
    Model::new("no_two_ranges_overlap")
        .preemption_bound(2)
        .check(|| {
            let arena = tiny(usize::MAX);
            let other = Arc::clone(&arena);
            let thread = thread::spawn(move || {
                [8, LARGE].map(|size| range(other.alloc_slice_fill_with(size, |_| 0), 1))
            });
            let mut ranges = [LARGE, 8]
                .map(|size| range(arena.alloc_slice_fill_with(size, |_| 0), 2))
                .to_vec();
            ranges.extend(thread.join().unwrap());
            assert_apart(ranges);
        });
}

/// Handles come and go in two threads, over one block that was used in part. Whoever has it writes to its
/// header when it goes, and so loom sees two owners.
#[test]
fn a_partial_block_has_one_owner() {
    Model::new("a_partial_block_has_one_owner")
        .preemption_bound(2)
        .check(|| {
            let arena = tiny(usize::MAX);
            let first = range(arena.local().alloc_slice_fill_with(8, |_| 0), 0);
            let work = |arena: &SharedArena| {
                let local = arena.local();
                let a = range(local.alloc_slice_fill_with(8, |_| 0), 1);
                let b = range(local.alloc_slice_fill_with(16, |_| 0), 2);
                vec![a, b]
            };
            let other = Arc::clone(&arena);
            let thread = thread::spawn(move || work(&other));
            let mut ranges = work(&arena);
            ranges.extend(thread.join().unwrap());
            ranges.push(first);
            assert_apart(ranges);
            // One block, or one for each at most.
            assert!(arena.memory_usage().reserved_bytes <= 2 * BLOCK);
        });
}

/// There is room for one block. One of two requests gets it; a handle and the direct way are rivals, too.
#[test]
fn the_limit_is_never_exceeded() {
    Model::new("the_limit_is_never_exceeded")
        .preemption_bound(2)
        .check(|| {
            let arena = tiny(SharedArena::BLOCK_OVERHEAD + LARGE);
            let other = Arc::clone(&arena);
            let thread = thread::spawn(move || {
                let made = other.local().try_alloc_slice_fill_with(LARGE, |_| 1_u8);
                made.is_ok()
            });
            let mine = arena.try_alloc_slice_fill_with(LARGE, |_| 2_u8).is_ok();
            let theirs = thread.join().unwrap();
            assert!(mine != theirs, "{mine} {theirs}");
            assert_eq!(arena.memory_usage().reserved_bytes, arena.limit());
        });
}
