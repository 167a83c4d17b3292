//! Texts: the rows `alloc-str`, `alloc-str-long` and `join-1000`.

use core::hint::black_box;

use thrifty_workloads::{corpus::CorpusSpec, rng::Rng};

use super::{
    job::{Job, ahead, everyone},
    region::{Hold, Region},
};
use crate::suite::Row;

/// Texts between two resets.
const COUNT: usize = 1_000;

pub(super) fn rows() -> Vec<Row> {
    let short = Row::new(
        "arena/alloc-str/1t",
        "a thousand texts of 8 to 24 bytes, and a reset",
    )
    .operations(COUNT as u64)
    .oracle(|| Texts::new(8, 24).expected());
    let long = Row::new(
        "arena/alloc-str-long/1t",
        "a thousand texts of 100 to 1000 bytes, and a reset: copying is most of it",
    )
    .operations(COUNT as u64)
    .oracle(|| Texts::new(100, 1_000).expected());
    let join = Row::new(
        "arena/join-1000/1t",
        "a thousand words joined to one text; whoever cannot, pushes them into a text of its size",
    )
    .operations(COUNT as u64)
    .oracle(|| sample(&Words::new().0.join(",")));
    vec![
        ahead(everyone(short, || Texts::new(8, 24))),
        ahead(everyone(long, || Texts::new(100, 1_000))),
        ahead(everyone(join, Words::new)),
    ]
}

/// What is copied.
struct Texts(Vec<String>);

impl Texts {
    fn new(least: u64, most: u64) -> Self {
        let mut rng = Rng::new(least);
        let mut text = || -> String {
            let bytes = rng.range(least, most);
            let letter = |_| char::from(*rng.pick(b"abcdefghijklmnopqrstuvwxyz"));
            (0..bytes).map(letter).collect()
        };
        Self((0..COUNT).map(|_| text()).collect())
    }

    fn expected(&self) -> u64 {
        let ends = |text: &String| {
            let last = text.bytes().next_back().unwrap_or_default();
            text.len() as u64 + u64::from(last)
        };
        self.0.iter().map(ends).sum()
    }
}

impl<R: Region> Job<R> for Texts {
    fn run(&self, region: &mut R) -> u64 {
        let region = &*region;
        let mut held = R::Hold::with_capacity(self.0.len());
        let mut sum = 0_u64;
        for text in &self.0 {
            let text = region.text(text);
            let found = black_box(&*text).as_bytes();
            sum = sum.wrapping_add(found.len() as u64 + u64::from(found[found.len() - 1]));
            held.keep(text);
        }
        sum
    }
}

/// What is joined.
struct Words(Vec<&'static str>);

impl Words {
    fn new() -> Self {
        let corpus = CorpusSpec::WORDS.with_tokens(2_000).generate();
        let word = |word: &str| -> &'static str { String::from(word).leak() };
        Self(corpus.iter().take(COUNT).map(word).collect())
    }
}

impl<R: Region> Job<R> for Words {
    fn run(&self, region: &mut R) -> u64 {
        sample(black_box(&*region.join(&self.0, ",")))
    }
}

/// A text's length and some of its bytes.
pub(super) fn sample(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let step = bytes.len() / 16 + 1;
    let some = bytes.iter().step_by(step);
    some.fold(bytes.len() as u64, |sum, &byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    })
}
