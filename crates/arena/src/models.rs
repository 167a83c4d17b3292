//! The protocols between threads, each as a model named after what it proves.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `no_two_ranges_overlap` | arena.set_head, arena.see_head |
//! | `a_partial_block_has_one_owner` | |
//! | `the_limit_is_never_exceeded` | arena.set_head, arena.see_head |
//! | `nobody_is_refused_while_another_head_has_room` | |
//! | `each_block_is_freed_once` | |
//!
//! For the last one the books keep a list of what is allocated beside their own lists, in builds for tests: who
//! frees a block that is not in it, or ends with one that is, panics.

use thrifty_sync::{model::Model, sync::Arc, thread};

use crate::{Arena, MemoryUsage, Pressure, SharedArena, config::BELOW};

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

/// There is room for one block, which one of two seats opens; the other one finds what it wants there.
#[test]
fn nobody_is_refused_while_another_head_has_room() {
    Model::new("nobody_is_refused_while_another_head_has_room")
        .preemption_bound(2)
        .check(|| {
            let arena = tiny(BLOCK);
            let take = |arena: &SharedArena, seat| {
                let start = arena.take_at(seat, 24, 1).expect("there is room");
                (start.addr().get(), start.addr().get() + 24)
            };
            let other = Arc::clone(&arena);
            let thread = thread::spawn(move || take(&other, 1));
            let mine = take(&arena, 0);
            assert_apart(vec![mine, thread.join().unwrap()]);
        });
}

/// Three blocks are spare or used in part; one thread frees what is spare while others take blocks, open them, hand
/// them back and exchange them.
#[test]
fn each_block_is_freed_once() {
    Model::new("each_block_is_freed_once")
        .preemption_bound(2)
        .check(|| {
            let mut arena = tiny(usize::MAX);
            if let Some(arena) = Arc::get_mut(&mut arena) {
                for _ in 0..2 {
                    arena.local().alloc_slice_fill_with(LARGE, |_| 0_u8);
                }
                arena.reset();
            }
            arena.local().alloc_slice_fill_with(8, |_| 0_u8);
            let other = Arc::clone(&arena);
            let thread = thread::spawn(move || {
                let local = other.local();
                let mut ranges = vec![range(local.alloc_slice_fill_with(LARGE, |_| 0), 1)];
                other.trim(Pressure::High);
                ranges.push(range(local.alloc_slice_fill_with(LARGE, |_| 0), 2));
                ranges
            });
            let mut ranges = vec![range(arena.alloc_slice_fill_with(LARGE, |_| 0), 3)];
            ranges.push(range(arena.local().alloc_slice_fill_with(16, |_| 0), 4));
            ranges.extend(thread.join().unwrap());
            assert_apart(ranges);
            let Ok(mut arena) = Arc::try_unwrap(arena) else {
                panic!("the other thread has ended");
            };
            arena.reset();
            arena.trim(Pressure::High);
            assert_eq!(arena.memory_usage().reserved_bytes, 0);
            arena.alloc_slice_fill_with(8, |_| 0_u8);
        });
}
