//! What a shared arena does with its blocks: none is hidden, none is asked for in vain, none added up.

use thrifty_arena::{AllocErrorKind, Arena, MemoryUsage, Pressure, Reclaim, Retain, SharedArena};

const OVERHEAD: usize = SharedArena::BLOCK_OVERHEAD;

fn block(arena: &SharedArena, bytes: usize) {
    arena.alloc_slice_fill_with(bytes, |_| 0_u8);
}

#[test]
fn what_has_no_size_takes_nothing_of_a_handles_block() {
    #[derive(Clone, Copy)]
    #[repr(align(64))]
    struct Wide;
    let arena = SharedArena::new();
    let local = arena.local();
    local.alloc(1_u8);
    local.alloc(1_u64);
    let free = format!("{local:?}");
    local.alloc(Wide);
    local.alloc_slice_copy(&[Wide; 3]);
    local.alloc_layout(std::alloc::Layout::new::<Wide>());
    assert_eq!(format!("{local:?}"), free);
}

/// Many handles leave a little; the room that one of them left is found behind it.
#[test]
fn a_limit_refuses_nobody_while_a_block_has_room() {
    let settings = Arena::builder().first_chunk(4096).max_chunk(4096);
    let arena = SharedArena::with_settings(settings.limit(40 * 4096));
    let roomy = arena.local();
    roomy.alloc(1_u64);
    let others: Vec<_> = (0..30).map(|_| arena.local()).collect();
    for other in &others {
        other.alloc([0_u8; 800]);
        other.alloc([0_u8; 800]);
        other.alloc([0_u8; 800]);
        other.alloc([0_u8; 800]);
        other.alloc([0_u8; 600]);
    }
    drop(roomy);
    drop(others);
    let before = arena.memory_usage().reserved_bytes;
    let local = arena.local();
    local.alloc([0_u8; 1000]);
    assert_eq!(
        arena.memory_usage().reserved_bytes,
        before,
        "there was room"
    );
    // And where only a thorough search finds it.
    let arena = SharedArena::with_settings(settings.limit(20 * 4096));
    let handles: Vec<_> = (0..20).map(|_| arena.local()).collect();
    for (at, handle) in handles.iter().enumerate() {
        let used = if at == 0 { 2200 } else { 2900 };
        for _ in 0..used / 100 {
            handle.alloc([0_u8; 100]);
        }
    }
    drop(handles);
    let mut got = 0;
    while arena.local().try_alloc([0_u64; 190]).is_ok() {
        got += 1;
    }
    assert_eq!(
        got, 1,
        "1520 bytes were free in one block, 1100 in the others"
    );
}

#[test]
fn a_consolidated_block_serves_whole_rounds() {
    let settings = Arena::builder().retain(Retain::Consolidate);
    let mut arena = SharedArena::with_settings(settings);
    let round = |arena: &SharedArena| {
        block(arena, 300_000);
        arena.alloc(1_u64);
    };
    for _ in 0..10 {
        round(&arena);
        arena.reset();
    }
    let before = arena.memory_usage().reserved_bytes;
    assert!(before >= 300_008, "{before}");
    round(&arena);
    assert_eq!(arena.memory_usage().reserved_bytes, before);
}

#[test]
fn larger_blocks_are_kept_first() {
    let settings = Arena::builder().retain(Retain::Bytes(1_000_000));
    let mut arena = SharedArena::with_settings(settings);
    for _ in 0..200 {
        block(&arena, 1000);
    }
    block(&arena, 900_000);
    arena.reset();
    assert!(arena.memory_usage().idle_bytes >= 900_000);
}

/// The same sizes in another order each round.
#[test]
fn sizes_in_another_order_do_not_add_up() {
    let settings = Arena::builder().max_chunk(4096).retain(Retain::All);
    let mut arena = SharedArena::with_settings(settings);
    let mut random = 1_u64;
    let mut seen = Vec::new();
    for _ in 0..200 {
        let mut sizes: Vec<usize> = (1..=20).map(|n| n * 3000).chain([500; 100]).collect();
        for at in (1..sizes.len()).rev() {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            sizes.swap(at, usize::try_from(random >> 33).unwrap() % (at + 1));
        }
        for bytes in sizes {
            arena.alloc_layout(std::alloc::Layout::from_size_align(bytes, 1).unwrap());
        }
        arena.reset();
        seen.push(arena.memory_usage().reserved_bytes);
    }
    assert!(seen[199] <= seen[0] * 3 / 2, "{} {}", seen[0], seen[199]);
}

#[test]
fn a_large_request_among_small_ones_finds_its_block_again() {
    let settings = Arena::builder().max_chunk(4096).retain(Retain::All);
    let mut arena = SharedArena::with_settings(settings);
    let mut seen = Vec::new();
    for round in 0..40 {
        let is_first = round % 2 == 0;
        for part in [is_first, !is_first] {
            if part {
                block(&arena, 100_000);
            } else {
                (0..100).for_each(|_| block(&arena, 1000));
            }
        }
        arena.reset();
        seen.push(arena.memory_usage().reserved_bytes);
    }
    assert!(seen[39] <= seen[1] + 4096, "{} {}", seen[1], seen[39]);
}

/// A limit controller may hold one.
#[test]
fn it_is_reclaimed_from() {
    let mut arena = SharedArena::with_settings(Arena::builder().retain(Retain::All));
    block(&arena, 100_000);
    arena.reset();
    let controlled: &dyn Reclaim = &arena;
    assert!(controlled.reclaim(Pressure::High).bytes >= 100_000);
    assert_eq!(arena.memory_usage().reserved_bytes, 0);
}

/// It holds what the limit says and no more, with the padding of what is aligned to more than a block is.
#[test]
fn a_limit_counts_padding_and_no_more() {
    let layout = std::alloc::Layout::from_size_align(100, 256).unwrap();
    let alloc = |limit| {
        let arena = SharedArena::with_settings(Arena::builder().limit(limit));
        let made = arena.try_alloc_layout(layout);
        made.map(drop).map_err(|error| error.kind)
    };
    assert_eq!(alloc(OVERHEAD + 104 + 240), Ok(()));
    assert_eq!(alloc(OVERHEAD + 99), Err(AllocErrorKind::Limit));
}
