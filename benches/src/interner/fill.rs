//! Filling tables: the rows `interner/miss…` and `interner/mix…`.
//!
//! An iteration fills a table that is empty at its beginning and freed at its end; both are timed. The
//! strings of several threads go into one table, each has its own part of them.

use alloc::sync::Arc;
use core::{hint::black_box, marker::PhantomData};
use std::sync::{Mutex, PoisonError};

use thrifty_workloads::corpus::CorpusSpec;

use super::{
    data::Source,
    gate::Gate,
    hit::BUDGET,
    roster::{self, FillForm},
    table::{Grow, Live},
};
use crate::suite::{Bar, Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let ids = Source::Spec(CorpusSpec::UNIQUE_IDS);
    let mut rows = vec![
        owned("miss", "every string is new: ids of 36 bytes", &ids, false),
        owned(
            "miss-roomy",
            "the same with room for all of them",
            &ids,
            true,
        ),
        owned("miss-1k", "a small table", &Source::Words(1_000), false),
        owned("miss-100k", "short words", &Source::Words(100_000), false),
        owned("miss-10m", "short words", &Source::Words(10_000_000), false).thorough(),
        live("miss", "every string is new, to four threads", &ids, 4),
    ];
    for spec in [CorpusSpec::MIX_99, CorpusSpec::MIX_90] {
        let source = Source::Spec(spec);
        rows.extend([1, 4].map(|threads| live(spec.name, spec.reason, &source, threads)));
    }
    rows
}

/// One thread; tables that threads cannot share take part.
fn owned(name: &str, reason: &'static str, source: &Source, is_roomy: bool) -> Row {
    let row = row(name, reason, source, 1).bar(Bar::Times {
        subject: "thrifty",
        against: &["string-interner"],
        most: 1.3,
    });
    let fill = Fill {
        source: source.clone(),
        threads: 1,
        is_roomy,
    };
    roster::growers(row, fill)
}

fn live(name: &str, reason: &'static str, source: &Source, threads: usize) -> Row {
    let fill = Fill {
        source: source.clone(),
        threads,
        is_roomy: false,
    };
    roster::lives(row(name, reason, source, threads), fill)
}

fn row(name: &str, reason: &'static str, source: &Source, threads: usize) -> Row {
    let corpus = source.name();
    // A mix is its own corpus.
    let corpus = if corpus == name {
        String::new()
    } else {
        format!("/{corpus}")
    };
    Row::new(format!("interner/{name}{corpus}/{threads}t"), reason)
        .operations((source.tokens() / threads) as u64)
        .oracle(|| 1)
        .budget(BUDGET)
}

#[derive(Clone)]
struct Fill {
    source: Source,
    threads: usize,
    is_roomy: bool,
}

impl FillForm for Fill {
    fn owned<T: Grow>(&self, row: Row, name: &'static str) -> Row {
        let fill = self.clone();
        row.shared(name, move || Owned::<T> {
            stream: fill.source.data().stream(),
            is_roomy: fill.is_roomy,
            table: PhantomData,
        })
    }

    fn live<T: Live>(&self, row: Row, name: &'static str) -> Row {
        let fill = self.clone();
        row.shared(name, move || Shared::<T> {
            stream: fill.source.data().stream(),
            threads: fill.threads,
            gate: Gate::new(fill.threads),
            table: Mutex::new(None),
        })
    }
}

/// One table for each iteration, made and filled by one thread.
struct Owned<T> {
    stream: &'static [&'static str],
    is_roomy: bool,
    table: PhantomData<fn() -> T>,
}

impl<T: Grow> Subject for Owned<T> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        let bytes = self.stream.iter().map(|text| text.len()).sum();
        Box::new(OwnWorker::<T> { of: self, bytes })
    }
}

struct OwnWorker<'a, T> {
    of: &'a Owned<T>,
    bytes: usize,
}

impl<T: Grow> Worker for OwnWorker<'_, T> {
    fn run(&mut self, iterations: u64) -> u64 {
        let stream = black_box(self.of.stream);
        let iteration = |_| {
            let mut table = if self.of.is_roomy {
                T::roomy(stream.len(), self.bytes)
            } else {
                T::empty()
            };
            pour(stream, |text| table.add(text))
        };
        (0..iterations).map(iteration).sum()
    }
}

/// One table for each iteration, filled by all threads.
struct Shared<T> {
    stream: &'static [&'static str],
    threads: usize,
    gate: Gate,
    table: Mutex<Option<Arc<T>>>,
}

impl<T: Live> Subject for Shared<T> {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        Box::new(ShareWorker { of: self, thread })
    }
}

struct ShareWorker<'a, T> {
    of: &'a Shared<T>,
    thread: usize,
}

impl<T: Live> ShareWorker<'_, T> {
    /// The table of this iteration. The first thread makes it; whoever lets it go last frees it.
    fn table(&self) -> Arc<T> {
        let table = || self.of.table.lock().unwrap_or_else(PoisonError::into_inner);
        if self.thread == 0 {
            *table() = Some(Arc::new(T::empty()));
        }
        self.of.gate.pass();
        let own = table().clone();
        self.of.gate.pass();
        if self.thread == 0 {
            *table() = None;
        }
        own.expect("the first thread has made it")
    }
}

impl<T: Live> Worker for ShareWorker<'_, T> {
    fn run(&mut self, iterations: u64) -> u64 {
        let _alarm = self.of.gate.alarm();
        let each = self.of.stream.len() / self.of.threads;
        let stream = black_box(&self.of.stream[self.thread * each..][..each]);
        let iteration = |_| {
            let table = self.table();
            pour(stream, |text| table.intern(text))
        };
        (0..iterations).map(iteration).sum()
    }
}

/// Adds all strings; 1 if some of them, asked again, have the numbers that they had, and equal ones
/// only if they are equal.
#[inline]
fn pour(stream: &'static [&'static str], mut add: impl FnMut(&'static str) -> u64) -> u64 {
    let step = stream.len().div_ceil(SAMPLES).max(1);
    let mut samples = [0; SAMPLES];
    for (chunk, sample) in stream.chunks(step).zip(&mut samples) {
        *sample = add(chunk[0]);
        for text in &chunk[1..] {
            black_box(add(text));
        }
    }
    let firsts = || stream.chunks(step).map(|chunk| chunk[0]);
    let mut is_same = firsts()
        .zip(samples)
        .all(|(text, number)| add(text) == number);
    let pairs = firsts().zip(firsts().skip(1));
    for ((a, b), numbers) in pairs.zip(samples.windows(2)) {
        is_same &= (a == b) == (numbers[0] == numbers[1]);
    }
    u64::from(is_same)
}

/// Strings that are asked again.
const SAMPLES: usize = 16;
