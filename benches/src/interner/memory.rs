//! What tables hold beside the strings: the row `interner/memory/…`.
//!
//! Tables that double look good just before and bad just after, so each is filled to four sizes
//! within one doubling. The figures are what is live for each string beyond its own bytes, in
//! thousandths of a byte, as the program's allocator counts what was asked for: exact, and the same on
//! every run; and how long it took to drop the largest. What is timed is filling a small table.

use core::{hint::black_box, marker::PhantomData};
use std::time::Instant;

use super::{
    hit::BUDGET,
    roster::{self, HeldForm},
    table::Held,
};
use crate::suite::{Figure, Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "interner/memory/6-to-14-bytes/1t",
        "what a table holds beyond its strings, at four sizes (timed: a table of a thousand)",
    )
    .operations(FEW as u64)
    .oracle(|| FEW as u64)
    .budget(BUDGET);
    vec![roster::held(row, Holding)]
}

/// Strings of the table that is timed.
const FEW: usize = 1_000;

/// Each is the one before times the fourth root of two.
const SIZES: [(usize, &str); 4] = [
    (SMALLEST, "millibytes_131k"),
    (SMALLEST * 1_189 / 1_000, "millibytes_156k"),
    (SMALLEST * 1_414 / 1_000, "millibytes_185k"),
    (SMALLEST * 1_682 / 1_000, "millibytes_220k"),
];

const SMALLEST: usize = if cfg!(any(test, debug_assertions)) {
    2_048
} else {
    131_072
};

#[derive(Clone)]
struct Holding;

impl HeldForm for Holding {
    fn side<T: Held>(&self, row: Row, name: &'static str) -> Row {
        row.shared(name, || Memory::<T>(PhantomData))
    }
}

struct Memory<T>(PhantomData<fn() -> T>);

/// So many different strings, side by side: they are freed at once.
struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Six to fourteen bytes each, ten on average.
    fn new(count: usize) -> Self {
        let mut texts = Self {
            text: String::new(),
            ends: Vec::with_capacity(count),
        };
        for number in 0..count {
            let width = 6 + number % 9;
            texts.text.push_str(&format!("{number:0width$}"));
            texts.ends.push(texts.text.len());
        }
        texts
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = core::iter::once(0).chain(self.ends.iter().copied());
        let ranges = starts.zip(&self.ends);
        ranges.map(|(from, &to)| &self.text[from..to])
    }
}

impl<T: Held> Subject for Memory<T> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(HeldWorker::<T> {
            texts: Texts::new(FEW),
            of: PhantomData,
        })
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::with_capacity(SIZES.len() + 2);
        let (mut sum, mut drop_us) = (0, 0);
        for (count, name) in SIZES {
            let texts = Texts::new(count);
            let Some(before) = live_bytes() else {
                return Vec::new();
            };
            let table = T::holding(&mut texts.iter());
            let held = live_bytes().unwrap_or_default().saturating_sub(before);
            assert_eq!(table.len(), count, "a string is lost");
            let begun = Instant::now();
            drop(table);
            drop_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            let payload = texts.text.len() as u64;
            let each = held.saturating_sub(payload) * 1_000 / count as u64;
            figures.push(Figure::new(name, each));
            sum += each;
        }
        figures.push(Figure::new("millibytes", sum / SIZES.len() as u64));
        figures.push(Figure::new("drop_us_220k", drop_us));
        figures
    }
}

/// What the program has allocated and not freed, where its allocator counts.
fn live_bytes() -> Option<u64> {
    thrifty_memstats::read().ok().map(|stats| stats.live_bytes)
}

struct HeldWorker<T> {
    texts: Texts,
    of: PhantomData<fn() -> T>,
}

impl<T: Held> Worker for HeldWorker<T> {
    fn run(&mut self, iterations: u64) -> u64 {
        let iteration = |_| T::holding(&mut black_box(&self.texts).iter()).len() as u64;
        (0..iterations).map(iteration).sum()
    }
}
