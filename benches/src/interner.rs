//! Interning: the rows `interner/…`.
//!
//! A row has a loop of its own and runs it on ours, on what a program does without a crate for it, and,
//! with the feature `rivals`, on other crates' interners and maps. What makes them comparable:
//!
//! - **The same strings.** Corpora have a seed; identifiers come from the sources that cargo has on disk. What is
//!   asked for is shuffled and lies in other memory than what was stored.
//! - **The same hash**: `ahash`, the algorithm of our default, in all rows but `hit-own-hash`, where each takes
//!   what its crate takes by default. Tables whose hash cannot be chosen (`internment`, `string_cache`) stand there
//!   alone.
//! - **Warm caches.** Before each turn, off the clock, a side looks up 65,536 strings: other sides have pushed its
//!   table out. Where a table fits no cache, as in `hit-10m`, nothing helps.
//! - **Answers.** Blocks of 256 lookups are added up, and the sum must be what it was before the clock
//!   started; before that no two strings may have had the same number. Strings that come back are compared
//!   with those that went in.
//!
//! | subject | what a hit is | |
//! |---|---|---|
//! | `thrifty`, `lasso-threaded`, `internity`, `symbol_table`, `inturn`, `blazinterner` | `intern` | concurrent |
//! | `dashmap`, `papaya`, `rwlock-hashmap` | a lookup, then an insertion if need be | concurrent; the maps give no strings back |
//! | `thrifty-dedup`, `string_cache` | a counted handle, taken and dropped | concurrent; by address |
//! | `internment` | a handle | global, for ever; by address |
//! | `thrifty-local`, `thrifty-frozen`, `string-interner`, `lasso-reader`, `hashbrown` | `get` | read-only meanwhile, shared by reference |
//!
//! `thrifty-many` hands over a block at a time, so that fetching one string's slot overlaps with the next one's.
//! `hashbrown`, a map of borrowed strings, is the control: what it costs to find a string when nobody else can
//! insert one. lasso's `Rodeo` cannot be shared; its reader, which has the same tables, stands for it in lookups.
//! `papaya`'s guard is taken for each call. `internity` resolves only when it is frozen, and is not in the
//! rows that resolve. Global tables are in no row that fills or counts: they would hold what all rows
//! have put in. `string_cache` keeps strings of up to seven bytes in the handle.
//!
//! `ustr` is not here: its licence, BSD-2-Clause-Patent, is none of those that `xtask/src/licences.rs` allows.
//!
//! Three of the rivals (`blazinterner`, `internity`, `inturn`) want a newer compiler than the workspace does.
//!
//! Beside the times stand, where allocations are counted, `millibytes`: what a table holds for each string
//! beyond its own bytes, in thousandths (`interner/memory`), and the quantiles of single hits while the table grows
//! (`interner/hit-tail`). A hit's p99.9 less `clock_p50_ns` ought to be at most twice its median less the same.

mod absent;
mod blocks;
mod data;
mod fill;
mod gate;
mod hash;
mod hit;
mod iterate;
mod life;
mod memory;
mod ours;
mod plain;
mod resolve;
#[cfg(feature = "rivals")]
mod rivals;
mod roster;
mod table;
mod tail;
#[cfg(test)]
mod tests;

use crate::suite::{Context, Row};

/// The rows of the area `interner`.
#[must_use]
pub fn rows(context: &Context) -> Vec<Row> {
    let mut rows = hit::rows(context);
    rows.extend(absent::rows());
    rows.extend(fill::rows());
    rows.extend(resolve::rows());
    rows.extend(iterate::rows());
    rows.extend(life::rows());
    rows.extend(tail::rows());
    rows.extend(memory::rows());
    rows
}
