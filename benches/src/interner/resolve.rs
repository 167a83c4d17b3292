//! From symbols back to strings: the rows `interner/resolve-…`.

use thrifty_workloads::{corpus::CorpusSpec, rng::Rng};

use super::{
    blocks::{Asked, Blocks},
    data::{BLOCK, Source},
    hit::row,
    roster::{self, NameForm},
    table::Names,
};
use crate::suite::{Bar, Row};

pub(super) fn rows() -> Vec<Row> {
    let random = "symbols in any order, and the strings' first bytes read";
    let sequential = "symbols in the order in which they were given out";
    [
        ("resolve-random", random, Order::Random, 1),
        ("resolve-random", random, Order::Random, 4),
        ("resolve-sequential", sequential, Order::Sequential, 1),
    ]
    .into_iter()
    .flat_map(|(name, reason, order, threads)| {
        [CorpusSpec::LOG_TOKENS, CorpusSpec::URLS].map(|spec| {
            let source = Source::Spec(spec);
            let row = row(name, reason, &source, threads).bar(Bar::Times {
                subject: "thrifty",
                against: &["vec"],
                most: 1.5,
            });
            roster::namers(row, Symbols { source, order })
        })
    })
    .collect()
}

#[derive(Clone, Copy)]
enum Order {
    Random,
    Sequential,
}

#[derive(Clone)]
struct Symbols {
    source: Source,
    order: Order,
}

impl NameForm for Symbols {
    fn side<T: Names>(&self, row: Row, name: &'static str) -> Row {
        let form = self.clone();
        row.shared(name, move || Asked(Resolve::<T>::new(&form)))
    }
}

struct Resolve<T: Names> {
    table: T,
    /// In the order in which they are asked for, in whole blocks.
    symbols: Vec<T::Symbol>,
    right: Vec<u64>,
}

impl<T: Names> Resolve<T> {
    fn new(form: &Symbols) -> Self {
        let known = &form.source.data().known;
        let (table, symbols) = T::with_symbols(known);
        let mut order: Vec<usize> = (0..known.len()).collect();
        if matches!(form.order, Order::Random) {
            Rng::new(3).shuffle(&mut order);
        }
        let fill = known.len().next_multiple_of(BLOCK);
        let order: Vec<usize> = order.iter().copied().cycle().take(fill).collect();
        let right = order.chunks_exact(BLOCK).map(|block| {
            let texts = block.iter().map(|&index| weight(known[index]));
            texts.sum()
        });
        Self {
            right: right.collect(),
            symbols: order.iter().map(|&index| symbols[index].clone()).collect(),
            table,
        }
    }
}

/// What is read of a string.
#[inline]
pub(super) fn weight(text: &str) -> u64 {
    let first = text.as_bytes().first().copied().unwrap_or_default();
    text.len() as u64 * 256 + u64::from(first)
}

impl<T: Names> Blocks for Resolve<T> {
    #[inline]
    fn block(&self, number: usize) -> u64 {
        let block = &self.symbols[number * BLOCK..][..BLOCK];
        let weights = block.iter().map(|symbol| weight(self.table.name(symbol)));
        weights.sum()
    }

    fn right(&self) -> &[u64] {
        &self.right
    }
}
