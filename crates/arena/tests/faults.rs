//! Memory that runs out, at each site in turn; and where none is asked for.

use thrifty_arena::{
    AllocErrorKind, Arena, ArenaString, ArenaVec, FormatError, Retain, TypedArena,
};
use thrifty_testkit::{AllocFault, FailingAlloc, Sweep, quietly, thread_counts, with_failing};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

/// What a value costs that no chunk has room for.
const BIG: usize = 300_000;

fn every_operation(arena: &Arena) -> Result<(), AllocErrorKind> {
    arena.try_alloc([1_u8; 3000]).map_err(|rejected| {
        assert_eq!(rejected.value[2999], 1);
        rejected.error.kind
    })?;
    arena.try_alloc_with(|| [2_u64; 500]).map_err(|rejected| {
        assert_eq!((rejected.value)()[0], 2);
        rejected.error.kind
    })?;
    let made = arena
        .try_alloc_try_with(|| Ok::<_, ()>([3_u64; 1000]))
        .map_err(|rejected| rejected.error.kind)?;
    assert_eq!(made, Ok(&mut [3; 1000]));
    let slice = arena
        .try_alloc_slice_fill(BIG, 4_u8)
        .map_err(|rejected| rejected.error.kind)?;
    assert_eq!(slice[BIG - 1], 4);
    let items = arena.try_alloc_iter((0..20_000_u32).filter(|at| at % 2 == 0));
    let items = items.map_err(|rejected| {
        assert_eq!(rejected.value.count(), 10_000);
        rejected.error.kind
    })?;
    assert_eq!(items[9_999], 19_998);
    let exact = arena.try_alloc_iter_exact(0..20_000_usize);
    exact.map_err(|mut rejected| {
        assert_eq!(rejected.value.next(), Some(0));
        rejected.error.kind
    })?;
    let parts = ["0123456789"; 3000];
    let joined = arena
        .try_alloc_join(&parts, "--")
        .map_err(|error| error.kind)?;
    assert_eq!(joined.len(), 3000 * 12 - 2);
    let wide = arena.try_alloc_fmt(format_args!("{:>60000}{:>60000}", 1, 2));
    wide.map_err(|error| match error {
        FormatError::Alloc(error) => error.kind,
        _ => unreachable!("nothing refuses"),
    })?;
    let mut string = ArenaString::new_in(arena);
    for _ in 0..20_000 {
        string
            .try_push_str("0123456789")
            .map_err(|error| error.kind)?;
    }
    let mut vec = ArenaVec::new_in(arena);
    for at in 0..200_000_u32 {
        vec.try_push(at).map_err(|rejected| {
            assert_eq!(rejected.value, at);
            rejected.error.kind
        })?;
    }
    assert!(vec.iter().copied().eq(0..200_000));
    arena.try_burst::<u64>(9000).map_err(|error| error.kind)?;
    Ok(())
}

#[test]
fn each_refusal_is_reported_and_leaves_the_arena_usable() {
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run_with(
                || Arena::builder().retain(Retain::All).build(),
                |arena| {
                    let result = every_operation(arena);
                    if let Err(kind) = result {
                        assert_eq!(kind, AllocErrorKind::Backend);
                    }
                    // Whatever happened, what is left is counted and can be used again.
                    let stats = arena.stats();
                    assert!(stats.used_bytes <= stats.reserved_bytes);
                    arena.reset();
                    let _ = arena.try_alloc(1);
                    result
                },
            );
        assert!(swept.sites >= 8, "{swept:?}");
    }
}

#[test]
fn less_than_wanted_is_taken_where_the_system_has_no_more() {
    let arena = Arena::new();
    let (result, struck) = with_failing(AllocFault::Once, 0, || arena.try_alloc(1_u64).is_ok());
    assert!(result && struck == 1);
    assert!(
        arena.stats().reserved_bytes < 4000,
        "half of what was wanted"
    );
}

#[test]
fn panicking_forms_panic() {
    let arena = Arena::new();
    let (result, _) = with_failing(AllocFault::Onwards, 0, || quietly(|| *arena.alloc(1)));
    assert!(result.is_err());
    assert_eq!(*arena.alloc(1), 1);
}

#[test]
fn typed_arenas_give_back_what_finds_no_room() {
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run_with(TypedArena::new, |arena| {
                for at in 0..2000_u64 {
                    if let Err(rejected) = arena.try_alloc(at) {
                        assert_eq!(rejected.value, at);
                        assert_eq!(arena.len() as u64, at);
                        return Err(rejected.error);
                    }
                }
                assert!(arena.iter_mut().map(|at| *at).eq(0..2000));
                Ok(())
            });
        assert_eq!(swept.refused, swept.sites, "{swept:?}");
        assert!(swept.sites > 5);
    }
}

#[test]
fn a_steady_state_allocates_nothing() {
    for retain in [Retain::All, Retain::AdaptiveDecay, Retain::Consolidate] {
        let mut arena = Arena::builder().retain(retain).build();
        let mut round = || {
            for at in 0..3000_u64 {
                arena.alloc(at);
                arena.alloc_str("a text");
            }
            arena.alloc_slice_fill(BIG, 0_u8);
            arena.scope(|scope| scope.alloc_slice_fill(10_000, 0_u64).len());
            arena.reset();
        };
        (0..20).for_each(|_| round());
        let before = thread_counts();
        (0..20).for_each(|_| round());
        let since = thread_counts().since(&before);
        assert_eq!(
            (since.allocs, since.reallocs, since.frees),
            (0, 0, 0),
            "{retain:?}"
        );
    }
}

#[test]
fn an_arena_gives_everything_back() {
    let before = thread_counts().live();
    let arena = Arena::new();
    every_operation(&arena).unwrap();
    drop(arena);
    assert_eq!(thread_counts().live(), before);
}

#[test]
fn a_large_vector_leaves_nothing_behind() {
    let arena = Arena::new();
    let mut vec = ArenaVec::new_in(&arena);
    for at in 0..2_000_000_u64 {
        vec.push(at);
    }
    let stats = arena.stats();
    let vector = vec.capacity() * 8;
    assert!(
        stats.reserved_bytes < vector + (2 << 20),
        "{stats}, {vector} of the vector"
    );
    assert!(vec.iter().copied().eq(0..2_000_000));
}

/// Warms up, then asserts that rounds ask for nothing.
fn assert_steady(mut round: impl FnMut(usize)) {
    (0..20).for_each(&mut round);
    let before = thread_counts();
    (20..60).for_each(&mut round);
    let since = thread_counts().since(&before);
    assert_eq!((since.allocs, since.reallocs, since.frees), (0, 0, 0));
}

#[test]
fn scopes_and_rounds_find_their_large_chunks_again() {
    for (max_chunk, big, small) in [(4096, 8192, 1000), (1 << 20, 2 << 20, 200 << 10)] {
        let mut arena = Arena::builder().max_chunk(max_chunk).build();
        assert_steady(|_| {
            arena.scope(|scope| {
                scope.alloc_uninit_slice::<u8>(big);
                for _ in 0..100 {
                    scope.alloc_uninit_slice::<u8>(small);
                }
            });
        });
        let builder = Arena::builder().max_chunk(max_chunk);
        let mut arena = builder.retain(Retain::All).build();
        assert_steady(|_| {
            arena.alloc_uninit_slice::<u8>(big);
            for _ in 0..100 {
                arena.alloc_uninit_slice::<u8>(small);
            }
            arena.reset();
        });
        let mut arena = builder.retain(Retain::All).build();
        assert_steady(|_| {
            arena.reserve(big);
            for _ in 0..100 {
                arena.alloc_uninit_slice::<u8>(small);
            }
            arena.reset();
        });
    }
}

#[test]
fn scopes_use_large_chunks_in_whatever_order() {
    let mut arena = Arena::new();
    assert_steady(|round| {
        arena.scope(|scope| {
            for at in 0..31 {
                // 31 is a prime: each round has all sizes, in an order of its own.
                let size = 1 + (at * (round % 30 + 1) + round) % 31;
                scope.alloc_uninit_slice::<u8>(size * 300_000);
            }
        });
    });
}

#[test]
fn sizes_that_never_come_again_do_not_add_up() {
    let mut arena = Arena::new();
    let mut most = 0;
    for round in 1..200_usize {
        let size = 300_000 + round * 20_000;
        most = most.max(size);
        arena.scope(|scope| scope.alloc_uninit_slice::<u8>(size).len());
        let reserved = arena.stats().reserved_bytes;
        assert!(reserved <= 2 * (most + 1000), "{reserved} after {most}");
    }
}

#[test]
fn a_round_just_above_one_chunk_asks_for_nothing() {
    let mut arena = Arena::new();
    assert_steady(|_| {
        arena.alloc([0_u64; 2]);
        arena.alloc_uninit_slice::<u64>(505);
        arena.reset();
    });
}
