//! The shared arena: handles and the direct way, limits, failures, threads.

use std::{alloc::Layout, rc::Rc};

use thrifty_arena::{
    AllocErrorKind, Arena, LocalArena, MemoryUsage, Pressure, Retain, SharedArena,
};
use thrifty_testkit::{
    AllocFault, FailingAlloc, Ledger, Sweep, quietly, thread_counts, together, with_failing,
};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

const OVERHEAD: usize = SharedArena::BLOCK_OVERHEAD;

thrifty_testkit::auto_traits! {
    SharedArena: [Send Sync Unpin !Copy],
    LocalArena<'static>: [Send !Sync Unpin !Copy],
}

fn assert_apart(mut ranges: Vec<(usize, usize)>) {
    ranges.sort_unstable();
    assert!(ranges.is_sorted_by(|a, b| a.1 <= b.0), "two ranges overlap");
}

fn range<T>(values: &[T]) -> (usize, usize) {
    let range = values.as_ptr_range();
    (range.start.addr(), range.end.addr())
}

#[test]
fn threads_get_ranges_of_their_own() {
    let mut arena = SharedArena::new();
    for _ in 0..3 {
        let all = together(4, |thread| {
            let local = arena.local();
            let mut ranges = Vec::new();
            let mut kept: Vec<(&mut [u8], u8)> = Vec::new();
            for round in 0..2000_usize {
                let mark = u8::try_from((round * 4 + thread) % 256).unwrap();
                let len = 1 + round % 97;
                let bytes = if round % 3 == 0 {
                    arena.alloc_slice_fill_with(len, |_| mark)
                } else {
                    local.alloc_slice_fill_with(len, |_| mark)
                };
                ranges.push(range(bytes));
                kept.push((bytes, mark));
                let number = if round % 2 == 0 {
                    local.alloc(round)
                } else {
                    arena.alloc(round)
                };
                assert_eq!(*number, round);
                ranges.push(range(std::slice::from_ref(number)));
            }
            let is_whole = |(bytes, mark): &(&mut [u8], u8)| bytes.iter().all(|byte| byte == mark);
            assert!(kept.iter().all(is_whole));
            ranges
        });
        assert_apart(all.into_iter().flatten().collect());
        arena.reset();
        assert_eq!(arena.memory_usage().in_use_bytes, 0);
    }
}

#[test]
fn values_of_all_alignments() {
    #[repr(align(256))]
    struct Wide(u8);
    let arena = SharedArena::new();
    let local = arena.local();
    for round in 0..200_u8 {
        for wide in [arena.alloc(Wide(round)), local.alloc(Wide(round))] {
            assert_eq!((&raw const *wide).addr() % 256, 0);
            assert_eq!(wide.0, round);
        }
        assert_eq!((*arena.alloc(round), *local.alloc(round)), (round, round));
        assert_eq!(
            (&raw const *arena.alloc(1_u128)).addr() % align_of::<u128>(),
            0
        );
        assert_eq!((&raw const *local.alloc(1_u32)).addr() % 4, 0);
    }
    arena.alloc(());
    assert_eq!(arena.alloc_slice_copy(&[(); 1000]).len(), 1000);
}

#[test]
fn nothing_takes_nothing() {
    let arena = SharedArena::with_settings(Arena::builder().limit(0));
    let local = arena.local();
    arena.alloc(());
    local.alloc(());
    assert_eq!(
        (&*arena.alloc_str(""), &*local.alloc_join(&[], "-")),
        ("", "")
    );
    for shift in 0..=20 {
        let layout = Layout::from_size_align(0, 1 << shift).unwrap();
        for block in [arena.alloc_layout(layout), local.alloc_layout(layout)] {
            assert_eq!(block.addr().get() % (1 << shift), 0);
        }
    }
    assert_eq!(arena.memory_usage().reserved_bytes, 0);
    let rejected = arena.try_alloc(Box::new(7)).unwrap_err();
    assert_eq!(
        (*rejected.value, rejected.error.kind),
        (7, AllocErrorKind::Limit)
    );
}

#[test]
fn impossible_requests_say_why() {
    let arena = SharedArena::new();
    let local = arena.local();
    for align in [1_usize, 16, 4096, 1 << 40] {
        let most = isize::MAX as usize + 1 - align;
        for size in [most, most - 1, most / 2 + 1] {
            let layout = Layout::from_size_align(size, align).unwrap();
            for error in [
                arena.try_alloc_layout(layout),
                local.try_alloc_layout(layout),
            ] {
                let error = error.unwrap_err();
                let kinds = [AllocErrorKind::Overflow, AllocErrorKind::Backend];
                assert!(kinds.contains(&error.kind), "{error:?}");
                assert_eq!((error.size, error.align), (size, align));
            }
        }
    }
    let error = arena
        .try_alloc_slice_fill_with(usize::MAX, |_| 1_u16)
        .unwrap_err();
    assert_eq!(error.kind, AllocErrorKind::Overflow);
    assert_eq!(arena.memory_usage().reserved_bytes, 0);
}

#[test]
fn a_limit_is_exact() {
    for size in [1, 7, 8, 100, 4000, 300_000] {
        for is_local in [false, true] {
            let alloc = |limit| {
                let arena = SharedArena::with_settings(Arena::builder().limit(limit));
                let local = arena.local();
                let made = if is_local {
                    local.try_alloc_slice_fill_with(size, |_| 0_u8)
                } else {
                    arena.try_alloc_slice_fill_with(size, |_| 0_u8)
                };
                made.map(drop).map_err(|error| error.kind)
            };
            // AddressSanitizer marks words, so that the direct way then rounds.
            let is_rounded = cfg!(thrifty_asan) && !is_local;
            let bytes = if is_rounded {
                size.next_multiple_of(8)
            } else {
                size
            };
            assert_eq!(alloc(OVERHEAD + bytes), Ok(()), "{size}");
            assert_eq!(
                alloc(OVERHEAD + bytes - 1),
                Err(AllocErrorKind::Limit),
                "{size}"
            );
        }
    }
}

#[test]
fn a_limit_holds_for_all_threads_together() {
    const EACH: usize = 1000;
    let arena = SharedArena::with_settings(Arena::builder().limit(100_000));
    let got: usize = together(4, |thread| {
        let local = arena.local();
        let mut got = 0;
        loop {
            let made = if thread % 2 == 0 {
                local.try_alloc_slice_fill_with(EACH, |_| 0_u8)
            } else {
                arena.try_alloc_slice_fill_with(EACH, |_| 0_u8)
            };
            assert!(arena.memory_usage().reserved_bytes <= 100_000);
            match made {
                Ok(_) => got += 1,
                Err(error) => {
                    assert_eq!(error.kind, AllocErrorKind::Limit);
                    return got;
                }
            }
        }
    })
    .into_iter()
    .sum();
    assert!((60..100).contains(&got), "{got}");
}

#[test]
fn idle_blocks_make_room_under_a_limit() {
    let settings = Arena::builder().limit(10_000).retain(Retain::All);
    let mut arena = SharedArena::with_settings(settings);
    arena.alloc([0_u8; 1000]);
    arena.reset();
    assert!(arena.memory_usage().reserved_bytes > 4000);
    assert!(arena.try_alloc([0_u8; 8000]).is_ok());
}

#[test]
fn a_handle_goes_on_where_another_one_ended() {
    let arena = SharedArena::new();
    for _ in 0..20 {
        let local = arena.local();
        local.alloc([0_u8; 100]);
        local.alloc_str("text");
    }
    assert!(arena.memory_usage().reserved_bytes <= 4096);
    assert_eq!(arena.memory_usage().in_use_bytes, 20 * (100 + 4));
    // The direct way takes it over as well.
    arena.alloc(1_u64);
    assert!(arena.memory_usage().reserved_bytes <= 4096);
}

#[expect(clippy::mem_forget, reason = "what happens then is the test")]
#[test]
fn a_forgotten_handle_costs_its_block_until_the_reset() {
    let mut arena = SharedArena::new();
    for _ in 0..3 {
        let local = arena.local();
        local.alloc(7);
        std::mem::forget(local);
    }
    let before = arena.memory_usage();
    assert!(before.idle_bytes == 0 && before.in_use_bytes > 3 * 3000);
    arena.reset();
    let after = arena.memory_usage();
    assert!(after.in_use_bytes == 0 && after.idle_bytes > 0);
}

#[test]
fn a_handle_moves_between_threads() {
    let arena = SharedArena::new();
    let local = arena.local();
    let first = local.alloc(1);
    let (local, second) = std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let second = local.alloc(2);
            (local, second)
        });
        thread.join().unwrap()
    });
    assert_eq!(*first + *second + *local.alloc(3), 6);
}

#[test]
fn a_reset_keeps_what_the_policy_says() {
    let fill = |arena: &SharedArena| {
        for _ in 0..50 {
            arena.local().alloc([0_u8; 3000]);
            arena.alloc([0_u8; 1000]);
        }
    };
    let kept = |retain| {
        let mut arena = SharedArena::with_settings(Arena::builder().retain(retain));
        fill(&arena);
        let before = arena.memory_usage().reserved_bytes;
        arena.reset();
        let after = arena.memory_usage();
        assert_eq!(after.in_use_bytes, 0);
        fill(&arena);
        (before, after.reserved_bytes)
    };
    let (before, after) = kept(Retain::All);
    assert_eq!(before, after);
    assert_eq!(kept(Retain::Nothing).1, 0);
    assert_eq!(kept(Retain::Consolidate).1, 0);
    assert!(kept(Retain::Bytes(50_000)).1 <= 50_000);
    let (before, after) = kept(Retain::AdaptiveDecay);
    assert!(after > 0 && after <= 2 * before);
}

#[test]
fn what_is_spare_is_trimmed() {
    let settings = Arena::builder().retain(Retain::All);
    let mut arena = SharedArena::with_settings(settings);
    arena.alloc_slice_fill_with(100_000, |_| 0_u8);
    assert!(arena.trim(Pressure::High).is_nothing());
    arena.reset();
    assert!(arena.trim(Pressure::Low).is_nothing());
    assert!(arena.trim(Pressure::High).bytes >= 100_000);
    assert_eq!(arena.memory_usage().reserved_bytes, 0);
}

#[test]
fn a_panic_drops_what_was_made() {
    let ledger = Ledger::new();
    let arena = SharedArena::new();
    let local = arena.local();
    for at in 0..4 {
        let panicking = |index| {
            assert!(index != at, "enough");
            ledger.track(index)
        };
        assert!(quietly(|| drop(local.try_alloc_slice_fill_with(4, panicking))).is_err());
        assert!(quietly(|| drop(arena.try_alloc_slice_fill_with(4, panicking))).is_err());
        assert!(quietly(|| drop(local.try_alloc_with(|| -> u8 { panic!() }))).is_err());
        ledger.assert_balanced();
    }
    assert_eq!((*arena.alloc(1), *local.alloc(2)), (1, 2));
}

#[test]
fn closures_may_use_the_arena() {
    let arena = SharedArena::new();
    let local = arena.local();
    let nested = local.alloc_slice_fill_with(100, |at| {
        let inner = local.alloc_slice_fill_with(at * 50, |_| 1_u8);
        arena.alloc_with(|| local.alloc(inner.len()))
    });
    for (at, inner) in nested.iter().enumerate() {
        assert_eq!(***inner, at * 50);
    }
}

#[test]
fn texts() {
    let arena = SharedArena::new();
    let local = arena.local();
    let parts = ["one", "", "three"];
    assert_eq!(arena.alloc_join(&parts, ", "), "one, , three");
    assert_eq!(local.alloc_join(&parts, ""), "onethree");
    assert_eq!(local.alloc_slice_copy(&[1.5, 2.5]), [1.5, 2.5]);
    let many = vec!["x"; 10_000];
    assert_eq!(local.alloc_join(&many, "").len(), 10_000);
    let text = "x".repeat(1 << 16);
    let many = vec![text.as_str(); 1 << 16];
    let small = SharedArena::with_settings(Arena::builder().limit(1 << 20));
    assert!(small.try_alloc_join(&many, &text).is_err());
}

#[cfg(feature = "allocator-api2-02")]
#[test]
fn containers_live_in_it() {
    use allocator_api2::vec::Vec as ApiVec;
    use hashbrown::HashMap;

    let arena = SharedArena::new();
    together(3, |thread| {
        let mut map = HashMap::with_hasher_in(std::hash::RandomState::new(), &arena);
        let mut list = ApiVec::new_in(&arena);
        let local = arena.local();
        let mut near = ApiVec::new_in(&local);
        for number in 0..1000_usize {
            map.insert(number, number * thread);
            list.push(number);
            near.push(local.alloc(number * 2));
        }
        assert!((0..1000).all(|number| *near[number] == number * 2));
        assert!((0..1000).all(|number| map[&number] == number * thread && list[number] == number));
    });
}

#[test]
fn no_memory_is_an_error_at_every_site() {
    let settings = Arena::builder().first_chunk(256).max_chunk(1024);
    let program = |arena: &mut SharedArena| {
        let local = arena.local();
        let mut sum = 0;
        for round in 0..20_u8 {
            let made = local.try_alloc([round; 150]).map_err(|rejected| {
                assert_eq!(rejected.value, [round; 150]);
                rejected.error
            })?;
            sum += usize::from(made[149]);
            sum += arena.try_alloc_slice_fill_with(300, |_| 1_u8)?.len();
        }
        drop(local);
        arena.reset();
        Ok::<_, thrifty_arena::AllocError>(sum)
    };
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live memory", || thread_counts().live())
            .run_with(|| SharedArena::with_settings(settings), program);
        assert!(swept.sites > 5, "{swept:?}");
        // One refusal is met by a smaller request, unless it was for exactly what is needed.
        assert!(swept.refused > 0, "{swept:?}");
    }
    // It serves again when there is memory again.
    let mut arena = SharedArena::with_settings(settings);
    let (failed, _) = with_failing(AllocFault::Onwards, 2, || program(&mut arena));
    assert_eq!(failed.unwrap_err().kind, AllocErrorKind::Backend);
    assert!(program(&mut arena).is_ok());
}

#[test]
fn values_need_not_be_send() {
    let arena = SharedArena::new();
    let shared = Rc::new(1);
    // A reference to it, which is no more `Send`: what lies in the arena is not dropped.
    let there = arena.alloc(&shared);
    assert_eq!(***there, 1);
}

#[test]
fn a_steady_load_asks_for_nothing() {
    let mut arena = SharedArena::new();
    let round = |arena: &SharedArena| {
        let local = arena.local();
        for number in 0..2000_u64 {
            local.alloc(number);
            arena.alloc(number);
        }
    };
    for _ in 0..5 {
        round(&arena);
        arena.reset();
    }
    let before = thread_counts();
    round(&arena);
    arena.reset();
    assert_eq!(thread_counts(), before);
}
