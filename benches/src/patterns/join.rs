#![doc = include_str!("../../../docs/patterns/join.md")]

use thrifty_workloads::corpus::CorpusSpec;

use super::{COUNT, Pattern, sample};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "join-1000",
            reason: "a text made with + in a loop (bad), with + on a clone of it (clone), in a \
                     buffer of its size (good), and with join (best)",
            input: words,
            oracle: |words| {
                let mut text = words[0].clone();
                for word in &words[1..] {
                    text.push(',');
                    text.push_str(word);
                }
                sample(&text)
            },
        }
        .four(
            |words| sample(&opaque(added(words))),
            ("clone", |words| sample(&opaque(copied(words)))),
            |words| sample(&opaque(sized(words))),
            |words| sample(&opaque(joined(words))),
        ),
    ]
}

fn words() -> Vec<String> {
    let corpus = CorpusSpec::WORDS.with_tokens(2_000).generate();
    corpus.iter().take(COUNT).map(String::from).collect()
}

/// Each `+` takes the old text over and appends to it; where there is no room, the text moves.
#[inline(never)]
fn added(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        let separator = if text.is_empty() { "" } else { "," };
        text = text + separator + word;
    }
    text
}

/// The old text is kept while the new one is made, as languages with immutable strings do it.
#[inline(never)]
fn copied(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        let separator = if text.is_empty() { "" } else { "," };
        text = text.clone() + separator + word;
    }
    text
}

#[inline(never)]
fn sized(words: &[String]) -> String {
    let bytes: usize = words.iter().map(|word| word.len() + 1).sum();
    let mut text = String::with_capacity(bytes);
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(word);
    }
    text
}

#[inline(never)]
fn joined(words: &[String]) -> String {
    words.join(",")
}

#[cfg(test)]
mod tests {
    use super::{added, copied, joined, sized, words};

    #[test]
    fn every_side_gives_the_same_text() {
        let words = words();
        assert_eq!(words.len(), 1_000);
        assert_eq!(added(&words), joined(&words));
        assert_eq!(copied(&words), joined(&words));
        assert_eq!(sized(&words), joined(&words));
    }
}
