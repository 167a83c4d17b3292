//! Panics at every callback; what a sweep must not accept.
#![expect(unsafe_code, reason = "a vector that is too long, to see it noticed")]

use std::cell::Cell;

use thrifty_testkit::{
    FRESH, Fault, Fuse, Ledger, Sweep, SweepError, Swept, Tracked, garbage_met, quietly, together,
};

/// Extends a vector, and may set the length before the elements are there.
fn extend(all: &mut Vec<u32>, fuse: &Fuse, is_buggy: bool) {
    if is_buggy {
        all.resize(3, u32::MAX);
        for place in all {
            fuse.call();
            *place = 1;
        }
    } else {
        for _ in 0..3 {
            fuse.call();
            all.push(1);
        }
    }
}

fn sweep_of(is_buggy: bool) -> Result<Swept, SweepError> {
    let fuse = Fuse::new();
    let all = std::cell::RefCell::new(Vec::new());
    Sweep::over(&fuse)
        .check("written", || {
            let is_written = all.borrow().iter().all(|item| *item == 1);
            is_written.then_some(()).ok_or_else(|| format!("{all:?}"))
        })
        .try_run(|| {
            all.borrow_mut().clear();
            extend(&mut all.borrow_mut(), &fuse, is_buggy);
        })
}

#[test]
fn the_right_order_survives_and_the_wrong_one_is_caught() {
    let swept = sweep_of(false).unwrap();
    assert_eq!((swept.sites, swept.unwound, swept.absorbed), (3, 3, 0));
    let error = sweep_of(true).unwrap_err();
    let name = "written";
    assert!(
        matches!(&error, SweepError::Broken { site: 0, name: found, .. } if *found == name),
        "{error}"
    );
}

#[test]
fn a_lost_value_is_caught() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let error = Sweep::over(&fuse)
        .check("ledger", || ledger.check())
        .try_run(|| {
            let value = std::mem::ManuallyDrop::new(ledger.track(1));
            fuse.call();
            drop(std::mem::ManuallyDrop::into_inner(value));
        })
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "fault at site 0: ledger: 1 of 1 values were never dropped: #0"
    );
}

#[test]
fn a_callback_that_is_never_reached_is_no_sweep() {
    let error = Sweep::over(Fuse::new()).try_run(|| ());
    assert_eq!(error, Err(SweepError::NeverBlew));
}

#[test]
fn a_program_that_never_passes_is_no_sweep() {
    let fuse = Fuse::new();
    let error = Sweep::over(&fuse).max_runs(20).try_run(|| {
        while fuse.calls() < u64::MAX {
            fuse.call();
        }
    });
    assert_eq!(error, Err(SweepError::NeverPassed { runs: 20 }));
}

#[test]
fn a_failure_without_a_fault_is_an_error() {
    let fuse = Fuse::new();
    let error = Sweep::over(&fuse).try_run(|| {
        fuse.call();
        Err::<(), _>("always")
    });
    let what = "\"always\"".to_owned();
    assert_eq!(error, Err(SweepError::Unprovoked { what }));
    let error = quietly(|| {
        Sweep::over(&fuse).try_run(|| {
            fuse.call();
            assert_eq!(fuse.calls(), 0, "always");
        })
    });
    let Ok(Err(SweepError::Unprovoked { what })) = error else {
        panic!("{error:?}");
    };
    assert!(what.contains("always"), "{what}");
}

#[test]
fn a_panic_that_is_not_the_fuse_s_is_an_error() {
    let fuse = Fuse::new();
    let error = quietly(|| {
        Sweep::over(&fuse).try_run(|| {
            if quietly(|| fuse.call()).is_err() {
                panic!("made worse");
            }
        })
    });
    let what = "made worse".to_owned();
    let expected = SweepError::Panicked { site: 0, what };
    assert_eq!(error.unwrap(), Err(expected));
}

#[test]
#[should_panic(expected = "the fault never struck")]
fn the_panicking_form_says_the_same() {
    Sweep::over(Fuse::new()).run(|| ());
}

#[test]
fn a_panic_that_the_subject_swallows_is_absorbed() {
    let fuse = Fuse::new();
    let swept = Sweep::over(&fuse).run(|| {
        // The subject goes on without what the callback would have made.
        let _ = quietly(|| fuse.call());
    });
    assert_eq!((swept.sites, swept.unwound, swept.absorbed), (1, 0, 1));
}

#[test]
fn a_fuse_passes_while_the_thread_unwinds_and_the_sweep_goes_on() {
    struct InDrop<'a>(&'a Fuse);
    impl Drop for InDrop<'_> {
        fn drop(&mut self) {
            self.0.call();
        }
    }
    let fuse = Fuse::new();
    let swept = Sweep::over(&fuse).run(|| {
        let _ = quietly(|| {
            let _in_drop = InDrop(&fuse);
            panic!("unwinds over the callback");
        });
        fuse.call();
    });
    assert_eq!((swept.sites, swept.absorbed, swept.unwound), (2, 1, 1));
}

#[test]
fn a_fuse_counts_the_calls_of_all_threads_and_blows_once() {
    let fuse = Fuse::new();
    fuse.arm(1000);
    let blown = together(4, |_| {
        (0..500)
            .filter(|_| quietly(|| fuse.call()).is_err())
            .count()
    });
    assert_eq!((blown.iter().sum::<usize>(), fuse.calls()), (1, 2000));
    assert_eq!(fuse.disarm(), 1);
}

#[test]
fn what_the_program_returns_is_dropped_before_the_check_and_after_the_fault() {
    struct AtDrop<'a>(&'a Cell<u32>, &'a Fuse);
    impl Drop for AtDrop<'_> {
        fn drop(&mut self) {
            self.1.call();
            self.0.set(self.0.get() + 1);
        }
    }
    let (drops, runs, fuse) = (Cell::new(0), Cell::new(0), Fuse::new());
    let swept = Sweep::over(&fuse)
        .check("dropped", || {
            runs.set(runs.get() + 1);
            let kept = runs.get() - 1;
            (drops.get() == kept)
                .then_some(())
                .ok_or_else(|| format!("{drops:?}"))
        })
        .run(|| {
            fuse.call();
            Some(AtDrop(&drops, &fuse))
        });
    assert_eq!((swept.sites, drops.get()), (1, 1));
}

#[test]
fn a_drop_that_panics_is_an_error_with_its_site() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let fuse = Fuse::new();
    let swallow = || drop(quietly(|| fuse.call()));
    let what = "dropping what the run left: in drop".to_owned();
    let expected = Err(SweepError::Panicked { site: 0, what });
    let returned = quietly(|| {
        let swept = Sweep::over(&fuse).try_run(|| {
            swallow();
            Some(Bad)
        });
        assert_eq!(fuse.disarm(), 1, "the sweep has ended in order");
        swept
    });
    assert_eq!(returned.unwrap(), expected);
    let made = quietly(|| Sweep::over(&fuse).try_run_with(|| Bad, |_| swallow()));
    assert_eq!(made.unwrap(), expected);
}

#[test]
fn what_survives_a_run_hides_sites_and_a_fresh_subject_does_not() {
    let fuse = Fuse::new();
    let fill = |cache: &mut Vec<u32>| {
        // As a cache: what is there is not made again.
        while cache.len() < 6 {
            fuse.call();
            cache.push(1);
        }
    };
    let mut kept = Vec::new();
    assert_eq!(Sweep::over(&fuse).run(|| fill(&mut kept)).sites, 3);
    assert_eq!(Sweep::over(&fuse).run_with(Vec::new, fill).sites, 6);
}

#[test]
fn setup_meets_no_fault_and_its_subject_is_dropped_before_the_conditions() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let swept = Sweep::over(&fuse)
        .check("ledger", || ledger.check())
        .run_with(
            || {
                fuse.call();
                ledger.track(1)
            },
            |value| {
                fuse.call();
                Some(**value)
            },
        );
    assert_eq!((swept.sites, swept.unwound), (1, 1));
    assert_eq!(ledger.born(), 2);
}

/// A vector that claims its elements before they are there.
fn claim_too_early(fuse: &Fuse, ledger: Ledger) -> Vec<Tracked<u64>> {
    let mut all: Vec<Tracked<u64>> = Vec::with_capacity(4);
    let start = all.as_mut_ptr();
    // SAFETY: valid and exclusive: the vector's own room for four.
    unsafe { start.write_bytes(FRESH, 4) };
    // SAFETY: broken on purpose, as the elements are written below; a `Tracked` stands any bytes.
    unsafe { all.set_len(4) };
    for index in 0..4 {
        fuse.call();
        // SAFETY: in bounds of the four.
        let place = unsafe { start.add(index) };
        // SAFETY: valid and exclusive, as above.
        unsafe { place.write(ledger.track(1)) };
    }
    all
}

#[test]
fn garbage_dropped_while_unwinding_is_caught() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let error = Sweep::over(&fuse)
        .try_run(|| Some(claim_too_early(&fuse, ledger)))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "fault at site 0: tracked values: 4 drops or uses of bytes that are no tracked value"
    );
    let said = ledger.check().unwrap_err();
    assert!(said.starts_with("4 drops or uses"), "{said}");
    assert!(garbage_met() >= 4);
    Ledger::new().assert_balanced();
}
