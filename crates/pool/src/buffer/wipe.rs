//! Zeros that the optimiser must write.

use core::ptr::NonNull;

const WORD: usize = size_of::<usize>();

/// Fills memory with zeros, by volatile writes.
///
/// The compiler performs every volatile write, in order, whether or not it can see anyone read
/// the memory afterwards; so this also stands in front of a `dealloc`, where it may drop a plain
/// fill as a dead store. Whole words where the address allows it, single bytes at the ends.
///
/// # Safety
///
/// The memory is valid for writes of `len` bytes, and exclusive.
#[inline(never)]
pub(crate) unsafe fn zero_volatile(start: NonNull<u8>, len: usize) {
    let head = start.align_offset(WORD).min(len);
    let words = (len - head) / WORD;
    for at in 0..head {
        // SAFETY: in bounds: `head` is at most `len`.
        let byte = unsafe { start.add(at) };
        // SAFETY: valid and exclusive: by the caller.
        unsafe { byte.write_volatile(0) };
    }
    for word in 0..words {
        // SAFETY: in bounds: `head + words * WORD` is at most `len`.
        let at = unsafe { start.add(head + word * WORD) }.cast::<usize>();
        // SAFETY: valid and exclusive: by the caller. Aligned: `head` bytes behind the start the
        // address is a multiple of a word's alignment, unless `head` is `len` and there is no word.
        unsafe { at.write_volatile(0) };
    }
    for at in head + words * WORD..len {
        // SAFETY: in bounds, by the range.
        let byte = unsafe { start.add(at) };
        // SAFETY: valid and exclusive: by the caller.
        unsafe { byte.write_volatile(0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeroes_exactly_what_it_is_told() {
        for start in 0..2 * WORD {
            for len in 0..4 * WORD {
                let mut bytes = [0xAA_u8; 8 * WORD];
                // SAFETY: `start + len` is less than six words.
                let at = unsafe { NonNull::from(&mut bytes).cast::<u8>().add(start) };
                // SAFETY: valid: as above; exclusive: a local.
                unsafe { zero_volatile(at, len) };
                for (index, byte) in bytes.iter().enumerate() {
                    let inside = (start..start + len).contains(&index);
                    assert_eq!(*byte == 0, inside, "{start}+{len}: {index}");
                }
            }
        }
    }
}
