//! Scopes: the row `scope`.

use core::hint::black_box;

use super::{
    job::{Job, everyone_with_scopes, level},
    region::Scoped,
};
use crate::suite::Row;

/// Scopes in an iteration.
const COUNT: u64 = 100;

const TEXT: &str = "sixteen letters.";

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "arena/scope/1t",
        "a number and a text in a scope of their own; bumpalo, blink-alloc and multitude have none",
    )
    .operations(COUNT)
    .oracle(|| (0..COUNT).sum::<u64>() + COUNT * TEXT.len() as u64);
    vec![level(everyone_with_scopes(row, || Scopes))]
}

struct Scopes;

impl<R: Scoped> Job<R> for Scopes {
    fn run(&self, region: &mut R) -> u64 {
        (0..COUNT).fold(0, |sum: u64, number| {
            sum.wrapping_add(region.scoped(number, black_box(TEXT)))
        })
    }
}
