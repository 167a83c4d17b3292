//! Failing allocations: at the chosen call, on the chosen thread, and never by accident.
#![expect(unsafe_code, reason = "drops a value twice, to see it noticed")]

use std::cell::Cell;
use std::collections::TryReserveError;
use std::hint::black_box;

use thrifty_testkit::{
    AllocFault, FailingAlloc, Fault as _, Ledger, Sweep, SweepError, exempt, in_child, quietly,
    thread_counts, together, with_failing,
};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

/// Three allocations, one of them a `realloc`.
fn subject() -> Result<Vec<Vec<u8>>, TryReserveError> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(100)?;
    bytes.push(1);
    bytes.try_reserve_exact(1000)?;
    let mut all = Vec::new();
    all.try_reserve_exact(1)?;
    all.push(bytes);
    Ok(all)
}

#[test]
fn each_site_fails_once() {
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run(subject);
        assert_eq!((swept.sites, swept.refused, swept.absorbed), (3, 3, 0));
    }
}

#[test]
fn a_fallback_counts_as_absorbed() {
    let swept = Sweep::over(AllocFault::Once).run(|| subject().or_else(|_| subject()));
    assert_eq!((swept.sites, swept.refused, swept.absorbed), (3, 0, 3));
    // Where memory stays away there is nothing to fall back on.
    let swept = Sweep::over(AllocFault::Onwards).run(|| subject().or_else(|_| subject()));
    assert_eq!((swept.refused, swept.absorbed), (3, 0));
}

#[test]
fn a_leak_after_a_failure_is_found() {
    // Where the second allocation fails, the first one stays behind.
    let left_behind = Cell::new(Vec::new());
    let leaky = || {
        let mut bytes: Vec<u8> = Vec::new();
        bytes.try_reserve_exact(64)?;
        let mut more: Vec<u8> = Vec::new();
        more.try_reserve_exact(1)
            .inspect_err(|_| left_behind.set(bytes))
    };
    let error = Sweep::over(AllocFault::Once)
        .unchanged("live", || thread_counts().live())
        .try_run(leaky)
        .unwrap_err();
    let SweepError::Broken { site, name, what } = &error else {
        panic!("{error}");
    };
    assert_eq!((*site, *name), (1, "live"));
    assert!(
        what.starts_with("was Some(") && what.contains("is Some("),
        "{what}"
    );
}

#[test]
fn a_program_that_allocates_nothing_is_no_sweep() {
    let error = Sweep::over(AllocFault::Once).try_run(|| Some(black_box(1)));
    assert_eq!(error, Err(SweepError::NeverBlew));
}

#[test]
fn only_the_thread_that_armed_it_fails() {
    let others = together(2, |index| {
        let mut bytes: Vec<u8> = Vec::new();
        let failures = thread_counts().failures;
        let (result, struck) = if index == 0 {
            with_failing(AllocFault::Onwards, 0, || bytes.try_reserve(10))
        } else {
            (bytes.try_reserve(10), 0)
        };
        (result.is_err(), struck, thread_counts().failures - failures)
    });
    assert_eq!(others, [(true, 1, 1), (false, 0, 0)]);
}

#[test]
fn every_method_is_counted_and_passed_on_as_itself() {
    let before = thread_counts();
    let mut bytes = black_box(vec![0_u8; 100]);
    assert_eq!(bytes, [0; 100]);
    bytes.reserve_exact(1000);
    let boxed = black_box(Box::new(1_u8));
    let during = thread_counts().since(&before);
    drop(bytes);
    drop(boxed);
    let after = thread_counts().since(&before);
    assert_eq!(during.live(), (1101, 2));
    assert_eq!((after.zeroed_allocs, after.reallocs), (1, 1));
    assert_eq!((after.allocs, after.frees, after.live()), (1, 2, (0, 0)));
}

#[test]
fn the_plan_ends_with_the_closure_also_by_a_panic() {
    quietly(|| {
        with_failing(AllocFault::Onwards, 0, || {
            panic!("{}", "a message to allocate")
        })
    })
    .expect_err("it panics");
    assert_eq!(AllocFault::Once.disarm(), 0);
    drop(black_box(Box::new(1)));
}

/// Whether an allocation fails; the vector goes before anything else can allocate.
fn one_fails() -> bool {
    Vec::<u8>::new().try_reserve(1).is_err()
}

#[test]
fn a_plan_armed_by_hand_ends_with_its_guard() {
    let armed = AllocFault::Onwards.arm(1);
    let during = [one_fails(), one_fails(), one_fails()];
    drop(armed);
    assert_eq!((during, one_fails()), ([false, true, true], false));
    quietly(|| {
        let _armed = AllocFault::Onwards.arm(0);
        panic!("on purpose");
    })
    .expect_err("it panics");
    assert!(!one_fails(), "the panic took the plan with it");
}

#[test]
fn plans_armed_by_hand_nest_and_none_comes_back() {
    let outer = AllocFault::Onwards.arm(0);
    let inner = AllocFault::Onwards.arm(1);
    let mut seen = [one_fails(), one_fails(), false, false];
    drop(inner);
    seen[2] = one_fails();
    let late = AllocFault::Onwards.arm(0);
    drop(outer);
    seen[3] = one_fails();
    drop(late);
    assert_eq!((seen, one_fails()), ([false, true, true, false], false));
}

thrifty_testkit::auto_traits! {
    thrifty_testkit::Armed: [!Send !Sync !Copy],
}

#[test]
fn an_exempt_part_neither_fails_nor_counts() {
    let before = thread_counts();
    let (kept, struck) = with_failing(AllocFault::Onwards, 0, || exempt(|| Box::new([1_u8; 100])));
    assert_eq!(struck, 0);
    assert_eq!(thread_counts(), before);
    exempt(|| drop(kept));
}

#[test]
fn a_ledger_works_where_every_allocation_fails() {
    let ledger = Ledger::new();
    let before = thread_counts();
    let ((), struck) = with_failing(AllocFault::Onwards, 0, || {
        for number in 0..1000 {
            drop(ledger.track(number));
        }
    });
    assert_eq!((struck, thread_counts()), (0, before));
    assert_eq!(ledger.born(), 1000);
    ledger.assert_balanced();
}

#[test]
fn a_plan_in_a_plan_gives_way_to_it_again() {
    let swept = Sweep::over(AllocFault::Once).run(|| {
        let (mut one, mut other) = (Vec::<u8>::new(), Vec::<u8>::new());
        one.try_reserve(1)?;
        let inner = with_failing(AllocFault::Once, 0, || {
            Vec::<u8>::new().try_reserve(1).is_err()
        });
        assert_eq!(inner, (true, 1));
        other.try_reserve(1)?;
        other.try_reserve(100)?;
        Ok::<_, TryReserveError>((one, other))
    });
    assert_eq!((swept.sites, swept.refused), (3, 3));
}

#[test]
fn a_leak_at_a_site_behind_a_caught_panic_is_found() {
    let left_behind = Cell::new(Vec::new());
    let error = Sweep::over(AllocFault::Once)
        .unchanged("live", || thread_counts().live())
        .try_run(|| {
            let mut bytes = Vec::<u8>::new();
            bytes.try_reserve_exact(1)?;
            let _ = quietly(|| panic!("makes a message of {} bytes", bytes.capacity()));
            let mut more = Vec::<u8>::new();
            more.try_reserve_exact(1)
                .inspect_err(|_| left_behind.set(bytes))
        })
        .unwrap_err();
    assert!(
        matches!(error, SweepError::Broken { name: "live", .. }),
        "{error}"
    );
}

#[test]
fn a_violation_is_said_where_every_allocation_fails() {
    in_child!(|| {
        let mut value = std::mem::ManuallyDrop::new(Ledger::new().track(1));
        // SAFETY: not dropped yet.
        unsafe { std::mem::ManuallyDrop::drop(&mut value) };
        with_failing(AllocFault::Onwards, 0, || {
            // SAFETY: broken on purpose; the bytes are still there, which is what a `Tracked` needs.
            unsafe { std::mem::ManuallyDrop::drop(&mut value) };
        });
    })
    .assert_panicked("value #0 is dropped twice");
}

#[test]
fn an_infallible_allocation_aborts() {
    in_child!(|| {
        let _armed = AllocFault::Onwards.arm(0);
        drop(black_box(Vec::<u8>::with_capacity(77)));
    })
    .assert_aborted("memory allocation of 77 bytes failed");
}
