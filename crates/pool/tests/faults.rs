//! No memory: at each site in turn an error or a dropped item, no abort, no leak; and in the steady
//! state no allocation at all.

use std::sync::Arc;

use thrifty_pool::{BuildError, GetError, LocalPool, Manage, Pool, Pressure, ThreadCache, With};
use thrifty_testkit::{
    AllocFault, FailingAlloc, Ledger, Sweep, Tracked, exempt, thread_counts, with_failing,
};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

type Item = Tracked<u32>;

/// Items whose creation is not to be swept, since a ledger is none of the pool's.
struct Tracks(Ledger);

impl Manage for Tracks {
    type Item = Item;
    type Error = ();
    fn create(&self) -> Result<Item, ()> {
        Ok(exempt(|| self.0.track(0)))
    }
}

fn caches() -> [ThreadCache; 3] {
    [ThreadCache::Auto, ThreadCache::Off, ThreadCache::Rounds(2)]
}

/// Runs `check` on a thread of its own: what this thread's caches hold is then gone at its end.
fn on_a_thread(check: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(check).join().expect("it passes"));
}

#[test]
fn a_pool_that_there_is_no_memory_for_is_an_error() {
    on_a_thread(|| {
        // The first pool of a process asks std how many processors there are, and std allocates.
        drop(Pool::new(String::new));
        let captured = [7_u8; 100];
        let swept = Sweep::over(AllocFault::Once)
            .unchanged("live", || thread_counts().live())
            .run(|| {
                let built = Pool::builder(move || captured.to_vec()).build();
                if let Err(error) = &built {
                    assert!(matches!(error, BuildError::Alloc(_)));
                }
                built.map(drop)
            });
        assert!(swept.sites >= 2, "{swept:?}");
        assert_eq!(swept.refused, swept.sites);
    });
}

#[test]
fn getting_without_memory_is_an_error_and_leaves_no_trace() {
    on_a_thread(|| {
        for cache in caches() {
            let ledger = Ledger::new();
            for fault in [AllocFault::Once, AllocFault::Onwards] {
                let swept = Sweep::over(fault)
                    .check("ledger", || ledger.check())
                    .run_with(
                        || {
                            Pool::builder_manager(Tracks(ledger))
                                .thread_cache(cache)
                                .build()
                                .unwrap()
                        },
                        |pool| {
                            let got = pool.try_get();
                            if let Err(error) = &got {
                                assert!(matches!(error, GetError::Alloc(_)));
                                assert_eq!((pool.stats().live, ledger.live()), (0, 0));
                            }
                            got.map(drop).map_err(|_| "no memory")
                        },
                    );
                assert!(
                    swept.sites >= 1 && swept.refused >= 1,
                    "{cache:?} {swept:?}"
                );
            }
        }
    });
}

/// A whole life of a pool, with an allocation failing at each site: returns always succeed, and an
/// item is cached or dropped.
#[test]
fn no_failed_allocation_loses_or_leaks_an_item() {
    for cache in caches() {
        for fault in [AllocFault::Once, AllocFault::Onwards] {
            let ledger = Ledger::new();
            on_a_thread(|| {
                let swept = Sweep::over(fault)
                    .check("ledger", || ledger.check())
                    .run_with(
                        || {
                            Pool::builder_manager(Tracks(ledger))
                                .thread_cache(cache)
                                .max_idle(100)
                                .build()
                                .unwrap()
                        },
                        |pool| {
                            let mut refusal = None;
                            let mut held: [Option<_>; 20] = Default::default();
                            for slot in &mut held {
                                match pool.try_get() {
                                    Ok(item) => *slot = Some(item),
                                    Err(error) => refusal = Some(format_exempt(error)),
                                }
                            }
                            let lent = held.iter().flatten().count();
                            assert_eq!(pool.stats().in_use, lent);
                            held.iter_mut().for_each(|slot| drop(slot.take()));
                            assert_eq!(pool.stats().in_use, 0);
                            assert_eq!(ledger.live(), pool.stats().idle as u64);
                            let item = exempt(|| ledger.track(3));
                            if let Err(item) = pool.put(item) {
                                drop(item);
                                refusal = Some("put");
                            }
                            let item = exempt(|| ledger.track(4));
                            match pool.adopt(item) {
                                Ok(item) => assert_eq!(*item.detach(), 4),
                                Err(error) => {
                                    assert_eq!(*error.into_value(), 4);
                                    refusal = Some("adopt");
                                }
                            }
                            if pool.prefill(3).is_err() {
                                refusal = Some("prefill");
                            }
                            pool.flush_thread();
                            pool.trim(Pressure::Medium);
                            drop(pool.get_idle());
                            pool.trim(Pressure::High);
                            assert_eq!((pool.stats().live, ledger.live()), (0, 0));
                            match refusal {
                                Some(refusal) => Err(refusal),
                                None => Ok(()),
                            }
                        },
                    );
                assert!(swept.sites >= 20, "{cache:?} {swept:?}");
            });
            ledger.assert_balanced();
        }
    }
}

fn format_exempt(error: GetError<()>) -> &'static str {
    match error {
        GetError::Alloc(_) => "no memory",
        _ => panic!("nothing else is wrong"),
    }
}

#[test]
fn the_steady_state_allocates_nothing() {
    on_a_thread(|| {
        for cache in caches() {
            let pool = Pool::builder(|| Vec::<u8>::with_capacity(100))
                .thread_cache(cache)
                .max_idle(1000)
                .build()
                .unwrap();
            let mut held = Vec::with_capacity(500);
            let mut round = |n: usize| {
                for _ in 0..n {
                    let mut item = pool.get();
                    item.extend_from_slice(&[1; 100]);
                    held.push(item);
                }
                held.clear();
            };
            // Twice: the first round makes the items, and both the magazines they come back into.
            round(500);
            round(500);
            let before = thread_counts();
            for n in [1, 2, 3, 63, 64, 65, 127, 128, 129, 500] {
                round(n);
                round(n);
            }
            let since = thread_counts().since(&before);
            assert_eq!(
                (since.allocs, since.frees, since.reallocs),
                (0, 0, 0),
                "{cache:?}"
            );
        }
    });
}

#[test]
fn a_local_pool_without_memory_is_an_error_and_goes_on() {
    let ledger = Ledger::new();
    let swept = Sweep::over(AllocFault::Once)
        .check("ledger", || ledger.check())
        .unchanged("live", || thread_counts().live())
        .run(|| {
            let create = || exempt(|| ledger.track(0));
            let Ok(pool) = LocalPool::try_with(create, |_: &mut Item| ()) else {
                return None;
            };
            let first = pool.try_get();
            let second = pool.try_get();
            let failed = first.is_err() || second.is_err();
            drop((first, second));
            assert_eq!(pool.stats().in_use, 0);
            assert_eq!(pool.stats().idle as u64, ledger.live());
            if failed { None } else { Some(()) }
        });
    // A closure, two items, and the vector of idle ones: where that fails, an item is dropped.
    assert_eq!((swept.refused, swept.absorbed), (3, 1), "{swept:?}");
}

#[test]
fn a_local_pool_in_its_steady_state_allocates_nothing() {
    let pool = LocalPool::new(|| Vec::<u8>::with_capacity(100));
    drop([pool.get(), pool.get()]);
    let before = thread_counts();
    for _ in 0..100 {
        drop([pool.get(), pool.get()]);
    }
    assert_eq!(thread_counts().since(&before).allocs, 0);
}

#[test]
fn closures_that_capture_are_freed_with_their_pool() {
    on_a_thread(|| {
        let shared = Arc::new(());
        let (create, reset) = (Arc::clone(&shared), Arc::clone(&shared));
        type Boxed = Box<dyn Fn(&mut String) + Send + Sync>;
        let reset: Boxed = Box::new(move |text| {
            let _ = &reset;
            text.clear();
        });
        let pool: Pool<String, With<String, Boxed>> = Pool::with(
            move || {
                let _ = &create;
                String::new()
            },
            reset,
        );
        let guard = pool.get();
        drop(pool);
        assert_eq!(
            Arc::strong_count(&shared),
            3,
            "the guard's return needs them"
        );
        drop(guard);
        assert_eq!(Arc::strong_count(&shared), 1);
    });
}

#[test]
fn a_closure_that_there_is_no_memory_for_is_a_panic_of_new_and_no_abort() {
    let captured = [1_u8; 64];
    let (result, struck) = with_failing(AllocFault::Once, 0, || {
        thrifty_testkit::quietly(|| drop(Pool::new(move || captured.to_vec())))
    });
    assert_eq!(struck, 1);
    let payload = result.unwrap_err();
    assert!(thrifty_testkit::message(&*payload).contains("cannot allocate 64 bytes"));
}
