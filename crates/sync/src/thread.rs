//! Threads, from std or from loom.

#[cfg(all(thrifty_loom, feature = "loom"))]
pub use loom::thread::{JoinHandle, spawn, yield_now};
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use std::thread::{JoinHandle, spawn, yield_now};

/// How many threads the machine runs at once, or 4 where it does not tell.
///
/// A number to size things by. It is the machine's also under loom.
///
/// # Examples
///
/// ```
/// assert!(thrifty_sync::thread::parallelism() > 0);
/// ```
pub fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(4, core::num::NonZero::get)
}
