//! Threads that come together, come and go, end, and are forked away from.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use thrifty_testkit::{
    Child, Registered, around_tls_destructors, churn, in_address_space, message, oversubscribe,
    quietly, this_test, together,
};

#[test]
fn threads_are_there_at_the_same_time_and_answer_in_order() {
    // Passes only with all of them at once.
    let barrier = Barrier::new(5);
    let indices = together(5, |index| {
        barrier.wait();
        index
    });
    assert_eq!(indices, [0, 1, 2, 3, 4]);
}

#[cfg(target_os = "linux")]
#[test]
fn no_thread_is_let_go_before_all_are_there() {
    let counted = Barrier::new(64);
    let seen = together(64, |_| {
        let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
        counted.wait();
        threads
    });
    assert!(seen.iter().all(|threads| *threads >= 64), "{seen:?}");
}

#[test]
fn a_panic_comes_through_after_all_have_ended() {
    let ended = AtomicUsize::new(0);
    let payload = quietly(|| {
        together(4, |index| {
            ended.fetch_add(1, Ordering::Relaxed);
            quietly(|| assert_ne!(index, 2, "the third")).unwrap_or_else(|payload| {
                std::panic::resume_unwind(payload);
            });
        })
    })
    .unwrap_err();
    assert!(message(&*payload).contains("the third"));
    assert_eq!(ended.into_inner(), 4);
}

#[test]
fn there_are_more_threads_than_cores() {
    let cores = thread::available_parallelism().unwrap().get();
    let mut indices = oversubscribe(|index| index);
    indices.dedup();
    assert_eq!(indices.len(), 16 * cores);
}

#[test]
fn generations_follow_each_other_with_their_destructors() {
    thread_local! {
        static COUNTED: RefCell<Option<Counted>> = const { RefCell::new(None) };
    }
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            LIVE.fetch_sub(1, Ordering::Relaxed);
        }
    }

    let numbers = Mutex::new(Vec::new());
    churn(50, 3, |number| {
        let live = LIVE.fetch_add(1, Ordering::Relaxed);
        assert!(live < 3, "a generation found {live} others alive");
        COUNTED.set(Some(Counted));
        numbers.lock().unwrap().push(number);
    });
    assert_eq!(LIVE.load(Ordering::Relaxed), 0);
    let mut numbers = numbers.into_inner().unwrap();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..150));
}

thread_local! {
    static SUBJECT: Subject = const { Subject(Cell::new(0)) };
}

struct Subject(Cell<u32>);

impl Drop for Subject {
    fn drop(&mut self) {}
}

#[test]
fn one_call_comes_before_the_subject_s_destructor_and_one_after() {
    let touch = || SUBJECT.with(|subject| subject.0.set(7));
    let late = |_| SUBJECT.try_with(|subject| subject.0.get()).ok();
    let mut seen = around_tls_destructors(touch, late);
    if cfg!(any(target_os = "linux", target_vendor = "apple", windows)) {
        let expected = [(Registered::After, Some(7)), (Registered::Before, None)];
        assert_eq!(seen, expected);
    }
    seen.sort_by_key(|(_, seen)| *seen);
    assert_eq!([seen[0].1, seen[1].1], [None, Some(7)]);
}

#[test]
fn panics_of_both_closures_come_through() {
    let of = |f: &dyn Fn()| message(&*quietly(f).unwrap_err());
    let said = of(&|| {
        let touch =
            || quietly(|| panic!("at touch")).unwrap_or_else(|p| std::panic::resume_unwind(p));
        around_tls_destructors(touch, |_| ());
    });
    assert_eq!(said, "at touch");
    let said = of(&|| {
        let late = |which| {
            let result = quietly(|| assert_eq!(which, Registered::After, "late"));
            result.unwrap_or_else(|payload| std::panic::resume_unwind(payload));
        };
        around_tls_destructors(|| (), late);
    });
    assert!(said.contains("late"), "{said}");
}

#[cfg(unix)]
mod forked {
    use super::*;
    use thrifty_testkit::{Ending, fork, fork_for, is_skipped_under};

    /// Whether the test goes without, which it then says. At the end of a forked child valgrind looks
    /// for leaks, and to the child all is lost that threads hold which it does not have.
    fn is_skipped(test: &str) -> bool {
        let what = format!("{test}: a forked child leaks to it");
        is_skipped_under(&["valgrind"], &what)
    }

    #[test]
    fn children_of_a_busy_process_can_allocate() {
        if is_skipped(this_test!()) {
            return;
        }
        let busy = || drop(std::hint::black_box(vec![1_u8; 100]));
        let child = || assert_eq!(vec![1; 1000].len(), 1000);
        let forked = fork(50, busy, child);
        forked.assert_all_returned();
        assert_eq!(forked.returned, 50);
    }

    #[test]
    fn what_a_child_panics_with_is_said() {
        let child = Child::new(this_test!());
        let ended = child.run(|| drop(fork(1, || (), || panic!("number {}", 7))));
        ended.assert(Ending::Returned, "a forked child panicked: number 7");
    }

    #[test]
    fn children_that_panic_or_die_are_counted_as_such() {
        if is_skipped(this_test!()) {
            return;
        }
        let forked = fork(2, || (), || drop(quietly(|| panic!("in the child"))));
        assert_eq!(forked.returned, 2);
        let forked = fork(2, || (), || std::panic::resume_unwind(Box::new("silently")));
        assert_eq!((forked.returned, forked.panicked), (0, 2));
        let forked = fork(2, || (), || std::process::abort());
        assert_eq!((forked.returned, forked.died.len()), (0, 2));
        quietly(|| forked.assert_all_returned()).expect_err("they died");
        quietly(|| fork(0, || (), || ()).assert_all_returned()).expect_err("there was none");
    }

    #[test]
    fn a_child_that_waits_for_a_lock_of_a_thread_it_does_not_have_is_counted_as_hung() {
        let lock = Mutex::new(());
        let guard = lock.lock().unwrap();
        let forked = fork_for(1, 1, || (), || drop(lock.lock()));
        drop(guard);
        assert_eq!((forked.returned, forked.hung), (0, 1));
    }

    #[test]
    fn a_busy_thread_that_panics_ends_the_test_and_not_in_a_hang() {
        let busy = || std::panic::resume_unwind(Box::new("busy"));
        quietly(|| fork(1, busy, || ())).expect_err("it panics");
    }
}

#[test]
fn no_threads_at_all_prove_nothing() {
    let said = |f: fn()| message(&*quietly(f).expect_err("it runs nothing"));
    assert_eq!(
        said(|| drop(together(0, |_| ()))),
        "no threads are to do this"
    );
    assert_eq!(said(|| churn(1, 0, |_| ())), "no threads are to do this");
    assert_eq!(
        said(|| churn(0, 1, |_| ())),
        "no generations are to do this"
    );
}

#[test]
fn threads_that_do_not_all_start_do_not_hang() {
    let child = Child::new(this_test!()).timeout(Duration::from_secs(20));
    let ended = in_address_space(child, 40 << 20, || {
        together(200, |_| -> () { unreachable!("not all are there") });
    });
    if let Some(ended) = ended {
        ended.assert_panicked("of 200 does not start");
    }
}
