//! Eight bytes at a time: where the white space is, and where the variable bytes are.
//!
//! Each test sets the high bit of those bytes that pass. Bytes above 0x7F never pass. Both bounds are
//! added to seven-bit values, so that no carry leaves its byte and the result is exact.

/// The word of eight bytes at `at`, the first byte lowest.
#[inline]
pub(super) fn word(text: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&text[at..at + 8]);
    u64::from_le_bytes(bytes)
}

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

/// Bytes up to the space: ASCII white space and, rarely, other control characters.
#[inline]
const fn space_or_control(word: u64) -> u64 {
    let above_space = (word & LOW_BITS) + (0x7F - b' ' as u64) * ONES;
    !above_space & !word & HIGH_BITS
}

/// The first ASCII white space from `at` on.
///
/// There must be some, with a pad behind it.
#[inline]
pub(super) fn white_space(text: &[u8], mut at: usize) -> usize {
    loop {
        let found = space_or_control(word(text, at));
        at += first(found);
        if found != 0 {
            if text[at].is_ascii_whitespace() {
                return at;
            }
            at += 1;
        }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = 0x7F * ONES;
const HIGH_BITS: u64 = 0x80 * ONES;
