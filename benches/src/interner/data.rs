//! What the tables hold and what they are asked for.
//!
//! ```text
//!   corpus ─┬─ once each ────► known     what is stored before the clock starts
//!           └─ shuffled ─────► queries   the same strings in another order and at other addresses
//! ```
//!
//! Both are made once per corpus and stay for the rest of the program: every side of every row then
//! reads the same ones, as plain slices.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use thrifty_workloads::{
    corpus::{Corpus, CorpusSpec, append_word},
    rng::Rng,
};

/// Where the strings come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A corpus that is generated or read from cargo's sources.
    Spec(CorpusSpec),
    /// So many invented words, asked for equally often: what the size of a table does.
    Words(u32),
    /// A text of `--input`.
    Given(String, Vec<u8>),
}

/// The strings of a source.
pub(super) struct Data {
    /// Each once, in the order of first occurrence.
    pub(super) known: Vec<&'static str>,
    /// What is looked up; whole blocks.
    pub(super) queries: Vec<&'static str>,
    /// As the corpus has them, repetitions included; empty where each comes once.
    stream: Vec<&'static str>,
    /// As many strings, of which none is known.
    pub(super) strangers: Vec<&'static str>,
}

/// Queries of one iteration.
pub(super) const BLOCK: usize = 256;

impl Source {
    /// The corpus part of an id.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Spec(spec) => spec.name,
            Self::Words(_) => "words",
            Self::Given(name, _) => name,
        }
    }

    /// How many tokens [`Data::stream`] has.
    ///
    /// # Panics
    ///
    /// For a text of `--input`, which would have to be read.
    pub(super) fn tokens(&self) -> usize {
        match self {
            Self::Spec(spec) => cut(*spec).tokens as usize,
            Self::Words(count) => words_in_tests(*count) as usize,
            Self::Given(..) => panic!("not known beforehand"),
        }
    }

    /// The strings, made when they are first wanted.
    pub(super) fn data(&self) -> &'static Data {
        static MADE: Mutex<Option<HashMap<String, &'static Data>>> = Mutex::new(None);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let made = made.get_or_insert_default();
        let key = match self {
            Self::Words(count) => format!("{count} words"),
            Self::Spec(_) | Self::Given(..) => self.name().to_owned(),
        };
        made.entry(key)
            .or_insert_with(|| Box::leak(Box::new(self.make())))
    }

    fn make(&self) -> Data {
        let corpus = match self {
            Self::Spec(spec) => cut(*spec).generate(),
            Self::Given(name, text) => Corpus::from_bytes(name, text),
            Self::Words(count) => return words(*count),
        };
        let once = corpus.once_each();
        Data {
            known: kept(&once),
            queries: blocks(kept(&corpus.shuffled(1))),
            stream: if corpus.distinct() == corpus.len() {
                Vec::new()
            } else {
                kept(&corpus)
            },
            strangers: blocks(kept(&corpus.shuffled(2).strangers())),
        }
    }
}

impl Data {
    /// The strings as a program meets them.
    pub(super) fn stream(&self) -> &[&'static str] {
        if self.stream.is_empty() {
            &self.known
        } else {
            &self.stream
        }
    }
}

/// The corpus as long as it is wanted here.
fn cut(spec: CorpusSpec) -> CorpusSpec {
    spec.with_tokens(spec.tokens.min(MOST_TOKENS))
}

/// Of log tokens some 45,000 are different then. Tests and debug builds measure nothing.
const MOST_TOKENS: u32 = if cfg!(any(test, debug_assertions)) {
    4_000
} else {
    3 << 17
};

fn words_in_tests(count: u32) -> u32 {
    if cfg!(any(test, debug_assertions)) {
        count.min(2_000)
    } else {
        count
    }
}

fn words(count: u32) -> Data {
    let count = words_in_tests(count);
    // The words of one syllable are few and short.
    let word = |rank: u64| {
        let mut text = String::new();
        append_word(&mut text, 320 + rank);
        text
    };
    let known = (0..count.into()).map(word);
    let mut rng = Rng::new(10);
    let queries = (0..WORD_QUERIES).map(|_| word(rng.below(count.into())));
    let strangers = (0..WORD_QUERIES).map(|number| format!("{number}"));
    Data {
        known: leaked(known),
        queries: leaked(queries),
        stream: Vec::new(),
        strangers: leaked(strangers),
    }
}

/// Whole blocks, and enough of them for the largest table to fit no cache.
const WORD_QUERIES: usize = if cfg!(any(test, debug_assertions)) {
    16 * BLOCK
} else {
    1 << 20
};

fn kept(corpus: &Corpus) -> Vec<&'static str> {
    leaked(corpus.iter())
}

/// The texts side by side, in memory of their own that is never freed.
fn leaked(texts: impl Iterator<Item = impl AsRef<str>>) -> Vec<&'static str> {
    let (mut all, mut ends) = (String::new(), Vec::new());
    for text in texts {
        all.push_str(text.as_ref());
        ends.push(all.len());
    }
    let all: &'static str = all.leak();
    let starts = core::iter::once(0).chain(ends.iter().copied());
    starts
        .zip(&ends)
        .map(|(from, &to)| &all[from..to])
        .collect()
}

/// Filled up to a whole block from the front.
fn blocks(mut texts: Vec<&'static str>) -> Vec<&'static str> {
    let whole = texts.len().next_multiple_of(BLOCK);
    let first = texts.clone();
    texts.extend(first.iter().cycle().take(whole - first.len()));
    texts
}
