//! Threads, from std or from loom.

use crate::ord;

#[cfg(all(thrifty_loom, feature = "loom"))]
pub use loom::thread::{Builder, JoinHandle, Thread, current, park, spawn, yield_now};
/// Parking for a while; loom has no time, so it is missing under loom.
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use std::thread::park_timeout;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use std::thread::{Builder, JoinHandle, Thread, current, park, spawn, yield_now};

/// How many threads the machine runs at once, or 4 where it does not tell.
///
/// A number to size things by. The system is asked once per process: on Linux that reads files,
/// some 30 µs, and allocates. It is the machine's number also under loom.
///
/// # Examples
///
/// ```
/// assert!(thrifty_sync::thread::parallelism() > 0);
/// ```
pub fn parallelism() -> usize {
    static KNOWN: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);
    // ORDERING(thread.parallelism): Relaxed; a number that every thread would find for itself.
    let known = KNOWN.load(ord!(thread.parallelism, Relaxed));
    if known != 0 {
        return known;
    }
    let asked = std::thread::available_parallelism().map_or(4, core::num::NonZero::get);
    KNOWN.store(asked, ord!(thread.parallelism, Relaxed));
    asked
}
