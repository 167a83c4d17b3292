//! Copies short byte strings without a call.
//!
//! `memcpy` costs a call and, on many machines, an indirect jump. And it asks for the length more than once, at
//! 16 bytes too: most strings that people allocate are about that long, and their lengths hard to foretell. Here
//! all of 8 to 24 bytes go one way, as three words that overlap where they have to:
//!
//! ```text
//!   8  ────────           11  ────────              24  ────────
//!      ────────                ────────                         ────────
//!      ────────                  ────────                              ────────
//! ```

use core::mem::MaybeUninit;

use crate::kernel::FEW;

/// How many bytes are copied without a call.
pub(crate) const COPIED_INLINE: usize = 3 * size_of::<u64>();

// What is copied so is also asked for at least cost.
const _: () = assert!(COPIED_INLINE <= FEW);

/// Copies `bytes` bytes; up to [`COPIED_INLINE`] of them without calling anything.
///
/// # Safety
///
/// `from` is valid for reads and `to` for writes of so many bytes, and they do not overlap.
#[inline]
pub(crate) unsafe fn copy_bytes(from: *const u8, to: *mut u8, bytes: usize) {
    if bytes > COPIED_INLINE {
        // SAFETY: the caller's contract is the same.
        unsafe { from.copy_to_nonoverlapping(to, bytes) };
    } else if bytes >= 8 {
        // SAFETY: 8 to 24 bytes, not overlapping, says the caller.
        unsafe { copy_thirds::<u64>(from, to, bytes) };
    } else if bytes >= 4 {
        // SAFETY: 4 to 7 bytes, not overlapping, says the caller.
        unsafe { copy_ends::<u32>(from, to, bytes) };
    } else if bytes != 0 {
        // SAFETY: 1 to 3 bytes, not overlapping, says the caller.
        unsafe { copy_thirds::<u8>(from, to, bytes) };
    }
}

/// Copies the first, the last and the middle `size_of::<W>()` bytes, which may overlap each other.
///
/// No loop, nor an array: they would be unrolled only after it was decided what is worth inlining.
///
/// # Safety
///
/// As for [`copy_bytes`]; there are at least `size_of::<W>()` and at most three times as many bytes.
#[inline]
unsafe fn copy_thirds<W>(from: *const u8, to: *mut u8, bytes: usize) {
    let last = bytes - size_of::<W>();
    // With at most three words, no byte lies between one of them and the next.
    let middle = last / 2;
    // SAFETY: the first bytes, of which there are enough, says the caller.
    let first_word = unsafe { load::<W>(from) };
    // SAFETY: ends where the last word does, or before.
    let middle_word = unsafe { load::<W>(from.wrapping_add(middle)) };
    // SAFETY: ends where the bytes end.
    let last_word = unsafe { load::<W>(from.wrapping_add(last)) };
    // SAFETY: as for the loads.
    unsafe { store(to, first_word) };
    // SAFETY: as for the loads.
    unsafe { store(to.wrapping_add(middle), middle_word) };
    // SAFETY: as for the loads.
    unsafe { store(to.wrapping_add(last), last_word) };
}

/// Copies the first and the last `size_of::<W>()` bytes, which may overlap each other.
///
/// # Safety
///
/// As for [`copy_bytes`]; there are at least `size_of::<W>()` and at most twice as many bytes.
#[inline]
unsafe fn copy_ends<W>(from: *const u8, to: *mut u8, bytes: usize) {
    let last = bytes - size_of::<W>();
    // SAFETY: the first bytes, of which there are enough, says the caller.
    let first_word = unsafe { load::<W>(from) };
    // SAFETY: ends where the bytes end.
    let last_word = unsafe { load::<W>(from.wrapping_add(last)) };
    // SAFETY: as for the loads.
    unsafe { store(to, first_word) };
    // SAFETY: as for the loads.
    unsafe { store(to.wrapping_add(last), last_word) };
}

/// # Safety
///
/// `from` is valid for reads of a whole `W`. Neither need it be aligned, nor the bytes initialised.
#[inline]
const unsafe fn load<W>(from: *const u8) -> MaybeUninit<W> {
    // SAFETY: valid for reads, says the caller; any bytes will do.
    unsafe { from.cast::<MaybeUninit<W>>().read_unaligned() }
}

/// # Safety
///
/// `to` is valid for writes of a whole `W`. It need not be aligned.
#[inline]
const unsafe fn store<W>(to: *mut u8, word: MaybeUninit<W>) {
    // SAFETY: valid for writes, says the caller.
    unsafe { to.cast::<MaybeUninit<W>>().write_unaligned(word) };
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
