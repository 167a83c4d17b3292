//! The corpora there are.

use super::{Corpus, Sources, generate};

/// A corpus before it is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorpusSpec {
    /// The name under which results refer to it.
    pub name: &'static str,
    /// Why it exists, in one line.
    pub reason: &'static str,
    /// Where its randomness comes from.
    pub seed: u64,
    /// What its tokens are.
    pub kind: Kind,
    /// How many tokens to make; for [`Kind::Identifiers`] the most.
    pub tokens: u32,
}

/// What the tokens of a corpus are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Invented words, drawn by Zipf's law from a vocabulary.
    ZipfWords {
        /// How many words the vocabulary has, at most 2^20.
        vocabulary: u32,
    },
    /// Fields and values of [`LogSpec::MIXED`](crate::logs::LogSpec::MIXED).
    LogTokens,
    /// URLs of 30 to 120 bytes with long common beginnings, drawn by a flat Zipf law.
    Urls {
        /// How many different ones to draw from, at most 2^20.
        pages: u32,
    },
    /// Names in Rust source code that cargo has on disk.
    Identifiers,
    /// Random version-4 UUIDs in 36 characters, never one twice.
    UniqueIds,
    /// One string, again and again.
    HotKey,
    /// Invented words, and among a thousand tokens so many random ids that never come back.
    Mixed {
        /// How many words the vocabulary has, at most 2^20.
        vocabulary: u32,
        /// How many of a thousand tokens are ids.
        ids_per_mille: u32,
    },
    /// Texts of 1 to 64 KiB, each of them several times.
    Documents {
        /// How many different ones to draw from, at most 2^20.
        documents: u32,
    },
}

impl CorpusSpec {
    /// Words of a text.
    pub const WORDS: Self = Self {
        name: "zipf-words",
        reason: "words of a language: most lookups hit a few hundred strings",
        seed: 101,
        kind: Kind::ZipfWords { vocabulary: 50_000 },
        tokens: 1_000_000,
    };

    /// Fields of log lines.
    pub const LOG_TOKENS: Self = Self {
        name: "log-tokens",
        reason: "fields of log lines: hosts and keywords again and again, values once",
        seed: crate::logs::LogSpec::MIXED.seed,
        kind: Kind::LogTokens,
        tokens: 1_000_000,
    };

    /// URLs.
    pub const URLS: Self = Self {
        name: "urls",
        reason: "long strings that differ late: comparing costs more than hashing",
        seed: 103,
        kind: Kind::Urls { pages: 200_000 },
        tokens: 400_000,
    };

    /// Names in source code.
    pub const IDENTIFIERS: Self = Self {
        name: "identifiers",
        reason: "names in real source code: what compilers and editors intern",
        seed: 0,
        kind: Kind::Identifiers,
        tokens: 2_000_000,
    };

    /// Ids that never come back.
    pub const UNIQUE_IDS: Self = Self {
        name: "unique-ids",
        reason: "ids that never come back: every lookup misses, every table grows",
        seed: 105,
        kind: Kind::UniqueIds,
        tokens: 100_000,
    };

    /// One string that all threads want.
    pub const HOT_KEY: Self = Self {
        name: "hot-key",
        reason: "one string that all threads want at once: contention and nothing else",
        seed: 106,
        kind: Kind::HotKey,
        tokens: 100_000,
    };

    /// Lookups of which one in a hundred misses, once the [vocabulary](Self::vocabulary) is known.
    pub const MIX_99: Self = Self {
        name: "mix-99-1",
        reason: "a running program: ninety-nine hits, one new string",
        seed: 107,
        kind: Kind::Mixed {
            vocabulary: 1_000,
            ids_per_mille: 10,
        },
        tokens: 400_000,
    };

    /// Lookups of which one in ten misses, once the [vocabulary](Self::vocabulary) is known.
    pub const MIX_90: Self = Self {
        name: "mix-90-10",
        reason: "a program that is warming up: nine hits, one new string",
        seed: 108,
        kind: Kind::Mixed {
            vocabulary: 1_000,
            ids_per_mille: 100,
        },
        tokens: 400_000,
    };

    /// Texts of kilobytes.
    pub const DOCUMENTS: Self = Self {
        name: "documents",
        reason: "texts of kilobytes: hashing and copying are all there is",
        seed: 109,
        kind: Kind::Documents { documents: 300 },
        tokens: 1_000,
    };

    /// Every corpus.
    pub const ALL: [Self; 9] = [
        Self::WORDS,
        Self::LOG_TOKENS,
        Self::URLS,
        Self::IDENTIFIERS,
        Self::UNIQUE_IDS,
        Self::HOT_KEY,
        Self::MIX_99,
        Self::MIX_90,
        Self::DOCUMENTS,
    ];

    /// The same corpus with another number of tokens; a shorter one is a prefix of a longer one.
    #[must_use]
    pub const fn with_tokens(self, tokens: u32) -> Self {
        Self { tokens, ..self }
    }

    /// The same corpus with another seed, where it has one.
    #[must_use]
    pub const fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The same corpus with something else in it.
    #[must_use]
    pub const fn with_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Writes the tokens out.
    ///
    /// Identifiers are read from [`Sources::find`]; give other ones with
    /// [`from_sources`](Self::from_sources).
    ///
    /// # Panics
    ///
    /// When a vocabulary is empty or has more than 2^20 strings, or the text exceeds 4 GiB.
    #[must_use]
    pub fn generate(&self) -> Corpus {
        match self.kind {
            Kind::Identifiers => self.from_sources(&Sources::find()),
            _ => generate::corpus(self),
        }
    }

    /// The strings that the corpus draws from, once each, the frequent ones first: what to intern
    /// before the clock starts.
    ///
    /// The first sighting of a word is a miss, too. After this, what [mixes](Kind::Mixed) miss are
    /// their ids and nothing else, as often as their names say, and words, URLs, documents and
    /// the hot key miss never. It is empty where strings are made on the way: for log tokens,
    /// identifiers and unique ids.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::HashSet;
    ///
    /// use thrifty_workloads::corpus::CorpusSpec;
    ///
    /// let spec = CorpusSpec::MIX_90.with_tokens(10_000);
    /// let (known, corpus) = (spec.vocabulary(), spec.generate());
    /// let mut table: HashSet<&str> = known.iter().collect();
    /// let misses = corpus.iter().filter(|token| table.insert(token)).count();
    /// assert!((900..1_100).contains(&misses));
    /// ```
    ///
    /// # Panics
    ///
    /// When the text exceeds 4 GiB.
    #[must_use]
    pub fn vocabulary(&self) -> Corpus {
        generate::vocabulary(self)
    }

    /// The names in given source code, up to as many as the spec says.
    ///
    /// # Panics
    ///
    /// Beyond 4 GiB of names.
    #[must_use]
    pub fn from_sources(&self, sources: &Sources) -> Corpus {
        generate::names(self, sources)
    }
}
