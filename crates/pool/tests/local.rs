//! The pool for one thread: borrowed items, re-entrant functions, panics.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use thrifty_pool::{ByReset, Clean, LocalPool, MemoryUsage, Pressure};
use thrifty_testkit::{Fault, Fuse, Ledger, Sweep, Tracked, in_child, quietly};

#[test]
fn items_and_functions_may_borrow() {
    let words = [String::from("one"), String::from("two")];
    let made = Cell::new(0);
    let pool = LocalPool::new(|| {
        made.set(made.get() + 1);
        Vec::<&str>::new()
    });
    for _ in 0..10 {
        let mut two = (pool.get(), pool.get());
        two.0.extend(words.iter().map(String::as_str));
        two.1.push(&words[0]);
    }
    assert_eq!(made.get(), 2);
    assert!(pool.get().is_empty());
}

#[test]
fn items_need_not_be_send() {
    let pool = LocalPool::with(BTreeMap::<u8, Rc<u8>>::new, |map| map.clear());
    let shared = Rc::new(1);
    pool.get().insert(1, Rc::clone(&shared));
    assert_eq!(Rc::strong_count(&shared), 1);
    assert!(pool.get().is_empty());
}

#[test]
fn idle_items_are_bounded() {
    let pool = LocalPool::new(String::new).max_idle(3);
    drop((0..10).map(|_| pool.get()).collect::<Vec<_>>());
    assert_eq!(
        (pool.stats().idle, pool.stats().in_use, pool.stats().created),
        (3, 0, 10)
    );
    let none = LocalPool::new(String::new).max_idle(0);
    drop(none.get());
    assert_eq!(none.stats().idle, 0);
    let light = LocalPool::new(String::new).max_item_weight(size_of::<String>() + 10);
    light.get().reserve_exact(10);
    assert_eq!(light.stats().idle, 1);
    light.get().reserve_exact(11);
    assert_eq!(light.stats().idle, 0);
}

#[test]
fn trims_give_back() {
    let pool = LocalPool::new(|| Vec::<u8>::with_capacity(100));
    drop((0..9).map(|_| pool.get()).collect::<Vec<_>>());
    let usage = pool.memory_usage();
    assert_eq!(usage.idle_bytes, 9 * size_of::<Vec<u8>>());
    assert!(usage.reserved_bytes > usage.idle_bytes);
    let low = pool.trim(Pressure::Low);
    assert_eq!((low.items, pool.stats().idle), (5, 4));
    assert!(low.bytes >= 5 * 100);
    assert_eq!(pool.trim(Pressure::Medium).items, 4);
    assert!(pool.trim(Pressure::High).is_nothing());
    assert_eq!(pool.memory_usage().reserved_bytes, 0);
}

#[test]
fn detached_and_discarded_items_do_not_come_back() {
    let ledger = Ledger::new();
    let pool = LocalPool::with(|| ledger.track(1), |item: &mut Tracked<i32>| **item = 1);
    let mut item = pool.get();
    **item = 5;
    assert_eq!(*item.detach(), 5);
    pool.get().discard();
    assert_eq!((ledger.live(), pool.stats().in_use), (0, 0));
    // As if forgotten: a guard that is never dropped is on loan for ever.
    let kept = std::mem::ManuallyDrop::new(pool.get());
    assert_eq!((pool.stats().in_use, pool.stats().idle), (1, 0));
    drop(std::mem::ManuallyDrop::into_inner(kept));
}

#[test]
fn unwinding_discards() {
    let ledger = Ledger::new();
    let pool = LocalPool::with(|| ledger.track(()), |_: &mut Tracked<()>| ());
    quietly(|| {
        let _guard = pool.get();
        panic!("on purpose");
    })
    .unwrap_err();
    assert_eq!((ledger.live(), pool.stats().in_use), (0, 0));
}

/// Cleans items, and panics when told.
struct Fused(Fuse);

impl Clean<Tracked<()>> for Fused {
    fn clean(&self, _: &mut Tracked<()>) {
        self.0.call();
    }
    fn weight(&self, _: &Tracked<()>) -> usize {
        self.0.call();
        1
    }
}

#[test]
fn a_panic_in_user_code_loses_one_item_at_most() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let make = || {
        let (fuse, create, tracks) = (fuse.clone(), fuse.clone(), ledger);
        let create = move || {
            create.call();
            tracks.track(())
        };
        LocalPool::with_cleaner(create, Fused(fuse))
    };
    let swept = Sweep::over(&fuse)
        .check("ledger", || ledger.check())
        .run_with(make, |pool| {
            let result = quietly(|| {
                drop([pool.get(), pool.get()]);
                drop(pool.get());
            });
            assert_eq!(pool.stats().in_use, 0);
            assert_eq!(pool.stats().idle as u64, ledger.live());
            pool.trim(Pressure::High);
            assert_eq!(ledger.live(), 0);
            if let Err(payload) = result {
                std::panic::resume_unwind(payload);
            }
        });
    assert!(swept.sites >= 8, "{swept:?}");
}

#[test]
fn an_item_that_panics_in_its_drop_ends_no_trim() {
    struct Brittle(Fuse, #[expect(dead_code, reason = "it counts")] Tracked<()>);
    impl Drop for Brittle {
        fn drop(&mut self) {
            self.0.call();
        }
    }
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let pool = LocalPool::with(
        || Brittle(fuse.clone(), ledger.track(())),
        |_: &mut Brittle| (),
    );
    drop((0..5).map(|_| pool.get()).collect::<Vec<_>>());
    fuse.arm(2);
    assert_eq!(
        quietly(|| pool.trim(Pressure::High))
            .expect("contained")
            .items,
        5
    );
    assert_eq!(fuse.disarm(), 1);
    drop(pool);
    ledger.assert_balanced();
}

/// An item that no drop ends well for.
struct Brittle;

impl Drop for Brittle {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

fn brittle() -> LocalPool<'static, Brittle, fn(&mut Brittle)> {
    LocalPool::with(|| Brittle, |_| ())
}

#[test]
fn a_pool_of_items_that_panic_in_their_drop_ends_well() {
    in_child!(|| {
        let pool = brittle();
        drop([pool.get(), pool.get()]);
        quietly(|| drop(pool)).expect("contained");
    })
    .assert_returned();
}

#[test]
fn a_pool_that_a_panic_drops_ends_well() {
    in_child!(|| {
        let panicked = quietly(|| {
            let pool = brittle();
            drop(pool.get());
            panic!("the program's own");
        });
        panicked.unwrap_err();
    })
    .assert_returned();
}

#[test]
fn a_limit_that_falls_drops_what_is_beyond_it() {
    let ledger = Ledger::new();
    let pool = LocalPool::with(|| ledger.track(()), |_: &mut Tracked<()>| ());
    drop((0..5).map(|_| pool.get()).collect::<Vec<_>>());
    let pool = pool.max_idle(1);
    assert_eq!((pool.stats().idle, ledger.live()), (1, 1));
}

#[test]
fn weights_that_overflow_are_as_many_as_there_can_be() {
    struct Liar;
    impl Clean<u8> for Liar {
        fn clean(&self, _: &mut u8) {}
        fn weight(&self, _: &u8) -> usize {
            usize::MAX
        }
    }
    let pool = LocalPool::with_cleaner(|| 0_u8, Liar).max_item_weight(usize::MAX);
    drop([pool.get(), pool.get()]);
    let freed = pool.trim(Pressure::High);
    assert_eq!((freed.items, freed.bytes), (2, usize::MAX));
}

type Reentered = LocalPool<'static, Vec<u8>, fn(&mut Vec<u8>)>;

thread_local! {
    static POOL: RefCell<Option<Rc<Reentered>>> = const { RefCell::new(None) };
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Uses the pool that calls it, three deep.
fn reenter() {
    let pool = POOL.with_borrow(Clone::clone);
    if let (Some(pool), true) = (pool, DEPTH.get() < 3) {
        DEPTH.set(DEPTH.get() + 1);
        drop([pool.get(), pool.get()]);
        pool.trim(Pressure::Low);
        DEPTH.set(DEPTH.get() - 1);
    }
}

#[test]
fn create_and_clean_may_use_the_pool() {
    fn create() -> Vec<u8> {
        reenter();
        Vec::new()
    }
    fn clean(item: &mut Vec<u8>) {
        reenter();
        item.clear();
    }
    let pool: Rc<Reentered> = Rc::new(LocalPool::with(create, clean));
    POOL.set(Some(Rc::clone(&pool)));
    for _ in 0..5 {
        let mut three = [pool.get(), pool.get(), pool.get()];
        three[1].push(1);
    }
    assert_eq!(pool.stats().in_use, 0);
    assert!(pool.get().is_empty());
    POOL.set(None);
}

#[test]
fn an_items_drop_may_use_the_pool() {
    struct Returning<'a>(&'a Cell<Option<&'a LocalPool<'a, u8, ByReset>>>);
    impl Drop for Returning<'_> {
        fn drop(&mut self) {
            if let Some(pool) = self.0.get() {
                drop(pool.get());
            }
        }
    }
    let bytes: LocalPool<'_, u8, ByReset> = LocalPool::new(|| 0);
    let slot = Cell::new(Some(&bytes));
    let pool = LocalPool::with(|| Returning(&slot), |_: &mut Returning<'_>| ());
    drop([pool.get(), pool.get()]);
    pool.trim(Pressure::High);
    assert_eq!((pool.stats().idle, bytes.stats().idle), (0, 1));
    drop(pool);
}
