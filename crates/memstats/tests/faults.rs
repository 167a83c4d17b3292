//! An inner allocator that fails when told to, and that notes how it was called.
#![expect(unsafe_code, reason = "implements an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use thrifty_memstats::{Alloc, Delta, measure, thread};

thread_local! {
    /// Calls that still succeed on this thread.
    static FUSE: Cell<u32> = const { Cell::new(u32::MAX) };
    /// Calls of this thread: alloc, alloc_zeroed, realloc, dealloc.
    static CALLS: Cell<[u32; 4]> = const { Cell::new([0; 4]) };
}

struct Faulty;

impl Faulty {
    fn note(method: usize) {
        let mut calls = CALLS.get();
        calls[method] += 1;
        CALLS.set(calls);
    }

    fn blows() -> bool {
        let left = FUSE.get();
        FUSE.set(left.saturating_sub(u32::from(left != u32::MAX)));
        left == 0
    }
}

// SAFETY: passes everything on to the system's allocator, or returns null, which is allowed.
unsafe impl GlobalAlloc for Faulty {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note(0);
        if Self::blows() {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::note(1);
        if Self::blows() {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        Self::note(2);
        if Self::blows() {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's contract is the same.
        unsafe { System.realloc(block, layout, new_bytes) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Self::note(3);
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOC: Alloc<Faulty> = Alloc::new(Faulty);

/// Runs `f` with an allocator that fails from now on, and says what was counted.
fn failing<R>(f: impl FnOnce() -> R) -> (R, Delta) {
    let (result, delta) = measure(|| {
        FUSE.set(0);
        let result = f();
        FUSE.set(u32::MAX);
        result
    });
    (result, delta.expect("the allocator is installed"))
}

#[test]
fn each_method_is_forwarded_as_itself() {
    let before = CALLS.get();
    let mut bytes = black_box(vec![0_u8; 100]);
    bytes.reserve_exact(1000);
    drop(black_box(bytes));
    drop(black_box(Box::new(1_u8)));
    let after = CALLS.get();
    let calls: Vec<u32> = after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect();
    // The vector of counts above is made after `after` was read.
    assert_eq!(calls, [1, 1, 1, 2]);
    assert!(matches!(ALLOC.inner(), Faulty));
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

/// Fails each allocation of a program in turn: what was counted always matches what is left.
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

    let mut completed = false;
    for fuse in 0..100 {
        let before = thread().expect("the allocator is installed");
        FUSE.set(fuse);
        let result = program();
        FUSE.set(u32::MAX);
        completed = result.is_some();
        drop(result);
        let after = thread().expect("the allocator is installed");
        assert_eq!(
            after.allocated_bytes - before.allocated_bytes,
            after.freed_bytes - before.freed_bytes,
            "after {fuse} allocations"
        );
        assert_eq!(after.allocs - before.allocs, after.frees - before.frees);
        if completed {
            assert!(fuse >= 7, "the sweep ended before it failed anything");
            break;
        }
    }
    assert!(completed, "the sweep never reached a run that passes");
}

/// A failure inside a scope leaves the scope usable.
#[test]
fn assertions_hold_where_every_allocation_fails() {
    // Found out by an allocation that succeeds; other tests may not have come to it yet.
    assert!(thrifty_memstats::is_installed());
    let mut bytes: Vec<u8> = Vec::new();
    FUSE.set(0);
    let result = thrifty_memstats::assert_no_alloc!(bytes.try_reserve_exact(10).is_err());
    FUSE.set(u32::MAX);
    assert!(result, "a failed attempt is no allocation");
}
