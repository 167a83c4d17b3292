//! What a shared arena and its handles have in common: the methods that allocate.

use core::{mem::MaybeUninit, ptr::NonNull};

use thrifty_traits::{AllocError, Rejected};

use crate::arena::slice_size;

/// Where memory comes from; what is taken lives for `'s` and is the caller's alone.
pub(super) trait Take<'s>: Sized {
    /// Memory for a layout of this size and alignment, which is a valid one.
    fn take(self, size: usize, align: usize) -> Result<NonNull<u8>, AllocError>;
}

/// Moves a value in.
#[inline]
pub(super) fn value<'s, T>(source: impl Take<'s>, value: T) -> Result<&'s mut T, Rejected<T>>
where
    T: 's,
{
    match source.take(size_of::<T>(), align_of::<T>()) {
        // SAFETY: as `slot` says.
        Ok(start) => Ok(unsafe { slot::<T>(start) }.write(value)),
        Err(error) => Err(Rejected::new(value, error)),
    }
}

/// Makes a value in place.
#[inline]
pub(super) fn made<'s, T, F>(source: impl Take<'s>, make: F) -> Result<&'s mut T, Rejected<F>>
where
    T: 's,
    F: FnOnce() -> T,
{
    match source.take(size_of::<T>(), align_of::<T>()) {
        // SAFETY: as `slot` says.
        Ok(start) => Ok(unsafe { slot::<T>(start) }.write(make())),
        Err(error) => Err(Rejected::new(make, error)),
    }
}

/// Room for a value.
///
/// # Safety
///
/// `start` was just taken for a `T`, and `'s` is as long as its source says.
#[inline]
unsafe fn slot<'s, T>(start: NonNull<u8>) -> &'s mut MaybeUninit<T> {
    // SAFETY: valid and exclusive, says the caller; nothing need be initialised.
    unsafe { start.cast::<MaybeUninit<T>>().as_mut() }
}

/// Copies a slice.
#[inline]
pub(super) fn copied<'s, T: Copy + 's>(
    source: impl Take<'s>,
    values: &[T],
) -> Result<&'s mut [T], AllocError> {
    let start = source.take(size_of_val(values), align_of::<T>())?;
    let start = start.cast::<T>();
    // SAFETY: just taken for so many values, and so apart from them.
    unsafe {
        NonNull::from(values)
            .cast::<T>()
            .copy_to_nonoverlapping(start, values.len());
    };
    // SAFETY: valid, since it was just written, and exclusive, since it was just taken.
    Ok(unsafe { NonNull::slice_from_raw_parts(start, values.len()).as_mut() })
}

/// Makes the values of a slice, one after another. If one panics, those made before are dropped.
#[inline]
pub(super) fn filled<'s, T: 's>(
    source: impl Take<'s>,
    len: usize,
    mut make: impl FnMut(usize) -> T,
) -> Result<&'s mut [T], AllocError> {
    let start = source.take(slice_size::<T>(len)?, align_of::<T>())?;
    let mut prefix = Prefix {
        start: start.cast::<T>(),
        len: 0,
    };
    while prefix.len < len {
        let value = make(prefix.len);
        // SAFETY: within the room for `len` values, or without a size.
        let place = unsafe { prefix.start.add(prefix.len) };
        // SAFETY: just taken, and exclusive.
        unsafe { place.write(value) };
        prefix.len += 1;
    }
    let whole = NonNull::slice_from_raw_parts(prefix.start, len);
    prefix.len = 0;
    // SAFETY: valid: each value was written; exclusive, since it was just taken.
    Ok(unsafe { { whole }.as_mut() })
}

/// The values that were made so far.
struct Prefix<T> {
    start: NonNull<T>,
    len: usize,
}

impl<T> Drop for Prefix<T> {
    fn drop(&mut self) {
        let made = NonNull::slice_from_raw_parts(self.start, self.len);
        // SAFETY: so many values were written, and nobody else has a pointer to them.
        unsafe { made.drop_in_place() };
    }
}

/// Copies texts one behind the other, with a separator between them.
pub(super) fn joined<'s>(
    source: impl Take<'s>,
    parts: &[&str],
    separator: &str,
) -> Result<&'s mut str, AllocError> {
    let overflow = AllocError::overflow(1);
    let mut len = separator
        .len()
        .checked_mul(parts.len().saturating_sub(1))
        .ok_or(overflow)?;
    for part in parts {
        len = len.checked_add(part.len()).ok_or(overflow)?;
    }
    let start = source.take(slice_size::<u8>(len)?, 1)?;
    let mut at = start;
    let mut put = |text: &str| {
        let bytes = NonNull::from(text).cast::<u8>();
        // SAFETY: all texts together have `len` bytes, and that many were just taken.
        unsafe { bytes.copy_to_nonoverlapping(at, text.len()) };
        // SAFETY: as above.
        at = unsafe { at.add(text.len()) };
    };
    for (index, part) in parts.iter().enumerate() {
        if index != 0 {
            put(separator);
        }
        put(part);
    }
    // SAFETY: valid: each byte was written; exclusive, since it was just taken.
    let bytes = unsafe { NonNull::slice_from_raw_parts(start, len).as_mut() };
    // SAFETY: texts one behind the other are a text.
    Ok(unsafe { core::str::from_utf8_unchecked_mut(bytes) })
}

/// Copies a text.
#[inline]
pub(super) fn text<'s>(source: impl Take<'s>, text: &str) -> Result<&'s mut str, AllocError> {
    let bytes = copied(source, text.as_bytes())?;
    // SAFETY: a copy of a text.
    Ok(unsafe { core::str::from_utf8_unchecked_mut(bytes) })
}

/// The public methods; the lifetime is that of what they return, the text how an example begins.
macro_rules! allocating {
    (impl [$($s:lifetime)?] $type:ty, $life:lifetime, $arena:literal) => {
        impl $(<$s>)? $type {
            /// Moves a value into the arena. It is never dropped.
            ///
            /// # Panics
            ///
            /// If there is no room.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $arena]
            /// let (a, b) = (arena.alloc(1), arena.alloc(2));
            /// *a += *b;
            /// assert_eq!(*a, 3);
            /// ```
            #[inline]
            #[track_caller]
            pub fn alloc<T>(&self, value: T) -> &$life mut T {
                self.try_alloc(value)
                    .unwrap_or_else(|rejected| $crate::arena::fail(rejected.error))
            }

            /// As [`alloc`](Self::alloc), and gives the value back where there is no room.
            ///
            /// # Errors
            ///
            /// If there is no room.
            #[inline]
            pub fn try_alloc<T>(&self, value: T) -> Result<&$life mut T, Rejected<T>> {
                $crate::shared::methods::value(self, value)
            }

            /// Makes a value where it will stay. If the closure panics, the room is lost until the reset.
            ///
            /// # Panics
            ///
            /// If there is no room.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $arena]
            /// assert_eq!(arena.alloc_with(|| [1_u8; 3000])[2999], 1);
            /// ```
            #[inline]
            #[track_caller]
            pub fn alloc_with<T>(&self, make: impl FnOnce() -> T) -> &$life mut T {
                self.try_alloc_with(make)
                    .unwrap_or_else(|rejected| $crate::arena::fail(rejected.error))
            }

            /// As [`alloc_with`](Self::alloc_with); gives the closure back, not called, where there is no
            /// room.
            ///
            /// # Errors
            ///
            /// If there is no room.
            #[inline]
            pub fn try_alloc_with<T, F: FnOnce() -> T>(
                &self,
                make: F,
            ) -> Result<&$life mut T, Rejected<F>> {
                $crate::shared::methods::made(self, make)
            }

            /// Uninitialised memory of a layout; from an empty one, an address that is aligned.
            ///
            /// # Panics
            ///
            /// If there is no room.
            #[inline]
            #[track_caller]
            pub fn alloc_layout(&self, layout: core::alloc::Layout) -> NonNull<u8> {
                self.try_alloc_layout(layout)
                    .unwrap_or_else(|error| $crate::arena::fail(error))
            }

            /// As [`alloc_layout`](Self::alloc_layout).
            ///
            /// # Errors
            ///
            /// If there is no room.
            #[inline]
            pub fn try_alloc_layout(
                &self,
                layout: core::alloc::Layout,
            ) -> Result<NonNull<u8>, AllocError> {
                $crate::shared::methods::Take::take(self, layout.size(), layout.align())
            }

            /// Copies a slice.
            ///
            /// # Panics
            ///
            /// If there is no room.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $arena]
            /// assert_eq!(arena.alloc_slice_copy(&[1, 2, 3]), [1, 2, 3]);
            /// ```
            #[inline]
            #[track_caller]
            pub fn alloc_slice_copy<T: Copy>(&self, values: &[T]) -> &$life mut [T] {
                self.try_alloc_slice_copy(values)
                    .unwrap_or_else(|error| $crate::arena::fail(error))
            }

            /// As [`alloc_slice_copy`](Self::alloc_slice_copy).
            ///
            /// # Errors
            ///
            /// If there is no room.
            #[inline]
            pub fn try_alloc_slice_copy<T: Copy>(
                &self,
                values: &[T],
            ) -> Result<&$life mut [T], AllocError> {
                $crate::shared::methods::copied(self, values)
            }

            /// A slice whose values are made from their indices. If one panics, those made before it are
            /// dropped, and the room is lost until the reset.
            ///
            /// # Panics
            ///
            /// If there is no room.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $arena]
            /// assert_eq!(arena.alloc_slice_fill_with(3, |at| at * at), [0, 1, 4]);
            /// ```
            #[inline]
            #[track_caller]
            pub fn alloc_slice_fill_with<T>(
                &self,
                len: usize,
                make: impl FnMut(usize) -> T,
            ) -> &$life mut [T] {
                self.try_alloc_slice_fill_with(len, make)
                    .unwrap_or_else(|error| $crate::arena::fail(error))
            }

            /// As [`alloc_slice_fill_with`](Self::alloc_slice_fill_with); makes nothing where there is no
            /// room.
            ///
            /// # Errors
            ///
            /// If there is no room.
            #[inline]
            pub fn try_alloc_slice_fill_with<T>(
                &self,
                len: usize,
                make: impl FnMut(usize) -> T,
            ) -> Result<&$life mut [T], AllocError> {
                $crate::shared::methods::filled(self, len, make)
            }

            /// Copies a text.
            ///
            /// # Panics
            ///
            /// If there is no room.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $arena]
            /// assert_eq!(arena.alloc_str("text"), "text");
            /// ```
            #[inline]
            #[track_caller]
            pub fn alloc_str(&self, text: &str) -> &$life mut str {
                self.try_alloc_str(text)
                    .unwrap_or_else(|error| $crate::arena::fail(error))
            }

            /// As [`alloc_str`](Self::alloc_str).
            ///
            /// # Errors
            ///
            /// If there is no room.
            #[inline]
            pub fn try_alloc_str(&self, text: &str) -> Result<&$life mut str, AllocError> {
                $crate::shared::methods::text(self, text)
            }

            /// Copies texts one behind the other, with a separator between them, in one allocation.
            ///
            /// # Panics
            ///
            /// If there is no room.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $arena]
            /// assert_eq!(arena.alloc_join(&["a", "b", "c"], ", "), "a, b, c");
            /// ```
            #[track_caller]
            pub fn alloc_join(&self, parts: &[&str], separator: &str) -> &$life mut str {
                self.try_alloc_join(parts, separator)
                    .unwrap_or_else(|error| $crate::arena::fail(error))
            }

            /// As [`alloc_join`](Self::alloc_join).
            ///
            /// # Errors
            ///
            /// If there is no room.
            pub fn try_alloc_join(
                &self,
                parts: &[&str],
                separator: &str,
            ) -> Result<&$life mut str, AllocError> {
                $crate::shared::methods::joined(self, parts, separator)
            }
        }
    };
}

pub(super) use allocating;
