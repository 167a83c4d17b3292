//! Memory that runs out, at each site in turn.
#![expect(unsafe_code, reason = "supplies rounds, as a pool does")]

#[expect(dead_code, reason = "each test binary uses a part")]
mod boxes;

use thrifty_magazine::{Config, Engine};
use thrifty_testkit::{AllocFault, FailingAlloc, Sweep, thread_counts};

use crate::boxes::{Boxes, Lent, alive, engine, lend, lend_many};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

#[test]
fn an_engine_is_made_or_its_supplier_comes_back() {
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live blocks", || thread_counts().live())
            .run_with(
                || Some((Boxes::new(1), Config::new())),
                |parts| {
                    let (boxes, config) = parts.take().expect("one engine per run");
                    Engine::try_new(boxes, config).map_err(|rejected| rejected.error)
                },
            );
        assert_eq!(swept.refused, swept.sites, "{swept:?}");
        assert!(swept.sites >= 4, "{swept:?}");
    }
}

#[test]
fn without_memory_rounds_are_destroyed_and_none_is_lost() {
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live blocks", || thread_counts().live())
            .run_with(engine, |(engine, count)| {
                for size in [3, 20, 9] {
                    drop(lend_all(engine, size));
                    let stats = engine.stats();
                    assert_eq!(stats.idle(), alive(count), "{stats:?}");
                    assert_eq!(stats.live, alive(count), "{stats:?}");
                }
                engine.flush_thread();
            });
        assert!(
            swept.absorbed == swept.sites && swept.sites >= 4,
            "{swept:?}"
        );
    }
}

/// Lends without allocating for the list.
fn lend_all(engine: &Engine<Boxes>, size: usize) -> [Option<Lent>; 20] {
    core::array::from_fn(|index| (index < size).then(|| lend(engine).expect("unbounded")))
}

#[test]
fn a_steady_state_allocates_nothing() {
    let (engine, _) = engine();
    let mut sets: Vec<Vec<Lent>> = Vec::new();
    // Deep enough to go through the depot, both ways, with empty magazines left behind.
    for _ in 0..3 {
        sets.push(lend_many(&engine, 30));
        sets.clear();
    }
    let mut room = Vec::with_capacity(30);
    let before = thread_counts();
    for _ in 0..100 {
        room.extend((0..30).map(|_| lend(&engine).expect("unbounded")));
        room.clear();
    }
    let after = thread_counts().since(&before);
    assert_eq!((after.allocs, after.frees), (0, 0));
}
