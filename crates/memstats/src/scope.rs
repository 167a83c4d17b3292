//! Named scopes that add up: closures and futures.

use alloc::borrow::Cow;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use thrifty_sync::{
    atomic::{AtomicU64, Ordering},
    ord,
    sync::Arc,
};

use crate::{
    counts::Counts,
    frame::{Frame, Kind},
    installed::{self, NotInstalled},
    stats::Delta,
    thread::within,
};

/// A name under which allocations are added up: of closures, and of futures while they are polled.
///
/// A handle: clones add to the same sums, from any thread. There is no guard object, so nothing can
/// be held across an `.await` by mistake and count the work of other tasks.
///
/// # Memory
///
/// One shared block of about 100 bytes and the name.
///
/// # Concurrency
///
/// Wait-free; the sums are relaxed atomic additions, one batch per closure or poll. They are
/// exact once those who ran under the scope have synchronised with the reader.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::AllocScope;
///
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let parsing = AllocScope::new("parse");
/// for line in ["a b", "c d e"] {
///     parsing.run(|| line.split(' ').map(String::from).collect::<Vec<_>>());
/// }
/// let stats = parsing.stats()?;
/// assert_eq!(stats.runs, 2);
/// assert_eq!(stats.delta.allocs, 2 + 5);
/// # Ok::<(), thrifty_memstats::NotInstalled>(())
/// ```
#[derive(Debug, Clone)]
pub struct AllocScope(Arc<Sums>);

#[derive(Debug)]
struct Sums {
    name: Cow<'static, str>,
    runs: AtomicU64,
    polls: AtomicU64,
    allocated_bytes: AtomicU64,
    freed_bytes: AtomicU64,
    resized_bytes: AtomicU64,
    moved_bytes: AtomicU64,
    allocs: AtomicU64,
    frees: AtomicU64,
    reallocs: AtomicU64,
    peak_bytes: AtomicU64,
}

/// What an [`AllocScope`] added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeStats {
    /// Closures that ran, and futures that were completed or dropped.
    pub runs: u64,
    /// Times that futures were polled.
    pub polls: u64,
    /// The sum over all runs; its peak is the highest of any single run.
    pub delta: Delta,
}

impl AllocScope {
    /// A scope with nothing counted yet.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Sums {
            name: name.into(),
            runs: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            allocated_bytes: AtomicU64::new(0),
            freed_bytes: AtomicU64::new(0),
            resized_bytes: AtomicU64::new(0),
            moved_bytes: AtomicU64::new(0),
            allocs: AtomicU64::new(0),
            frees: AtomicU64::new(0),
            reallocs: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
        }))
    }

    /// The name given at the start.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Runs `f` and adds what it allocated on this thread.
    ///
    /// When `f` panics, what it allocated until then is added, too.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        if !installed::is_installed() {
            return f();
        }
        let progress = Progress::default();
        let add = AddOnDrop {
            sums: &self.0,
            progress: &progress,
            ends_run: true,
        };
        let result = progress.continue_in(f);
        drop(add);
        result
    }

    /// Wraps a future so that its polls, and its end, count under this scope.
    ///
    /// Counted is what the polling thread does between the beginning and the end of each poll, so
    /// the future may move from thread to thread, and tasks polled in between do not count. When
    /// the future is done, or is dropped before, the destruction of what it holds counts as well.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
    /// use thrifty_memstats::AllocScope;
    ///
    /// #[global_allocator]
    /// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
    ///
    /// let requests = AllocScope::new("request");
    /// let answer = requests.in_future(async { String::from("hello").len() });
    /// # let mut context = Context::from_waker(Waker::noop());
    /// # assert_eq!(pin!(answer).poll(&mut context), Poll::Ready(5));
    /// assert_eq!(requests.stats()?.delta.allocated_bytes, 5);
    /// # Ok::<(), thrifty_memstats::NotInstalled>(())
    /// ```
    pub fn in_future<F: Future>(&self, future: F) -> InFuture<F> {
        InFuture {
            future: Some(future),
            scope: self.clone(),
            progress: Progress::default(),
        }
    }

    /// What was added up so far.
    ///
    /// # Errors
    ///
    /// When [`Alloc`](crate::Alloc) is not the global allocator.
    pub fn stats(&self) -> Result<ScopeStats, NotInstalled> {
        installed::check()?;
        let sums = &self.0;
        // ORDERING(memstats.scope_sum): Relaxed; each is a sum of its own, exact when quiet.
        let load = |sum: &AtomicU64| sum.load(ord!(memstats.scope_sum, Relaxed));
        let counts = Counts {
            allocated_bytes: load(&sums.allocated_bytes),
            freed_bytes: load(&sums.freed_bytes),
            resized_bytes: load(&sums.resized_bytes),
            moved_bytes: load(&sums.moved_bytes),
            allocs: load(&sums.allocs),
            frees: load(&sums.frees),
            reallocs: load(&sums.reallocs),
        };
        Ok(ScopeStats {
            runs: load(&sums.runs),
            polls: load(&sums.polls),
            delta: Delta::new(counts, load(&sums.peak_bytes)),
        })
    }
}

impl Sums {
    fn add(&self, counts: Counts, peak_bytes: i64) {
        // ORDERING(memstats.scope_add): Relaxed; see memstats.scope_sum.
        let order: Ordering = ord!(memstats.scope_add, Relaxed);
        self.allocated_bytes
            .fetch_add(counts.allocated_bytes, order);
        self.freed_bytes.fetch_add(counts.freed_bytes, order);
        self.resized_bytes.fetch_add(counts.resized_bytes, order);
        self.moved_bytes.fetch_add(counts.moved_bytes, order);
        self.allocs.fetch_add(counts.allocs, order);
        self.frees.fetch_add(counts.frees, order);
        self.reallocs.fetch_add(counts.reallocs, order);
        self.peak_bytes
            .fetch_max(u64::try_from(peak_bytes).unwrap_or(0), order);
    }
}

/// What one run did so far, over all its polls.
#[derive(Debug, Default, Clone)]
struct Progress {
    counts: core::cell::Cell<Counts>,
    added: core::cell::Cell<Counts>,
    peak_bytes: core::cell::Cell<i64>,
}

impl Progress {
    /// Runs `f` in a frame that begins where the last one of this run ended.
    fn continue_in<R>(&self, f: impl FnOnce() -> R) -> R {
        /// Takes the figures out of the frame, also when `f` unwinds.
        struct Save<'a>(&'a Frame<'a>, &'a Progress);
        impl Drop for Save<'_> {
            fn drop(&mut self) {
                self.1.counts.set(self.0.counts.get());
                self.1.peak_bytes.set(self.0.peak_bytes.get());
            }
        }

        let frame = Frame::new(Kind::Measure);
        frame.counts.set(self.counts.get());
        frame.peak_bytes.set(self.peak_bytes.get());
        let _save = Save(&frame, self);
        within(&frame, f)
    }

    /// What was counted since the last call.
    fn take_new(&self) -> Counts {
        let counts = self.counts.get();
        counts.minus(self.added.replace(counts))
    }
}

/// Adds a run's new figures to the sums, also when the run unwinds.
struct AddOnDrop<'a> {
    sums: &'a Sums,
    progress: &'a Progress,
    ends_run: bool,
}

impl Drop for AddOnDrop<'_> {
    fn drop(&mut self) {
        self.sums
            .add(self.progress.take_new(), self.progress.peak_bytes.get());
        if self.ends_run {
            // ORDERING(memstats.scope_add): Relaxed; see memstats.scope_sum.
            self.sums
                .runs
                .fetch_add(1, ord!(memstats.scope_add, Relaxed));
        }
    }
}

/// A future whose polls are counted; from [`AllocScope::in_future`].
#[must_use = "futures do nothing unless polled"]
pub struct InFuture<F> {
    /// `None` once the future is done. Pinned together with `self`.
    future: Option<F>,
    scope: AllocScope,
    progress: Progress,
}

impl<F> InFuture<F> {
    /// Splits a pinned reference: the future stays pinned, the rest does not.
    fn project(self: Pin<&mut Self>) -> (Pin<&mut Option<F>>, &AllocScope, &Progress) {
        // SAFETY: nothing is moved out of the reference below: `future` is pinned again at once,
        // and the other two are only lent out.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `future` is structurally pinned: it is reached by no other path than this one
        // and `drop`, which pins it too; it is never moved, only dropped in place by `Pin::set`;
        // `InFuture` is `Unpin` only if `F` is, by the automatic implementation, and is not
        // packed.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        (future, &this.scope, &this.progress)
    }

    /// Drops the future, counting; the run is over.
    fn finish(self: Pin<&mut Self>) {
        let (mut future, scope, progress) = self.project();
        if future.is_none() {
            return;
        }
        let mut drop_future = || future.set(None);
        if installed::is_installed() {
            let _add = AddOnDrop {
                sums: &scope.0,
                progress,
                ends_run: true,
            };
            progress.continue_in(drop_future);
        } else {
            drop_future();
        }
    }
}

impl<F: Future> Future for InFuture<F> {
    type Output = F::Output;

    /// # Panics
    ///
    /// When polled again after it was done.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let (future, scope, progress) = self.as_mut().project();
        let future = future
            .as_pin_mut()
            .expect("an AllocScope's future was polled after its end");
        let output = if installed::is_installed() {
            // ORDERING(memstats.scope_add): Relaxed; see memstats.scope_sum.
            scope
                .0
                .polls
                .fetch_add(1, ord!(memstats.scope_add, Relaxed));
            let _add = AddOnDrop {
                sums: &scope.0,
                progress,
                ends_run: false,
            };
            progress.continue_in(|| future.poll(context))
        } else {
            future.poll(context)
        };
        if output.is_ready() {
            self.finish();
        }
        output
    }
}

impl<F> Drop for InFuture<F> {
    fn drop(&mut self) {
        // SAFETY: `self` is being dropped and is not moved before its memory goes: what
        // `Pin::new_unchecked` asks of the pointee. If the future was polled, `self` was pinned
        // all along.
        unsafe { Pin::new_unchecked(self) }.finish();
    }
}

impl<F> fmt::Debug for InFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFuture")
            .field("scope", &self.scope.name())
            .field("done", &self.future.is_none())
            .finish_non_exhaustive()
    }
}
