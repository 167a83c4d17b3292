//! Asking for strings that are known: the rows `interner/hit…`.

use core::time::Duration;
use std::collections::HashMap;

use thrifty_workloads::corpus::CorpusSpec;

use super::{
    blocks::{Alone, Asked, Blocks},
    data::{BLOCK, Data, Source},
    hash::Ahash,
    ours::{Thrifty, ThriftyMany},
    plain::ReadOnly,
    roster::{self, Form},
    table::Lookup,
};
use crate::suite::{Bar, Context, Row};

/// Tables that nobody fills while they are asked.
const READ_ONLY: &[&str] = &["hashbrown", "string-interner", "lasso-reader"];

pub(super) fn rows(context: &Context) -> Vec<Row> {
    let mut rows = Vec::new();
    for (spec, threads) in [
        (CorpusSpec::LOG_TOKENS, &[1, 2, 4, 8][..]),
        (CorpusSpec::IDENTIFIERS, &[1, 4]),
        (CorpusSpec::WORDS, &[1, 4]),
        (CorpusSpec::URLS, &[1, 4]),
        (CorpusSpec::HOT_KEY, &[1, 4]),
    ] {
        let is_judged = [CorpusSpec::LOG_TOKENS, CorpusSpec::IDENTIFIERS].contains(&spec);
        let source = Source::Spec(spec);
        for &threads in threads {
            let row = one_hash("hit", spec.reason, &source, threads);
            rows.push(if is_judged { judged(row) } else { row });
        }
        if is_judged {
            for threads in [1, 4] {
                let row = row("hit-own-hash", OWN, &source, threads);
                rows.push(roster::with_own_hashes(row, Hits(source.clone())));
            }
        }
    }
    rows.extend([CorpusSpec::LOG_TOKENS, CorpusSpec::IDENTIFIERS].map(scaling));
    for input in &context.inputs {
        let source = Source::Given(input.name.clone(), input.text.clone());
        let given = "the tokens of a text of --input";
        rows.extend([1, 4].map(|threads| judged(one_hash("hit", given, &source, threads))));
    }
    for (name, count, reason) in [
        ("hit-1k", 1_000, "a table that fits the first cache"),
        ("hit-100k", 100_000, "a table that fits the last cache"),
        ("hit-10m", 10_000_000, "a table that fits no cache"),
    ] {
        let source = Source::Words(count);
        for threads in [1, 4] {
            let row = row(name, reason, &source, threads);
            let hits = Hits(source.clone());
            let row = if count > 1_000_000 {
                roster::with_few(row, hits.clone()).thorough()
            } else {
                roster::with_one_hash(row, hits.clone())
            };
            rows.push(hits.side::<ThriftyMany>(row, "thrifty-many").ours());
        }
    }
    rows
}

const OWN: &str = "the same with the hasher that each crate takes by default";

fn one_hash(name: &str, reason: &'static str, source: &Source, threads: usize) -> Row {
    let row = row(name, reason, source, threads);
    roster::with_one_hash(row, Hits(source.clone()))
}

pub(super) fn row(name: &str, reason: &'static str, source: &Source, threads: usize) -> Row {
    let corpus = source.name();
    Row::new(format!("interner/{name}/{corpus}/{threads}t"), reason)
        .operations(BLOCK as u64)
        .oracle(|| 1)
        .budget(BUDGET)
}

/// There are many rows, and few sides without rivals.
pub(super) const BUDGET: Duration = if cfg!(feature = "rivals") {
    Duration::from_millis(1_000)
} else {
    Duration::from_millis(500)
};

/// The bars of DESIGN §5. Throughput of several threads is that of each, since each does as much.
fn judged(row: Row) -> Row {
    let threads = row.id().threads();
    let bar = |against, most| Bar::Times {
        subject: "thrifty",
        against,
        most,
    };
    let row = row.bar(bar(READ_ONLY, 1.2)).bar(bar(&["papaya"], 0.75));
    if threads < 4 {
        return row;
    }
    row.bar(bar(&["lasso-threaded"], 0.25))
        .bar(bar(&["internity"], 1.0 / 3.0))
}

/// What company costs: the same work by four threads at once and by one of them alone.
fn scaling(spec: CorpusSpec) -> Row {
    let source = Source::Spec(spec);
    let reason = "four threads at once, and one of them alone: what company costs a table";
    let row = row("scaling", reason, &source, THREADS).bar(Bar::Scaling {
        subject: "thrifty",
        alone: "thrifty-alone",
        control: "hashbrown",
        control_alone: "hashbrown-alone",
        most: 1.05,
    });
    let hits = Hits(source);
    let row = hits.side::<Thrifty>(row, "thrifty");
    let row = hits.alone::<Thrifty>(row, "thrifty-alone");
    let row = row.ours().wraps("thrifty");
    let row = hits.side::<ReadOnly<Ahash>>(row, "hashbrown");
    let row = hits.alone::<ReadOnly<Ahash>>(row, "hashbrown-alone");
    row.wraps("hashbrown")
}

/// Of [`scaling`].
const THREADS: usize = 4;

#[derive(Clone)]
struct Hits(Source);

impl Hits {
    fn alone<T: Lookup>(&self, row: Row, name: &'static str) -> Row {
        let source = self.0.clone();
        row.shared(name, move || {
            Alone::new(Hit::<T>::new(source.data()), THREADS)
        })
    }
}

impl Form for Hits {
    fn side<T: Lookup>(&self, row: Row, name: &'static str) -> Row {
        let source = self.0.clone();
        row.shared(name, move || Asked(Hit::<T>::new(source.data())))
    }
}

/// A table with all that is known, and what it is asked.
struct Hit<T> {
    table: T,
    data: &'static Data,
    /// What the numbers of each block's answers add up to.
    sums: Vec<u64>,
}

impl<T: Lookup> Hit<T> {
    fn new(data: &'static Data) -> Self {
        let table = T::of(&data.known);
        check(&table, &data.known);
        let blocks = data.queries.chunks_exact(BLOCK);
        let sums = blocks.map(|block| table.sum(block)).collect();
        Self { table, data, sums }
    }
}

/// Every string has a number, and no two have the same.
///
/// # Panics
///
/// When it is not so.
fn check<T: Lookup>(table: &T, known: &[&'static str]) {
    let mut seen = HashMap::new();
    for &text in known.iter().take(CHECKED) {
        let other = seen.insert(table.hit(text), text);
        assert!(other.is_none(), "{text:?} and {other:?} are one");
    }
}

/// More than this would take longer than the row.
const CHECKED: usize = 1 << 16;

impl<T: Lookup> Blocks for Hit<T> {
    #[inline]
    fn block(&self, number: usize) -> u64 {
        self.table
            .sum(&self.data.queries[number * BLOCK..][..BLOCK])
    }

    fn right(&self) -> &[u64] {
        &self.sums
    }
}
