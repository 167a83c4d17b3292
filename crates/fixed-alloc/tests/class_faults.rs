//! No memory for size classes: at each site in turn an error and nothing lost; and in the steady
//! state no allocation at all.
#![cfg(feature = "allocator-api2-02")]

use allocator_api2::boxed::Box as BoxIn;
use allocator_api2::vec::Vec as VecIn;
use thrifty_fixed_alloc::{ClassAlloc, ConfigError, ThreadCache};
use thrifty_testkit::{AllocFault, FailingAlloc, Sweep, thread_counts};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

/// Runs `check` on a thread of its own: what this thread's caches hold is then gone at its end.
fn on_a_thread(check: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(check).join().expect("it passes"));
}

/// What std and the engine allocate once for a process is no site of ours.
fn warm_up() {
    drop(BoxIn::new_in(1, &ClassAlloc::new()));
}

#[test]
fn classes_that_there_is_no_memory_for_are_an_error() {
    on_a_thread(|| {
        warm_up();
        let swept = Sweep::over(AllocFault::Once)
            .unchanged("live", || thread_counts().live())
            .run(|| {
                let built = ClassAlloc::builder().max_bytes(1 << 20).build();
                if let Err(error) = &built {
                    assert!(matches!(error, ConfigError::Alloc(_)));
                }
                built.map(drop)
            });
        // The limit, and a trial of each class.
        assert!(
            swept.sites > 20 && swept.refused == swept.sites,
            "{swept:?}"
        );
    });
}

#[test]
fn a_handle_that_there_is_no_memory_for_gives_the_classes_back() {
    on_a_thread(|| {
        warm_up();
        let classes = ClassAlloc::new();
        let armed = AllocFault::Onwards.arm(0);
        let handle = classes.into_handle();
        drop(armed);
        let classes = handle.expect_err("there was no memory").into_value();
        assert_eq!(*BoxIn::new_in(5, &classes), 5);
    });
}

#[test]
fn growing_without_memory_is_an_error_and_loses_nothing() {
    on_a_thread(|| {
        warm_up();
        for hardened in [false, true] {
            for cache in [ThreadCache::Auto, ThreadCache::Off] {
                for fault in [AllocFault::Once, AllocFault::Onwards] {
                    let make = || {
                        let builder = ClassAlloc::builder().hardened(hardened);
                        builder
                            .thread_cache(cache)
                            .build()
                            .expect("there is memory")
                    };
                    let swept = Sweep::over(fault).run_with(make, |classes| {
                        let mut bytes = VecIn::new_in(&*classes);
                        let mut grown = Ok(());
                        for size in [10, 100, 1000, 10_000] {
                            grown = bytes.try_reserve_exact(size - bytes.len());
                            if grown.is_err() {
                                break;
                            }
                            bytes.resize(size, 7_u8);
                        }
                        assert!(bytes.iter().all(|&byte| byte == 7));
                        assert!(grown.is_err() || bytes.len() == 10_000);
                        drop(bytes);
                        assert_eq!(classes.stats().in_use, 0);
                        grown
                    });
                    // For each of three classes itself, its slab and its books; and the large block.
                    assert!(swept.refused > 3 * 4, "{swept:?}");
                }
            }
        }
    });
}

#[test]
fn the_steady_state_allocates_nothing() {
    on_a_thread(|| {
        let classes = ClassAlloc::new();
        let turn = || {
            let mut all = VecIn::new_in(&classes);
            for n in 0..30_usize {
                let mut bytes = VecIn::new_in(&classes);
                bytes.resize(n * 30, 1_u8);
                all.push(bytes);
            }
            assert_eq!(all[29].len(), 870);
        };
        for _ in 0..3 {
            turn();
        }
        let before = thread_counts();
        for _ in 0..300 {
            turn();
        }
        assert_eq!(thread_counts(), before);
    });
}
