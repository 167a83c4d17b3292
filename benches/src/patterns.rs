//! Everyday code that wastes memory, beside code that does not: the rows `patterns/…`.
//!
//! Each row has up to three sides that give the same answer: `bad`, as it is often written; `good`,
//! the usual remedy; `best`, as little as the job allows. Where the remedy cannot be improved
//! upon, `good` is `best` and there are two sides. Another form worth knowing is a fourth side with
//! a name of its own. The pages in `docs/patterns/` show the code of
//! each pattern and say when it does not matter; every pattern's module has its page as its
//! documentation, so that the code on it is compiled and run.
//!
//! `best` is what the measurement said, not what the rule of thumb says: where a large value is
//! better moved behind a pointer, the sides of that row have changed places.

mod append;
mod boxed_dyn;
mod by_value;
mod channel;
mod clone_slice;
mod closures;
mod format;
mod free_list;
mod handle_request;
mod hash_growth;
mod inline;
mod join;
mod process_data;
mod read_loop;
mod returning;
mod round;
mod scratch_file;
mod stages;
mod tags;
mod utf8;

use core::hint::black_box;

use crate::suite::{Row, Worker};

/// Every pattern's rows.
#[must_use]
pub fn rows() -> Vec<Row> {
    let patterns: [fn() -> Vec<Row>; 19] = [
        append::rows,
        join::rows,
        tags::rows,
        read_loop::rows,
        boxed_dyn::rows,
        closures::rows,
        returning::rows,
        channel::rows,
        inline::rows,
        by_value::rows,
        clone_slice::rows,
        utf8::rows,
        stages::rows,
        hash_growth::rows,
        format::rows,
        process_data::rows,
        handle_request::rows,
        free_list::rows,
        round::rows,
    ];
    patterns.into_iter().flat_map(|rows| rows()).collect()
}

/// A row before it has its sides.
struct Pattern<I> {
    /// The id without the area and the threads.
    name: &'static str,
    reason: &'static str,
    /// What a side works on, state that it keeps between iterations included.
    input: fn() -> I,
    /// What each side must answer, computed another way.
    oracle: fn(&I) -> u64,
}

/// One iteration of one side. It gets its input mutably for what it keeps between iterations.
type Side<I> = fn(&mut I) -> u64;

impl<I: 'static> Pattern<I> {
    fn three(self, bad: Side<I>, good: Side<I>, best: Side<I>) -> Row {
        let input = self.input;
        self.row()
            .contestant("bad", move || Work::new(input(), bad))
            .contestant("good", move || Work::new(input(), good))
            .contestant("best", move || Work::new(input(), best))
    }

    /// Where `good` cannot be improved upon.
    fn two(self, bad: Side<I>, best: Side<I>) -> Row {
        let input = self.input;
        self.row()
            .contestant("bad", move || Work::new(input(), bad))
            .contestant("best", move || Work::new(input(), best))
    }

    /// Where another form is worth knowing, under a name of its own.
    fn four(
        self,
        bad: Side<I>,
        (name, other): (&str, Side<I>),
        good: Side<I>,
        best: Side<I>,
    ) -> Row {
        let input = self.input;
        self.three(bad, good, best)
            .contestant(name, move || Work::new(input(), other))
    }

    fn row(self) -> Row {
        let (input, oracle) = (self.input, self.oracle);
        Row::new(format!("patterns/{}/1t", self.name), self.reason).oracle(move || oracle(&input()))
    }
}

/// A worker that calls a side through a pointer, so that no side is merged with the loop around it.
struct Work<I> {
    input: I,
    side: Side<I>,
}

impl<I> Work<I> {
    fn new(input: I, side: Side<I>) -> Self {
        Self { input, side }
    }
}

impl<I> Worker for Work<I> {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            sum = sum.wrapping_add((self.side)(black_box(&mut self.input)));
        }
        sum
    }
}

/// A thousand numbers of which the compiler knows nothing.
fn numbers() -> Vec<u64> {
    let mut rng = thrifty_workloads::rng::Rng::new(1_000);
    (0..COUNT).map(|_| rng.next_u64() >> 32).collect()
}

/// Of a text of kilobytes its length and sixteen of its bytes: a sum over all would be most of what
/// is timed, and for a text of a line even these are. That the texts are the same to the last byte
/// is tested.
fn sample(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let step = bytes.len() / 16 + 1;
    bytes
        .iter()
        .step_by(step)
        .fold(bytes.len() as u64, |sum, &byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        })
}

/// The items of most rows.
const COUNT: usize = 1_000;

#[cfg(test)]
mod tests;
