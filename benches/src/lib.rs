//! Benchmarks and the tour of the Thrifty workspace.
//!
//! - [`suite`]: the rows of the benchmark suite, and what plugs into them.
//! - [`runner`]: comparisons in interleaved rounds, with intervals.
//! - [`memstats`]: rows on what counting adds to an allocation.
//! - [`mod@arena`]: rows on arenas.
//! - [`mod@interner`]: rows on interning.
//! - [`mod@pool`]: rows on pools of objects and buffers.
//! - [`fixed_alloc`]: rows on blocks of one size.
//! - [`patterns`]: rows on everyday code that wastes memory, beside code that does not.
//! - [`count`]: what the rows allocate, from a second binary.
//! - [`report`]: tables and records of what was measured.
//! - [`failure`]: how the programs end when they cannot go on.
//! - [`tour`]: log ingestion, naive and tuned, timed and counted side by side.

extern crate alloc;

#[expect(
    unsafe_code,
    reason = "writes into raw blocks, joins texts in vectors of bytes, adapts an allocator"
)]
pub mod arena;
pub mod count;
pub mod failure;
#[expect(
    unsafe_code,
    reason = "allocates and frees raw blocks, links nodes in them"
)]
pub mod fixed_alloc;
pub mod interner;
#[expect(unsafe_code, reason = "calls GlobalAlloc on values")]
pub mod memstats;
pub mod patterns;
#[expect(
    unsafe_code,
    reason = "calls GlobalAlloc on values, opens a shared library, hands over on a ring"
)]
pub mod pool;
pub mod report;
pub mod runner;
pub mod suite;
pub mod tour;
