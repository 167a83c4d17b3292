//! What counting costs, and what sampling costs.
//!
//! Counting: a pair of alloc and free, bare and through the counting wrapper. All allocators are used as values, through `GlobalAlloc`, in a program that installs none of
//! them: the loop is the same, and only the allocator differs. Each block is written and read
//! back, the pairs while one block lives, the batches while 64 do.
//!
//! Sampling (`sampling-…`): programs that install the allocator, and take turns as other sides do.

mod churn;
mod far;
pub mod program;
mod sampled;
#[cfg(test)]
mod tests;
mod work;

use core::alloc::GlobalAlloc;
use std::alloc::System;

use thrifty_memstats::Alloc;

use self::churn::{Batch, LIVE, Pair};
pub use self::work::{Here, Work};
use crate::suite::{Bar, Row};

/// The rows of the area `memstats`.
#[must_use]
pub fn rows() -> Vec<Row> {
    let pairs = [1, 2, 4].map(|threads| {
        let reason = "the dearest moment for a wrapper: the block is free again at once";
        contestants(row("pair-64b", threads, reason), Form::Pair).oracle(|| 1)
    });
    let batches = [1, 4].map(|threads| {
        let reason =
            "64 blocks live at once, so the allocator's own fast path is left now and then";
        contestants(row("batch-64-live", threads, reason), Form::Batch)
            .operations(LIVE as u64)
            .oracle(|| (0..LIVE as u64).sum())
    });
    pairs
        .into_iter()
        .chain(batches)
        .chain(sampled::rows())
        .collect()
}

/// Which loop.
#[derive(Clone, Copy)]
enum Form {
    Pair,
    Batch,
}

fn row(name: &str, threads: usize, reason: &'static str) -> Row {
    let most = if threads == 1 { 1.0 } else { 1.5 };
    Row::new(format!("memstats/{name}/{threads}t"), reason)
        .bar(Bar::Extra {
            subject: "thrifty",
            base: "std",
            most,
        })
        .bar(Bar::Extra {
            subject: "thrifty-mimalloc",
            base: "mimalloc",
            most,
        })
        // It takes 0.3 to 0.6 times what glibc takes, and built with -O0 2.8 to 5.7 times.
        .sane_within("mimalloc", "std", 2.0)
}

fn contestants(row: Row, form: Form) -> Row {
    let row = add(row, form, "std", || System);
    let row = ours(row, form, "thrifty", || Alloc::new(System)).wraps("std");
    #[cfg(feature = "rivals-c")]
    let row = add(row, form, "mimalloc", || mimalloc::MiMalloc);
    #[cfg(feature = "rivals-c")]
    let row = ours(row, form, "thrifty-mimalloc", || {
        Alloc::new(mimalloc::MiMalloc)
    })
    .wraps("mimalloc");
    #[cfg(feature = "rivals")]
    let row = add(row, form, "stats_alloc", stats_alloc::StatsAlloc::system).wraps("std");
    row
}

/// Adds a wrapper of ours, which counts anyway.
fn ours<A>(row: Row, form: Form, name: &'static str, make: fn() -> A) -> Row
where
    A: GlobalAlloc + Sync + 'static,
{
    match form {
        Form::Pair => row.shared(name, move || Pair(make())),
        Form::Batch => row.shared(name, move || Batch(make())),
    }
    .ours()
}

/// Adds a contestant. Its blocks do not come from the global allocator, so the counting binary
/// puts our wrapper around it.
fn add<A>(row: Row, form: Form, name: &'static str, make: fn() -> A) -> Row
where
    A: GlobalAlloc + Sync + 'static,
{
    match form {
        Form::Pair => row
            .shared(name, move || Pair(make()))
            .counted_as(move || Pair(Alloc::new(make()))),
        Form::Batch => row
            .shared(name, move || Batch(make()))
            .counted_as(move || Batch(Alloc::new(make()))),
    }
}
