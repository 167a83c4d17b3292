//! The engine as pools use it: nothing lost, nothing doubled, bounds kept, threads that come and go.
#![expect(unsafe_code, reason = "supplies rounds, as a pool does")]

mod boxes;

use std::cell::RefCell;
use std::sync::Arc;

use thrifty_magazine::{Engine, Refused, Shared};
use thrifty_sync::clock::{Clock, Instant, ManualClock};
use thrifty_testkit::auto_traits;
use thrifty_traits::Pressure;

use crate::boxes::{
    Boxes, Lent, alive, engine, engine_with, in_a_thread, lend, lend_many, new_item,
};

fn join(threads: Vec<std::thread::ScopedJoinHandle<'_, ()>>) {
    for thread in threads {
        thread.join().expect("no panic");
    }
}

#[test]
fn a_returned_item_is_lent_again() {
    let (engine, count) = engine();
    let first = lend(&engine).unwrap().0;
    assert_eq!(lend(&engine).unwrap().0, first);
    assert_eq!(alive(&count), 1);
}

#[test]
fn a_working_set_is_reused_whole() {
    for size in [1, 3, 4, 5, 8, 9, 40] {
        let (engine, count) = engine();
        for _ in 0..3 {
            drop(lend_many(&engine, size));
        }
        assert_eq!(alive(&count), size);
        let stats = engine.stats();
        assert_eq!((stats.live, stats.idle(), stats.in_use()), (size, size, 0));
    }
}

#[test]
fn the_depot_holds_no_more_than_it_may() {
    let (engine, count) = engine_with(1, |config| config.max_idle = 10);
    drop(lend_many(&engine, 100));
    let stats = engine.stats();
    assert!(stats.depot <= 10, "{stats:?}");
    assert!(stats.cached <= 9, "{stats:?}");
    assert_eq!(stats.idle(), alive(&count));
    assert_eq!(stats.overflowed, 100 - alive(&count) as u64);
}

#[test]
fn the_depot_holds_no_more_bytes_than_it_may() {
    let (engine, count) = engine_with(100, |config| config.max_idle_bytes = 1000);
    drop(lend_many(&engine, 100));
    let stats = engine.stats();
    assert_eq!(stats.depot_bytes, stats.depot * 100);
    assert!(
        stats.depot_bytes <= 1000 && stats.depot_bytes > 600,
        "{stats:?}"
    );
    assert_eq!(stats.idle(), alive(&count));
}

#[test]
fn a_bounded_engine_refuses_to_make_more() {
    let (engine, count) = engine_with(1, |config| {
        config.rounds = 0;
        config.max_live = 3;
    });
    let lent = lend_many(&engine, 3);
    assert_eq!(lend(&engine).err(), Some(Refused::Exhausted));
    drop(lent);
    assert_eq!(lend_many(&engine, 3).len(), 3);
    assert_eq!(alive(&count), 3);
}

#[test]
fn what_one_thread_returned_a_bounded_engine_lends_to_another() {
    let (engine, _) = engine_with(1, |config| {
        config.rounds = 0;
        config.stripes = 3;
        config.max_live = 2;
    });
    for _ in 0..10 {
        in_a_thread(|| drop(lend_many(&engine, 2)));
    }
    assert_eq!(engine.stats().created, 2);
}

#[test]
fn a_batch_fills_the_cache_and_no_more() {
    for caches in [0, 4] {
        let (engine, count) = engine_with(1, |config| {
            config.max_thread_caches = caches;
            config.max_live = 11;
        });
        let permit = engine.permit_many(20).unwrap();
        assert_eq!(permit.rounds(), 11);
        let made: Vec<_> = (0..10).map(|_| new_item(&engine).cast()).collect();
        permit.keep_some(10);
        // SAFETY: made above, with the permit's leases.
        let filled = unsafe { engine.fill(&made) };
        assert_eq!(filled, 9, "one at hand, two magazines of four");
        let stats = engine.stats();
        assert_eq!((stats.live, stats.idle(), stats.depot), (10, 9, 0));
        for round in &made[9..] {
            // SAFETY: not taken, so still ours, with their leases.
            unsafe { Shared::put_cold(engine.shared(), *round) };
        }
        assert_eq!(engine.stats().idle(), 10);
        drop(lend_many(&engine, 10));
        assert_eq!(engine.stats().created, 10);
        drop(engine);
        assert_eq!(alive(&count), 0);
    }
}

#[test]
fn items_outlive_every_handle() {
    let (engine, count) = engine();
    let lent = lend_many(&engine, 20);
    drop(engine);
    assert_eq!(alive(&count), 20);
    drop(lent);
    assert_eq!(alive(&count), 0);
}

#[test]
fn dropping_the_last_handle_destroys_what_is_idle() {
    let (engine, count) = engine();
    drop(lend_many(&engine, 30));
    let other = engine.clone();
    drop(engine);
    assert_eq!(alive(&count), 30);
    drop(other);
    assert_eq!(alive(&count), 0);
}

#[test]
fn a_closed_engine_lends_nothing_and_keeps_nothing() {
    let (engine, count) = engine();
    let lent = lend_many(&engine, 5);
    drop(lend_many(&engine, 30));
    engine.close();
    assert_eq!(alive(&count), 5);
    assert_eq!(lend(&engine).err(), Some(Refused::Closed));
    drop(lent);
    assert_eq!(alive(&count), 0);
    engine.close();
    assert_eq!(engine.stats().live, 0);
}

#[test]
fn a_weak_handle_keeps_nothing_alive() {
    let (engine, count) = engine();
    let weak = engine.downgrade();
    drop(lend_many(&engine, 3));
    assert_eq!(weak.upgrade().unwrap().stats().live, 3);
    drop(engine);
    assert!(weak.upgrade().is_none());
    assert_eq!(alive(&count), 0);
    assert!(weak.clone().upgrade().is_none());
}

#[test]
fn a_thread_that_ends_leaves_its_rounds_to_others() {
    let (engine, count) = engine();
    for _ in 0..100 {
        in_a_thread(|| drop(lend_many(&engine, 7)));
    }
    let stats = engine.stats();
    assert_eq!(alive(&count), 7);
    assert_eq!((stats.depot, stats.cached, stats.thread_caches), (7, 0, 0));
}

#[test]
fn threads_beyond_the_cap_share_stripes() {
    let (engine, count) = engine_with(1, |config| {
        config.max_thread_caches = 1;
        config.stripes = 2;
    });
    drop(lend(&engine));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            drop(lend_many(&engine, 6));
            assert_eq!(engine.stats().striped, 6 - engine.stats().depot);
        });
    });
    assert_eq!(engine.stats().thread_caches, 1);
    assert_eq!(alive(&count), 7, "the one of this thread is out of reach");
    drop(engine);
    assert_eq!(alive(&count), 0);
}

#[test]
fn a_thread_with_a_cache_finds_what_lies_in_stripes() {
    let (engine, count) = engine_with(1, |config| config.max_thread_caches = 1);
    drop(lend(&engine));
    let two = lend_many(&engine, 2);
    in_a_thread(|| drop(two));
    drop(lend_many(&engine, 2));
    assert_eq!(alive(&count), 2);
}

#[test]
fn trims_give_back_by_pressure() {
    let (engine, count) = engine();
    drop(lend_many(&engine, 40));
    let in_cache = engine.stats().cached;
    assert_eq!(
        engine.reclaim(Pressure::Low).items,
        0,
        "the burst was in this interval"
    );
    assert_eq!(engine.reclaim(Pressure::Low).items, 40 - in_cache);
    assert_eq!(alive(&count), in_cache);
    drop(lend_many(&engine, 40));
    let freed = engine.reclaim(Pressure::Medium);
    assert_eq!((freed.items, freed.bytes), (40 - in_cache, 40 - in_cache));
    engine.reclaim(Pressure::High);
    assert_eq!(alive(&count), 0);
    assert_eq!(engine.stats().reclaimed, engine.stats().retired);
}

#[test]
fn high_pressure_reaches_other_threads_at_their_next_exchange() {
    let (engine, count) = engine();
    let (to_thread, orders) = std::sync::mpsc::channel::<()>();
    let (to_main, done) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let engine = &engine;
        scope.spawn(move || {
            drop(lend_many(engine, 8));
            to_main.send(()).unwrap();
            orders.recv().unwrap();
            drop(lend_many(engine, 8));
            engine.flush_thread();
        });
        done.recv().unwrap();
        engine.reclaim(Pressure::High);
        assert_eq!(alive(&count), 8);
        to_thread.send(()).unwrap();
    });
    assert_eq!(engine.stats().reclaimed, 4, "the spare magazine went");
}

#[test]
fn a_burst_is_gone_after_two_ticks_and_the_working_set_stays() {
    let clock = Arc::new(ManualClock::new());
    let (engine, count) = engine();
    let second = std::time::Duration::from_secs(10);
    let tick = || {
        clock.advance(second);
        engine.tick(clock.now()).items
    };
    tick();
    drop(lend_many(&engine, 60));
    tick();
    for _ in 0..5 {
        drop(lend_many(&engine, 21));
    }
    let before = alive(&count);
    tick();
    let kept = alive(&count);
    assert!(before == 60 && (21..=32).contains(&kept), "{before} {kept}");
    drop(lend_many(&engine, 21));
    assert_eq!(tick() + alive(&count), kept);
    assert!(alive(&count) >= 21);
    assert_eq!(engine.tick(Instant::from_nanos(0)).items, 0);
}

#[test]
fn a_clock_decays_without_being_told() {
    let clock = Arc::new(ManualClock::new());
    let (engine, count) = engine_with(1, |config| config.clock = Some(Arc::clone(&clock) as _));
    drop(lend_many(&engine, 64));
    for _ in 0..200 {
        clock.advance(std::time::Duration::from_secs(1));
        drop(lend_many(&engine, 12));
    }
    assert!(alive(&count) <= 24, "{:?}", engine.stats());
}

#[test]
fn more_engines_than_the_table_holds() {
    let engines: Vec<_> = (0..400).map(|_| engine()).collect();
    for _ in 0..3 {
        for (engine, count) in &engines {
            drop(lend_many(engine, 9));
            assert_eq!(alive(count), 9);
        }
    }
}

#[test]
fn engines_that_come_and_go_leave_nothing_in_a_thread() {
    let (to_thread, orders) = std::sync::mpsc::channel::<Engine<Boxes>>();
    let thread = std::thread::spawn(move || {
        for engine in orders {
            drop(lend_many(&engine, 3));
        }
    });
    let mut weak = Vec::new();
    let mut counts = Vec::new();
    for _ in 0..1000 {
        let (engine, count) = engine();
        weak.push(engine.downgrade());
        counts.push(count);
        to_thread.send(engine).unwrap();
    }
    drop(to_thread);
    thread.join().unwrap();
    assert!(weak.iter().all(|weak| weak.upgrade().is_none()));
    assert_eq!(counts.iter().map(|count| alive(count)).sum::<usize>(), 0);
}

thread_local! {
    static LAST: RefCell<Option<(Engine<Boxes>, Vec<Lent>)>> = const { RefCell::new(None) };
}

#[test]
fn destructors_of_thread_locals_lend_and_return() {
    struct AtEnd(Engine<Boxes>);
    impl Drop for AtEnd {
        fn drop(&mut self) {
            drop(lend_many(&self.0, 3));
            self.0.flush_thread();
        }
    }
    thread_local!(static AT_END: RefCell<Vec<AtEnd>> = const { RefCell::new(Vec::new()) });
    let (engine, count) = engine();
    for ours_first in [false, true] {
        in_a_thread(|| {
            if ours_first {
                drop(lend(&engine));
            }
            AT_END.with_borrow_mut(|all| all.push(AtEnd(engine.clone())));
            LAST.set(Some((engine.clone(), lend_many(&engine, 5))));
            if !ours_first {
                drop(lend(&engine));
            }
        });
        let stats = engine.stats();
        assert_eq!(stats.in_use(), 0, "{stats:?}");
        assert_eq!(stats.thread_caches, 0, "{stats:?}");
    }
    drop(engine);
    assert_eq!(alive(&count), 0);
}

#[test]
fn producers_and_consumers_in_a_storm() {
    let (engine, count) = engine_with(1, |config| {
        config.max_thread_caches = 3;
        config.stripes = 1;
    });
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for producer in 0..4 {
            let (send, receive) = std::sync::mpsc::sync_channel::<Lent>(16);
            let engine = &engine;
            threads.push(scope.spawn(move || {
                for turn in 0..2000 {
                    let lent = lend(engine).unwrap();
                    if turn % 3 == producer % 3 {
                        drop(lend(engine));
                    }
                    send.send(lent).unwrap();
                }
            }));
            threads.push(scope.spawn(move || {
                for (turn, lent) in receive.into_iter().enumerate() {
                    drop(lent);
                    if turn % 500 == 499 {
                        engine.reclaim(Pressure::ALL[turn / 500 % 3]);
                    }
                }
            }));
        }
        join(threads);
    });
    let stats = engine.stats();
    assert_eq!(
        (stats.live, stats.in_use()),
        (alive(&count), 0),
        "{stats:?}"
    );
    assert_eq!(stats.created - stats.retired, stats.live as u64);
    drop(engine);
    assert_eq!(alive(&count), 0);
}

#[test]
fn closing_in_a_storm_loses_nothing() {
    for caches in [0, 2, 8] {
        let (engine, count) = engine_with(1, |config| {
            config.max_thread_caches = caches;
            config.stripes = 2;
        });
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for _ in 0..4 {
                let engine = engine.clone();
                threads.push(scope.spawn(move || {
                    for size in 0..200 {
                        let Ok(lent) = (0..size % 13)
                            .map(|_| lend(&engine))
                            .collect::<Result<Vec<_>, _>>()
                        else {
                            return;
                        };
                        drop(lent);
                    }
                }));
            }
            engine.close();
            join(threads);
        });
        drop(engine);
        assert_eq!(alive(&count), 0, "{caches}");
    }
}

auto_traits! {
    Engine<Boxes>: [Send Sync Unpin],
    thrifty_magazine::WeakEngine<Boxes>: [Send Sync Unpin],
}
