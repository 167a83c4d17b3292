//! Values, slices and texts: where they lie, and what is left of a chunk.

use std::{alloc::Layout, cell::Cell, fmt};

use thrifty_arena::{AllocErrorKind, Arena, ArenaVec, FormatError, Pressure, Retain, TypedArena};
use thrifty_traits::Reset;

const OVERHEAD: usize = Arena::<8>::CHUNK_OVERHEAD;

#[test]
fn values_of_all_alignments_lie_apart() {
    #[repr(align(64))]
    #[derive(Debug, PartialEq)]
    struct Wide(u8);
    fn check<const MIN: usize>() {
        let arena = Arena::<MIN>::new_aligned();
        for round in 0..300_u16 {
            let small = u8::try_from(round % 256).unwrap();
            let byte = arena.alloc(small);
            let short = arena.alloc(round);
            let word = arena.alloc(u32::from(round));
            let long = arena.alloc(u64::from(round));
            let huge = arena.alloc(u128::from(round));
            let wide = arena.alloc(Wide(small));
            let text = arena.alloc_str("text");
            assert_eq!((&raw const *wide).addr() % 64, 0);
            assert_eq!((&raw const *huge).addr() % align_of::<u128>(), 0);
            text.make_ascii_uppercase();
            *long += 1;
            assert_eq!((*byte, *short, *word), (small, round, u32::from(round)));
            assert_eq!((*long, *huge), (u64::from(round) + 1, u128::from(round)));
            assert_eq!((&*wide, &*text), (&Wide(small), "TEXT"));
        }
    }
    check::<1>();
    check::<2>();
    check::<4>();
    check::<8>();
    check::<16>();
}

#[test]
fn zero_sizes_take_nothing() {
    #[repr(align(64))]
    struct Aligned;
    let arena = Arena::new();
    for _ in 0..3 {
        arena.alloc(());
        assert_eq!((&raw const *arena.alloc(Aligned)).addr() % 64, 0);
        assert_eq!(arena.alloc_uninit_slice::<()>(usize::MAX).len(), usize::MAX);
        assert_eq!(arena.alloc_str(""), "");
        assert!(arena.alloc_iter(std::iter::empty::<u64>()).is_empty());
        assert_eq!(arena.alloc_iter([(), ()]).len(), 2);
        for shift in 0..=20 {
            let align = 1_usize << shift;
            let block = arena.alloc_layout(Layout::from_size_align(0, align).unwrap());
            assert_eq!(block.addr().get() % align, 0);
        }
        assert_eq!(arena.stats().reserved_bytes, 0);
    }
    // Nor where padding would be needed.
    let arena = Arena::new();
    arena.alloc(1_u64);
    #[derive(Clone, Copy)]
    #[repr(align(64))]
    struct Empty;
    arena.alloc_slice_copy(&[Empty; 3]);
    arena.alloc_slice_copy::<u128>(&[]);
    arena.alloc_layout(Layout::new::<Empty>());
    assert_eq!(arena.stats().used_bytes, 8);
    // In a chunk that is full as well.
    let arena = Arena::builder().limit(OVERHEAD + 8).build();
    arena.alloc(1_u64);
    arena.alloc(());
    arena.alloc_layout(Layout::from_size_align(0, 1 << 20).unwrap());
    assert!(arena.try_alloc(1_u8).is_err());
}

#[test]
fn impossible_requests_say_why() {
    let arena = Arena::new();
    for align in [1_usize, 16, 4096, 1 << 40] {
        let most = isize::MAX as usize + 1 - align;
        for size in [most, most - 1, most / 2 + 1] {
            let layout = Layout::from_size_align(size, align).unwrap();
            let error = arena.try_alloc_layout(layout).unwrap_err();
            let kinds = [AllocErrorKind::Overflow, AllocErrorKind::Backend];
            assert!(kinds.contains(&error.kind), "{error:?}");
            assert_eq!((error.size, error.align), (size, align));
        }
    }
    let overflow = |result: Result<(), thrifty_arena::AllocError>| {
        assert_eq!(result.unwrap_err().kind, AllocErrorKind::Overflow);
    };
    overflow(
        arena
            .try_alloc_uninit_slice::<u64>(usize::MAX / 8 + 1)
            .map(drop),
    );
    let filled = arena.try_alloc_slice_fill(usize::MAX, 1_u16);
    overflow(filled.map(drop).map_err(|rejected| rejected.error));
    overflow(arena.try_reserve(usize::MAX));
    let text = "x".repeat(1 << 16);
    let many = vec![text.as_str(); 1 << 16];
    arena.set_limit(1 << 20);
    assert!(arena.try_alloc_join(&many, &text).is_err());
    assert!(arena.try_alloc(7_u8).is_ok());
}

#[test]
fn a_limit_is_exact() {
    for size in [1, 7, 8, 100, 4000, 300_000] {
        let exact = Arena::builder().limit(OVERHEAD + size).build_aligned::<1>();
        assert!(exact.try_alloc_slice_fill(size, 1_u8).is_ok(), "{size}");
        assert_eq!(exact.stats().reserved_bytes, OVERHEAD + size);
        let error = exact.try_alloc(1_u8).unwrap_err().error;
        assert_eq!(error.kind, AllocErrorKind::Limit);

        let short = Arena::builder()
            .limit(OVERHEAD + size - 1)
            .build_aligned::<1>();
        let error = short.try_alloc_slice_fill(size, 1_u8).unwrap_err().error;
        assert_eq!(error.kind, AllocErrorKind::Limit, "{size}");
        assert_eq!(short.stats().reserved_bytes, 0);
    }
}

#[test]
fn the_last_chunk_takes_what_the_limit_leaves() {
    let arena = Arena::builder().limit(10_000).build();
    let mut blocks = 0;
    while arena.try_alloc([0_u8; 100]).is_ok() {
        blocks += 1;
    }
    let stats = arena.stats();
    assert!(stats.reserved_bytes <= 10_000);
    assert!(
        blocks * 100 + 3 * 100 + stats.chunks * OVERHEAD > 10_000,
        "{stats}"
    );
    arena.set_limit(20_000);
    assert!(arena.try_alloc([0_u8; 100]).is_ok());
    arena.set_limit(5);
    assert!(arena.try_alloc([0_u8; 20_000]).is_err());
}

#[test]
fn spare_chunks_make_room_under_a_limit() {
    let mut arena = Arena::builder().limit(64 << 10).retain(Retain::All).build();
    while arena.try_alloc([0_u8; 1000]).is_ok() {}
    arena.reset();
    assert!(arena.stats().spare_bytes > 0);
    // Fits no chunk that there is, and no more than the limit without them.
    let largest = (64 << 10) - 2 * OVERHEAD - 33_000;
    assert!(arena.try_alloc_slice_fill(largest, 0_u8).is_ok());
}

#[test]
fn an_object_of_its_own_leaves_the_chunk_alone() {
    let arena = Arena::new();
    arena.alloc(1_u64);
    let before = arena.stats();
    let big = arena.alloc_slice_fill(5 << 20, 1_u8);
    assert_eq!((big.len(), big[(5 << 20) - 1]), (5 << 20, 1));
    let after = arena.stats();
    assert_eq!(after.free_bytes, before.free_bytes);
    assert_eq!(after.used_bytes, 8 + (5 << 20));
    assert_eq!(after.wasted_bytes, 0);
    arena.alloc_slice_fill(1000, 1_u64);
    assert!(arena.stats().reserved_bytes < (5 << 20) + (32 << 10));
}

#[test]
fn chunks_double_and_stop() {
    let arena = Arena::builder().max_chunk(64 << 10).build();
    let mut sizes = vec![];
    let mut reserved = 0;
    for _ in 0..10_000 {
        arena.alloc([0_u8; 64]);
        let now = arena.stats().reserved_bytes;
        if now != reserved {
            sizes.push((now - reserved + 16) >> 10);
            reserved = now;
        }
    }
    assert_eq!(sizes[..6], [4, 8, 16, 32, 64, 64]);
    assert!(sizes.iter().skip(4).all(|kib| *kib == 64));
}

#[test]
fn closures_may_use_the_arena_and_refuse() {
    let arena = Arena::new();
    let outer = arena.alloc_with(|| *arena.alloc(1) + *arena.alloc(2));
    assert_eq!(*outer, 3);
    let used = arena.stats().used_bytes;
    assert_eq!(arena.alloc_try_with(|| Err::<u64, _>("no")), Err("no"));
    assert_eq!(arena.alloc_try_with(|| Err::<u8, _>("no")), Err("no"));
    assert_eq!(
        arena.stats().used_bytes,
        used,
        "what was taken is given back"
    );
    let mut kept = None;
    let refused = arena.alloc_try_with(|| {
        kept = Some(arena.alloc(7_u64));
        Err::<u64, _>(())
    });
    assert!(refused.is_err());
    let next = arena.alloc(8_u64);
    assert_eq!((kept.map(|kept| *kept), *next), (Some(7), 8));
    let filled = arena.alloc_slice_fill_with(500, |at| *arena.alloc(at));
    assert!(filled.iter().copied().eq(0..500));
    let items = arena.alloc_iter((0..500).map(|at| *arena.alloc(at)));
    assert!(items.iter().copied().eq(0..500));
}

#[test]
fn iterators_may_lie() {
    struct Liar(usize, usize);
    impl Iterator for Liar {
        type Item = usize;
        fn next(&mut self) -> Option<usize> {
            self.1 = self.1.checked_sub(1)?;
            Some(self.1)
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (self.0, Some(self.0))
        }
    }
    impl ExactSizeIterator for Liar {
        fn len(&self) -> usize {
            self.0
        }
    }
    let arena = Arena::new();
    assert_eq!(arena.alloc_iter_exact(Liar(3, 5)), [4, 3, 2]);
    assert_eq!(arena.alloc_iter_exact(Liar(3, 1)), [0]);
    assert_eq!(arena.alloc_iter(Liar(3, 5)), [4, 3, 2, 1, 0]);
    assert_eq!(arena.alloc_iter(Liar(3, 1)), [0]);
    assert_eq!(arena.alloc_iter(Liar(usize::MAX, 3)), [2, 1, 0]);
}

#[test]
fn texts_take_their_length() {
    let arena = Arena::new();
    arena.alloc_join(&["a", "bc", "def"], "--");
    assert_eq!(arena.stats().used_bytes, 10);
    arena.alloc_concat(&["a", "b"]);
    assert_eq!(arena.stats().used_bytes, 12);
    assert_eq!(arena.alloc_concat(&[]), "");
    assert_eq!(arena.alloc_join(&[], "-"), "");
    assert_eq!(arena.alloc_join(&["one"], "-"), "one");
    arena.alloc_fmt(format_args!("plain"));
    assert_eq!(arena.stats().used_bytes, 20);
    assert_eq!(arena.alloc_fmt(format_args!("{:>9}", 1)), "        1");
    assert_eq!(arena.stats().used_bytes, 20 + 16);
}

#[test]
fn what_is_displayed_may_use_the_arena_or_refuse() {
    struct Nested<'a>(&'a Arena, Cell<u32>);
    impl fmt::Display for Nested<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.1.set(self.1.get() + 1);
            f.write_str(self.0.alloc_str("inner"))?;
            f.write_str(self.0.alloc_fmt(format_args!("-{}", self.1.get())))
        }
    }
    struct Refuses;
    impl fmt::Display for Refuses {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    let arena = Arena::new();
    let nested = Nested(&arena, Cell::new(0));
    assert_eq!(
        thrifty_arena::arena_format!(arena, "<{nested}|{nested}>"),
        "<inner-1|inner-2>"
    );
    let refused = arena
        .try_alloc_fmt(format_args!("{}{Refuses}", 1))
        .unwrap_err();
    assert_eq!(refused, FormatError::Refused);
}

#[test]
fn resets_keep_what_the_policy_says() {
    let fill = |arena: &Arena, bytes: usize| {
        for _ in 0..bytes / 1000 {
            arena.alloc([0_u8; 1000]);
        }
    };
    let after = |retain: Retain, rounds: &[usize]| {
        let mut arena = Arena::builder().retain(retain).build();
        for bytes in rounds {
            fill(&arena, *bytes);
            arena.reset();
            assert_eq!(arena.stats().used_bytes, 0);
            assert_eq!(arena.stats().wasted_bytes, 0);
        }
        arena.stats()
    };
    assert!(after(Retain::All, &[10 << 20, 1000]).reserved_bytes > 10 << 20);
    assert_eq!(after(Retain::Nothing, &[10 << 20]).reserved_bytes, 0);
    let some = after(Retain::Bytes(100 << 10), &[10 << 20]).reserved_bytes;
    assert!(some <= 100 << 10, "{some}");
    let mut rounds = vec![5000; 80];
    rounds[0] = 10 << 20;
    let decayed = after(Retain::AdaptiveDecay, &rounds);
    assert!(decayed.reserved_bytes <= 20 << 10, "{decayed}");
    assert!(decayed.peak_used_bytes > 10_000_000);
    assert!(after(Retain::AdaptiveDecay, &rounds[..3]).reserved_bytes > 5 << 20);
}

/// A reset looks at the policy only now and then, if there is one chunk.
#[test]
fn resets_of_one_large_chunk_forget_in_time() {
    let mut arena = Arena::new();
    arena.alloc_slice_fill(60_000, 1_u8);
    let mut most = 60_000;
    let mut resets = 0;
    arena.reset();
    while arena.stats().reserved_bytes > 8 << 10 {
        assert!(resets < 50, "never forgotten");
        arena.alloc_slice_fill(if resets == 3 { 61_000 } else { 64 }, 1_u8);
        arena.reset();
        most = if resets >= 3 { 61_000 } else { most };
        assert_eq!(arena.stats().peak_used_bytes, most);
        resets += 1;
    }
    // After the larger round, ten more resets bring it below a quarter of the chunk; a few are not looked at.
    assert!((14..=22).contains(&resets), "{resets}");
}

#[test]
fn every_round_counts_for_the_peak() {
    let mut arena = Arena::new();
    let mut most = 0;
    for bytes in [40, 7000, 100, 7960, 3000, 8, 8040, 8000] {
        arena.alloc_slice_fill(bytes / 8, 1_u64);
        arena.reset();
        most = most.max(bytes);
        assert_eq!(arena.stats().peak_used_bytes, most);
    }
}

#[test]
fn consolidation_ends_with_one_chunk() {
    let mut arena = Arena::builder().retain(Retain::Consolidate).build();
    for _ in 0..3 {
        arena.alloc_slice_fill(400_000, 0_u8);
        for _ in 0..3000 {
            arena.alloc([0_u8; 1000]);
        }
        arena.reset();
    }
    arena.alloc(1);
    arena.alloc_slice_fill(400_000, 0_u8);
    for _ in 0..3000 {
        arena.alloc([0_u8; 1000]);
    }
    let stats = arena.stats();
    assert_eq!((stats.chunks, stats.wasted_bytes), (1, 0), "{stats}");
}

#[test]
fn trims_free_what_waits() {
    let mut arena = Arena::builder().retain(Retain::All).build();
    arena.alloc_slice_fill(1 << 20, 0_u8);
    for _ in 0..100 {
        arena.alloc([0_u8; 1000]);
    }
    arena.reset();
    let kept = arena.alloc(7);
    let before = arena.stats();
    assert!(arena.trim(Pressure::Low).is_nothing());
    let freed = arena.trim(Pressure::High);
    assert_eq!(
        arena.stats().reserved_bytes,
        before.reserved_bytes - freed.bytes
    );
    assert_eq!((arena.stats().spare_bytes, *kept), (0, 7));
}

// AddressSanitizer forbids it, as it should.
#[test]
#[cfg(not(thrifty_asan))]
#[expect(unsafe_code, reason = "looks at memory that was given back")]
fn zeroes_reach_everything() {
    use std::ptr::NonNull;

    let mut arena = Arena::builder().zeroize(true).retain(Retain::All).build();
    let mut seen: Vec<(NonNull<u8>, usize)> = vec![];
    for bytes in [10, 3000, 3000, 9000, 300_000, 20] {
        let block = arena.alloc_slice_fill(bytes, 0xAB_u8);
        seen.push((NonNull::from(block).cast(), bytes));
    }
    let number = arena.alloc(u64::MAX);
    seen.push((NonNull::from(number).cast(), 8));
    arena.reset();
    for (start, bytes) in seen {
        for at in 0..bytes {
            // SAFETY: within the block.
            let byte = unsafe { start.add(at) };
            // SAFETY: the chunks are kept, and the bytes in them were written as zeros.
            assert_eq!(unsafe { byte.read() }, 0);
        }
    }
}

#[test]
fn the_first_chunk_may_be_the_largest() {
    let whole = |arena: Arena| {
        for _ in 0..10 {
            arena.alloc_uninit_slice::<u8>(1 << 20);
        }
        arena.stats().chunks
    };
    assert_eq!(whole(Arena::builder().first_chunk(16 << 20).build()), 1);
    // In either order.
    let before = Arena::builder().big_above(2000).max_chunk(8 << 20);
    let after = Arena::builder().max_chunk(8 << 20).big_above(2000);
    assert_eq!((whole(before.build()), whole(after.build())), (10, 10));
}

#[test]
fn a_limit_serves_after_a_reset_what_it_served_before() {
    let mut arena = Arena::builder().limit(100_000).build();
    for _ in 0..3 {
        for _ in 0..30 {
            arena.alloc([0_u8; 1000]);
        }
        arena.reset();
        assert!(arena.try_alloc_uninit_slice::<u8>(90_000).is_ok());
        arena.reset();
    }
    // The chunk that a scope would go back to stays, and the scope ends as it should.
    let mut arena = Arena::builder().limit(100_000).build();
    arena.reserve(30_000);
    arena.scope(|scope| {
        assert!(scope.try_alloc_uninit_slice::<u8>(90_000).is_err());
    });
    assert!(arena.try_alloc_uninit_slice::<u8>(90_000).is_ok());
    assert_eq!(arena.stats().chunks, 1);
}

#[test]
fn one_chunk_serves_rounds_that_begin_with_a_large_object() {
    let mut arena = Arena::builder().retain(Retain::Consolidate).build();
    for _ in 0..10 {
        arena.alloc_uninit_slice::<u8>(300_000);
        arena.alloc(1_u64);
        arena.reset();
    }
    arena.alloc_uninit_slice::<u8>(300_000);
    arena.alloc(1_u64);
    assert_eq!(arena.stats().chunks, 1);
}

#[test]
fn the_larger_chunks_are_kept_first() {
    let mut arena = Arena::builder().retain(Retain::Bytes(1_000_000)).build();
    for _ in 0..2 {
        arena.alloc_uninit_slice::<u8>(900_000);
        for _ in 0..200 {
            arena.alloc([0_u8; 1000]);
        }
        arena.reset();
        let reserved = arena.stats().reserved_bytes;
        assert!((900_000..=1_000_000).contains(&reserved), "{reserved}");
    }
}

#[test]
fn what_has_a_chunk_of_its_own_is_given_back_too() {
    let arena = Arena::new();
    for _ in 0..100 {
        assert!(
            arena
                .alloc_try_with(|| Err::<[u8; 300_000], ()>(()))
                .is_err()
        );
        drop(ArenaVec::<u8>::with_capacity_in(400_000, &arena));
    }
    let stats = arena.stats();
    assert_eq!((stats.used_bytes, stats.wasted_bytes), (0, 0));
    assert!(stats.reserved_bytes < 1_000_000, "{stats}");
}

#[test]
fn an_arena_is_reset_by_a_pool() {
    fn reset(value: &mut impl Reset) -> usize {
        value.reset();
        value.retained_bytes()
    }
    let mut arena = Arena::new();
    arena.alloc([0_u8; 1000]);
    assert_eq!(reset(&mut arena), arena.stats().reserved_bytes);
    assert_eq!(arena.stats().used_bytes, 0);
    let mut typed = TypedArena::new();
    typed.alloc(1_u64);
    assert!(reset(&mut typed) >= 8);
    assert!(typed.is_empty());
}
