//! Where limits meet, panics strike, and suppliers use the engine that calls them.
#![expect(unsafe_code, reason = "supplies rounds, as a pool does")]

mod boxes;

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use thrifty_magazine::{
    Config, ConfigError, Engine, MAX_MAGAZINES, Refused, Shared, Supplier, is_thread_ending,
};
use thrifty_sync::clock::{Clock, Instant, ManualClock};
use thrifty_testkit::{around_tls_destructors, in_child, quietly};
use thrifty_traits::Pressure;

use crate::boxes::{
    Boxes, Lent, alive, engine, engine_with, in_a_thread, lend, lend_many, new_item,
};

/// Puts a new item without having taken one: what a consumer of rounds made elsewhere does.
fn only_put(engine: &Engine<Boxes>) {
    let permit = engine.permit().expect("unbounded");
    let mut item = new_item(engine);
    permit.keep();
    // SAFETY: new, and ours.
    unsafe { item.as_mut() }.in_use = true;
    drop(Lent(item));
}

#[test]
fn one_idle_interval_does_not_make_decay_thrash() {
    let (engine, _) = engine();
    let burst = || drop(lend_many(&engine, 40));
    let tick = || engine.reclaim(Pressure::Low).items;
    for _ in 0..5 {
        burst();
        tick();
    }
    assert_eq!(engine.stats().created, 40, "a working set of 40 stays");
    tick();
    let before = engine.stats().created;
    for _ in 0..20 {
        burst();
        tick();
    }
    let created = engine.stats().created - before;
    assert!(created <= 40, "{created} created for a working set of 40");
}

#[test]
fn what_is_due_is_not_collected_from_a_load_that_is_back() {
    let clock = Arc::new(ManualClock::new());
    let (engine, _) = engine_with(1, |config| {
        config.max_idle = 4096;
        config.clock = Some(Arc::clone(&clock) as _);
    });
    drop(lend_many(&engine, 2000));
    for _ in 0..3 {
        clock.advance(Duration::from_secs(10));
        for _ in 0..16 {
            drop(lend_many(&engine, 13));
        }
    }
    let before = engine.stats();
    assert!(before.idle() >= 1500, "{before:?}");
    drop(lend_many(&engine, 1500));
    assert_eq!(engine.stats().created, before.created);
}

#[test]
fn a_full_depot_decays_also_under_returns_alone() {
    let clock = Arc::new(ManualClock::new());
    let (engine, _) = engine_with(1, |config| config.clock = Some(Arc::clone(&clock) as _));
    drop(lend_many(&engine, 100));
    for _ in 0..50 {
        clock.advance(Duration::from_secs(10));
        (0..100).for_each(|_| only_put(&engine));
    }
    assert!(engine.stats().reclaimed > 0);
}

#[test]
fn a_thread_that_ends_destroys_no_more_than_has_no_room() {
    for (held, ended, after) in [(10, 2, 10), (7, 6, 10), (4, 4, 8)] {
        let (engine, count) = engine_with(1, |config| config.max_idle = 10);
        let all = lend_many(&engine, held + ended);
        let mut first = all;
        let second = first.split_off(held);
        in_a_thread(|| drop(first));
        assert_eq!(engine.stats().depot, held);
        in_a_thread(|| drop(second));
        assert_eq!(engine.stats().depot, after, "{held} and {ended}");
        assert_eq!(alive(&count), after);
    }
}

#[test]
fn rounds_too_heavy_for_the_depot_take_no_others_along() {
    let (engine, count) = engine_with(10, |config| config.max_idle_bytes = 60);
    let mut first = lend_many(&engine, 9);
    let second = first.split_off(6);
    in_a_thread(|| drop(first));
    in_a_thread(|| drop(second));
    assert_eq!((engine.stats().depot, alive(&count)), (6, 6));
}

#[test]
fn limits_that_cannot_work_are_refused() {
    let with = |set: fn(&mut Config)| {
        let mut config = Config::new();
        set(&mut config);
        config.validate()
    };
    let most = 64 * MAX_MAGAZINES;
    assert_eq!(
        with(|config| config.max_idle = usize::MAX),
        Err(ConfigError::IdleTooMany(most))
    );
    assert_eq!(with(|config| config.max_idle = 64 * MAX_MAGAZINES), Ok(()));
    assert_eq!(with(|config| config.max_idle = 63), Ok(()));
    assert_eq!(with(|config| config.max_idle = 0), Ok(()));
    assert_eq!(
        with(|config| config.rounds = 1025),
        Err(ConfigError::RoundsTooMany(1025))
    );
    assert_eq!(
        with(|config| config.max_live = 0),
        Err(ConfigError::NothingMayLive)
    );
    assert_eq!(
        with(|config| config.decay_interval = Duration::ZERO),
        Err(ConfigError::NoInterval)
    );
    let nowhere = with(|config| {
        config.rounds = 0;
        config.stripes = 0;
    });
    assert_eq!(nowhere, Err(ConfigError::NowhereToCache));
}

#[test]
fn a_depot_below_a_magazine_makes_magazines_smaller() {
    let (engine, _) = engine_with(1, |config| {
        config.rounds = 64;
        config.max_idle = 5;
    });
    drop(lend_many(&engine, 100));
    let stats = engine.stats();
    assert_eq!((stats.depot, stats.cached), (5, 11));
}

#[test]
fn permits_do_not_count_as_rounds_that_came_or_went() {
    let (engine, _) = engine();
    drop(lend(&engine));
    engine.reclaim(Pressure::High);
    let permit = engine.permit().unwrap();
    assert_eq!((engine.stats().created, engine.stats().retired), (1, 1));
    drop(permit);
    assert_eq!((engine.stats().retired, engine.stats().live), (1, 0));
}

#[test]
fn closing_is_no_trim() {
    let (engine, _) = engine_with(1, |config| {
        config.max_thread_caches = 0;
        config.stripes = 1;
    });
    drop(lend_many(&engine, 30));
    engine.close();
    let stats = engine.stats();
    assert_eq!(
        (stats.reclaimed, stats.overflowed, stats.retired),
        (0, 0, 30)
    );
}

struct BadClock(AtomicBool);

impl Clock for BadClock {
    fn now(&self) -> Instant {
        assert!(!self.0.load(Ordering::Relaxed), "no time");
        Instant::from_nanos(1)
    }
}

#[test]
fn a_clock_that_panics_costs_nothing_but_decay() {
    let clock = Arc::new(BadClock(AtomicBool::new(true)));
    let (engine, count) = engine_with(1, |config| config.clock = Some(Arc::clone(&clock) as _));
    quietly(|| {
        for _ in 0..40 {
            drop(lend_many(&engine, 60));
        }
    })
    .expect("contained");
    let stats = engine.stats();
    assert_eq!((stats.live, stats.idle()), (60, 60), "{stats:?}");
    drop(engine);
    assert_eq!(alive(&count), 0);
}

/// A supplier whose rounds, when destroyed, return items to another engine: a pool of structs with
/// pooled buffers in them.
struct Nested(Mutex<Vec<Lent>>);

// SAFETY: rounds are boxes of a byte.
unsafe impl Supplier for Nested {
    unsafe fn destroy(&self, rounds: &[NonNull<()>]) {
        for round in rounds {
            // SAFETY: from `Box::leak` in `one_round`, and handed over.
            drop(unsafe { Box::from_raw(round.cast::<u8>().as_ptr()) });
        }
        self.0.lock().expect("no panic").clear();
    }

    unsafe fn weigh(&self, rounds: &[NonNull<()>]) -> usize {
        rounds.len()
    }
}

/// Puts a new round, so that this thread has a seat.
fn one_round<S: Supplier>(engine: &Engine<S>) {
    let permit = engine.permit().expect("unbounded");
    let round = NonNull::from(Box::leak(Box::new(0_u8))).cast();
    permit.keep();
    // SAFETY: new, with the permit's lease.
    unsafe { Shared::put_cold(engine.shared(), round) };
}

fn elsewhere<R: Send>(body: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| scope.spawn(body).join().expect("no panic"))
}

#[test]
fn a_thread_takes_one_seat_also_while_it_sweeps() {
    let (inner, count) = engine();
    in_a_thread(|| {
        let mut hold = vec![elsewhere(|| lend_many(&inner, 1))];
        // As many seats as bring a sweep about, in engines that another thread closes.
        let outers: Vec<_> = (0..8)
            .map(|_| {
                let nested = Nested(Mutex::new(hold.pop().unwrap_or_default()));
                let outer = Engine::try_new(nested, Config::new()).unwrap();
                one_round(&outer);
                outer
            })
            .collect();
        elsewhere(move || drop(outers));
        drop(elsewhere(|| lend_many(&inner, 1)));
        drop(lend_many(&inner, 2));
        assert_eq!(inner.stats().thread_caches, 1);
        inner.flush_thread();
        assert_eq!(inner.stats().cached, 0);
        inner.close();
        assert_eq!(alive(&count), 0);
    });
}

/// A supplier that puts a new round for each that is destroyed.
struct Hydra(Mutex<Option<thrifty_magazine::WeakEngine<Self>>>);

// SAFETY: rounds are boxes of a byte.
unsafe impl Supplier for Hydra {
    unsafe fn destroy(&self, rounds: &[NonNull<()>]) {
        for round in rounds {
            // SAFETY: from `Box::leak` in `one_round`, and handed over.
            drop(unsafe { Box::from_raw(round.cast::<u8>().as_ptr()) });
        }
        let engine = self
            .0
            .lock()
            .expect("no panic")
            .as_ref()
            .and_then(|weak| weak.upgrade());
        if let Some(engine) = engine.filter(|engine| !engine.is_closed()) {
            rounds.iter().for_each(|_| one_round(&engine));
            engine.flush_thread();
        }
    }

    unsafe fn weigh(&self, rounds: &[NonNull<()>]) -> usize {
        rounds.len()
    }
}

#[test]
fn a_trim_ends_also_when_rounds_keep_coming() {
    let mut config = Config::new();
    config.rounds = 4;
    config.max_idle = 64;
    let engine = Engine::try_new(Hydra(Mutex::new(None)), config).unwrap();
    *engine.supplier().0.lock().unwrap() = Some(engine.downgrade());
    (0..40).for_each(|_| one_round(&engine));
    engine.flush_thread();
    for pressure in Pressure::ALL {
        let freed = engine.reclaim(pressure);
        assert!(freed.items <= 40, "{freed:?}");
    }
    assert_eq!(engine.stats().live, 40);
    // What it puts back in its last hour is destroyed, and not replaced.
    engine.close();
    assert_eq!(engine.stats().live, 0);
    assert_eq!(engine.permit().err(), Some(Refused::Closed));
}

/// A supplier whose own drop panics.
struct BadEnd;

// SAFETY: rounds are boxes of a byte.
unsafe impl Supplier for BadEnd {
    unsafe fn destroy(&self, rounds: &[NonNull<()>]) {
        for round in rounds {
            // SAFETY: from `Box::leak` in `one_round`, and handed over.
            drop(unsafe { Box::from_raw(round.cast::<u8>().as_ptr()) });
        }
    }

    unsafe fn weigh(&self, rounds: &[NonNull<()>]) -> usize {
        rounds.len()
    }
}

impl Drop for BadEnd {
    fn drop(&mut self) {
        panic!("the supplier's drop");
    }
}

#[test]
fn a_supplier_whose_drop_panics_does_not_abort_a_thread_that_ends() {
    in_child!(|| {
        let engine = Engine::try_new(BadEnd, Config::new()).unwrap();
        std::thread::spawn(move || {
            one_round(&engine);
            // Another thread drops the last handle, so the round in this cache keeps the supplier.
            std::thread::spawn(move || drop(engine)).join().unwrap();
        })
        .join()
        .unwrap();
    })
    .assert_returned();
}

#[test]
fn many_engines_of_one_thread_are_dropped_in_any_order() {
    let mut engines: Vec<_> = (0..3000).map(|_| engine().0).collect();
    for engine in &engines {
        drop(lend(engine));
    }
    let backwards = engines.split_off(1500);
    drop(engines);
    backwards.into_iter().rev().for_each(drop);
}

#[test]
fn a_thread_that_ends_knows_it() {
    let touch = || {
        let (engine, _) = engine();
        drop(lend(&engine));
        assert!(!is_thread_ending());
    };
    let ending = around_tls_destructors(touch, |_| is_thread_ending());
    assert_eq!(ending.iter().filter(|(_, ending)| *ending).count(), 1);
}

#[test]
fn a_cache_holds_two_magazines_and_one_round() {
    for (rounds, most) in [(0, 3), (1, 3), (2, 5), (64, 129), (usize::MAX, usize::MAX)] {
        assert_eq!(Config::per_cache(rounds), most);
    }
    for rounds in [1, 2, 5] {
        let (engine, _) = engine_with(1, |config| config.rounds = rounds);
        let cached = (1..60).map(|items| {
            drop(lend_many(&engine, items));
            engine.stats().cached
        });
        assert_eq!(cached.max(), Some(Config::per_cache(rounds)));
    }
}
