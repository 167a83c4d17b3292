//! All at once: failing and poisoned memory under values that a ledger knows.
#![expect(unsafe_code, reason = "looks at memory that holds no value")]

use std::collections::TryReserveError;
use std::mem::MaybeUninit;

use thrifty_testkit::{
    AllocFault, FailingAlloc, Fuse, Ledger, PoisonAlloc, Sweep, Tracked, message, quietly,
    thread_counts,
};

#[global_allocator]
static ALLOC: FailingAlloc<PoisonAlloc> = FailingAlloc::new(PoisonAlloc::system());

/// Values on the heap; whatever ends this early, they are dropped.
fn subject(ledger: Ledger, fuse: &Fuse) -> Result<Vec<Tracked<u32>>, TryReserveError> {
    let mut all = Vec::new();
    for number in 0..8 {
        fuse.call();
        all.try_reserve(1)?;
        all.push(ledger.track(number));
    }
    Ok(all)
}

#[test]
fn values_survive_failing_allocations_and_panics() {
    let (ledger, fuse) = (Ledger::new(), Fuse::new());
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .check("ledger", || ledger.check())
            .run(|| subject(ledger, &fuse));
        assert_eq!((swept.sites, swept.refused), (2, 2), "4, then 8 places");
    }
    let swept = Sweep::over(&fuse)
        .unchanged("live", || thread_counts().live())
        .check("ledger", || ledger.check())
        .run(|| subject(ledger, &fuse));
    assert_eq!((swept.sites, swept.unwound), (8, 8));
}

#[test]
fn what_was_never_written_is_no_value() {
    let said = |place: &MaybeUninit<Tracked<u32>>| {
        // SAFETY: valid in the sense that any bytes are a `Tracked` of integers, a raw pointer and a
        // `MaybeUninit`, and the allocator has written these; shared: nobody writes meanwhile.
        let value = unsafe { place.assume_init_ref() };
        message(&*quietly(|| value.serial()).expect_err("it is no value"))
    };
    let place = Box::<Tracked<u32>>::new_uninit();
    assert_eq!(
        said(&place),
        "no tracked value is here: cookie 0xa5a5a5a5a5a5a5a5"
    );
}
