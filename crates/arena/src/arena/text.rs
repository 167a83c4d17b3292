//! Texts: copied, joined, formatted. Each is one allocation of exactly its length.

use core::{ffi::CStr, fmt, ptr::NonNull};

use thrifty_traits::AllocError;

use super::{Arena, fail, slices::slice_of};
use crate::{
    ArenaString, FormatError,
    copy::{COPIED_INLINE, copy_bytes},
};

impl<const MIN_ALIGN: usize> Arena<MIN_ALIGN> {
    /// Copies a text, without padding.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// let name = arena.alloc_str("name");
    /// name.make_ascii_uppercase();
    /// assert_eq!(name, "NAME");
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_str(&self, text: &str) -> &mut str {
        match self.hit_text(text) {
            Some(text) => text,
            None => self.str_slow(text),
        }
    }

    /// As [`alloc_str`](Self::alloc_str).
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc_str(&self, text: &str) -> Result<&mut str, AllocError> {
        match self.hit_text(text) {
            Some(text) => Ok(text),
            None => self.try_str_slow(text),
        }
    }

    /// Copies a text, if the window has room.
    #[inline]
    fn hit_text(&self, text: &str) -> Option<&mut str> {
        // Asked first, this one question tells of most texts where they go and how they are copied.
        if text.len() <= COPIED_INLINE {
            let start = self.hit_few(text.len())?;
            // SAFETY: just taken for so many bytes.
            return Some(unsafe { copy_text(start, text) });
        }
        let start = self.hit_bytes(text.len(), 1)?;
        // SAFETY: just taken for so many bytes.
        Some(unsafe { copy_text(start, text) })
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn str_slow(&self, text: &str) -> &mut str {
        self.try_str_slow(text).unwrap_or_else(|error| fail(error))
    }

    #[cold]
    #[inline(never)]
    fn try_str_slow(&self, text: &str) -> Result<&mut str, AllocError> {
        let start = self.miss_bytes(text.len(), 1)?;
        // SAFETY: just taken for so many bytes.
        Ok(unsafe { copy_text(start, text) })
    }

    /// Copies a C string, with the zero at its end.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.alloc_cstr(c"name"), c"name");
    /// assert_eq!(arena.stats().used_bytes, 5);
    /// ```
    #[track_caller]
    pub fn alloc_cstr(&self, text: &CStr) -> &CStr {
        self.try_alloc_cstr(text)
            .unwrap_or_else(|error| fail(error))
    }

    /// As [`alloc_cstr`](Self::alloc_cstr).
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn try_alloc_cstr(&self, text: &CStr) -> Result<&CStr, AllocError> {
        let bytes = self.try_alloc_slice_copy(text.to_bytes_with_nul())?;
        // SAFETY: a copy of what ends with the only zero in it.
        Ok(unsafe { CStr::from_bytes_with_nul_unchecked(bytes) })
    }

    /// Puts texts one after another, in one allocation.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.alloc_concat(&["a", "b", "c"]), "abc");
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_concat(&self, parts: &[&str]) -> &mut str {
        self.try_alloc_concat(parts)
            .unwrap_or_else(|error| fail(error))
    }

    /// As [`alloc_concat`](Self::alloc_concat).
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc_concat(&self, parts: &[&str]) -> Result<&mut str, AllocError> {
        self.try_alloc_join(parts, "")
    }

    /// Puts texts one after another with a separator between, in one allocation.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.alloc_join(&["a", "b", "c"], ", "), "a, b, c");
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_join(&self, parts: &[&str], separator: &str) -> &mut str {
        self.try_alloc_join(parts, separator)
            .unwrap_or_else(|error| fail(error))
    }

    /// As [`alloc_join`](Self::alloc_join).
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn try_alloc_join(&self, parts: &[&str], separator: &str) -> Result<&mut str, AllocError> {
        let [first, rest @ ..] = parts else {
            return self.try_alloc_str("");
        };
        let bytes = joined_bytes(parts, separator)?;
        let start = self.take_slice::<u8>(bytes)?;
        let mut at = start;
        // SAFETY: the room is for all of the parts and separators, and each is written once.
        unsafe { append(&mut at, first) };
        match separator.len() {
            0 => {
                for part in rest {
                    // SAFETY: as above.
                    unsafe { append(&mut at, part) };
                }
            }
            // As most separators are; of a known length, it is one store.
            // SAFETY: as above.
            1 => unsafe { append_parted(&mut at, rest, &separator[..1]) },
            // SAFETY: as above.
            _ => unsafe { append_parted(&mut at, rest, separator) },
        }
        debug_assert_eq!(
            at.addr().get() - start.addr().get(),
            bytes,
            "all is written"
        );
        // SAFETY: filled with whole texts, one after another, which are a text.
        Ok(unsafe { text_of(start, bytes) })
    }

    /// Formats into the arena; [`arena_format!`](crate::arena_format) is shorter.
    ///
    /// The text grows where it is; a `Display` may itself use the arena.
    ///
    /// # Panics
    ///
    /// If there is no room, or a value refuses to be formatted.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.alloc_fmt(format_args!("{}-{:02}", "a", 7)), "a-07");
    /// ```
    #[track_caller]
    pub fn alloc_fmt(&self, text: fmt::Arguments<'_>) -> &mut str {
        match self.try_alloc_fmt(text) {
            Ok(text) => text,
            Err(FormatError::Alloc(error)) => fail(error),
            Err(error @ FormatError::Refused) => panic!("{error}"),
        }
    }

    /// As [`alloc_fmt`](Self::alloc_fmt).
    ///
    /// # Errors
    ///
    /// If there is no room, or a value refuses to be formatted.
    pub fn try_alloc_fmt(&self, text: fmt::Arguments<'_>) -> Result<&mut str, FormatError> {
        if let Some(text) = text.as_str() {
            return Ok(self.try_alloc_str(text)?);
        }
        let mut string = ArenaString::new_in(self);
        string.try_push_fmt(text)?;
        Ok(string.into_str())
    }
}

/// Formats into an [`Arena`] and returns the text, a `&mut str`.
///
/// # Panics
///
/// As [`Arena::alloc_fmt`].
///
/// # Examples
///
/// ```
/// use thrifty_arena::{Arena, arena_format};
///
/// let arena = Arena::new();
/// let name = "x";
/// assert_eq!(arena_format!(arena, "{name} = {}", 1), "x = 1");
/// ```
#[macro_export]
macro_rules! arena_format {
    ($arena:expr, $($text:tt)+) => {
        $arena.alloc_fmt(::core::format_args!($($text)+))
    };
}

/// The length of what [`Arena::alloc_join`] makes of at least one part.
fn joined_bytes(parts: &[&str], separator: &str) -> Result<usize, AllocError> {
    let overflow = AllocError::overflow(1);
    let between = separator
        .len()
        .checked_mul(parts.len() - 1)
        .ok_or(overflow)?;
    parts
        .iter()
        .try_fold(between, |bytes, part| bytes.checked_add(part.len()))
        .ok_or(overflow)
}

/// Writes a text, and moves on by its length.
///
/// # Safety
///
/// There is room for it at `at`, exclusively.
#[inline]
unsafe fn append(at: &mut NonNull<u8>, text: &str) {
    // SAFETY: so many bytes are in `text`; there is room for them, which was free and so is no part of it.
    unsafe { copy_bytes(text.as_ptr(), at.as_ptr(), text.len()) };
    // SAFETY: within the room, or at its end.
    *at = unsafe { at.add(text.len()) };
}

/// Writes texts, each after a separator, and moves on by their length.
///
/// # Safety
///
/// There is room for them at `at`, exclusively.
#[inline]
unsafe fn append_parted(at: &mut NonNull<u8>, parts: &[&str], separator: &str) {
    for part in parts {
        // SAFETY: the caller's contract is the same.
        unsafe { append(at, separator) };
        // SAFETY: the caller's contract is the same.
        unsafe { append(at, part) };
    }
}

/// Copies a text to where there is room for it.
///
/// # Safety
///
/// `start` was just taken for so many bytes: valid for writes for as long as the arena is borrowed, and
/// *exclusive*.
#[inline]
unsafe fn copy_text<'a>(start: NonNull<u8>, text: &str) -> &'a mut str {
    // SAFETY: so many bytes are in `text`; there is room for them, which was free and so is no part of it.
    unsafe { copy_bytes(text.as_ptr(), start.as_ptr(), text.len()) };
    // SAFETY: filled with a text.
    unsafe { text_of(start, text.len()) }
}

/// # Safety
///
/// So many bytes of text are valid at `start` for as long as the arena is borrowed, and *exclusive*.
#[inline]
unsafe fn text_of<'a>(start: NonNull<u8>, bytes: usize) -> &'a mut str {
    // SAFETY: the caller's contract is the same.
    let text = unsafe { slice_of(start, bytes) };
    // SAFETY: text, says the caller.
    unsafe { core::str::from_utf8_unchecked_mut(text) }
}
