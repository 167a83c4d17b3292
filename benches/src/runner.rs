//! Interleaved comparisons: subjects take turns in one process, threads are timed by their own
//! clocks.
//!
//! ```text
//!   round 1:  A B C      each letter: all threads start at a barrier, each times its own loop,
//!   round 2:  B C A      the figure is the mean over the threads, in nanoseconds per operation
//!   round 3:  C A B
//! ```
//!
//! What two subjects differ by is taken per round, so that a slow spell of the machine, which
//! hits both, cancels out; the median of these differences comes with a 95 % interval from
//! order statistics, which assumes nothing about their distribution.

mod series;

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

pub use self::series::{Interval, Series};

/// Something that can be timed.
pub trait Subject: Sync {
    /// The name that tables and records use.
    fn name(&self) -> &str;

    /// Does `operations` operations and checks their outcome.
    ///
    /// # Panics
    ///
    /// When the outcome is wrong: a fast wrong answer is no result.
    fn run(&self, operations: u64);
}

/// How long to compare.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds that are kept; one more is run before and thrown away.
    pub rounds: usize,
    /// Operations per thread and turn.
    pub operations: u64,
}

/// Times the subjects on `threads` threads; one series each, in their order.
///
/// The subject that begins changes from round to round.
///
/// # Panics
///
/// When a subject's outcome is wrong.
#[must_use]
pub fn compare(subjects: &[&dyn Subject], threads: usize, effort: Effort) -> Vec<Series> {
    let mut series = vec![Series::default(); subjects.len()];
    for round in 0..=effort.rounds {
        for turn in 0..subjects.len() {
            let index = (round + turn) % subjects.len();
            let nanoseconds = time(subjects[index], threads, effort.operations);
            if round > 0 {
                series[index].push(nanoseconds);
            }
        }
    }
    series
}

/// Nanoseconds per operation, the mean over the threads.
fn time(subject: &dyn Subject, threads: usize, operations: u64) -> f64 {
    let barrier = Barrier::new(threads);
    let elapsed: Duration = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let begun = Instant::now();
                    subject.run(operations);
                    begun.elapsed()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("the outcome was wrong"))
            .sum()
    });
    elapsed.as_nanos() as f64 / (threads as u64 * operations) as f64
}

#[cfg(test)]
mod tests;
