//! Scopes: what they give back, and when.

use thrifty_arena::{Arena, ArenaVec, BufArena, Scope};
use thrifty_testkit::quietly;

#[test]
fn a_scope_gives_back_what_came_in_it() {
    let mut arena = Arena::new();
    arena.alloc(1_u64);
    let before = arena.stats();
    arena.scope(|scope| {
        scope.alloc([0_u8; 100]);
        scope.alloc_str("text");
        for _ in 0..100 {
            scope.alloc([0_u64; 100]);
        }
        scope.alloc_slice_fill(1 << 20, 0_u8);
        assert!(scope.stats().used_bytes > 80_000 + (1 << 20));
    });
    let after = arena.stats();
    assert_eq!(
        (after.used_bytes, after.wasted_bytes, after.free_bytes),
        (before.used_bytes, before.wasted_bytes, before.free_bytes)
    );
    assert!(after.peak_used_bytes > 80_000 + (1 << 20));
    assert!(after.spare_bytes > 80_000 + (1 << 20));
}

#[test]
fn a_scope_on_an_empty_arena_leaves_it_empty() {
    let mut arena = Arena::new();
    arena.scope(|_| ());
    assert_eq!(arena.stats().reserved_bytes, 0);
    for _ in 0..3 {
        arena.scope(|mut scope| {
            scope.scope(|inner| *inner.alloc(1));
            assert_eq!(scope.stats().used_bytes, 0);
            scope.alloc(2_u64);
            for _ in 0..1000 {
                scope.alloc([0_u64; 10]);
            }
        });
        assert_eq!(arena.stats().used_bytes, 0);
        assert_eq!(arena.stats().wasted_bytes, 0);
    }
    let reserved = arena.stats().reserved_bytes;
    arena.scope(|scope| scope.alloc_slice_fill(1000, 0_u8).len());
    assert_eq!(arena.stats().reserved_bytes, reserved);
}

#[test]
fn values_outlive_scopes_further_inside() {
    fn descend(scope: &mut Scope<'_>, depth: usize) -> usize {
        let here = scope.alloc([depth; 20]);
        let text = scope.alloc_fmt(format_args!("{depth}"));
        let below = if depth == 0 {
            0
        } else {
            scope.scope(|mut inner| descend(&mut inner, depth - 1))
        };
        assert_eq!(*here, [depth; 20]);
        assert_eq!(*text, *depth.to_string());
        below + here[0]
    }
    let mut arena = Arena::new();
    for _ in 0..3 {
        let sum = arena.scope(|mut scope| descend(&mut scope, 1000));
        assert_eq!(sum, 500_500);
        assert_eq!(arena.stats().used_bytes, 0);
    }
}

#[test]
fn a_panic_gives_back_too() {
    let mut arena = Arena::new();
    let kept = 7_u64;
    arena.alloc(kept);
    let result = quietly(|| {
        arena.scope(|mut scope| {
            for _ in 0..100 {
                scope.alloc([0_u8; 1000]);
            }
            scope.scope(|inner| {
                inner.alloc_slice_fill(1 << 20, 0_u8);
                panic!("inside");
            })
        })
    });
    assert!(result.is_err());
    assert_eq!(arena.stats().used_bytes, 8);
}

#[test]
#[expect(clippy::forget_non_drop, reason = "what is tested")]
fn forgetting_a_scope_keeps_nothing() {
    let mut arena = Arena::new();
    arena.alloc(1_u64);
    arena.scope(|scope| {
        scope.alloc([0_u64; 1000]);
        std::mem::forget(scope);
    });
    // A leak checker would see the box.
    if !cfg!(thrifty_asan) {
        arena.scope(|scope| {
            let leaked = Box::leak(Box::new(scope));
            leaked.alloc([0_u64; 1000]);
        });
    }
    assert_eq!(arena.stats().used_bytes, 8);
}

#[test]
fn collections_live_in_a_scope() {
    let mut arena = Arena::new();
    let longest = arena.scope(|scope| {
        let mut words = ArenaVec::new_in(&scope);
        words.extend("one three seventeen".split(' '));
        words.retain(|word| word.len() > 3);
        words.iter().map(|word| word.len()).max()
    });
    assert_eq!((longest, arena.stats().used_bytes), (Some(9), 0));
}

#[test]
fn scopes_straddle_chunks_without_asking_for_memory() {
    let mut arena = Arena::new();
    arena.alloc_slice_fill(arena.stats().free_bytes, 0_u8);
    arena.alloc_slice_fill(3900, 0_u8);
    for round in 0..100 {
        arena.scope(|scope| scope.alloc_slice_fill(3000, 0_u8).len());
        if round > 0 {
            assert_eq!(arena.stats().chunks, 2);
        }
    }
}

/// Chunks of the chain and large objects, new ones and ones that waited, go with the scope that needed them.
#[test]
fn each_scope_gives_back_its_own_chunks() {
    const LARGE: usize = 300 << 10;
    let mut arena = Arena::new();
    let first = arena.alloc_slice_fill(LARGE, 1_u8).len();
    let before = arena.stats().used_bytes;
    for round in 0..3 {
        arena.scope(|mut outer| {
            let large = outer.alloc_slice_fill(LARGE, 2_u8);
            let small = outer.alloc_slice_fill(5000, 3_u8);
            let held = outer.stats().used_bytes;
            for inside in 0..3 {
                outer.scope(|inner| {
                    if inside != 1 {
                        inner.alloc_slice_fill(LARGE, 4_u8);
                    }
                    if inside != 2 {
                        inner.alloc_slice_fill(100_000, 5_u8);
                    }
                });
                assert_eq!(outer.stats().used_bytes, held, "{round} {inside}");
                outer.scope(|inner| inner.alloc_slice_fill(64, 6_u8).len());
                assert_eq!(outer.stats().used_bytes, held, "{round} {inside}");
            }
            assert!(large.iter().all(|byte| *byte == 2));
            assert!(small.iter().all(|byte| *byte == 3));
        });
        assert_eq!(arena.stats().used_bytes, before);
    }
    assert_eq!(first, LARGE);
}

/// Of a scope that panicked within another one, nothing is left, and the other one goes on.
#[test]
fn a_scope_outlives_a_panic_further_inside() {
    let mut arena = Arena::new();
    arena.scope(|mut outer| {
        let kept = outer.alloc_slice_fill(64, 1_u8);
        let held = outer.stats().used_bytes;
        for _ in 0..3 {
            let result = quietly(|| {
                outer.scope(|mut inner| {
                    inner.alloc_slice_fill(9000, 2_u8);
                    inner.scope(|innermost| {
                        innermost.alloc_slice_fill(64, 3_u8);
                        panic!("inside");
                    })
                })
            });
            assert!(result.is_err());
            assert_eq!(outer.stats().used_bytes, held);
            outer.scope(|inner| inner.alloc_slice_fill(100_000, 4_u8).len());
            assert_eq!(outer.stats().used_bytes, held);
        }
        assert!(kept.iter().all(|byte| *byte == 1));
    });
    assert_eq!(arena.stats().used_bytes, 0);
}

#[test]
fn a_buffer_has_scopes() {
    let mut buffer = [std::mem::MaybeUninit::uninit(); 200];
    let mut arena = BufArena::spilling(&mut buffer);
    arena.alloc([1_u8; 90]);
    let before = arena.stats();
    for _ in 0..3 {
        arena.scope(|mut scope| {
            scope.alloc([2_u8; 50]);
            scope.alloc([3_u8; 5000]);
            scope.scope(|inner| inner.alloc_slice_fill(1 << 20, 0_u8).len());
            scope.alloc([4_u8; 50]);
        });
        let after = arena.stats();
        assert_eq!(
            (after.used_bytes, after.free_bytes, after.wasted_bytes),
            (before.used_bytes, before.free_bytes, before.wasted_bytes)
        );
    }
    arena.reset();
    assert_eq!(arena.stats().used_bytes, 0);
    assert_eq!(arena.alloc([1_u8; 190])[0], 1);
}

#[test]
fn fallible_forms_live_as_long_as_the_scope() {
    let mut arena = Arena::new();
    arena.scope(|mut scope| {
        let made = scope.try_alloc_with(|| 1).ok();
        let tried = scope.try_alloc_try_with(|| Ok::<_, ()>(2)).ok();
        let items = scope.try_alloc_iter_exact([3, 4].into_iter()).ok();
        let (boxed, other) = (scope.alloc_box(5), scope.try_alloc_box(6).ok());
        scope.scope(|inner| *inner.alloc(7));
        assert_eq!((made, tried), (Some(&mut 1), Some(Ok(&mut 2))));
        assert_eq!(items, Some(&mut [3, 4][..]));
        assert_eq!((*boxed, other.as_deref()), (5, Some(&6)));
    });
}
