//! Copies short byte strings without a call.
//!
//! `memcpy` costs a call, a look at the length and, on many machines, an indirect jump. Most strings that
//! people allocate are short; two loads and two stores that overlap copy any of 8 to 16 bytes.

use core::mem::MaybeUninit;

/// Copies `bytes` bytes; up to 16 of them without calling anything.
///
/// # Safety
///
/// `from` is valid for reads and `to` for writes of so many bytes, and they do not overlap.
#[inline]
pub(crate) unsafe fn copy_bytes(from: *const u8, to: *mut u8, bytes: usize) {
    if bytes > 16 {
        // SAFETY: the caller's contract is the same.
        unsafe { from.copy_to_nonoverlapping(to, bytes) };
    } else if bytes >= 8 {
        // SAFETY: at least 8 bytes, not overlapping, says the caller.
        unsafe { copy_ends::<u64>(from, to, bytes) };
    } else if bytes >= 4 {
        // SAFETY: at least 4 bytes, not overlapping, says the caller.
        unsafe { copy_ends::<u32>(from, to, bytes) };
    } else if bytes >= 2 {
        // SAFETY: at least 2 bytes, not overlapping, says the caller.
        unsafe { copy_ends::<u16>(from, to, bytes) };
    } else if bytes == 1 {
        // SAFETY: one byte, says the caller.
        unsafe { copy_ends::<u8>(from, to, bytes) };
    }
}

/// Copies the first and the last `size_of::<W>()` bytes, which may overlap each other.
///
/// # Safety
///
/// As for [`copy_bytes`]; there are at least `size_of::<W>()` and at most twice as many bytes.
#[inline]
unsafe fn copy_ends<W>(from: *const u8, to: *mut u8, bytes: usize) {
    let last = bytes - size_of::<W>();
    // SAFETY: valid for reads of a whole `W`, which needs no alignment here; whether the bytes are
    // initialised does not matter.
    let head = unsafe { from.cast::<MaybeUninit<W>>().read_unaligned() };
    // SAFETY: as above; it ends where the bytes end.
    let tail = unsafe {
        from.wrapping_add(last)
            .cast::<MaybeUninit<W>>()
            .read_unaligned()
    };
    // SAFETY: valid for writes of a whole `W`, which needs no alignment here.
    unsafe { to.cast::<MaybeUninit<W>>().write_unaligned(head) };
    // SAFETY: as above; it ends where the bytes end.
    unsafe {
        to.wrapping_add(last)
            .cast::<MaybeUninit<W>>()
            .write_unaligned(tail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_length_is_copied_whole_and_no_further() {
        let from: [u8; 64] = core::array::from_fn(|at| u8::try_from(at + 1).unwrap());
        for bytes in 0..=40 {
            for offset in 0..9 {
                let mut to = [0_u8; 64];
                let start = to.as_mut_ptr().wrapping_add(offset);
                // SAFETY: within both arrays, which are two.
                unsafe { copy_bytes(from.as_ptr(), start, bytes) };
                assert_eq!(to[offset..offset + bytes], from[..bytes]);
                assert!(to[..offset].iter().all(|byte| *byte == 0));
                assert!(to[offset + bytes..].iter().all(|byte| *byte == 0));
            }
        }
    }
}
