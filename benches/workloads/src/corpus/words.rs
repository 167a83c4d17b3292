//! Invented words: short for the frequent, never two alike.
//!
//! A word is made of syllables: a consonant, a vowel, and sometimes a consonant that closes it.
//! The digits of the word's rank choose the syllables. Reading a word back is never ambiguous (a
//! consonant before a vowel opens a syllable, every other one closes one), so that different
//! ranks give different words.

/// Appends the word of a rank, from 0: one syllable up to rank 399, then two, then three.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::corpus::append_word;
///
/// let mut text = String::new();
/// for rank in [0, 1, 500] {
///     append_word(&mut text, rank);
///     text.push(' ');
/// }
/// assert_eq!(text, "ba da henba ");
/// ```
pub fn append_word(out: &mut String, rank: u64) {
    // Bijective numeration: it has no leading zeros, which would be syllables that say nothing.
    let mut rest = rank + 1;
    while rest > 0 {
        rest -= 1;
        append_syllable(out, rest % SYLLABLES);
        rest /= SYLLABLES;
    }
}

fn append_syllable(out: &mut String, number: u64) {
    let (number, open) = (number / OPEN.len() as u64, number % OPEN.len() as u64);
    let (close, vowel) = (number / VOWELS.len() as u64, number % VOWELS.len() as u64);
    out.push(char::from(at(OPEN, open)));
    out.push(char::from(at(VOWELS, vowel)));
    if close > 0 {
        out.push(char::from(at(CLOSE, close - 1)));
    }
}

fn at(letters: &[u8], index: u64) -> u8 {
    letters[usize::try_from(index).expect("an index of a letter")]
}

const OPEN: &[u8] = b"bdfghjklmprstvwz";
const VOWELS: &[u8] = b"aeiou";
const CLOSE: &[u8] = b"nrst";

const SYLLABLES: u64 = OPEN.len() as u64 * VOWELS.len() as u64 * (CLOSE.len() as u64 + 1);
