//! Overwrites what nobody may read any more.

use crate::asan;

/// What debug builds fill given-back bytes with, so that a stale read is seen.
const STALE: u8 = 0xDD;

/// Whether given-back bytes are filled with [`STALE`].
const POISONS: bool = cfg!(debug_assertions);

/// Fills the bytes from `start` to `end`, which were given back, and tells AddressSanitizer so.
///
/// With `zeroize` they become zeros, by writes that the compiler keeps; otherwise a debug build
/// poisons them.
///
/// # Safety
///
/// The range lies in one allocation, whose provenance `start` has, and is *owned*.
pub(crate) unsafe fn scrub(start: *mut u8, end: *mut u8, zeroize: bool) {
    let bytes = end.addr() - start.addr();
    if zeroize {
        asan::wake(start, bytes);
        // SAFETY: the caller's contract is the same.
        unsafe { zero_volatile(start, bytes) };
    } else if POISONS {
        asan::wake(start, bytes);
        // SAFETY: valid for writes and owned, says the caller.
        unsafe { start.write_bytes(STALE, bytes) };
    }
    asan::sleep(start, bytes);
}

/// Zeros that the optimiser does not drop, although nobody reads them.
///
/// # Safety
///
/// `bytes` from `start` on are valid for writes, and owned.
unsafe fn zero_volatile(start: *mut u8, bytes: usize) {
    const WORD: usize = size_of::<u64>();
    let head = start.align_offset(WORD).min(bytes);
    for at in 0..head {
        // SAFETY: within the range.
        unsafe { start.wrapping_add(at).write_volatile(0) };
    }
    let words = (bytes - head) / WORD;
    #[expect(
        clippy::cast_ptr_alignment,
        reason = "the head ends where words are aligned"
    )]
    let first_word = start.wrapping_add(head).cast::<u64>();
    for at in 0..words {
        // SAFETY: aligned, since `head` bytes were left out, and within the range. Where `bytes` ends
        // before a word is aligned, there are no words.
        unsafe { first_word.wrapping_add(at).write_volatile(0) };
    }
    for at in head + words * WORD..bytes {
        // SAFETY: within the range.
        unsafe { start.wrapping_add(at).write_volatile(0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_exactly_where_they_should_be() {
        for offset in 0..9 {
            for bytes in 0..40 {
                let mut buffer = [1_u8; 64];
                let start = buffer.as_mut_ptr().wrapping_add(offset);
                // SAFETY: within the buffer, which nobody else uses meanwhile.
                unsafe { zero_volatile(start, bytes) };
                let zeros = offset..offset + bytes;
                for (at, byte) in buffer.iter().enumerate() {
                    assert_eq!(*byte == 0, zeros.contains(&at), "{offset} {bytes} {at}");
                }
            }
        }
    }
}
