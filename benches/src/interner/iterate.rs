//! Every string with its symbol: the row `interner/iterate/…`.

use core::hint::black_box;

use super::{
    data::Source,
    hit::BUDGET,
    resolve::weight,
    roster::{self, WalkForm},
    table::Walk,
};
use crate::suite::{self, Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let source = Source::Words(100_000);
    let row = Row::new(
        "interner/iterate/words/1t",
        "a hundred thousand strings, one after the other (vec: a list of them)",
    )
    .operations(source.tokens() as u64)
    .oracle(|| {
        let known = &Source::Words(100_000).data().known;
        known.iter().map(|text| weight(text)).sum()
    })
    .budget(BUDGET);
    vec![roster::walkers(row, Walking(source))]
}

#[derive(Clone)]
struct Walking(Source);

impl WalkForm for Walking {
    fn side<T: Walk>(&self, row: Row, name: &'static str) -> Row {
        let source = self.0.clone();
        row.shared(name, move || Walked(T::of_all(&source.data().known)))
    }
}

struct Walked<T>(T);

impl<T: Walk> Subject for Walked<T> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(suite::each(|| {
            let mut sum = 0;
            black_box(&self.0).walk(|text| sum += weight(text));
            sum
        }))
    }
}
