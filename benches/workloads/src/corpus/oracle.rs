//! What interning a corpus must give, found with a map from the standard library.

use std::collections::{HashMap, HashSet};

use super::Corpus;

/// A corpus interned naively: numbers in the order of first occurrence.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::corpus::{Corpus, Interned};
///
/// let corpus = Corpus::collect("greeting", ["get", "the", "get"]);
/// let interned = Interned::new(&corpus);
/// assert_eq!(interned.symbols, [0, 1, 0]);
/// assert_eq!(interned.strings, ["get", "the"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interned<'a> {
    /// For each token the number of its string.
    pub symbols: Vec<u32>,
    /// The strings; no string twice.
    pub strings: Vec<&'a str>,
}

impl<'a> Interned<'a> {
    /// Interns every token in its order.
    ///
    /// # Panics
    ///
    /// Beyond 2^32 strings, which no corpus holds.
    #[must_use]
    pub fn new(corpus: &'a Corpus) -> Self {
        let mut numbers = HashMap::new();
        let mut strings = Vec::new();
        let symbols = corpus
            .iter()
            .map(|token| {
                *numbers.entry(token).or_insert_with(|| {
                    let number = u32::try_from(strings.len()).expect("fewer than 2^32");
                    strings.push(token);
                    number
                })
            })
            .collect();
        Self { symbols, strings }
    }

    /// How often each string occurs.
    #[must_use]
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.strings.len()];
        for &symbol in &self.symbols {
            counts[symbol as usize] += 1;
        }
        counts
    }
}

pub(super) fn count_distinct(corpus: &Corpus) -> usize {
    corpus.iter().collect::<HashSet<_>>().len()
}
