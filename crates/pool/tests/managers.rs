//! User code that fails, panics, or uses the pool that called it: one item is lost at most.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use thrifty_pool::{GetError, Manage, Pool, Pressure, Verdict};
use thrifty_testkit::{Fuse, Ledger, Sweep, Tracked, in_child, message, quietly};

type Item = Tracked<u32>;

/// A manager whose every method is a closure of the test's.
struct Scripted {
    ledger: Ledger,
    create: Box<dyn Fn() -> Result<(), &'static str> + Send + Sync>,
    recycle: Box<dyn Fn(&mut Item) -> Verdict + Send + Sync>,
    revalidate: Box<dyn Fn(&mut Item) -> Verdict + Send + Sync>,
    weight: Box<dyn Fn(&Item) -> usize + Send + Sync>,
}

impl Scripted {
    fn new(ledger: &Ledger) -> Self {
        Self {
            ledger: *ledger,
            create: Box::new(|| Ok(())),
            recycle: Box::new(|item| {
                **item = 0;
                Verdict::Keep
            }),
            revalidate: Box::new(|_| Verdict::Keep),
            weight: Box::new(size_of_val),
        }
    }
}

impl Manage for Scripted {
    type Item = Item;
    type Error = &'static str;

    fn create(&self) -> Result<Item, &'static str> {
        (self.create)()?;
        Ok(self.ledger.track(0))
    }
    fn recycle(&self, item: &mut Item) -> Verdict {
        (self.recycle)(item)
    }
    fn revalidate(&self, item: &mut Item) -> Verdict {
        (self.revalidate)(item)
    }
    fn weight(&self, item: &Item) -> usize {
        (self.weight)(item)
    }
}

fn counts(pool: &Pool<Item, Scripted>) -> (usize, usize) {
    let stats = pool.stats();
    assert_eq!(stats.live, stats.in_use + stats.idle);
    assert_eq!(stats.created - stats.retired, stats.live as u64);
    (stats.in_use, stats.idle)
}

#[test]
fn a_failed_creation_is_passed_on_and_changes_nothing() {
    let ledger = Ledger::new();
    let pool = Pool::with_manager(Scripted {
        create: Box::new(|| Err("refused")),
        ..Scripted::new(&ledger)
    });
    assert_eq!(pool.try_get().unwrap_err(), GetError::Create("refused"));
    assert_eq!(pool.prefill(3).unwrap_err(), GetError::Create("refused"));
    assert_eq!(counts(&pool), (0, 0));
    assert_eq!(ledger.born(), 0);
}

#[test]
fn recycle_decides_who_stays() {
    let ledger = Ledger::new();
    let pool = Pool::with_manager(Scripted {
        recycle: Box::new(|item| Verdict::keep_if(**item % 2 == 0)),
        ..Scripted::new(&ledger)
    });
    for value in 0..10 {
        **pool.try_get().unwrap() = value;
    }
    // Each was lent twice: after an even value it stayed, after an odd one it was dropped.
    assert_eq!(ledger.born(), 5);
    assert_eq!(counts(&pool).0, 0);
    drop(pool);
    ledger.assert_balanced();
}

#[test]
fn revalidate_drops_what_went_bad_while_idle() {
    let (ledger, is_good) = (Ledger::new(), Arc::new(AtomicBool::new(true)));
    let good = Arc::clone(&is_good);
    let pool = Pool::with_manager(Scripted {
        revalidate: Box::new(move |_| Verdict::keep_if(good.load(Relaxed))),
        ..Scripted::new(&ledger)
    });
    let ten: Vec<_> = (0..10).map(|_| pool.try_get().unwrap()).collect();
    drop(ten);
    assert!(pool.get_idle().is_some());
    is_good.store(false, Relaxed);
    assert!(pool.get_idle().is_none(), "all ten are looked at");
    assert_eq!((ledger.live(), counts(&pool)), (0, (0, 0)));
    // A new item is not one to be looked at again.
    assert!(pool.try_get().is_ok());
    drop(pool);
    ledger.assert_balanced();
}

#[test]
fn heavy_items_are_dropped_on_return() {
    let ledger = Ledger::new();
    let manager = Scripted {
        recycle: Box::new(|_| Verdict::Keep),
        weight: Box::new(|item| **item as usize),
        ..Scripted::new(&ledger)
    };
    let pool = Pool::builder_manager(manager)
        .max_item_weight(1000)
        .build()
        .unwrap();
    for (weight, idle) in [(1000, 1), (1001, 0), (0, 1), (u32::MAX, 0)] {
        **pool.try_get().unwrap() = weight;
        assert_eq!(counts(&pool), (0, idle), "{weight}");
    }
}

/// Panics in each method in turn, at each of its calls: no item is lost but the one at hand, none is
/// dropped twice, and the books are right.
#[test]
fn a_panic_in_user_code_loses_one_item_at_most() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let fused = |fuse: &Fuse| {
        let fuse = fuse.clone();
        move |_: &mut Item| {
            fuse.call();
            Verdict::Keep
        }
    };
    let setup = || {
        let (create, weigh) = (fuse.clone(), fuse.clone());
        Pool::with_manager(Scripted {
            create: Box::new(move || {
                create.call();
                Ok(())
            }),
            recycle: Box::new(fused(&fuse)),
            revalidate: Box::new(fused(&fuse)),
            weight: Box::new(move |item| {
                weigh.call();
                size_of_val(item)
            }),
            ..Scripted::new(&ledger)
        })
    };
    let swept = Sweep::over(&fuse)
        .check("ledger", || ledger.check())
        .run_with(setup, |pool| {
            let result = quietly(|| {
                let two = (pool.try_get().unwrap(), pool.try_get().unwrap());
                drop(two);
                drop(pool.try_get().unwrap());
                assert!(pool.put(ledger.track(1)).is_ok());
                drop(pool.adopt(ledger.track(1)).unwrap());
                pool.prefill(1).unwrap();
                drop(pool.get_idle());
            });
            // Whatever blew, the pool is at rest and goes on.
            let (in_use, idle) = counts(pool);
            assert_eq!(in_use, 0);
            assert_eq!(ledger.live(), idle as u64);
            let again = quietly(|| drop(pool.try_get().unwrap()));
            assert!(again.is_ok() || result.is_ok(), "the fuse blows once");
            pool.trim(Pressure::High);
            assert_eq!(counts(pool), (0, 0));
            result
                .map_err(|payload| std::panic::resume_unwind(payload))
                .map_err(|never: Infallible| never)
        });
    assert!(swept.sites >= 12, "{swept:?}");
    assert_eq!(swept.unwound, swept.sites - swept.absorbed);
}

/// An item whose drop panics when told.
struct Brittle {
    _tracked: Tracked<()>,
    fuse: Fuse,
}

impl Drop for Brittle {
    fn drop(&mut self) {
        self.fuse.call();
    }
}

struct Brittles(Ledger, Fuse);

impl Manage for Brittles {
    type Item = Brittle;
    type Error = Infallible;
    fn create(&self) -> Result<Brittle, Infallible> {
        Ok(Brittle {
            _tracked: self.0.track(()),
            fuse: self.1.clone(),
        })
    }
}

#[test]
fn a_panic_in_an_items_drop_ends_in_the_pool_where_the_pool_drops() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let pool = Pool::with_manager(Brittles(ledger, fuse.clone()));
    let hold = |n: usize| -> Vec<_> { (0..n).map(|_| pool.get()).collect() };

    drop(hold(10));
    thrifty_testkit::Fault::arm(&&fuse, 3);
    let trimmed = quietly(|| pool.trim(Pressure::High)).expect("contained");
    assert_eq!((trimmed.items, ledger.live()), (10, 0));

    drop(hold(10));
    thrifty_testkit::Fault::arm(&&fuse, 5);
    quietly(|| pool.close()).expect("contained");
    assert_eq!(ledger.live(), 0);
    ledger.assert_balanced();
}

#[test]
fn a_panic_in_an_items_drop_reaches_whoever_dropped_it() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let pool = Pool::with_manager(Brittles(ledger, fuse.clone()));
    let guard = pool.get();
    thrifty_testkit::Fault::arm(&&fuse, 0);
    quietly(|| guard.discard()).unwrap_err();
    ledger.assert_balanced();
    assert_eq!(
        pool.stats().live,
        0,
        "the item's memory and lease are given back"
    );
}

#[test]
fn a_panic_in_recycle_and_one_in_the_drop_after_it_are_no_abort() {
    struct PanicsTwice;
    impl Drop for PanicsTwice {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let pool = Pool::with(|| PanicsTwice, |_: &mut PanicsTwice| panic!("in reset"));
    let guard = pool.get();
    let payload = quietly(|| drop(guard)).unwrap_err();
    assert_eq!(message(&*payload), "in reset");
    assert_eq!(pool.stats().live, 0);

    // And with a panic under way already.
    let guard = pool.get();
    let payload = quietly(|| {
        let _guard = guard;
        panic!("first");
    })
    .unwrap_err();
    assert_eq!(message(&*payload), "first");
    assert_eq!(pool.stats().live, 0);
}

/// Each user function uses the pool that calls it.
#[test]
fn every_method_may_use_the_same_pool() {
    type Slot = Arc<OnceLock<thrifty_pool::WeakPool<Item, Scripted>>>;
    fn reenter(slot: &Slot, depth: &AtomicUsize) {
        let Some(pool) = slot.get().and_then(thrifty_pool::WeakPool::upgrade) else {
            return;
        };
        if depth.fetch_add(1, Relaxed) < 3 {
            let first = pool.try_get().unwrap();
            let second = pool.try_get().unwrap();
            drop(first);
            pool.flush_thread();
            drop(second);
            pool.trim(Pressure::Low);
        }
        depth.fetch_sub(1, Relaxed);
    }

    let ledger = Ledger::new();
    let (slot, depth) = (Slot::default(), Arc::new(AtomicUsize::new(0)));
    let reenters = || {
        let (slot, depth) = (Arc::clone(&slot), Arc::clone(&depth));
        move || reenter(&slot, &depth)
    };
    let (create, recycle, revalidate) = (reenters(), reenters(), reenters());
    let pool = Pool::with_manager(Scripted {
        create: Box::new(move || {
            create();
            Ok(())
        }),
        recycle: Box::new(move |_| {
            recycle();
            Verdict::Keep
        }),
        revalidate: Box::new(move |_| {
            revalidate();
            Verdict::Keep
        }),
        ..Scripted::new(&ledger)
    });
    slot.set(pool.downgrade()).unwrap();
    for _ in 0..5 {
        let held: Vec<_> = (0..3).map(|_| pool.try_get().unwrap()).collect();
        drop(held);
        pool.put(ledger.track(0)).unwrap();
    }
    assert_eq!(counts(&pool).0, 0);
    assert_eq!(ledger.live(), counts(&pool).1 as u64);
    drop(pool);
    ledger.assert_balanced();
}

/// An item whose drop takes from and returns to the pool it came from.
struct Returning {
    _tracked: Tracked<()>,
    pool: Arc<OnceLock<thrifty_pool::WeakPool<Self, Returnings>>>,
}

impl Drop for Returning {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.get().and_then(thrifty_pool::WeakPool::upgrade) {
            // Closed, where the drop is part of that.
            drop(pool.get_idle());
            let _ = pool.stats();
        }
    }
}

struct Returnings(
    Ledger,
    Arc<OnceLock<thrifty_pool::WeakPool<Returning, Self>>>,
);

impl Manage for Returnings {
    type Item = Returning;
    type Error = Infallible;
    fn create(&self) -> Result<Returning, Infallible> {
        Ok(Returning {
            _tracked: self.0.track(()),
            pool: Arc::clone(&self.1),
        })
    }
}

#[test]
fn an_items_drop_may_use_the_pool_that_drops_it() {
    let (ledger, slot) = (Ledger::new(), Arc::default());
    let pool = Pool::with_manager(Returnings(ledger, Arc::clone(&slot)));
    slot.set(pool.downgrade()).expect("set once");
    let hold = |n: usize| -> Vec<_> { (0..n).map(|_| pool.get()).collect() };
    drop(hold(200));
    pool.trim(Pressure::Medium);
    pool.trim(Pressure::High);
    drop(hold(200));
    pool.get().discard();
    drop(pool);
    ledger.assert_balanced();
}

#[test]
fn an_item_put_in_whose_reset_and_drop_panic_is_no_abort() {
    struct Brittle;
    impl Drop for Brittle {
        fn drop(&mut self) {
            panic!("in its drop");
        }
    }
    in_child!(|| {
        let reset = |_: &mut Brittle| panic!("in its reset");
        let pool = Pool::with(|| Brittle, reset);
        let payload = quietly(|| pool.put(Brittle).is_ok()).unwrap_err();
        assert_eq!(message(&*payload), "in its reset");
        assert_eq!((pool.stats().live, pool.stats().in_use), (0, 0));
    })
    .assert_returned();
}

#[test]
fn an_item_that_there_is_no_place_for_comes_back_untouched() {
    let pool = Pool::builder(String::new).max_total(1).build().unwrap();
    let only = pool.get();
    assert_eq!(pool.put("text".to_owned()), Err("text".to_owned()));
    pool.close();
    drop(only);
    assert_eq!(pool.put("text".to_owned()), Err("text".to_owned()));
}
