//! Blocks of one size: the rows `fixed-alloc/…`.
//!
//! A row has a loop of its own and runs it on ours, on the system's allocator, and, with the features
//! `rivals` and `rivals-c`, on other slabs and on other general allocators. What makes them
//! comparable:
//!
//! - **The same size.** A block has 64 bytes. Its first word is written when it is taken and read when
//!   it goes back, and the answers say whether two ever had the same block.
//! - **The same calls.** General allocators are used as values, through `GlobalAlloc`, with the layout
//!   known at compile time; the program that times installs none of them. `thrifty` is
//!   `FixedAlloc::try_alloc` and `free`; in `fixed-alloc/slab-box/1t` it is `SlabBox`, beside `Box`.
//! - **The same state.** Everything is warm: what is live at once has been taken before the clock
//!   starts.
//!
//! | subject | what an item is | where |
//! |---|---|---|
//! | `thrifty` | a pointer to a block | everywhere |
//! | `thrifty-classes` | the same of `ClassAlloc`, through `Allocator` | same-thread churn, the map |
//! | `std`, `jemalloc`, `mimalloc`, `snmalloc` | a pointer to a block | everywhere |
//! | `slab`, `plurality` | a key; a box. One for each thread, since they are not `Sync` | same-thread churn |
//! | `sharded-slab` | a key, into shards of which each thread has one | churn, and across threads |
//!
//! `heapless` is not here: its pools are statics whose blocks are given to them by hand, and its
//! releases that run on this kind of machine need a newer compiler than the workspace does.

mod batch;
mod blocks;
mod churn;
mod cross_thread;
mod hash_map;
mod larson;
mod nodes;
mod occupancy;
#[cfg(feature = "rivals")]
mod rivals;
mod roster;
mod slab_box;
mod store;
#[cfg(test)]
mod tests;

use crate::suite::Row;

/// The rows of the area `fixed-alloc`.
#[must_use]
pub fn rows() -> Vec<Row> {
    let groups: [fn() -> Vec<Row>; 8] = [
        churn::rows,
        slab_box::rows,
        nodes::rows,
        cross_thread::rows,
        larson::rows,
        batch::rows,
        hash_map::rows,
        occupancy::rows,
    ];
    groups.into_iter().flat_map(|rows| rows()).collect()
}
