//! Strings as programs meet them, with their repetitions.
//!
//! A [`Corpus`] is a stream of tokens in one buffer: words of a text, fields of a log, names in
//! source code. Who interns or counts them finds some strings again and again and others once; how
//! often is the property of a corpus that matters most, and [`Corpus::distinct`] states it.
//!
//! ```text
//!   text   │ g e t t h e g e t │
//!   ends   │ 3 6 9 │                token 0 is "get", token 1 is "the", token 2 is "get"
//!   distinct = 2
//! ```

mod generate;
mod oracle;
mod rust_lexer;
mod rust_source;
mod spec;
mod tokens;
mod words;

use core::ops::Range;
use std::collections::HashSet;

pub use self::{
    oracle::Interned,
    rust_lexer::identifiers,
    rust_source::Sources,
    spec::{CorpusSpec, Kind},
    tokens::tokens,
    words::append_word,
};
use crate::rng::Rng;

/// Tokens in one buffer, in the order in which a program meets them.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::corpus::Corpus;
///
/// let corpus = Corpus::collect("greeting", ["get", "the", "get"]);
/// assert_eq!((corpus.len(), corpus.distinct()), (3, 2));
/// assert_eq!(corpus.get(2), "get");
/// ```
///
/// # Memory
///
/// The text and four bytes per token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    name: String,
    origin: String,
    text: String,
    /// Where each token ends; it begins where the one before ends.
    ends: Vec<u32>,
    distinct: usize,
}

impl Corpus {
    /// Copies tokens into a corpus.
    ///
    /// # Panics
    ///
    /// Beyond 4 GiB of text.
    pub fn collect(
        name: impl Into<String>,
        tokens: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        let mut builder = Builder::default();
        for token in tokens {
            builder.text.push_str(token.as_ref());
            builder.end_token();
        }
        builder.finish(name.into(), "given".into())
    }

    /// The tokens of a file's bytes, whatever its encoding: what is not UTF-8 becomes `�`.
    ///
    /// This is how a benchmark's `--input` becomes a corpus. The tokens are those of
    /// [`tokens`].
    ///
    /// # Panics
    ///
    /// Beyond 4 GiB of text.
    pub fn from_bytes(name: impl Into<String>, bytes: &[u8]) -> Self {
        let name = name.into();
        let text = String::from_utf8_lossy(bytes);
        let mut builder = Builder::default();
        for token in tokens(&text) {
            builder.text.push_str(token);
            builder.end_token();
        }
        builder.finish(name, format!("{} bytes of input", bytes.len()))
    }

    /// The name under which results refer to it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it comes from, and for generated ones why they exist.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many tokens there are, repetitions included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// No tokens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many different tokens there are.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.distinct
    }

    /// Bytes of all tokens, repetitions included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The token with this number.
    ///
    /// # Panics
    ///
    /// When there are not so many.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> &str {
        &self.text[self.range(index)]
    }

    /// Every token in its order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The same tokens in another order: lookups, apart from the strings that were stored.
    #[must_use]
    pub fn shuffled(&self, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..self.len()).collect();
        Rng::new(seed).shuffle(&mut order);
        let tokens = order.into_iter().map(|index| self.get(index));
        self.derived(tokens, "shuffled")
    }

    /// Each string once, in the order of first occurrence.
    #[must_use]
    pub fn once_each(&self) -> Self {
        self.derived(Interned::new(self).strings, "once each")
    }

    /// As many strings of about the same lengths, none of which is in this corpus: lookups that
    /// find nothing.
    #[must_use]
    pub fn strangers(&self) -> Self {
        let known: HashSet<&str> = self.iter().collect();
        let strangers = self.iter().map(|token| {
            let mut stranger = format!("{token},");
            while known.contains(&*stranger) {
                stranger.push(',');
            }
            stranger
        });
        self.derived(strangers, "changed so that none is known")
    }

    fn derived(&self, tokens: impl IntoIterator<Item = impl AsRef<str>>, how: &str) -> Self {
        Self {
            origin: format!("{}; {how}", self.origin),
            ..Self::collect(&self.name, tokens)
        }
    }

    fn range(&self, index: usize) -> Range<usize> {
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1] as usize,
        };
        start..self.ends[index] as usize
    }
}

/// A corpus under construction: write to `text`, then end the token.
#[derive(Default)]
struct Builder {
    text: String,
    ends: Vec<u32>,
}

impl Builder {
    fn end_token(&mut self) {
        let end = u32::try_from(self.text.len()).expect("a corpus has at most 4 GiB");
        self.ends.push(end);
    }

    fn finish(self, name: String, origin: String) -> Corpus {
        let mut corpus = Corpus {
            name,
            origin,
            text: self.text,
            ends: self.ends,
            distinct: 0,
        };
        corpus.distinct = oracle::count_distinct(&corpus);
        corpus
    }
}
