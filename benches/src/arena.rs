//! Arenas: the rows `arena/…`.
//!
//! A row has a job, one iteration of work in a region and the reset after it, and runs it on our
//! `Arena`, on `Box`, `Vec` and `String` (`std`), and, with the feature `rivals`, on other crates'
//! arenas. What makes them comparable:
//!
//! - **The same reset.** Every iteration ends with one, and its time counts. The arena is kept, so
//!   that from the second iteration on it has the chunks that it chose to keep. `std` frees each
//!   thing; `typed-arena`, which cannot be reset, is made anew with room for everything.
//! - **The same use.** What is allocated is passed through where the compiler cannot see it, read
//!   back and added up; the sum is the answer. The compiler has to assume that the arena was seen
//!   too, so no side keeps its cursor in a register.
//! - **Nothing is dropped** but by `std`: owning handles of other crates become references.
//! - **The least alignment** differs: `bumpalo` and `bump-scope` pack bytes by default, and align to 8
//!   under the names `bumpalo-8` and `bump-scope-8`; ours does both, from two ends.
//!   `bump-scope-down` is its other direction.
//! - **Threads.** The rows `request-pool` and `shared-…` compare where the arena of a request comes from, and arenas
//!   that threads share. What says `-mutex-vec` is a stack of arenas behind a lock, `-new` a new arena for each
//!   request, `bumpalo-mutex` a lock around one arena. `multitude` has no arena that is `Sync`.
//!
//! Beside the times stand what a warm arena holds at the end of an iteration, before the reset:
//! `reserved_bytes`, from the counting allocator, and where the crate tells, `used_bytes`, padding
//! included, and `chunks`. What is reserved and not used is what is wasted.

mod ast;
mod growth;
mod job;
mod ours;
mod plain;
mod pooled;
mod region;
mod request;
#[cfg(feature = "rivals")]
mod rivals;
mod scope;
mod shared;
#[cfg(test)]
mod tests;
mod text;
mod values;

use core::time::Duration;

use crate::suite::Row;

/// The rows of the area `arena`.
#[must_use]
pub fn rows() -> Vec<Row> {
    let groups: [fn() -> Vec<Row>; 8] = [
        values::rows,
        text::rows,
        growth::rows,
        ast::rows,
        scope::rows,
        request::rows,
        pooled::rows,
        shared::rows,
    ];
    let rows = groups.into_iter().flat_map(|rows| rows());
    rows.map(|row| row.budget(BUDGET)).collect()
}

/// With its rivals a row has ten sides, and there are many rows.
const BUDGET: Duration = Duration::from_millis(1_000);
