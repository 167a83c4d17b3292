//! Samples of the process's memory over time, and their picture.
#![forbid(unsafe_code)]

mod chart;
mod recorder;

use core::fmt;
use core::mem::ManuallyDrop;
use core::time::Duration;
use std::{io, process, sync::PoisonError};

use thrifty_sync::{
    clock::{Clock, SystemClock},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::{Builder, JoinHandle},
};

use self::recorder::Recorder;

pub use self::{chart::Chart, recorder::Sample};

/// A thread that takes a sample of the process's memory at a fixed rate; from
/// [`every`](Self::every).
///
/// Dropping it ends the thread.
///
/// # Memory
///
/// 72 bytes per sample of the ring, allocated at the start; a thread's stack.
///
/// # Concurrency
///
/// A sample is one [`read`](crate::read()) and one question to the system. Nobody waits for it. In a
/// child that has forked there is no such thread: samples come from [`sample_now`](Self::sample_now).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use thrifty_memstats::Monitor;
///
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let monitor = Monitor::every(Duration::from_secs(1)).ring(600).spawn()?;
/// // The program works.
/// monitor.sample_now();
/// println!("{}", monitor.chart());
/// let svg = monitor.chart().to_svg(800, 300);
/// assert!(svg.starts_with("<svg"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Monitor {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Where the thread is.
    process: u32,
}

struct Shared {
    inner: Mutex<Inner>,
    ended: Condvar,
}

struct Inner {
    recorder: Recorder,
    stop: bool,
}

/// What a monitor is to be like; from [`Monitor::every`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "nothing is sampled before `spawn`"]
pub struct MonitorBuilder {
    every: Duration,
    ring: usize,
}

impl Monitor {
    /// A monitor that takes a sample each time so much time has passed, a millisecond at least.
    pub const fn every(every: Duration) -> MonitorBuilder {
        MonitorBuilder { every, ring: 600 }
    }

    /// The samples in the ring, oldest first.
    pub fn samples(&self) -> Vec<Sample> {
        self.shared.lock().recorder.oldest_first()
    }

    /// Takes a sample beside those that time brings.
    pub fn sample_now(&self) {
        self.shared.sample();
    }

    /// The picture of the samples in the ring.
    pub fn chart(&self) -> Chart {
        Chart::new(self.samples())
    }
}

impl MonitorBuilder {
    /// How many samples are kept; the oldest goes when one more comes. 600 unless set, 2 at least.
    pub const fn ring(mut self, samples: usize) -> Self {
        self.ring = if samples < 2 { 2 } else { samples };
        self
    }

    /// Takes the first sample and starts the thread.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started, or there is no memory for the ring.
    pub fn spawn(self) -> io::Result<Monitor> {
        let every = self.every.max(Duration::from_millis(1));
        let recorder = Recorder::new(self.ring, SystemClock.now())
            .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let shared = Arc::new(Shared {
            inner: Mutex::new(Inner {
                recorder,
                stop: false,
            }),
            ended: Condvar::new(),
        });
        shared.sample();
        let own = Arc::clone(&shared);
        let thread = Builder::new()
            .name("thrifty-monitor".into())
            .spawn(move || own.run(every))?;
        Ok(Monitor {
            shared,
            thread: Some(thread),
            process: process::id(),
        })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, every: Duration) {
        loop {
            let (inner, timeout) = self
                .ended
                .wait_timeout_while(self.lock(), every, |inner| !inner.stop)
                .unwrap_or_else(PoisonError::into_inner);
            drop(inner);
            if !timeout.timed_out() {
                return;
            }
            self.sample();
        }
    }

    /// Takes a sample, which is made before the lock is taken: the system may take its time.
    fn sample(&self) {
        let stats = crate::read().ok();
        let trims = trims();
        let resident = crate::os::memory().resident_bytes;
        let mut inner = self.lock();
        // The hour under the lock, or two threads' samples could stand in the wrong order.
        let now = SystemClock.now();
        inner.recorder.record(now, stats.as_ref(), resident, trims);
    }
}

/// How many cycles of trimming there were.
fn trims() -> u64 {
    #[cfg(feature = "limit")]
    return crate::limit::trims();
    #[cfg(not(feature = "limit"))]
    return 0;
}

impl Drop for Monitor {
    fn drop(&mut self) {
        if self.process != process::id() {
            // There is nobody to wait for, nor to open a lock that was held at the fork.
            let _of_the_parent = ManuallyDrop::new(self.thread.take());
            return;
        }
        self.shared.lock().stop = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            // It runs no code but this crate's; if that panicked, it has said so.
            let _ended = thread.join();
        }
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("samples", &self.shared.lock().recorder.len())
            .finish_non_exhaustive()
    }
}
