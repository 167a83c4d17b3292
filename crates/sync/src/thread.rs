//! Threads, from std or from loom.

#[cfg(all(thrifty_loom, feature = "loom"))]
pub use loom::thread::{JoinHandle, spawn, yield_now};
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use std::thread::{JoinHandle, spawn, yield_now};
