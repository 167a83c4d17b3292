//! Changing the text of a string in its midst.

#![forbid(unsafe_code)]

use core::{fmt, iter::FusedIterator, ops::RangeBounds};

use thrifty_traits::AllocError;

use super::ArenaString;
use crate::{arena::fail, vec::bounds};

impl<'a, const MIN_ALIGN: usize> ArenaString<'a, MIN_ALIGN> {
    /// Makes room for `more` bytes, and some to spare.
    ///
    /// # Panics
    ///
    /// If there is no room.
    #[inline]
    #[track_caller]
    pub fn reserve(&mut self, more: usize) {
        self.bytes.reserve(more);
    }

    /// As [`reserve`](Self::reserve).
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_reserve(&mut self, more: usize) -> Result<(), AllocError> {
        self.bytes.try_reserve(more)
    }

    /// Gives room beyond the text back, if nothing came after the string.
    #[inline]
    pub fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Removes and returns the last character.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString};
    /// let arena = Arena::new();
    /// let mut text = ArenaString::new_in(&arena);
    /// text.push_str("xé");
    /// assert_eq!((text.pop(), text.pop(), text.pop()), (Some('é'), Some('x'), None));
    /// ```
    pub fn pop(&mut self) -> Option<char> {
        let last = self.chars().next_back()?;
        self.bytes.truncate(self.len() - last.len_utf8());
        Some(last)
    }

    /// Removes and returns the character at a byte.
    ///
    /// # Panics
    ///
    /// If no character begins there.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString};
    /// let arena = Arena::new();
    /// let mut text = ArenaString::new_in(&arena);
    /// text.push_str("añb");
    /// assert_eq!((text.remove(1), &*text), ('ñ', "ab"));
    /// ```
    #[track_caller]
    pub fn remove(&mut self, at: usize) -> char {
        let Some(character) = self.get(at..).and_then(|rest| rest.chars().next()) else {
            panic!("no character begins at byte {at}");
        };
        self.bytes.drain(at..at + character.len_utf8());
        character
    }

    /// Inserts a character at a byte.
    ///
    /// # Panics
    ///
    /// If that is within a character or beyond the text, or there is no room.
    #[inline]
    #[track_caller]
    pub fn insert(&mut self, at: usize, character: char) {
        self.insert_str(at, character.encode_utf8(&mut [0; 4]));
    }

    /// Inserts a text at a byte.
    ///
    /// # Panics
    ///
    /// If that is within a character or beyond the text, or there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString};
    /// let arena = Arena::new();
    /// let mut text = ArenaString::new_in(&arena);
    /// text.push_str("ad");
    /// text.insert_str(1, "bc");
    /// assert_eq!(text, "abcd");
    /// ```
    #[track_caller]
    pub fn insert_str(&mut self, at: usize, text: &str) {
        self.try_insert_str(at, text)
            .unwrap_or_else(|error| fail(error));
    }

    /// As [`insert_str`](Self::insert_str).
    ///
    /// # Errors
    ///
    /// If there is no room: then nothing is inserted.
    ///
    /// # Panics
    ///
    /// If the byte is within a character or beyond the text.
    #[track_caller]
    pub fn try_insert_str(&mut self, at: usize, text: &str) -> Result<(), AllocError> {
        self.try_replace_range(at..at, text)
    }

    /// Puts a text in the place of a range of bytes.
    ///
    /// # Panics
    ///
    /// If the range does not lie within the text or cuts a character, or there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString};
    /// let arena = Arena::new();
    /// let mut text = ArenaString::new_in(&arena);
    /// text.push_str("one three");
    /// text.replace_range(..3, "two,");
    /// assert_eq!(text, "two, three");
    /// ```
    #[track_caller]
    pub fn replace_range(&mut self, range: impl RangeBounds<usize>, text: &str) {
        self.try_replace_range(range, text)
            .unwrap_or_else(|error| fail(error));
    }

    /// As [`replace_range`](Self::replace_range).
    ///
    /// # Errors
    ///
    /// If there is no room: then the text is as it was.
    ///
    /// # Panics
    ///
    /// If the range does not lie within the text, or cuts a character.
    #[track_caller]
    pub fn try_replace_range(
        &mut self,
        range: impl RangeBounds<usize>,
        text: &str,
    ) -> Result<(), AllocError> {
        let (from, to) = self.cut(&range);
        self.bytes
            .try_reserve(text.len().saturating_sub(to - from))?;
        // INVARIANT: 1 — whole characters go and come; nothing in between can fail or panic.
        self.bytes.drain(from..to);
        self.bytes.try_extend_from_slice(text.as_bytes())?;
        self.bytes[from..].rotate_right(text.len());
        Ok(())
    }

    /// Keeps the characters that a closure says yes to.
    ///
    /// If the closure panics, the characters that it was not asked about stay.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString};
    /// let arena = Arena::new();
    /// let mut text = ArenaString::new_in(&arena);
    /// text.push_str("a b c");
    /// text.retain(|character| character != ' ');
    /// assert_eq!(text, "abc");
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(char) -> bool) {
        let mut left = Retaining {
            kept: 0,
            seen: 0,
            string: self,
        };
        // What is not seen yet is whole, and so is what is kept.
        while let Some(character) = left.next() {
            let bytes = character.len_utf8();
            let is_kept = keep(character);
            if is_kept {
                let from = left.seen..left.seen + bytes;
                left.string.bytes.copy_within(from, left.kept);
                left.kept += bytes;
            }
            left.seen += bytes;
        }
    }

    /// Removes a range of bytes, and returns its characters by an iterator.
    ///
    /// The range goes when the iterator is dropped. If it is forgotten, the text stays as it is.
    ///
    /// # Panics
    ///
    /// If the range does not lie within the text, or cuts a character.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString};
    /// let arena = Arena::new();
    /// let mut text = ArenaString::new_in(&arena);
    /// text.push_str("key=value");
    /// assert!(text.drain(..=3).eq("key=".chars()));
    /// assert_eq!(text, "value");
    /// ```
    #[track_caller]
    pub fn drain(&mut self, range: impl RangeBounds<usize>) -> DrainChars<'_, 'a, MIN_ALIGN> {
        let (from, to) = self.cut(&range);
        DrainChars {
            string: self,
            from,
            to,
            at: from,
            end: to,
        }
    }

    /// Cuts the text in two: what comes from the byte on is returned, in the same arena.
    ///
    /// # Panics
    ///
    /// If that is within a character or beyond the text, or there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_arena::{Arena, ArenaString};
    /// let arena = Arena::new();
    /// let mut text = ArenaString::new_in(&arena);
    /// text.push_str("abc");
    /// assert_eq!(text.split_off(1), "bc");
    /// assert_eq!(text, "a");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn split_off(&mut self, at: usize) -> Self {
        self.try_split_off(at).unwrap_or_else(|error| fail(error))
    }

    /// As [`split_off`](Self::split_off).
    ///
    /// # Errors
    ///
    /// If there is no room: then the text stays whole.
    ///
    /// # Panics
    ///
    /// If the byte is within a character or beyond the text.
    #[track_caller]
    pub fn try_split_off(&mut self, at: usize) -> Result<Self, AllocError> {
        self.cut(&(at..));
        // INVARIANT: 1 — both parts are whole characters.
        let bytes = self.bytes.try_split_off(at)?;
        Ok(Self { bytes })
    }

    /// Where a range begins and ends, neither within a character.
    #[track_caller]
    fn cut(&self, range: &impl RangeBounds<usize>) -> (usize, usize) {
        let (from, to) = bounds(range, self.len());
        for at in [from, to] {
            assert!(self.is_char_boundary(at), "byte {at} is within a character");
        }
        (from, to)
    }
}

/// A string in the midst of [`ArenaString::retain`]: puts what is left together, in a panic too.
struct Retaining<'r, 'a, const MIN_ALIGN: usize> {
    string: &'r mut ArenaString<'a, MIN_ALIGN>,
    /// Bytes that were kept of those that were seen; both are whole characters.
    kept: usize,
    seen: usize,
}

impl<const MIN_ALIGN: usize> Retaining<'_, '_, MIN_ALIGN> {
    /// The first character that was not seen.
    fn next(&self) -> Option<char> {
        let rest = &self.string.bytes[self.seen..];
        let width = match *rest.first()? {
            0..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        core::str::from_utf8(rest.get(..width)?)
            .ok()?
            .chars()
            .next()
    }
}

impl<const MIN_ALIGN: usize> Drop for Retaining<'_, '_, MIN_ALIGN> {
    fn drop(&mut self) {
        let bytes = &mut self.string.bytes;
        bytes.copy_within(self.seen.., self.kept);
        // INVARIANT: 1 — the characters that were kept, and those that were not seen.
        bytes.truncate(bytes.len() - (self.seen - self.kept));
    }
}

/// The characters of a range of an [`ArenaString`]: [`ArenaString::drain`].
pub struct DrainChars<'s, 'a, const MIN_ALIGN: usize = 8> {
    string: &'s mut ArenaString<'a, MIN_ALIGN>,
    /// What goes in the end: whole characters.
    from: usize,
    to: usize,
    /// What is left to return of it.
    at: usize,
    end: usize,
}

impl<const MIN_ALIGN: usize> DrainChars<'_, '_, MIN_ALIGN> {
    /// What is left of the range.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.string[self.at..self.end]
    }
}

impl<const MIN_ALIGN: usize> Iterator for DrainChars<'_, '_, MIN_ALIGN> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let character = self.as_str().chars().next()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.as_str().chars().size_hint()
    }
}

impl<const MIN_ALIGN: usize> DoubleEndedIterator for DrainChars<'_, '_, MIN_ALIGN> {
    fn next_back(&mut self) -> Option<char> {
        let character = self.as_str().chars().next_back()?;
        self.end -= character.len_utf8();
        Some(character)
    }
}

impl<const MIN_ALIGN: usize> FusedIterator for DrainChars<'_, '_, MIN_ALIGN> {}

impl<const MIN_ALIGN: usize> Drop for DrainChars<'_, '_, MIN_ALIGN> {
    fn drop(&mut self) {
        // INVARIANT: 1 of the string — whole characters go.
        self.string.bytes.drain(self.from..self.to);
    }
}

impl<const MIN_ALIGN: usize> fmt::Debug for DrainChars<'_, '_, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DrainChars").field(&self.as_str()).finish()
    }
}
