//! The rows of the suite: what is compared, on how many threads, and what must come out.
//!
//! ```text
//!   Row "patterns/append-1000/1t" ── oracle: what one iteration must answer
//!    ├─ contestant "bad" ───┐
//!    ├─ contestant "good" ──┼─ make() ─► Subject ─ worker(thread) ─► Worker ─ run(iterations)
//!    └─ contestant "best" ──┘           shared by                    one per     the only part
//!                                       all threads                  thread      that is timed
//! ```
//!
//! A row is data and code without state: nothing is allocated or generated before its turn comes.
//! The timing binary `suite` and the counting binary `suite-counted` walk the same rows, so a
//! time and an allocation count under one id are of the same code.
//!
//! # Examples
//!
//! Each contestant gives a worker; [`each`] makes one of a closure that does one iteration and
//! answers with a checksum, [`over`] of a closure that is handed an input the compiler knows
//! nothing about:
//!
//! ```
//! use thrifty_benches::suite::{self, Row};
//!
//! let row = Row::new(
//!     "patterns/append-1000/1t",
//!     "a vector that grows copies itself ten times",
//! )
//! .oracle(|| (0..1000).sum())
//! .contestant("bad", || {
//!     suite::over(1000_u64, |count| {
//!         let mut numbers = Vec::new();
//!         for number in 0..*count {
//!             numbers.push(number);
//!         }
//!         suite::opaque(&numbers).iter().sum()
//!     })
//! })
//! .contestant("good", || {
//!     suite::over(1000_u64, |count| {
//!         let mut numbers = Vec::with_capacity(*count as usize);
//!         for number in 0..*count {
//!             numbers.push(number);
//!         }
//!         suite::opaque(&numbers).iter().sum()
//!     })
//! });
//! assert_eq!(row.id().threads(), 1);
//! assert_eq!(row.answers(), [("bad", 499_500), ("good", 499_500)]);
//! ```

pub mod cli;
mod id;
mod profile;
mod row;
#[cfg(test)]
pub(crate) mod rows_tests;

use core::{fmt, hint::black_box, time::Duration};

pub use self::{
    id::Id,
    row::{Bar, Contestant, Row, Sane},
};
use crate::{arena, fixed_alloc, interner, memstats, patterns, pool};

/// What the threads of a row work on together: a pool, a table, an allocator, or nothing.
///
/// Made before the clock starts, dropped after it stopped.
pub trait Subject: Sync {
    /// The work of one thread; called on that thread, before the clock starts.
    ///
    /// `thread` counts from 0 to the row's number of threads.
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_>;

    /// What else there is to tell, beside times and allocations: how much it holds, what it had to
    /// make. Asked once, where allocations are counted, after the threads have ended.
    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }
}

/// A number that a subject tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figure {
    /// What is counted, in records and tables.
    pub name: &'static str,
    /// How much.
    pub value: u64,
}

impl Figure {
    /// A figure.
    #[must_use]
    pub const fn new(name: &'static str, value: u64) -> Self {
        Self { name, value }
    }
}

/// The work of one thread.
pub trait Worker {
    /// Called before each turn, before its clock starts; not where allocations are counted. A worker
    /// whose data the other sides push out of the caches brings it back here.
    fn prepare(&mut self) {}

    /// Does `iterations` iterations; gives the wrapping sum of their answers.
    ///
    /// Everything in here is timed, so what does not belong to the comparison (making inputs,
    /// opening files) has happened before. Called many times; state may stay from one call to
    /// the next, as a reused buffer does.
    ///
    /// The threads of a row are called with the same number, so that a producer and a consumer
    /// can agree; a worker that waits for another must not wait for ever if that one panics.
    fn run(&mut self, iterations: u64) -> u64;

    /// What the last run took by the clock of another process, where the work was done there. `None`
    /// where it was done here: then the caller's clock says it.
    fn took(&self) -> Option<Duration> {
        None
    }
}

/// A worker whose iterations are calls of a closure.
pub struct Each<F>(F);

/// Makes a worker of a closure that does one iteration and answers with a checksum.
///
/// What the closure captures the compiler may know: pass inputs through [`opaque`] inside, or
/// take [`over`], which does.
pub fn each<F: FnMut() -> u64>(iteration: F) -> Each<F> {
    Each(iteration)
}

impl<F: FnMut() -> u64> Worker for Each<F> {
    #[inline]
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            sum = sum.wrapping_add(black_box((self.0)()));
        }
        sum
    }
}

impl<F> fmt::Debug for Each<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").finish_non_exhaustive()
    }
}

/// A worker whose iterations are calls of a closure on one input.
pub struct Over<I, F> {
    input: I,
    iteration: F,
}

/// Makes a worker of an input and a closure that does one iteration on it.
///
/// The input passes through [`opaque`] in each iteration: nothing about it is known at compile
/// time, and nothing computed from it survives to the next iteration.
pub fn over<I, F: FnMut(&I) -> u64>(input: I, iteration: F) -> Over<I, F> {
    Over { input, iteration }
}

impl<I, F: FnMut(&I) -> u64> Worker for Over<I, F> {
    #[inline]
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let answer = (self.iteration)(black_box(&self.input));
            sum = sum.wrapping_add(black_box(answer));
        }
        sum
    }
}

impl<I, F> fmt::Debug for Over<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Over").finish_non_exhaustive()
    }
}

/// The same value, of which the compiler no longer knows anything; nor may it leave out what was
/// done to make it, or to what it points to.
#[inline]
pub fn opaque<T>(value: T) -> T {
    black_box(value)
}

/// What the caller of the suite brought along.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Context {
    /// Texts of `--input`: corpora for the rows that work on text.
    pub inputs: Vec<Input>,
}

/// A text from outside.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Input {
    /// The corpus part of the ids: the file's name, with what ids cannot hold replaced.
    pub name: String,
    /// What is in the file.
    pub text: Vec<u8>,
}

/// Every row of the suite, area by area.
#[must_use]
pub fn rows(context: &Context) -> Vec<Row> {
    let mut rows = memstats::rows();
    rows.extend(pool::rows());
    rows.extend(fixed_alloc::rows());
    rows.extend(arena::rows());
    rows.extend(interner::rows(context));
    rows.extend(patterns::rows());
    rows
}
