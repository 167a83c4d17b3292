//! What can be interned: values that are their bytes.

use core::ffi::CStr;
use std::ffi::OsStr;

/// A kind of value that can be interned: `str`, `[u8]`, `OsStr`, `CStr`, and slices of plain elements.
///
/// Two keys are the same if their bytes are. A path is interned as the `OsStr` in it, byte by byte:
/// `a//b` and `a/b` are two.
///
/// # Safety
///
/// - `as_bytes` returns initialised bytes, always the same for one value, and equal for two values exactly
///   if the values are equal.
/// - Any copy of those bytes at an address that is a multiple of [`ALIGN`](Self::ALIGN) may be given to
///   `from_bytes` and read as a value, on any thread: the value has no interior mutability, owns nothing, and
///   borrows nothing.
/// - `ALIGN` is a power of two of at most 16.
///
/// # Examples
///
/// ```
/// use thrifty_interner::Key;
///
/// fn length<K: Key + ?Sized>(key: &K) -> usize {
///     key.as_bytes().len()
/// }
/// assert_eq!(length("host"), 4);
/// assert_eq!(length(&[1_u16, 2, 3][..]), 6);
/// ```
pub unsafe trait Key: Eq + Send + Sync + 'static {
    /// What the address of the bytes must be a multiple of.
    const ALIGN: usize;

    /// The bytes that make the value.
    fn as_bytes(&self) -> &[u8];

    /// The value that the bytes make.
    ///
    /// # Safety
    ///
    /// `bytes` has the contents that [`as_bytes`](Self::as_bytes) once gave for a value of this type, at an
    /// address that is a multiple of [`ALIGN`](Self::ALIGN).
    unsafe fn from_bytes(bytes: &[u8]) -> &Self;
}

// SAFETY: a `str` is its bytes, compared byte by byte; a copy of valid UTF-8 is valid UTF-8.
unsafe impl Key for str {
    const ALIGN: usize = 1;

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    #[inline]
    unsafe fn from_bytes(bytes: &[u8]) -> &Self {
        // SAFETY: the caller has these bytes from a `str`.
        unsafe { core::str::from_utf8_unchecked(bytes) }
    }
}

// SAFETY: `OsStr` is compared by its encoded bytes, and a copy of them is the same `OsStr`.
unsafe impl Key for OsStr {
    const ALIGN: usize = 1;

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        self.as_encoded_bytes()
    }

    #[inline]
    unsafe fn from_bytes(bytes: &[u8]) -> &Self {
        // SAFETY: the caller has these bytes, all of them, from `as_encoded_bytes` in this program.
        unsafe { Self::from_encoded_bytes_unchecked(bytes) }
    }
}

// SAFETY: a `CStr` is compared by its bytes; the final zero is among those given, so a copy has it too.
unsafe impl Key for CStr {
    const ALIGN: usize = 1;

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        self.to_bytes_with_nul()
    }

    #[inline]
    unsafe fn from_bytes(bytes: &[u8]) -> &Self {
        // SAFETY: the caller has these bytes from `to_bytes_with_nul`: one zero, at the end.
        unsafe { Self::from_bytes_with_nul_unchecked(bytes) }
    }
}

// SAFETY: by the contract of `Element`, elements are plain bytes without padding that compare as such;
// `ALIGN` is their alignment.
unsafe impl<T: Element> Key for [T] {
    const ALIGN: usize = {
        // Slices of nothing have no bytes by which to tell them apart.
        assert!(size_of::<T>() != 0 && align_of::<T>() <= 16);
        align_of::<T>()
    };

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        const { assert!(size_of::<T>() != 0) };
        // SAFETY: the slice's own memory, initialised throughout since elements have no padding.
        unsafe { core::slice::from_raw_parts(self.as_ptr().cast::<u8>(), size_of_val(self)) }
    }

    #[inline]
    unsafe fn from_bytes(bytes: &[u8]) -> &Self {
        const { assert!(size_of::<T>() != 0 && align_of::<T>() <= 16) };
        let len = bytes.len() / size_of::<T>();
        // SAFETY: the caller has these bytes from a slice of `T`, at an address aligned for it.
        unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast::<T>(), len) }
    }
}

/// A type whose slices can be interned: plain bytes, without padding.
///
/// # Safety
///
/// The type has no padding, is not zero-sized, is aligned to at most 16, holds no pointer, reference or cell,
/// and its values are equal exactly if their bytes are.
///
/// # Examples
///
/// ```
/// use thrifty_interner::Element;
///
/// #[derive(Clone, Copy, PartialEq, Eq)]
/// #[repr(C)]
/// struct Rgba([u8; 4]);
///
/// // SAFETY: four bytes, no padding, compared byte by byte.
/// unsafe impl Element for Rgba {}
/// ```
///
/// Slices of nothing do not compile:
///
/// ```compile_fail
/// let interner: thrifty_interner::Interner<[[u8; 0]]> = thrifty_interner::Interner::default();
/// interner.intern(&[[]]);
/// ```
pub unsafe trait Element: Copy + Eq + Send + Sync + 'static {}

macro_rules! elements {
    ($($element:ty),+ $(,)?) => { $(
        // SAFETY: an integer, `bool` or `char`: no padding, and equal exactly if the bytes are.
        unsafe impl Element for $element {}
    )+ };
}

elements!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, bool, char,
);

// SAFETY: arrays have no padding between or after elements, and compare element by element. One of no elements is no
// `Element`: `Key for [T]` does not compile with it.
unsafe impl<T: Element, const N: usize> Element for [T; N] {}
