//! Benchmarks and the tour of the Thrifty workspace.
//!
//! - [`suite`]: the rows of the benchmark suite, and what plugs into them.
//! - [`runner`]: comparisons in interleaved rounds, with intervals.
//! - [`cost`]: what counting adds to an allocation.
//! - [`failure`]: how the programs end when they cannot go on.
//! - [`tour`]: log ingestion, naive and tuned, timed and counted side by side.

extern crate alloc;

#[expect(unsafe_code, reason = "calls GlobalAlloc on values")]
pub mod cost;
pub mod failure;
pub mod runner;
pub mod suite;
pub mod tour;
