//! Arenas that drop: in which order, how often, and what a panic does.

use std::{cell::RefCell, panic::AssertUnwindSafe};

use thrifty_arena::{Arena, DropArena, SendDropArena};
use thrifty_testkit::{Ledger, message, quietly};

thrifty_testkit::auto_traits! {
    DropArena<'static>: [!Send !Sync Unpin !Copy],
    SendDropArena<'static>: [Send !Sync Unpin !Copy],
}

/// Notes its drop, and may panic in it.
struct Noted<'a>(u32, &'a RefCell<Vec<u32>>);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
        assert!(self.0 % 3 != 0, "drop {}", self.0);
    }
}

#[test]
fn the_last_one_is_dropped_first() {
    let log = RefCell::new(Vec::new());
    let mut arena = DropArena::new();
    for number in [1, 2, 4, 5, 7] {
        arena.alloc_with(|| {
            arena.plain().alloc_slice_fill(1000, number);
            Noted(number, &log)
        });
    }
    arena.reset();
    arena.alloc(Noted(8, &log));
    drop(arena);
    assert_eq!(*log.borrow(), [7, 5, 4, 2, 1, 8]);
}

#[test]
fn all_are_dropped_when_some_panic() {
    let log = RefCell::new(Vec::new());
    let mut arena = DropArena::new();
    for number in 1..=7 {
        arena.alloc(Noted(number, &log));
    }
    let panic = quietly(AssertUnwindSafe(|| arena.reset())).unwrap_err();
    assert_eq!(message(&*panic), "drop 6");
    assert_eq!(log.take(), [7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(arena.plain().stats().used_bytes, 0);
    arena.alloc(Noted(3, &log));
    arena.alloc(Noted(1, &log));
    assert!(quietly(AssertUnwindSafe(|| drop(arena))).is_err());
    assert_eq!(log.take(), [1, 3]);
    // While the thread is panicking, too.
    let panic = quietly(|| {
        let arena = DropArena::new();
        arena.alloc(Noted(3, &log));
        arena.alloc(Noted(6, &log));
        panic!("the first");
    });
    assert_eq!(message(&*panic.unwrap_err()), "the first");
    assert_eq!(log.take(), [6, 3]);
}

#[test]
fn what_does_not_fit_or_is_not_made_is_not_dropped_twice() {
    let ledger = Ledger::new();
    let arena = DropArena::with_settings(Arena::builder().limit(0));
    assert_eq!(
        arena
            .try_alloc(ledger.track(7))
            .unwrap_err()
            .into_value()
            .into_inner(),
        7
    );
    let arena = SendDropArena::new();
    assert!(
        quietly(AssertUnwindSafe(|| arena
            .alloc_with(|| -> String { panic!() })
            .len()))
        .is_err()
    );
    for number in 0..100 {
        arena.alloc(ledger.track(number));
    }
    std::thread::spawn(move || drop(arena)).join().unwrap();
    ledger.assert_balanced();
}

/// A pool of objects may hold them.
#[test]
fn they_are_reset_as_others_are() {
    fn emptied<R: thrifty_traits::Reset>(arena: &mut R) -> bool {
        let held = arena.retained_bytes();
        arena.reset();
        held > 0
    }
    let ledger = Ledger::new();
    let (mut here, mut sent) = (DropArena::new(), SendDropArena::new());
    here.alloc(ledger.track(1));
    sent.alloc(ledger.track(2));
    assert!(emptied(&mut here) && emptied(&mut sent));
    ledger.assert_balanced();
    let mut shared = thrifty_arena::SharedArena::new();
    shared.alloc(1);
    assert!(emptied(&mut shared));
}
