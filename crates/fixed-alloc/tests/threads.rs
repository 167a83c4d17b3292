//! Blocks that cross threads, threads that end, and allocators that end before their blocks.
#![expect(unsafe_code, reason = "uses raw blocks")]

use std::alloc::Layout;
use std::sync::Arc;
use std::sync::mpsc;

use thrifty_fixed_alloc::{Block, FixedAlloc, FixedHandle, Pressure, ThreadCache};
use thrifty_testkit::{around_tls_destructors, churn, oversubscribe, together};

const BLOCK: Layout = Layout::new::<[u64; 8]>();

fn handle() -> FixedHandle {
    FixedAlloc::new(BLOCK).expect("there is memory").handle()
}

#[test]
fn blocks_are_freed_on_other_threads() {
    let blocks = handle();
    let (send, receive) = mpsc::sync_channel::<Block>(100);
    std::thread::scope(|scope| {
        let producer = scope.spawn(|| {
            for number in 0..20_000_u32 {
                let block = blocks.get_uninit().copied_from(&number.to_le_bytes());
                send.send(block).unwrap();
            }
            drop(send);
        });
        let mut expected = 0_u32;
        while let Ok(block) = receive.recv() {
            assert!(block.starts_with(&expected.to_le_bytes()));
            expected += 1;
        }
        assert_eq!(expected, 20_000);
        producer.join().unwrap();
    });
    let stats = blocks.stats();
    assert_eq!(stats.in_use, 0);
    assert!(stats.slabs <= 8, "what comes back is used again: {stats:?}");
}

#[test]
fn blocks_are_their_threads_own_under_contention() {
    let rounds = if thrifty_testkit::tool().is_some() {
        20
    } else {
        200
    };
    for cache in [ThreadCache::Auto, ThreadCache::Off, ThreadCache::Rounds(2)] {
        for hardened in [false, true] {
            let blocks = FixedAlloc::builder(BLOCK)
                .thread_cache(cache)
                .hardened(hardened)
                .max_thread_caches(3)
                .spare_slabs(0)
                .slab_bytes(4096)
                .build()
                .unwrap();
            together(6, |thread| {
                let filled = u8::try_from(thread).unwrap() + 1;
                let mut held = Vec::new();
                for round in 0..rounds {
                    held.extend((0..100).map(|_| blocks.get_uninit().filled(filled)));
                    let keep = round % 50;
                    for block in held.drain(keep..) {
                        assert!(block.iter().all(|&byte| byte == filled));
                    }
                    if round % 64 == 0 {
                        blocks.trim(Pressure::High);
                    }
                }
            });
            blocks.trim(Pressure::High);
            let stats = blocks.stats();
            assert_eq!(
                (stats.in_use, stats.slabs, stats.faults),
                (0, 0, 0),
                "{stats:?}"
            );
        }
    }
}

#[test]
fn far_too_many_threads_share_what_there_is() {
    let blocks = handle();
    oversubscribe(|_| {
        for _ in 0..50 {
            drop((0..10).map(|_| blocks.get()).collect::<Vec<_>>());
        }
    });
    blocks.trim(Pressure::High);
    assert_eq!((blocks.stats().in_use, blocks.stats().slabs), (0, 0));
}

#[test]
fn ten_thousand_short_threads_leave_nothing_behind() {
    let blocks = handle();
    let threads = if thrifty_testkit::tool().is_some() {
        100
    } else {
        2500
    };
    let run = || {
        churn(threads, 4, |_| {
            drop((0..10).map(|_| blocks.get()).collect::<Vec<_>>());
        });
        let stats = blocks.stats();
        (stats.slabs, stats.idle_in_caches, stats.in_use)
    };
    let (slabs, cached, in_use) = run();
    assert!(slabs <= 5, "{slabs} slabs");
    assert_eq!((cached, in_use), (0, 0));
}

#[test]
fn blocks_come_and_go_while_a_thread_ends() {
    for hardened in [false, true] {
        let build = || FixedAlloc::builder(BLOCK).hardened(hardened).build();
        let blocks = build().unwrap().handle();
        let (ours, theirs) = (blocks.clone(), blocks.clone());
        let lent = std::sync::Mutex::new(vec![blocks.get(), blocks.get()]);
        let done = around_tls_destructors(
            move || drop(ours.get()),
            move |_| {
                drop(lent.lock().unwrap().pop());
                let block = theirs.try_alloc().unwrap().cast();
                // SAFETY: a block that is live.
                unsafe { theirs.free(block) };
                theirs.get().iter().all(|&byte| byte == 0)
            },
        );
        assert!(done.iter().all(|&(_, zeroed)| zeroed));
        blocks.trim(Pressure::High);
        assert_eq!((blocks.stats().in_use, blocks.stats().slabs), (0, 0));
    }
}

#[test]
fn blocks_outlive_their_allocator_on_any_thread() {
    let blocks = FixedAlloc::new(BLOCK).unwrap();
    let weak = blocks.downgrade();
    let held: Vec<_> = (0..1000).map(|_| blocks.get_uninit().filled(3)).collect();
    drop(blocks);
    assert!(weak.upgrade().is_none());
    let halves = Arc::new(std::sync::Mutex::new(held));
    together(2, |_| {
        loop {
            let Some(block) = halves.lock().unwrap().pop() else {
                break;
            };
            assert_eq!(block[0], 3);
        }
    });
}

#[test]
fn handles_may_be_the_last_ones() {
    let blocks = handle();
    let block = blocks.get();
    let other = blocks.clone();
    drop(blocks);
    assert_eq!(other.stats().in_use, 1);
    drop(block);
    assert_eq!(other.stats().in_use, 0);
}
