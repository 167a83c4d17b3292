//! Pools of objects and buffers: the rows `pool/…` and `buffers/…`.
//!
//! A row has a loop of its own and runs it on ours, on what a program does without a pool crate,
//! and, with the feature `rivals`, on other crates' pools. What makes them comparable:
//!
//! - **The same reset.** What is pooled is a `Vec<u8>` with room for a kilobyte that comes back
//!   empty. Pools that leave emptying to their users do it in a guard of ours; `opool` empties what
//!   it hands out, and `zeropool` zeroes the eight bytes that it is asked for.
//! - **The same use.** Eight bytes are written through the guard and read back where the compiler
//!   cannot see them, and each answer says whether the object was empty and nobody else's.
//! - **The best settings.** Room for all that is live at once, filled beforehand.
//! - **Guards.** Ours is `'static` and costs nothing for it. Those of the others borrow, which is
//!   their cheaper kind, where a row does not need the other:
//!
//! | subject | guard | by the row |
//! |---|---|---|
//! | `thrifty`, `thrifty-static` | owned, one pointer | – |
//! | `…-owned` | owned, with a count | owned, too, in `pool/producer-consumer/2t` |
//! | `object-pool`, `opool`, `lockfree-object-pool`, `sharded-slab` | borrowed | owned there |
//! | `zeropool`, `regex-automata` | borrowed; there is no other | there of a pool that is a `static` |
//! | `crossbeam-array-queue`, `mutex-vec` | borrowed, of our making | not there |
//! | `std`, `mimalloc`, `plurality` | owned; a block of a kilobyte per pair, allocated and freed | – |
//!
//!   `regex-automata` has a fast path for the one thread that was first; `regex-automata-owner` is the
//!   row's worker being that thread, the other a worker as most are.
//!
//! Beside the times stand, where allocations are counted, what a side has made itself since it was
//! filled (`created`, its misses) and what it holds when its threads have ended (`retained bytes`).

mod buffers;
mod burst;
mod cdylib;
mod form;
mod get_put;
mod hand_over;
mod keep;
mod many_pools;
mod ours;
mod plain;
pub(crate) mod ring;
#[cfg(feature = "rivals")]
mod rivals;
mod short_threads;
#[cfg(test)]
mod tests;
mod working_set;

use crate::suite::Row;

/// The rows of the areas `pool` and `buffers`.
#[must_use]
pub fn rows() -> Vec<Row> {
    let groups: [fn() -> Vec<Row>; 8] = [
        get_put::rows,
        cdylib::rows,
        working_set::rows,
        hand_over::rows,
        many_pools::rows,
        short_threads::rows,
        burst::rows,
        buffers::rows,
    ];
    groups.into_iter().flat_map(|rows| rows()).collect()
}
