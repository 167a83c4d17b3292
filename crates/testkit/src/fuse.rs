//! A fuse in the user's callbacks: it panics at a chosen one.

#![forbid(unsafe_code)]

use std::fmt;
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::sweep::Fault;

/// What a blown [`Fuse`] panics with.
///
/// # Examples
///
/// ```
/// use thrifty_testkit::{Blown, Fault, Fuse, quietly};
///
/// let fuse = Fuse::new();
/// fuse.arm(0);
/// let payload = quietly(|| fuse.call()).unwrap_err();
/// assert_eq!(payload.downcast_ref::<Blown>().unwrap().call, 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blown {
    /// Which call it was, from 0.
    pub call: u64,
}

impl fmt::Display for Blown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the fuse blew at call {}", self.call)
    }
}

/// Panics at the chosen one of the callbacks it is put into: constructor, reset, drop, closure.
///
/// Clones are the same fuse. It blows once for each time that it is armed, and prints nothing in a
/// sweep or [`quietly`](crate::quietly); elsewhere a line, so that a test which it ends says why.
/// A call while the thread is already unwinding counts and passes: a second panic would abort, which
/// is a case for a [child](crate::in_child).
///
/// # Concurrency
///
/// Calls from any threads count together, relaxed: a fuse orders nothing and hides no race.
///
/// # Examples
///
/// ```
/// use thrifty_testkit::{Fuse, Sweep};
///
/// let fuse = Fuse::new();
/// let mut kept = Vec::new();
/// let swept = Sweep::over(&fuse).check("at most 3", || Ok(())).run(|| {
///     kept.clear();
///     kept.extend((0..3).inspect(|_| fuse.call()));
/// });
/// assert_eq!(swept.unwound, 3);
/// ```
#[derive(Debug, Clone)]
pub struct Fuse {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    calls: AtomicU64,
    /// The call that panics; `u64::MAX` for none.
    target: AtomicU64,
    struck: AtomicU64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            calls: AtomicU64::new(0),
            target: AtomicU64::new(u64::MAX),
            struck: AtomicU64::new(0),
        }
    }
}

impl Fuse {
    /// A fuse that is not armed.
    #[must_use]
    pub fn new() -> Self {
        crate::quiet::install();
        Self {
            state: Arc::default(),
        }
    }

    /// Stands in each callback.
    ///
    /// # Panics
    ///
    /// With [`Blown`], where this call is the chosen one.
    pub fn call(&self) {
        let call = self.state.calls.fetch_add(1, Relaxed);
        if call == self.state.target.load(Relaxed) {
            self.state.struck.fetch_add(1, Relaxed);
            if !std::thread::panicking() {
                panic_any(Blown { call });
            }
        }
    }

    /// Calls since the fuse was last armed.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state.calls.load(Relaxed)
    }
}

impl Default for Fuse {
    fn default() -> Self {
        Self::new()
    }
}

impl Fault for Fuse {
    fn arm(&self, after: u64) {
        self.state.calls.store(0, Relaxed);
        self.state.struck.store(0, Relaxed);
        self.state.target.store(after, Relaxed);
    }

    fn disarm(&self) -> u64 {
        self.state.target.store(u64::MAX, Relaxed);
        self.state.struck.load(Relaxed)
    }
}

impl<F: Fault + ?Sized> Fault for &F {
    fn arm(&self, after: u64) {
        (**self).arm(after);
    }

    fn disarm(&self) -> u64 {
        (**self).disarm()
    }
}
