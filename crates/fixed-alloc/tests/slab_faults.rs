//! No memory for boxes: at each site in turn an error, and the value comes back; and in the steady
//! state no allocation at all.
#![expect(unsafe_code, reason = "makes boxes of raw pointers")]

use thrifty_fixed_alloc::{
    AllocErrorKind, ConfigError, Counted, InsertError, Pressure, Slab, SlabBox, ThreadCache,
};
use thrifty_testkit::{AllocFault, FailingAlloc, Ledger, Sweep, exempt, thread_counts};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

type Value = [u64; 100];

/// Runs `check` on a thread of its own: what this thread's caches hold is then gone at its end.
fn on_a_thread(check: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(check).join().expect("it passes"));
}

/// What std and the engine allocate once for a process is no site of ours.
fn warm_up() {
    drop(Slab::new().insert(1));
}

#[test]
fn a_slab_that_there_is_no_memory_for_is_an_error() {
    on_a_thread(|| {
        warm_up();
        let swept = Sweep::over(AllocFault::Once)
            .unchanged("live", || thread_counts().live())
            .run(|| {
                let built = Slab::<Value>::try_new();
                if let Err(error) = &built {
                    assert!(matches!(error, ConfigError::Alloc(_)));
                }
                built.map(drop)
            });
        assert!(
            swept.sites >= 1 && swept.refused == swept.sites,
            "{swept:?}"
        );
    });
}

#[test]
fn a_value_that_there_is_no_block_for_comes_back() {
    on_a_thread(|| {
        warm_up();
        let ledger = Ledger::new();
        for hardened in [false, true] {
            for cache in [ThreadCache::Auto, ThreadCache::Off, ThreadCache::Rounds(3)] {
                let make = || {
                    let builder = Slab::builder().hardened(hardened).thread_cache(cache);
                    builder.build().expect("there is memory")
                };
                for fault in [AllocFault::Once, AllocFault::Onwards] {
                    let swept = Sweep::over(fault)
                        .check("ledger", || ledger.check())
                        .run_with(make, |slab| {
                            let inserted = slab.try_insert(exempt(|| ledger.track(7)));
                            if let Err(rejected) = &inserted {
                                assert_eq!(rejected.error.kind, AllocErrorKind::Backend);
                                assert_eq!((*rejected.value, slab.stats().in_use), (7, 0));
                            }
                            inserted.map(drop).map_err(|rejected| rejected.error)
                        });
                    assert!(swept.refused >= 4, "{swept:?}");
                }
            }
        }
    });
}

#[test]
fn closures_are_not_called_without_a_block() {
    on_a_thread(|| {
        warm_up();
        let swept = Sweep::over(AllocFault::Once).run_with(Slab::<Value>::new, |slab| {
            let mut called = false;
            let made = slab.try_insert_with(|| {
                called = true;
                Ok::<_, ()>([1; 100])
            });
            assert_eq!(called, made.is_ok());
            assert!(!matches!(made, Err(InsertError::Failed(()))));
            made.map(drop).map_err(|_| "no room")
        });
        assert!(swept.refused >= 4, "{swept:?}");
        let swept = Sweep::over(AllocFault::Once).run_with(Slab::<Counted<Value>>::new, |slab| {
            let arc = slab.try_insert_arc([2; 100]);
            arc.map(drop).map_err(|rejected| rejected.error)
        });
        assert!(swept.refused >= 4, "{swept:?}");
    });
}

#[test]
fn trims_need_no_memory() {
    on_a_thread(|| {
        warm_up();
        let slab = Slab::<Value>::new();
        let kept = slab.insert([1; 100]);
        drop((0..1000).map(|n| slab.insert([n; 100])).collect::<Vec<_>>());
        let armed = AllocFault::Onwards.arm(0);
        let freed = slab.trim(Pressure::High);
        let copied = kept[99];
        drop(kept);
        drop(armed);
        assert!(freed.items > 1 && copied == 1);
        assert_eq!(slab.stats().in_use, 0);
    });
}

#[test]
fn the_steady_state_allocates_nothing() {
    on_a_thread(|| {
        let slab = Slab::<Value>::new();
        let shared = Slab::<Counted<Value>>::new();
        let turn = || {
            let boxes: [_; 20] = std::array::from_fn(|n| slab.insert([n as u64; 100]));
            let sum: u64 = boxes.iter().map(|boxed| boxed[50]).sum();
            let arc = shared.insert_arc([sum; 100]);
            assert_eq!(arc.clone()[0], 190);
        };
        for _ in 0..3 {
            turn();
        }
        let before = thread_counts();
        for _ in 0..1000 {
            turn();
        }
        assert_eq!(thread_counts(), before);
    });
}

#[test]
fn a_leaked_box_keeps_its_slab_and_no_other() {
    on_a_thread(|| {
        warm_up();
        let slab = Slab::<Value>::new();
        let before = thread_counts().live();
        let leaked = SlabBox::into_raw(slab.insert([1; 100]));
        let one = thread_counts().live();
        drop((0..1000).map(|n| slab.insert([n; 100])).collect::<Vec<_>>());
        drop(slab);
        let left = thread_counts().live();
        // One slab of 64 KiB, and books that had to grow.
        assert!(
            left.1 < one.1 + (32 << 10),
            "{left:?}, {one:?} with one box"
        );
        // SAFETY: of the box above, once.
        drop(unsafe { SlabBox::from_raw(leaked) });
        assert!(
            thread_counts().live().1 < before.1,
            "the engine is gone too"
        );
    });
}
