//! Readings and measurements.
#![forbid(unsafe_code)]

use crate::{
    frame::{Frame, Kind},
    installed::{self, NotInstalled},
    registry::ProcessScope,
    stats::{Delta, MemStats, ThreadStats},
    thread::{REGISTRY, counts, within},
};

/// Reads the counters of the whole process.
///
/// A few sums over one cache line per thread and 16 shared ones, some hundred nanoseconds in all; no
/// system call.
///
/// # Errors
///
/// When [`Alloc`](crate::Alloc) is not the global allocator.
///
/// # Concurrency
///
/// Wait-free. While other threads allocate and free, the reading is of no single moment: live bytes
/// are then right for some moment during the reading, give or take what was freed in its course.
/// Once the other threads have synchronised with this one (joined, sent a message), it is exact.
///
/// # Examples
///
/// See [`MemStats`].
pub fn read() -> Result<MemStats, NotInstalled> {
    installed::check()?;
    Ok(MemStats::new(REGISTRY.read(), REGISTRY.peak_bytes()))
}

/// Reads what the calling thread did since it began: a few loads.
///
/// # Errors
///
/// When [`Alloc`](crate::Alloc) is not the global allocator.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let before = thrifty_memstats::thread()?;
/// drop(Box::new([0_u8; 32]));
/// let after = thrifty_memstats::thread()?;
/// assert_eq!(after.allocated_bytes - before.allocated_bytes, 32);
/// assert_eq!(after.frees - before.frees, 1);
/// # Ok::<(), thrifty_memstats::NotInstalled>(())
/// ```
pub fn thread() -> Result<ThreadStats, NotInstalled> {
    installed::check()?;
    Ok(ThreadStats::new(counts()))
}

/// Runs `f` and says what the calling thread allocated and freed meanwhile, exactly, with the peak.
///
/// Scopes nest: what an inner one counts, the outer ones count too. What other threads do is not
/// counted; see [`measure_process`]. `f` runs in any case; only the second part of the answer can
/// be missing. Inside, an event costs some twenty nanoseconds more than outside.
///
/// Counts are of the program as compiled: an optimised build may have removed an allocation that
/// a debug build makes.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let (sum, delta) = thrifty_memstats::measure(|| {
///     let numbers: Vec<u64> = (0..1000).collect();
///     numbers.iter().sum::<u64>()
/// });
/// let delta = delta?;
/// assert_eq!(sum, 499_500);
/// assert_eq!((delta.allocs, delta.allocated_bytes, delta.peak_bytes), (1, 8000, 8000));
/// assert_eq!(delta.net_bytes(), 0);
/// # Ok::<(), thrifty_memstats::NotInstalled>(())
/// ```
pub fn measure<R>(f: impl FnOnce() -> R) -> (R, Result<Delta, NotInstalled>) {
    if let Err(error) = installed::check() {
        return (f(), Err(error));
    }
    let frame = Frame::new(Kind::Measure);
    let result = within(&frame, f);
    (result, Ok(frame.delta()))
}

/// Runs `f` and says what all threads of the process allocated and freed meanwhile.
///
/// Counts and bytes are exact when the threads that worked have been joined by the end of `f`.
///
/// The peak is not above the truth, and below it by at most 4 KiB per thread: while a process
/// scope is open, each thread looks for a peak after that many bytes, which makes allocating
/// a few nanoseconds dearer. Of more than eight process scopes open at once, the later ones know
/// the live bytes at their two ends only.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let ((), delta) = thrifty_memstats::measure_process(|| {
///     let workers: Vec<_> =
///         (0..4).map(|_| std::thread::spawn(|| drop(vec![0_u8; 1 << 20]))).collect();
///     workers.into_iter().for_each(|worker| worker.join().unwrap());
/// });
/// assert!(delta?.allocated_bytes >= 4 << 20);
/// # Ok::<(), thrifty_memstats::NotInstalled>(())
/// ```
pub fn measure_process<R>(f: impl FnOnce() -> R) -> (R, Result<Delta, NotInstalled>) {
    /// Closes the scope when `f` unwinds, too.
    struct Open(ProcessScope);
    impl Drop for Open {
        fn drop(&mut self) {
            REGISTRY.end(&self.0);
        }
    }

    if let Err(error) = installed::check() {
        return (f(), Err(error));
    }
    let open = Open(REGISTRY.open());
    let result = f();
    let (counts, peak_bytes) = REGISTRY.follow(&open.0);
    (result, Ok(Delta::new(counts, peak_bytes)))
}

/// The mean number of allocations (and reallocations) of one run of `f` on this thread.
///
/// `f` runs once more before, to warm up what it fills on first use, like Go's
/// `testing.AllocsPerRun`; unlike there the mean is not rounded.
///
/// # Errors
///
/// When [`Alloc`](crate::Alloc) is not the global allocator; `f` is then not run.
///
/// # Panics
///
/// When `runs` is zero: a mean of nothing would be a check that checks nothing.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let mut line = String::new();
/// let per_run = thrifty_memstats::allocs_per_run(100, || {
///     line.clear();
///     line.push_str("reused");
/// })?;
/// assert_eq!(per_run, 0.0);
/// # Ok::<(), thrifty_memstats::NotInstalled>(())
/// ```
pub fn allocs_per_run<R>(runs: u32, mut f: impl FnMut() -> R) -> Result<f64, NotInstalled> {
    assert!(runs > 0, "allocs_per_run needs at least one run");
    installed::check()?;
    drop(f());
    let frame = Frame::new(Kind::Measure);
    within(&frame, || {
        for _ in 0..runs {
            drop(f());
        }
    });
    Ok(frame.counts.get().alloc_calls() as f64 / f64::from(runs))
}

impl Frame<'_> {
    pub(crate) fn delta(&self) -> Delta {
        Delta::new(
            self.counts.get(),
            u64::try_from(self.peak_bytes.get()).unwrap_or(0),
        )
    }
}

/// Runs `f` hidden from the assertions around it.
///
/// For the exception inside a scope that must not allocate: a log line, a metric that grows once.
/// [`measure`] still counts what `f` does, and an assertion inside `f` still asserts.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// thrifty_memstats::assert_no_alloc!({
///     thrifty_memstats::allow_alloc(|| drop(String::from("a log line")));
/// });
/// ```
pub fn allow_alloc<R>(f: impl FnOnce() -> R) -> R {
    within(&Frame::new(Kind::Allow), f)
}
