//! No memory: at each site in turn an error and nothing lost; and in the steady state no allocation
//! at all.
#![expect(unsafe_code, reason = "uses raw blocks")]

use std::alloc::Layout;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use thrifty_fixed_alloc::{AllocErrorKind, ConfigError, FixedAlloc, Pressure, ThreadCache};
use thrifty_testkit::{AllocFault, FailingAlloc, Sweep, thread_counts, with_failing};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

const BLOCK: Layout = Layout::new::<[u64; 100]>();

fn caches() -> [ThreadCache; 3] {
    [ThreadCache::Auto, ThreadCache::Off, ThreadCache::Rounds(3)]
}

/// Runs `check` on a thread of its own: what this thread's caches hold is then gone at its end.
fn on_a_thread(check: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(check).join().expect("it passes"));
}

/// What std and the engine allocate once for a process is no site of ours.
fn warm_up() {
    drop(FixedAlloc::new(BLOCK).expect("there is memory").get());
}

#[test]
fn an_allocator_that_there_is_no_memory_for_is_an_error() {
    on_a_thread(|| {
        warm_up();
        let swept = Sweep::over(AllocFault::Once)
            .unchanged("live", || thread_counts().live())
            .run(|| {
                let built = FixedAlloc::new(BLOCK);
                if let Err(error) = &built {
                    assert!(matches!(error, ConfigError::Alloc(_)));
                }
                built.map(drop)
            });
        assert!(swept.sites >= 1, "{swept:?}");
        assert_eq!(swept.refused, swept.sites);
    });
}

#[test]
fn a_block_that_there_is_no_memory_for_is_an_error() {
    on_a_thread(|| {
        warm_up();
        for hardened in [false, true] {
            for cache in caches() {
                for fault in [AllocFault::Once, AllocFault::Onwards] {
                    let make = || {
                        let builder = FixedAlloc::builder(BLOCK).hardened(hardened);
                        builder
                            .thread_cache(cache)
                            .build()
                            .expect("there is memory")
                    };
                    let swept = Sweep::over(fault).run_with(make, |blocks| {
                        let got = blocks.try_get();
                        if let Err(error) = &got {
                            assert_eq!(error.kind, AllocErrorKind::Backend);
                            let stats = blocks.stats();
                            assert_eq!((stats.in_use, stats.slabs, stats.idle), (0, 0, 0));
                        }
                        got.map(drop)
                    });
                    // The slab and the three parts of the books at least; magazines fail silently.
                    assert!(swept.refused >= 4, "{swept:?}");
                }
            }
        }
    });
}

#[test]
fn nothing_is_lost_when_memory_runs_out_anywhere() {
    on_a_thread(|| {
        warm_up();
        for cache in caches() {
            for fault in [AllocFault::Once, AllocFault::Onwards] {
                let make = || {
                    let builder = FixedAlloc::builder(BLOCK).slab_bytes(4096).spare_slabs(1);
                    builder
                        .thread_cache(cache)
                        .build()
                        .expect("there is memory")
                };
                let swept = Sweep::over(fault)
                    .unchanged("live", || thread_counts().live())
                    .run_with(make, |blocks| {
                        let mut places = [MaybeUninit::uninit(); 100];
                        let mut taken = blocks.try_alloc_batch(&mut places);
                        while taken < places.len() {
                            let Ok(block) = blocks.try_alloc() else { break };
                            places[taken].write(block.cast());
                            taken += 1;
                        }
                        assert_eq!(blocks.stats().in_use, taken);
                        for place in &places[..taken] {
                            // SAFETY: written above.
                            let block: NonNull<u8> = unsafe { place.assume_init() };
                            // SAFETY: a block that is live.
                            unsafe { blocks.free(block) };
                        }
                        blocks.flush_thread();
                        blocks.trim(Pressure::High);
                        let stats = blocks.stats();
                        assert_eq!((stats.in_use, stats.idle, stats.slabs), (0, 0, 0));
                        if taken == places.len() {
                            Ok(())
                        } else {
                            Err(())
                        }
                    });
                assert!(swept.sites > 10, "{swept:?}");
                // A second try succeeds, unless memory is out for good.
                let expects = matches!(fault, AllocFault::Onwards);
                assert_eq!(swept.refused > 0, expects, "{swept:?}");
            }
        }
    });
}

#[test]
fn no_memory_for_a_slab_leaves_other_blocks_alone() {
    on_a_thread(|| {
        let blocks = FixedAlloc::builder(BLOCK)
            .thread_cache(ThreadCache::Off)
            .slab_bytes(4096)
            .build()
            .unwrap();
        let held: Vec<_> = (0..5).map(|_| blocks.get_uninit().filled(7)).collect();
        assert_eq!((blocks.stats().free, blocks.stats().idle), (0, 0));
        let (got, refused) = with_failing(AllocFault::Onwards, 0, || blocks.try_get());
        assert_eq!(got.unwrap_err().kind, AllocErrorKind::Backend);
        assert!(refused > 0);
        assert!(held.iter().all(|block| block.iter().all(|&byte| byte == 7)));
        assert!(blocks.try_get().is_ok());
    });
}

#[test]
fn the_steady_state_allocates_nothing() {
    on_a_thread(|| {
        for cache in caches() {
            for (max_blocks, working_set) in [(usize::MAX, 90), (usize::MAX, 2000), (1000, 1000)] {
                let blocks = FixedAlloc::builder(Layout::new::<[u64; 8]>())
                    .thread_cache(cache)
                    .max_blocks(max_blocks)
                    .spare_slabs(usize::MAX)
                    .build()
                    .unwrap();
                let mut held = Vec::with_capacity(working_set);
                let mut round = || {
                    held.extend(
                        (0..working_set).map(|_| blocks.try_alloc().expect("there is memory")),
                    );
                    for block in held.drain(..) {
                        // SAFETY: a block that is live.
                        unsafe { blocks.free(block.cast()) };
                    }
                };
                // The depot fills up over some rounds, and magazines with it.
                (0..50).for_each(|_| round());
                let before = thread_counts();
                (0..50).for_each(|_| round());
                let after = thread_counts();
                assert_eq!(after.allocs - before.allocs, 0, "{cache:?}");
            }
        }
    });
}
