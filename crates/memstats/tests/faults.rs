//! An inner allocator that fails when told to, and that notes how it was called.
#![expect(unsafe_code, reason = "calls the allocator")]

use std::alloc::Layout;
use std::hint::black_box;

use thrifty_memstats::{Alloc, Delta, measure, thread};
use thrifty_testkit::{AllocFault, FailingAlloc, Sweep, thread_counts, with_failing};

#[global_allocator]
static ALLOC: Alloc<FailingAlloc> = Alloc::new(FailingAlloc::system());

/// Runs `f` with an allocator that fails from now on, and says what was counted.
fn failing<R>(f: impl FnOnce() -> R) -> (R, Delta) {
    let ((result, struck), delta) = measure(|| with_failing(AllocFault::Onwards, 0, f));
    assert_eq!(struck, 1, "the allocator is asked once, and fails");
    (result, delta.expect("the allocator is installed"))
}

#[test]
fn each_method_is_forwarded_as_itself() {
    let before = thread_counts();
    let mut bytes = black_box(vec![0_u8; 100]);
    bytes.reserve_exact(1000);
    drop(black_box(bytes));
    drop(black_box(Box::new(1_u8)));
    let calls = thread_counts().since(&before);
    assert_eq!((calls.allocs, calls.zeroed_allocs), (1, 1));
    assert_eq!((calls.reallocs, calls.frees), (1, 2));
    assert_eq!(calls.live(), (0, 0), "each size is passed on as it is");
    let _: &FailingAlloc = ALLOC.inner();
}

#[test]
fn a_failed_alloc_counts_nothing() {
    let mut bytes: Vec<u8> = Vec::new();
    let (result, delta) = failing(|| bytes.try_reserve_exact(100));
    assert!(result.is_err());
    assert_eq!(delta, Delta::default());
}

#[test]
fn a_failed_zeroed_alloc_counts_nothing() {
    let layout = Layout::new::<[u64; 16]>();
    // SAFETY: the layout is not of size zero.
    let (block, delta) = failing(|| unsafe { std::alloc::alloc_zeroed(layout) });
    assert!(block.is_null());
    assert_eq!(delta, Delta::default());
}

#[test]
fn a_failed_realloc_counts_nothing_and_keeps_the_block() {
    let mut bytes = black_box(vec![7_u8; 100]);
    let (result, delta) = failing(|| bytes.try_reserve_exact(1000));
    assert!(result.is_err());
    assert_eq!(delta, Delta::default());
    assert_eq!(bytes, [7; 100]);
    let (_, delta) = measure(|| drop(bytes));
    assert_eq!(
        delta.map(|delta| delta.freed_bytes),
        Ok(100),
        "it is freed as what it was"
    );
}

/// Fails each allocation of a program in turn: what was counted always matches what is left, and
/// what the inner allocator counted.
#[test]
fn counts_match_after_a_failure_at_any_point() {
    fn program() -> Option<Vec<Vec<u8>>> {
        let mut all: Vec<Vec<u8>> = Vec::new();
        for size in [10, 200, 3000] {
            let mut bytes: Vec<u8> = Vec::new();
            bytes.try_reserve_exact(size).ok()?;
            bytes.extend_from_slice(&[1; 10]);
            bytes.try_reserve_exact(size * 2).ok()?;
            all.try_reserve(1).ok()?;
            all.push(bytes);
        }
        Some(all)
    }

    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live bytes and blocks", || {
                let all = thread().expect("the allocator is installed");
                let bytes = all.allocated_bytes.wrapping_sub(all.freed_bytes);
                (bytes, all.allocs.wrapping_sub(all.frees))
            })
            .unchanged("live in the inner allocator", || thread_counts().live())
            .run(program);
        assert_eq!((swept.sites, swept.refused), (7, 7));
    }
}

/// A failure inside a scope leaves the scope usable.
#[test]
fn assertions_hold_where_every_allocation_fails() {
    let mut bytes: Vec<u8> = Vec::new();
    // The first use asks for memory to find that out; `first_use.rs` has that case.
    assert!(thrifty_memstats::is_installed());
    let (result, struck) = with_failing(AllocFault::Onwards, 0, || {
        thrifty_memstats::assert_no_alloc!(bytes.try_reserve_exact(10).is_err())
    });
    assert!(result, "a failed attempt is no allocation");
    assert_eq!(struck, 1);
}
