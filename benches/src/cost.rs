//! What counting costs: a pair of alloc and free with the wrapper, and without.
//!
//! Both allocators are used as values, through `GlobalAlloc`, in a program that installs
//! neither: the loop is the same, and only the wrapper stands between. The system allocator is
//! a subject twice; what it differs from itself by is the noise of the machine, and no smaller
//! difference means anything.

mod churn;
pub mod cli;

use serde::Serialize;

use self::churn::{Batch, Pair};
use crate::runner::{Effort, Interval, Series, Subject, compare};

/// One workload on some threads, and what came out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// `area/row/Nt`, as in every record of this workspace.
    pub workload: String,
    /// How many threads ran at once.
    pub threads: usize,
    /// The system allocator.
    pub system: Series,
    /// The system allocator, wrapped.
    pub wrapped: Series,
    /// What the wrapper adds to each pair.
    pub extra: Interval,
    /// What the system allocator adds to itself.
    pub control: Interval,
    /// The most that the wrapper may add.
    pub bar_ns: f64,
    /// The control stayed beyond 5 % when the row was measured again.
    pub is_noisy: bool,
}

impl Row {
    /// Missed only when the whole interval lies beyond the bar.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.extra.low > self.bar_ns
    }
}

/// A record for `bench.json`. This program times; what it does not measure is null.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Record<'a> {
    workload: &'a str,
    subject: &'a str,
    ns_per_op: f64,
    min_ns: f64,
    max_ns: f64,
    bytes_per_op: Option<u64>,
    allocs_per_op: Option<u64>,
    peak_bytes: Option<u64>,
    threads: usize,
    corpus: &'a str,
}

impl Row {
    /// One record per subject.
    #[must_use]
    pub fn records(&self) -> [Record<'_>; 2] {
        [("std", &self.system), ("thrifty", &self.wrapped)].map(|(subject, series)| Record {
            workload: &self.workload,
            subject,
            ns_per_op: series.interval().median,
            min_ns: series.min(),
            max_ns: series.max(),
            bytes_per_op: None,
            allocs_per_op: None,
            peak_bytes: None,
            threads: self.threads,
            corpus: "64-byte blocks",
        })
    }
}

/// Measures every row; `step` is called after each.
#[must_use]
pub fn measure(effort: Effort, mut step: impl FnMut()) -> Vec<Row> {
    let mut rows = Vec::new();
    for threads in [1, 2, 4] {
        rows.push(row(
            "memstats/pair-64b",
            threads,
            effort,
            |name| match name {
                Name::System => &Pair::SYSTEM,
                Name::Again => &Pair::SYSTEM_AGAIN,
                Name::Wrapped => &Pair::WRAPPED,
            },
        ));
        step();
    }
    for threads in [1, 4] {
        rows.push(row(
            "memstats/batch-64-live",
            threads,
            effort,
            |name| match name {
                Name::System => &Batch::SYSTEM,
                Name::Again => &Batch::SYSTEM_AGAIN,
                Name::Wrapped => &Batch::WRAPPED,
            },
        ));
        step();
    }
    rows
}

/// How many rows [`measure`] gives.
pub const ROWS: usize = 5;

enum Name {
    System,
    Again,
    Wrapped,
}

fn row(
    workload: &str,
    threads: usize,
    effort: Effort,
    subject: fn(Name) -> &'static dyn Subject,
) -> Row {
    let subjects = [
        subject(Name::System),
        subject(Name::Wrapped),
        subject(Name::Again),
    ];
    let once = || {
        let series = compare(&subjects, threads, effort);
        let control = series[2].minus(&series[0]).interval();
        let is_noisy = control.median.abs() > 0.05 * series[0].interval().median;
        (series, control, is_noisy)
    };
    let mut measured = once();
    if measured.2 {
        measured = once();
    }
    let (series, control, is_noisy) = measured;
    let [system, wrapped] = [series[0].clone(), series[1].clone()];
    Row {
        workload: format!("{workload}/{threads}t"),
        threads,
        extra: wrapped.minus(&system).interval(),
        system,
        wrapped,
        control,
        bar_ns: if threads == 1 { 1.0 } else { 1.5 },
        is_noisy,
    }
}
