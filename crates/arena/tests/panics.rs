//! Panics in whatever of the user's is called.

use thrifty_arena::{Arena, ArenaBox, ArenaVec, TypedArena};
use thrifty_testkit::{Fuse, Ledger, Sweep, quietly};

/// Sweeps over the calls of a fuse in a program that makes tracked values.
fn sweep(program: impl Fn(&Arena, &Fuse, &Ledger)) {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let swept = Sweep::over(&fuse)
        .check("each value is dropped once", || ledger.check())
        .run_with(Arena::new, |arena| program(arena, &fuse, &ledger));
    assert!(
        swept.unwound > 0 && swept.unwound == swept.sites,
        "{swept:?}"
    );
}

#[test]
fn what_was_taken_for_a_panicking_closure_is_given_back() {
    let arena = Arena::new();
    arena.alloc(1);
    let used = arena.stats().used_bytes;
    assert!(quietly(|| *arena.alloc_with::<u64>(|| panic!("no"))).is_err());
    assert!(quietly(|| *arena.alloc_with::<u8>(|| panic!("no"))).is_err());
    assert!(quietly(|| arena.alloc_slice_fill_with::<u8>(9, |_| panic!("no")).len()).is_err());
    assert!(
        quietly(|| arena
            .alloc_iter((0..9).map(|_| -> u8 { panic!("no") }))
            .len())
        .is_err()
    );
    assert_eq!(arena.stats().used_bytes, used);
}

#[test]
fn boxes() {
    sweep(|arena, fuse, ledger| {
        let first = arena.alloc_box(ledger.track(1));
        fuse.call();
        let second = arena.alloc_box(ledger.track(first));
        fuse.call();
        drop(ArenaBox::into_inner(second));
        fuse.call();
    });
}

#[test]
fn slices_drop_what_was_made() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let arena = Arena::new();
    let swept = Sweep::over(&fuse)
        .check("each value is dropped once", || ledger.check())
        .run(|| {
            let make = |_| {
                fuse.call();
                ledger.track(1)
            };
            let drop_all = |slice: &mut [_]| {
                for value in slice {
                    // The values are the arena's, which does not drop them.
                    drop(Option::take(value));
                }
            };
            drop_all(arena.alloc_slice_fill_with(5, |at| Some(make(at))));
            drop_all(arena.alloc_iter((0..5).map(|at| Some(make(at))).filter(Option::is_some)));
            drop_all(arena.alloc_iter_exact((0..5).map(|at| Some(make(at)))));
        });
    assert_eq!((swept.sites, swept.unwound), (15, 15));
}

#[test]
fn vectors() {
    sweep(|arena, fuse, ledger| {
        let mut vec = ArenaVec::new_in(arena);
        vec.extend((0..9).map(|_| {
            fuse.call();
            ledger.track(1)
        }));
        vec.truncate(7);
        vec.insert(2, ledger.track(1));
        drop((vec.remove(0), vec.swap_remove(1), vec.pop()));
        let mut rest = vec.into_iter();
        drop((rest.next(), rest.next_back()));
        fuse.call();
    });
}

#[test]
fn retain_keeps_what_it_did_not_come_to() {
    let arena = Arena::new();
    let mut vec = ArenaVec::new_in(&arena);
    vec.extend((0..10).map(Box::new));
    let asked = quietly(|| {
        vec.retain(|number| {
            assert!(**number != 8, "the ninth");
            **number % 2 == 0
        });
    });
    assert!(asked.is_err());
    assert!(vec.iter().map(|number| **number).eq([0, 2, 4, 6, 8, 9]));
}

#[test]
fn typed_arenas_drop_in_order_and_all() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    struct Blows<'a>(
        &'a Fuse,
        #[expect(dead_code, reason = "dropped")] thrifty_testkit::Tracked<u8>,
    );
    impl Drop for Blows<'_> {
        fn drop(&mut self) {
            self.0.call();
        }
    }
    let swept = Sweep::over(&fuse)
        .check("each value is dropped once", || ledger.check())
        .run(|| {
            let mut arena = TypedArena::new();
            for _ in 0..100 {
                arena.alloc(Blows(&fuse, ledger.track(1)));
            }
            arena.clear();
            arena.alloc(Blows(&fuse, ledger.track(1)));
            drop(arena.into_values().next());
        });
    assert_eq!(swept.unwound, swept.sites);
    assert!(swept.sites > 100, "{swept:?}");
}

#[test]
fn a_box_changes_its_type_and_not_its_value() {
    let ledger = Ledger::new();
    let arena = Arena::new();
    let boxed: ArenaBox<'_, [u8]> = ArenaBox::unsize(arena.alloc_box([1_u8, 2]), |array| array);
    assert_eq!(*boxed, [1, 2]);
    let slice: ArenaBox<'_, [_]> = ArenaBox::unsize(
        arena.alloc_box([ledger.track(1), ledger.track(2)]),
        |array| array,
    );
    assert_eq!((slice.len(), ledger.live()), (2, 2));
    drop(slice);
    assert_eq!(ledger.live(), 0);
}
