//! Keys that can be read from bytes of unknown origin.

use core::ffi::CStr;

use crate::Key;

/// A [`Key`] whose bytes can be checked, so that it can be read from a file.
///
/// # Safety
///
/// - Where `is_valid` says yes, [`Key::from_bytes`] may be called with the bytes at any address that is a multiple of
///   [`Key::ALIGN`], whoever made them.
/// - `is_valid` does not rest on the address.
///
/// # Examples
///
/// ```
/// use thrifty_interner::Portable;
///
/// assert!(<str as Portable>::is_valid(b"text"));
/// assert!(!<str as Portable>::is_valid(b"\xff"));
/// ```
pub unsafe trait Portable: Key {
    /// Says what the bytes are, in a file too: no two types that differ in their bytes' meaning share a kind.
    /// Those of this crate are below 2^32; choose others above.
    const KIND: u64;

    /// Whether the bytes mean something else on a machine of the other byte order.
    const HAS_BYTE_ORDER: bool;

    /// Whether the bytes make a key.
    fn is_valid(bytes: &[u8]) -> bool;
}

// SAFETY: UTF-8 is what makes bytes a `str`.
unsafe impl Portable for str {
    const KIND: u64 = 1;
    const HAS_BYTE_ORDER: bool = false;

    #[inline]
    fn is_valid(bytes: &[u8]) -> bool {
        bytes.is_ascii() || core::str::from_utf8(bytes).is_ok()
    }
}

// SAFETY: one zero, at the end, is what makes bytes a `CStr`.
unsafe impl Portable for CStr {
    const KIND: u64 = 2;
    const HAS_BYTE_ORDER: bool = false;

    fn is_valid(bytes: &[u8]) -> bool {
        Self::from_bytes_with_nul(bytes).is_ok()
    }
}

// SAFETY: on Unix any bytes make an `OsStr`: `OsStrExt::from_bytes` is safe.
#[cfg(unix)]
unsafe impl Portable for std::ffi::OsStr {
    const KIND: u64 = 3;
    const HAS_BYTE_ORDER: bool = false;

    fn is_valid(_: &[u8]) -> bool {
        true
    }
}

macro_rules! integers {
    ($($integer:ty: $kind:literal),+ $(,)?) => { $(
        // SAFETY: any bytes make integers, if they are a whole number of them.
        unsafe impl Portable for [$integer] {
            const KIND: u64 = $kind | (size_of::<$integer>() as u64) << 8;
            const HAS_BYTE_ORDER: bool = size_of::<$integer>() > 1;

            fn is_valid(bytes: &[u8]) -> bool {
                bytes.len() % size_of::<$integer>() == 0
            }
        }
    )+ };
}

integers!(
    u8: 0x10, u16: 0x10, u32: 0x10, u64: 0x10, u128: 0x10,
    i8: 0x11, i16: 0x11, i32: 0x11, i64: 0x11, i128: 0x11,
    usize: 0x12, isize: 0x13,
);

// SAFETY: any bytes make arrays of bytes, if they are a whole number of them. Their kind is that of bytes, with the
// length above.
unsafe impl<const N: usize> Portable for [[u8; N]] {
    const KIND: u64 = {
        assert!(N < 1 << 16, "arrays of 64 KiB and more have no kind");
        0x14 | (N as u64) << 8
    };
    const HAS_BYTE_ORDER: bool = false;

    fn is_valid(bytes: &[u8]) -> bool {
        N != 0 && bytes.len() % N == 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{CStr, Portable};

    #[test]
    fn kinds_differ() {
        let kinds = [
            <str as Portable>::KIND,
            <CStr as Portable>::KIND,
            #[cfg(unix)]
            <std::ffi::OsStr as Portable>::KIND,
            <[u8] as Portable>::KIND,
            <[u16] as Portable>::KIND,
            <[u32] as Portable>::KIND,
            <[u64] as Portable>::KIND,
            <[u128] as Portable>::KIND,
            <[i8] as Portable>::KIND,
            <[i16] as Portable>::KIND,
            <[i32] as Portable>::KIND,
            <[i64] as Portable>::KIND,
            <[i128] as Portable>::KIND,
            <[usize] as Portable>::KIND,
            <[isize] as Portable>::KIND,
            <[[u8; 1]] as Portable>::KIND,
            <[[u8; 16]] as Portable>::KIND,
        ];
        let distinct: HashSet<_> = kinds.iter().collect();
        assert_eq!(distinct.len(), kinds.len());
        assert!(kinds.iter().all(|kind| *kind < 1 << 32));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(<str as Portable>::is_valid("ä".as_bytes()));
        assert!(!<str as Portable>::is_valid(&"ä".as_bytes()[..1]));
        assert!(<CStr as Portable>::is_valid(b"a\0"));
        assert!(!<CStr as Portable>::is_valid(b"a"));
        assert!(!<CStr as Portable>::is_valid(b"a\0b\0"));
        assert!(<[u32] as Portable>::is_valid(&[0; 8]));
        assert!(!<[u32] as Portable>::is_valid(&[0; 7]));
        assert!(<[[u8; 16]] as Portable>::is_valid(&[0; 32]));
        assert!(!<[[u8; 16]] as Portable>::is_valid(&[0; 17]));
    }
}
