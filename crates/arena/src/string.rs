//! A string in an arena.

mod edit;
mod traits;

pub use self::edit::DrainChars;

use core::{
    fmt,
    ops::{Deref, DerefMut},
    str::Utf8Error,
};

use thrifty_traits::AllocError;

use crate::{Arena, ArenaBox, ArenaVec, FormatError, arena::fail};

/// A string in an arena.
///
/// It grows as an [`ArenaVec`] does. [`into_str`](Self::into_str) makes a plain `str` of it.
///
/// # Memory
///
/// As [`ArenaVec`] says; the text itself is all that stays.
///
/// # Concurrency
///
/// Neither `Send` nor `Sync`: it allocates from its arena.
///
/// # Examples
///
/// ```
/// use std::fmt::Write;
/// use thrifty_arena::{Arena, ArenaString};
///
/// # fn main() -> std::fmt::Result {
/// let arena = Arena::new();
/// let mut text = ArenaString::new_in(&arena);
/// text.push_str("x = ");
/// write!(text, "{}", 1)?;
/// assert_eq!(text.into_str(), "x = 1");
/// # Ok(())
/// # }
/// ```
pub struct ArenaString<'a, const MIN_ALIGN: usize = 8> {
    /// # Invariants
    ///
    /// 1. It is text.
    bytes: ArenaVec<'a, u8, MIN_ALIGN>,
}

impl<'a, const MIN_ALIGN: usize> ArenaString<'a, MIN_ALIGN> {
    /// An empty string, which has no room yet.
    #[inline]
    #[must_use]
    pub const fn new_in(arena: &'a Arena<MIN_ALIGN>) -> Self {
        Self {
            bytes: ArenaVec::new_in(arena),
        }
    }

    /// An empty string with room for `capacity` bytes.
    ///
    /// # Panics
    ///
    /// If there is no room.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn with_capacity_in(capacity: usize, arena: &'a Arena<MIN_ALIGN>) -> Self {
        Self {
            bytes: ArenaVec::with_capacity_in(capacity, arena),
        }
    }

    /// Makes a string of bytes that are text.
    ///
    /// # Errors
    ///
    /// If they are not: then they come back.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString, ArenaVec};
    /// let arena = Arena::new();
    /// let mut bytes = ArenaVec::new_in(&arena);
    /// bytes.extend(*b"text\xff");
    /// let mut bytes = ArenaString::from_utf8(bytes).unwrap_err().bytes;
    /// bytes.pop();
    /// assert_eq!(ArenaString::from_utf8(bytes).unwrap(), "text");
    /// ```
    pub fn from_utf8(bytes: ArenaVec<'a, u8, MIN_ALIGN>) -> Result<Self, NotUtf8<'a, MIN_ALIGN>> {
        match core::str::from_utf8(&bytes) {
            // INVARIANT: 1 — just checked.
            Ok(_) => Ok(Self { bytes }),
            Err(error) => Err(NotUtf8 { bytes, error }),
        }
    }

    /// The bytes of the text, to be used otherwise.
    #[inline]
    #[must_use]
    pub fn into_bytes(self) -> ArenaVec<'a, u8, MIN_ALIGN> {
        self.bytes
    }

    /// The arena that it grows in.
    #[inline]
    #[must_use]
    pub const fn arena(&self) -> &'a Arena<MIN_ALIGN> {
        self.bytes.arena()
    }

    /// How many bytes fit before it has to grow.
    #[inline]
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends a text.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString};
    /// let arena = Arena::new();
    /// let mut text = ArenaString::new_in(&arena);
    /// text.push_str("ab");
    /// text.push('c');
    /// assert_eq!(&*text, "abc");
    /// ```
    #[inline]
    #[track_caller]
    pub fn push_str(&mut self, text: &str) {
        self.try_push_str(text).unwrap_or_else(|error| fail(error));
    }

    /// As [`push_str`](Self::push_str).
    ///
    /// # Errors
    ///
    /// If there is no room: then nothing is appended.
    #[inline]
    pub fn try_push_str(&mut self, text: &str) -> Result<(), AllocError> {
        // INVARIANT: 1 — a whole text, or nothing.
        self.bytes.try_extend_from_slice(text.as_bytes())
    }

    /// Appends a character.
    ///
    /// # Panics
    ///
    /// If there is no room.
    #[inline]
    #[track_caller]
    pub fn push(&mut self, character: char) {
        self.push_str(character.encode_utf8(&mut [0; 4]));
    }

    /// As [`push`](Self::push).
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_push(&mut self, character: char) -> Result<(), AllocError> {
        self.try_push_str(character.encode_utf8(&mut [0; 4]))
    }

    /// Appends what is formatted. `write!` does so too, but loses why it failed.
    ///
    /// # Errors
    ///
    /// If there is no room, or a value refuses to be formatted; what was appended before stays.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString};
    /// let arena = Arena::new();
    /// let mut text = ArenaString::new_in(&arena);
    /// text.try_push_fmt(format_args!("{:?}", [1, 2]))?;
    /// assert_eq!(&*text, "[1, 2]");
    /// # Ok::<(), thrifty_arena::FormatError>(())
    /// ```
    pub fn try_push_fmt(&mut self, text: fmt::Arguments<'_>) -> Result<(), FormatError> {
        let mut writer = Writer {
            string: self,
            error: None,
        };
        match (fmt::write(&mut writer, text), writer.error) {
            (_, Some(error)) => Err(FormatError::Alloc(error)),
            (Err(fmt::Error), None) => Err(FormatError::Refused),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Removes the text, and keeps the room.
    #[inline]
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Cuts the text off after so many bytes.
    ///
    /// # Panics
    ///
    /// If that is within a character.
    #[inline]
    #[track_caller]
    pub fn truncate(&mut self, bytes: usize) {
        if bytes < self.len() {
            assert!(
                self.is_char_boundary(bytes),
                "byte {bytes} is within a character"
            );
            self.bytes.truncate(bytes);
        }
    }

    /// Makes a plain text of the string, for as long as the arena.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString};
    /// let arena = Arena::new();
    /// let mut text = ArenaString::new_in(&arena);
    /// text.push_str("text");
    /// let text: &mut str = text.into_str();
    /// assert_eq!(text, "text");
    /// ```
    #[inline]
    #[must_use]
    pub fn into_str(self) -> &'a mut str {
        // SAFETY: text (invariant 1).
        unsafe { core::str::from_utf8_unchecked_mut(self.bytes.into_slice()) }
    }

    /// Makes a box of the text: as small, and owned.
    #[inline]
    #[must_use]
    pub fn into_boxed_str(self) -> ArenaBox<'a, str> {
        // SAFETY: nobody else has the text, which has no drop.
        unsafe { ArenaBox::from_owned(self.into_str()) }
    }
}

/// Keeps the error that `fmt::Error` cannot hold.
struct Writer<'w, 'a, const MIN_ALIGN: usize> {
    string: &'w mut ArenaString<'a, MIN_ALIGN>,
    error: Option<AllocError>,
}

impl<const MIN_ALIGN: usize> fmt::Write for Writer<'_, '_, MIN_ALIGN> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.string.try_push_str(text).map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}

impl<const MIN_ALIGN: usize> Deref for ArenaString<'_, MIN_ALIGN> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        // SAFETY: text (invariant 1).
        unsafe { core::str::from_utf8_unchecked(&self.bytes) }
    }
}

impl<const MIN_ALIGN: usize> DerefMut for ArenaString<'_, MIN_ALIGN> {
    #[inline]
    fn deref_mut(&mut self) -> &mut str {
        // SAFETY: text (invariant 1), and a `&mut str` keeps it so.
        unsafe { core::str::from_utf8_unchecked_mut(&mut self.bytes) }
    }
}

/// Bytes that are no UTF-8, and where they cease to be.
#[non_exhaustive]
pub struct NotUtf8<'a, const MIN_ALIGN: usize = 8> {
    /// The bytes.
    pub bytes: ArenaVec<'a, u8, MIN_ALIGN>,
    /// Where they cease to be text.
    pub error: Utf8Error,
}

impl<const MIN_ALIGN: usize> fmt::Debug for NotUtf8<'_, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotUtf8")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<const MIN_ALIGN: usize> fmt::Display for NotUtf8<'_, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl<const MIN_ALIGN: usize> core::error::Error for NotUtf8<'_, MIN_ALIGN> {}
