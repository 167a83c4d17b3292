//! Eight bytes at a time: where the white space is, and where the variable bytes are.
//!
//! Each test sets the high bit of those bytes that pass. Bytes above 0x7F never pass. Both
//! bounds are added to seven-bit values, so that no carry leaves its byte and the result is
//! exact.

/// The position of the first byte that passed; 8 if none did.
#[inline]
pub(super) const fn first(passed: u64) -> usize {
    passed.trailing_zeros() as usize / 8
}

/// Bytes that make a field variable: `/` and the digits, which are neighbours in ASCII.
#[inline]
pub(super) const fn variable(word: u64) -> u64 {
    let low = word & LOW_BITS;
    let from_slash = low + (0x80 - b'/' as u64) * ONES;
    let above_nine = low + (0x7F - b'9' as u64) * ONES;
    from_slash & !above_nine & !word & HIGH_BITS
}

/// Line ends. Bytes behind the first of them may pass wrongly, for a borrow crosses bytes; the
/// first is exact, and no one asks for another.
#[inline]
pub(super) const fn line_end(word: u64) -> u64 {
    equal(word, b'\n')
}

/// Bytes equal to `byte`, exact up to the first.
#[inline]
const fn equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ (byte as u64 * ONES);
    difference.wrapping_sub(ONES) & !difference & HIGH_BITS
}

/// The first `"` or `\n` from `at` on. There must be a line end, with a pad behind it.
#[inline]
pub(super) fn quote_or_line_end(text: &[u8], at: usize) -> usize {
    search(text, at, |word| equal(word, b'"') | equal(word, b'\n'))
}

/// The first `\n`. There must be one, with a pad behind it.
pub(super) fn end_of_line(text: &[u8]) -> usize {
    search(text, 0, line_end)
}

/// Bytes up to the space: ASCII white space and, rarely, other control characters.
#[inline]
const fn space_or_control(word: u64) -> u64 {
    let above_space = (word & LOW_BITS) + (0x7F - b' ' as u64) * ONES;
    !above_space & !word & HIGH_BITS
}

/// The first ASCII white space from `at` on. There must be some, with a pad behind it.
#[inline]
pub(super) fn white_space(text: &[u8], mut at: usize) -> usize {
    loop {
        at = search(text, at, space_or_control);
        if text[at].is_ascii_whitespace() {
            return at;
        }
        at += 1;
    }
}

/// The first byte from `at` on that passes `test`.
#[inline]
fn search(text: &[u8], mut at: usize, test: impl Fn(u64) -> u64) -> usize {
    loop {
        let passed = test(word(&text[at..]));
        if passed != 0 {
            return at + first(passed);
        }
        at += 8;
    }
}

/// The eight bytes at the start of `text`, as a word, the first byte lowest.
#[inline]
pub(super) fn word(text: &[u8]) -> u64 {
    u64::from_le_bytes(*text.first_chunk().expect("a pad follows every line"))
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = 0x7F * ONES;
const HIGH_BITS: u64 = 0x80 * ONES;
