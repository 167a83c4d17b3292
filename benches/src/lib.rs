//! Benchmarks and the tour of the Thrifty workspace.
//!
//! - [`tour`]: log ingestion, naive and tuned, timed and counted side by side.

extern crate alloc;

pub mod tour;
