//! Threads: many at once, one generation after the other, and what runs while one ends.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Barrier, Condvar, Mutex, PoisonError};
use std::thread;

use crate::ledger::{add_thread_garbage, thread_garbage};

/// Threads per core in [`oversubscribe`].
const PER_CORE: usize = 16;

/// Whether threads that have been started are to go on, once that is known.
#[derive(Default)]
struct Gate {
    goes: Mutex<Option<bool>>,
    is_known: Condvar,
}

impl Gate {
    fn decide(&self, goes: bool) {
        *self.goes.lock().unwrap_or_else(PoisonError::into_inner) = Some(goes);
        self.is_known.notify_all();
    }

    fn wait(&self) -> bool {
        let goes = self.goes.lock().unwrap_or_else(PoisonError::into_inner);
        let goes = self.is_known.wait_while(goes, |goes| goes.is_none());
        *goes.unwrap_or_else(PoisonError::into_inner) == Some(true)
    }
}

/// Runs `f` on so many threads at once, let go by a barrier. Returns what they return, in order.
///
/// All are joined, so that their thread-local destructors have run too, which the end of a scope
/// does not wait for.
///
/// # Panics
///
/// With the first thread's panic, after all have ended. Without having called `f`, if not all can be
/// started, or if there are to be none.
///
/// # Examples
///
/// ```
/// assert_eq!(thrifty_testkit::together(3, |index| index * index), [0, 1, 4]);
/// ```
#[track_caller]
pub fn together<R: Send>(threads: usize, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    assert!(threads > 0, "no threads are to do this");
    // The barrier waits for all, so nobody may come to it unless all do.
    let (gate, barrier) = (Gate::default(), Barrier::new(threads));
    let (started, results) = thread::scope(|scope| {
        let start = |index| {
            let (gate, barrier, f) = (&gate, &barrier, &f);
            let body = move || {
                let result = gate.wait().then(|| {
                    barrier.wait();
                    catch_unwind(AssertUnwindSafe(|| f(index)))
                });
                (result, thread_garbage())
            };
            thread::Builder::new().spawn_scoped(scope, body)
        };
        let mut handles = Vec::with_capacity(threads);
        let started = (0..threads).try_for_each(|index| start(index).map(|it| handles.push(it)));
        gate.decide(started.is_ok());
        let results: Vec<_> = handles.into_iter().map(|handle| handle.join()).collect();
        (started, results)
    });
    if let Err(error) = started {
        panic!(
            "thread {} of {threads} does not start: {error}",
            results.len()
        );
    }
    // All the garbage first, since the first panic ends the loop below.
    let garbage = results.iter().flatten().map(|(_, garbage)| garbage);
    add_thread_garbage(garbage.sum());
    let unwrap = |result: thread::Result<(Option<thread::Result<R>>, u64)>| match result {
        Ok((Some(Ok(result)), _)) => result,
        Ok((Some(Err(payload)), _)) | Err(payload) => resume_unwind(payload),
        Ok((None, _)) => unreachable!("the gate let all go"),
    };
    results.into_iter().map(unwrap).collect()
}

/// As [`together`], with 16 threads for each core: threads are descheduled anywhere.
///
/// # Panics
///
/// As [`together`] does.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let sum = AtomicUsize::new(0);
/// let threads = thrifty_testkit::oversubscribe(|_| sum.fetch_add(1, Ordering::Relaxed)).len();
/// assert_eq!(sum.into_inner(), threads);
/// ```
pub fn oversubscribe<R: Send>(f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    together(PER_CORE * cores, f)
}

/// Runs generations of short threads, each joined before the next starts. `f` gets a running number.
///
/// # Panics
///
/// As [`together`] does, and if there are to be no generations.
///
/// # Examples
///
/// ```
/// let ledger = thrifty_testkit::Ledger::new();
/// thrifty_testkit::churn(10, 4, |number| drop(ledger.track(number)));
/// assert_eq!(ledger.born(), 40);
/// ledger.assert_balanced();
/// ```
#[track_caller]
pub fn churn(generations: usize, threads: usize, f: impl Fn(usize) + Sync) {
    assert!(generations > 0, "no generations are to do this");
    for generation in 0..generations {
        together(threads, |index| f(generation * threads + index));
    }
}

/// Which of the two destructors around the subject's is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registered {
    /// The one that was registered before the subject's; where destructors run last to first, it
    /// runs after.
    Before,
    /// The one that was registered after the subject's; where destructors run last to first, it
    /// runs before.
    After,
}

type Late = Box<dyn FnOnce() + Send>;

/// Runs closures when its thread ends.
struct AtExit(RefCell<Vec<Late>>);

impl Drop for AtExit {
    fn drop(&mut self) {
        for late in self.0.get_mut().drain(..) {
            late();
        }
    }
}

thread_local! {
    static BEFORE: AtExit = const { AtExit(RefCell::new(Vec::new())) };
    static AFTER: AtExit = const { AtExit(RefCell::new(Vec::new())) };
}

/// Ends a thread that has used the subject, and calls `late` from destructors on both sides of it.
///
/// On a new thread: a destructor is registered, `touch` runs (and has the subject register its own),
/// another destructor is registered, the thread ends. Whatever the platform's order, one of the
/// calls comes while the subject's thread-locals live, and the other one when they are gone. (On
/// Linux, macOS and Windows Rust runs them last to first.)
///
/// Both calls have been made when this returns. They must not use `thread::current`, and other
/// thread-locals by `try_with` only.
///
/// # Panics
///
/// With the panic of `touch`, or the first of `late`; and if `late` was not called twice.
///
/// # Examples
///
/// ```
/// use std::cell::RefCell;
/// use thrifty_testkit::{Registered, around_tls_destructors};
///
/// thread_local! {
///     static CACHE: RefCell<Vec<u8>> = RefCell::new(vec![1]);
/// }
///
/// let refused = around_tls_destructors(
///     || CACHE.with_borrow_mut(|cache| cache.push(2)),
///     |_: Registered| CACHE.try_with(|_| ()).is_err(),
/// );
/// assert_eq!(refused.iter().filter(|(_, refused)| *refused).count(), 1);
/// ```
pub fn around_tls_destructors<R: Send + 'static>(
    touch: impl FnOnce() + Send,
    late: impl Fn(Registered) -> R + Send + Sync + 'static,
) -> Vec<(Registered, R)> {
    let late = Arc::new(late);
    let called = Arc::new(Mutex::new(Vec::new()));
    let call = |which| -> Late {
        let (late, called) = (Arc::clone(&late), Arc::clone(&called));
        // A panic in a thread-local's destructor would abort.
        Box::new(move || {
            let result = catch_unwind(AssertUnwindSafe(|| late(which)));
            called
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((which, result));
        })
    };
    thread::scope(|scope| {
        let before = call(Registered::Before);
        let after = call(Registered::After);
        let handle = scope.spawn(move || {
            BEFORE.with(|exit| exit.0.borrow_mut().push(before));
            touch();
            AFTER.with(|exit| exit.0.borrow_mut().push(after));
        });
        if let Err(payload) = handle.join() {
            resume_unwind(payload);
        }
    });
    let called = std::mem::take(&mut *called.lock().unwrap_or_else(PoisonError::into_inner));
    assert_eq!(called.len(), 2, "both destructors have run");
    let unwrap = |(which, result): (_, thread::Result<R>)| match result {
        Ok(result) => (which, result),
        Err(payload) => resume_unwind(payload),
    };
    called.into_iter().map(unwrap).collect()
}
