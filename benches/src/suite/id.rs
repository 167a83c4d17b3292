//! The name of a row: the key by which times, counts and records are joined.

use core::fmt;

/// `area/row[/corpus]/Nt`, as in `patterns/append-1000/1t` or `interner/hit/log-tokens/4t`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    text: String,
    threads: usize,
}

impl Id {
    /// Reads an id; `None` if it is none.
    ///
    /// Parts are made of lower-case letters, digits, `-`, `_` and `.`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split('/').collect();
        let is_word = |part: &&str| {
            let is_allowed = |c: char| {
                c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.')
            };
            !part.is_empty() && part.chars().all(is_allowed)
        };
        let ([_, _, threads] | [_, _, _, threads]) = parts[..] else {
            return None;
        };
        let threads = threads.strip_suffix('t')?.parse().ok()?;
        let is_id = parts.iter().all(is_word) && (1..=MOST_THREADS).contains(&threads);
        is_id.then(|| Self {
            text: text.to_owned(),
            threads,
        })
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many threads work at once.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// What the row works on, if the id says so.
    #[must_use]
    pub fn corpus(&self) -> Option<&str> {
        let mut parts = self.text.split('/').skip(2);
        let corpus = parts.next();
        corpus.filter(|_| parts.next().is_some())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// More threads than this are a mistyped id.
const MOST_THREADS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn ids_have_three_or_four_parts_and_end_in_threads() {
        let id = Id::parse("interner/hit/log-tokens/4t").unwrap();
        assert_eq!((id.threads(), id.corpus()), (4, Some("log-tokens")));
        let id = Id::parse("pool/get-put/1t").unwrap();
        assert_eq!((id.threads(), id.corpus()), (1, None));
        assert_eq!(id.to_string(), id.as_str());
        for wrong in [
            "",
            "pool/1t",
            "pool/get-put",
            "pool/get-put/0t",
            "pool/get-put/t",
            "pool/get-put/9999t",
            "pool//1t",
            "pool/Get/1t",
            "pool/get put/1t",
            "a/b/c/d/1t",
            "pool/get-put/1t/",
        ] {
            assert_eq!(Id::parse(wrong), None, "{wrong:?}");
        }
    }
}
