//! Benchmarks and the tour of the Thrifty workspace.
//!
//! - [`failure`]: how the programs end when they cannot go on.
//! - [`tour`]: log ingestion, naive and tuned, timed and counted side by side.

extern crate alloc;

pub mod failure;
pub mod tour;
