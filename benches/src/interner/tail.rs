//! How long the slowest hits take while the table grows: the row `interner/hit-tail/…`.
//!
//! One thread asks for strings that are known, each call timed by itself, while another fills the table
//! from a thousand strings to some two hundred thousand. The figures are nanoseconds of the clock's
//! own readings, of which `clock_p50_ns` is what two readings with nothing between them take; a call took what
//! is above that. What is timed in the row is the filling, under these hits.

use core::{
    hint::black_box,
    marker::PhantomData,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{thread, time::Instant};

use super::{
    data::Source,
    hit::BUDGET,
    roster::{self, TailForm},
    table::{Live, Lookup},
};
use crate::suite::{Figure, Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "interner/hit-tail/words/1t",
        "filling a table while another thread asks it for what is there; how long the slowest hits take",
    )
    .operations(NEW as u64)
    .oracle(|| 1)
    .budget(BUDGET);
    vec![roster::tails(row, Tails)]
}

/// Strings that are there from the beginning.
const KNOWN: usize = if cfg!(any(test, debug_assertions)) {
    100
} else {
    1_000
};
/// Strings that are added.
const NEW: usize = if cfg!(any(test, debug_assertions)) {
    1_000
} else {
    200_000
};

#[derive(Clone)]
struct Tails;

impl TailForm for Tails {
    fn side<T: Live + Lookup>(&self, row: Row, name: &'static str) -> Row {
        row.shared(name, Tail::<T>::new)
    }
}

struct Tail<T> {
    known: &'static [&'static str],
    /// The same strings at other addresses.
    asked: Vec<String>,
    new: &'static [&'static str],
    table: PhantomData<fn() -> T>,
}

impl<T: Live + Lookup> Tail<T> {
    fn new() -> Self {
        let words = &Source::Words(NEW_AND_KNOWN).data().known;
        let (known, new) = words.split_at(KNOWN);
        Self {
            known,
            asked: known.iter().map(|&text| text.into()).collect(),
            new: &new[..NEW],
            table: PhantomData,
        }
    }

    /// Fills a table while `ask` asks it; says whether the numbers stayed what they were. `ask` is told
    /// the numbers of what it asks, and ends when the flag is up.
    fn grow(&self, ask: impl FnOnce(&T, &[u64], &AtomicBool) -> bool) -> bool {
        let table = T::of(self.known);
        let numbers: Vec<u64> = self.known.iter().map(|text| table.hit(text)).collect();
        let is_full = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for text in self.new {
                    black_box(table.intern(text));
                }
                is_full.store(true, Ordering::Release);
            });
            ask(&table, &numbers, &is_full)
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a few hundred thousand")]
const NEW_AND_KNOWN: u32 = (NEW + KNOWN) as u32;

impl<T: Live + Lookup> Subject for Tail<T> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(TailWorker(self))
    }

    fn figures(&self) -> Vec<Figure> {
        let mut hits = Quantiles::default();
        self.grow(|table, _, is_full| {
            for text in self.asked.iter().cycle() {
                let begun = Instant::now();
                black_box(table.hit(black_box(text)));
                hits.add(begun);
                if is_full.load(Ordering::Relaxed) {
                    break;
                }
            }
            true
        });
        let mut clock = Quantiles::default();
        for _ in 0..100_000 {
            clock.add(Instant::now());
        }
        vec![
            Figure::new("clock_p50_ns", clock.at(0.5)),
            Figure::new("hit_p50_ns", hits.at(0.5)),
            Figure::new("hit_p99_ns", hits.at(0.99)),
            Figure::new("hit_p999_ns", hits.at(0.999)),
            Figure::new("hits", hits.count()),
        ]
    }
}

struct TailWorker<'a, T>(&'a Tail<T>);

impl<T: Live + Lookup> Worker for TailWorker<'_, T> {
    fn run(&mut self, iterations: u64) -> u64 {
        let tail = self.0;
        let iteration = |_| {
            let is_right = tail.grow(|table, numbers, is_full| {
                let mut is_right = true;
                for (text, &number) in tail.asked.iter().zip(numbers).cycle() {
                    is_right &= table.hit(text) == number;
                    if is_full.load(Ordering::Acquire) {
                        break;
                    }
                }
                is_right
            });
            u64::from(is_right)
        };
        (0..iterations).map(iteration).sum()
    }
}

/// Nanoseconds, counted one by one up to a bound.
struct Quantiles {
    counts: Vec<u64>,
}

impl Default for Quantiles {
    fn default() -> Self {
        Self {
            counts: vec![0; 1 << 16],
        }
    }
}

impl Quantiles {
    #[inline]
    fn add(&mut self, begun: Instant) {
        let most = self.counts.len() - 1;
        let nanoseconds = usize::try_from(begun.elapsed().as_nanos()).unwrap_or(most);
        self.counts[nanoseconds.min(most)] += 1;
    }

    fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The smallest number of nanoseconds that this share of all does not exceed.
    fn at(&self, share: f64) -> u64 {
        let wanted = self.count() as f64 * share;
        let mut seen = 0.0;
        let reached = self.counts.iter().position(|&count| {
            seen += count as f64;
            seen >= wanted
        });
        reached.unwrap_or_default() as u64
    }
}
