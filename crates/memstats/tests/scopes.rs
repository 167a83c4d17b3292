//! Named scopes over closures and futures, among them dropped and migrated ones.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use thrifty_memstats::{Alloc, AllocScope, assert_no_alloc, measure};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets the executor do something else once.
fn yield_once() -> impl Future<Output = ()> {
    let mut yielded = false;
    poll_fn(move |_| {
        if std::mem::replace(&mut yielded, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
}

#[test]
fn closures_add_up() {
    let scope = AllocScope::new("closures");
    let kept: Vec<_> = (0..3)
        .map(|_| scope.run(|| black_box(vec![0_u8; 100])))
        .collect();
    let stats = scope.stats().unwrap();
    assert_eq!((stats.runs, stats.polls), (3, 0));
    assert_eq!((stats.delta.allocs, stats.delta.allocated_bytes), (3, 300));
    assert_eq!(stats.delta.peak_bytes, 100, "of the highest single run");
    assert_eq!(stats.delta.net_bytes(), 300);
    drop(kept);
    assert_eq!(
        scope.stats().unwrap(),
        stats,
        "what happens outside does not count"
    );
    assert_eq!(scope.name(), "closures");
}

#[test]
fn clones_share_their_sums_across_threads() {
    let scope = AllocScope::new(String::from("shared"));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let scope = scope.clone();
            std::thread::spawn(move || scope.run(|| drop(black_box(vec![0_u8; 1000]))))
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    let stats = scope.stats().unwrap();
    assert_eq!(
        (stats.runs, stats.delta.allocs, stats.delta.frees),
        (4, 4, 4)
    );
}

#[test]
fn a_panicking_closure_is_counted_and_closed() {
    let scope = AllocScope::new("panics");
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        scope.run(|| {
            black_box(vec![0_u8; 10]);
            std::panic::resume_unwind(Box::new(()));
        })
    }));
    assert!(result.is_err());
    let stats = scope.stats().unwrap();
    assert_eq!(stats.runs, 1);
    assert!(stats.delta.allocated_bytes >= 10);
    drop(black_box(vec![0_u8; 10]));
    assert_eq!(scope.stats().unwrap(), stats);
}

#[test]
fn only_polls_count() {
    let scope = AllocScope::new("polls");
    let mut future = pin!(scope.in_future(async {
        let first = black_box(vec![0_u8; 100]);
        yield_once().await;
        let second = black_box(vec![0_u8; 50]);
        first.len() + second.len()
    }));
    assert!(poll(future.as_mut()).is_pending());
    let between = black_box(vec![0_u8; 5000]);
    assert_eq!(poll(future.as_mut()), Poll::Ready(150));
    drop(between);
    let stats = scope.stats().unwrap();
    assert_eq!((stats.runs, stats.polls), (1, 2));
    assert_eq!((stats.delta.allocs, stats.delta.frees), (2, 2));
    assert_eq!(
        (stats.delta.allocated_bytes, stats.delta.peak_bytes),
        (150, 150)
    );
}

#[test]
fn a_future_may_move_between_threads() {
    let scope = AllocScope::new("migrates");
    let mut future = Box::pin(scope.in_future(async {
        let mut kept = Vec::with_capacity(8);
        for size in [100_usize, 200, 300] {
            kept.push(black_box(vec![0_u8; size]));
            yield_once().await;
        }
        kept.len()
    }));
    for _ in 0..3 {
        future = std::thread::spawn(move || {
            drop(black_box(vec![0_u8; 7777]));
            assert!(poll(future.as_mut()).is_pending());
            future
        })
        .join()
        .unwrap();
    }
    assert_eq!(poll(future.as_mut()), Poll::Ready(3));
    let stats = scope.stats().unwrap();
    let table = 8 * size_of::<Vec<u8>>() as u64;
    assert_eq!(stats.delta.allocated_bytes, 600 + table);
    assert_eq!(
        stats.delta.freed_bytes,
        600 + table,
        "freed on another thread than allocated"
    );
    assert_eq!(
        stats.delta.peak_bytes,
        600 + table,
        "the peak spans the polls"
    );
    assert_eq!(stats.polls, 4);
}

#[test]
fn a_dropped_future_counts_what_its_end_frees() {
    let scope = AllocScope::new("dropped");
    let mut future = Box::pin(scope.in_future(async {
        let _kept = black_box(vec![0_u8; 100]);
        yield_once().await;
        unreachable!("it is dropped before");
    }));
    assert!(poll::<_>(future.as_mut()).is_pending());
    assert_eq!(scope.stats().unwrap().delta.net_bytes(), 100);
    assert_eq!(scope.stats().unwrap().runs, 0);
    drop(future);
    let stats = scope.stats().unwrap();
    assert_eq!(
        (stats.runs, stats.polls, stats.delta.net_bytes()),
        (1, 1, 0)
    );
}

#[test]
fn a_future_that_was_never_polled_counts_its_end() {
    let scope = AllocScope::new("unpolled");
    let held = black_box(vec![0_u8; 64]);
    drop(scope.in_future(async move { held.len() }));
    let stats = scope.stats().unwrap();
    assert_eq!((stats.runs, stats.polls), (1, 0));
    assert_eq!((stats.delta.frees, stats.delta.net_bytes()), (1, -64));
}

#[test]
fn a_future_that_panics_is_counted_and_dropped_once() {
    let scope = AllocScope::new("panics");
    let mut future = Box::pin(scope.in_future(async {
        let _kept = black_box(vec![0_u8; 32]);
        yield_once().await;
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(poll::<_>(future.as_mut()).is_pending());
    let result =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll::<_>(future.as_mut())));
    assert!(result.is_err());
    drop(future);
    let stats = scope.stats().unwrap();
    assert_eq!(stats.runs, 1);
    // The panic's own payload of size zero does not allocate; its carrier does, and lives on.
    assert!(stats.delta.frees >= 1 && stats.delta.allocs >= 1);
}

#[test]
fn interleaved_futures_do_not_mix() {
    let (a, b) = (AllocScope::new("a"), AllocScope::new("b"));
    let work = |size: usize| async move {
        for _ in 0..3 {
            drop(black_box(vec![0_u8; size]));
            yield_once().await;
        }
    };
    let mut first = pin!(a.in_future(work(10)));
    let mut second = pin!(b.in_future(work(1000)));
    for _ in 0..3 {
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
    }
    assert!(poll(first).is_ready());
    assert!(poll(second).is_ready());
    assert_eq!(a.stats().unwrap().delta.allocated_bytes, 30);
    assert_eq!(b.stats().unwrap().delta.allocated_bytes, 3000);
}

#[test]
fn scopes_nest_with_each_other_and_with_measure() {
    let (outer, inner) = (AllocScope::new("outer"), AllocScope::new("inner"));
    let ((), delta) = measure(|| {
        outer.run(|| {
            drop(black_box(vec![0_u8; 1]));
            inner.run(|| drop(black_box(vec![0_u8; 2])));
        });
    });
    assert_eq!(inner.stats().unwrap().delta.allocated_bytes, 2);
    assert_eq!(outer.stats().unwrap().delta.allocated_bytes, 3);
    assert_eq!(delta.unwrap().allocated_bytes, 3);
}

#[test]
fn polling_costs_no_allocation() {
    let scope = AllocScope::new("free");
    let mut future = pin!(scope.in_future(yield_once()));
    assert_no_alloc!({
        assert!(poll(future.as_mut()).is_pending());
        assert!(poll(future.as_mut()).is_ready());
    });
}

#[test]
#[should_panic(expected = "polled after its end")]
fn polling_a_finished_future_is_an_error() {
    let scope = AllocScope::new("again");
    let mut future = pin!(scope.in_future(std::future::ready(1)));
    assert!(poll(future.as_mut()).is_ready());
    let _ = poll(future.as_mut());
}
