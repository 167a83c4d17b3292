//! Random programs against a list: what is lent, idle and alive always adds up.
#![expect(unsafe_code, reason = "supplies rounds, as a pool does")]

#[expect(dead_code, reason = "each test binary uses a part")]
mod boxes;

use std::time::Duration;

use proptest::prelude::*;
use thrifty_sync::clock::{Clock, ManualClock};
use thrifty_traits::Pressure;

use crate::boxes::{alive, engine_with, lend};

#[derive(Clone, Copy, Debug)]
enum Step {
    Lend(u8),
    Return(u8),
    Trim(u8),
    Tick,
    Flush,
    OtherThread(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_u8..20).prop_map(Step::Lend),
        6 => any::<u8>().prop_map(Step::Return),
        1 => (0_u8..3).prop_map(Step::Trim),
        2 => Just(Step::Tick),
        1 => Just(Step::Flush),
        1 => (1_u8..12).prop_map(Step::OtherThread),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    rounds: usize,
    max_idle: usize,
    max_idle_bytes: usize,
    max_live: usize,
    caches: usize,
    stripes: usize,
}

fn shape() -> impl Strategy<Value = Shape> {
    let bounds = (
        0_usize..6,
        0_usize..40,
        prop_oneof![Just(usize::MAX), 0_usize..300],
    );
    let threads = (
        prop_oneof![Just(usize::MAX), 1_usize..30],
        0_usize..3,
        1_usize..3,
    );
    (bounds, threads).prop_map(
        |((rounds, max_idle, max_idle_bytes), (max_live, caches, stripes))| Shape {
            rounds,
            max_idle,
            max_idle_bytes,
            max_live,
            caches,
            stripes,
        },
    )
}

proptest! {
    #[test]
    fn the_books_are_exact_at_rest(shape in shape(), steps in prop::collection::vec(step(), 1..60)) {
        let clock = ManualClock::new();
        let (engine, count) = engine_with(10, |config| {
            config.rounds = shape.rounds;
            config.max_idle = shape.max_idle;
            config.max_idle_bytes = shape.max_idle_bytes;
            config.max_live = shape.max_live;
            config.max_thread_caches = shape.caches;
            config.stripes = shape.stripes;
        });
        let mut lent = Vec::new();
        for step in steps {
            match step {
                Step::Lend(many) => {
                    for _ in 0..many {
                        match lend(&engine) {
                            Ok(item) => lent.push(item),
                            Err(refused) => prop_assert_eq!(lent.len(), shape.max_live, "{}", refused),
                        }
                    }
                }
                Step::Return(which) if !lent.is_empty() => {
                    let from = usize::from(which) % lent.len();
                    // A run from the middle, so that the order of return is not that of lending.
                    lent.drain(from..(from + 9).min(lent.len()));
                }
                Step::Return(_) => {}
                Step::Trim(pressure) => {
                    let before = alive(&count);
                    let freed = engine.reclaim(Pressure::ALL[usize::from(pressure)]);
                    prop_assert_eq!(before - alive(&count), freed.items);
                    prop_assert!(freed.bytes >= freed.items * 10);
                }
                Step::Tick => {
                    clock.advance(Duration::from_secs(10));
                    engine.tick(clock.now());
                }
                Step::Flush => engine.flush_thread(),
                Step::OtherThread(many) => std::thread::scope(|scope| {
                    let work = || drop((0..many).map_while(|_| lend(&engine).ok()).collect::<Vec<_>>());
                    scope.spawn(work).join().expect("no panic");
                }),
            }
            let stats = engine.stats();
            prop_assert_eq!(stats.live, alive(&count));
            prop_assert_eq!(stats.idle() + lent.len(), stats.live, "{:?}", stats);
            prop_assert!(stats.live <= shape.max_live);
            prop_assert!(stats.depot <= shape.max_idle);
            prop_assert!(stats.depot_bytes <= shape.max_idle_bytes);
            prop_assert_eq!(stats.depot_bytes, stats.depot * 10);
            prop_assert!(stats.cached <= (2 * shape.rounds.max(1) + 1) * stats.thread_caches);
            prop_assert!(stats.striped <= (2 * shape.rounds.max(1) + 1) * shape.stripes);
            prop_assert_eq!(stats.created - stats.retired, stats.live as u64);
        }
        drop(engine);
        prop_assert_eq!(alive(&count), lent.len());
        drop(lent);
        prop_assert_eq!(alive(&count), 0);
    }
}
