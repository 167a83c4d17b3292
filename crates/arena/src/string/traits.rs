//! What a string is to std: a text, a target of `extend` and `write!`.

#![forbid(unsafe_code)]

use core::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use super::ArenaString;

impl<const MIN_ALIGN: usize> fmt::Write for ArenaString<'_, MIN_ALIGN> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.try_push_str(text).map_err(|_| fmt::Error)
    }
}

impl<const MIN_ALIGN: usize> fmt::Display for ArenaString<'_, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl<const MIN_ALIGN: usize> fmt::Debug for ArenaString<'_, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// Clones into the same arena; panics where there is no room.
impl<const MIN_ALIGN: usize> Clone for ArenaString<'_, MIN_ALIGN> {
    #[track_caller]
    fn clone(&self) -> Self {
        let mut clone = Self::with_capacity_in(self.len(), self.arena());
        clone.push_str(self);
        clone
    }
}

/// Panics where there is no room.
impl<const MIN_ALIGN: usize> Extend<char> for ArenaString<'_, MIN_ALIGN> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = char>>(&mut self, characters: I) {
        for character in characters {
            self.push(character);
        }
    }
}

/// Panics where there is no room.
impl<'t, const MIN_ALIGN: usize> Extend<&'t str> for ArenaString<'_, MIN_ALIGN> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = &'t str>>(&mut self, texts: I) {
        for text in texts {
            self.push_str(text);
        }
    }
}

impl<const MIN_ALIGN: usize> AsRef<str> for ArenaString<'_, MIN_ALIGN> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<const MIN_ALIGN: usize> AsRef<[u8]> for ArenaString<'_, MIN_ALIGN> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<const MIN_ALIGN: usize> Borrow<str> for ArenaString<'_, MIN_ALIGN> {
    fn borrow(&self) -> &str {
        self
    }
}

impl<const MIN_ALIGN: usize> PartialEq for ArenaString<'_, MIN_ALIGN> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<const MIN_ALIGN: usize> PartialEq<str> for ArenaString<'_, MIN_ALIGN> {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl<const MIN_ALIGN: usize> PartialEq<&str> for ArenaString<'_, MIN_ALIGN> {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl<const MIN_ALIGN: usize> Eq for ArenaString<'_, MIN_ALIGN> {}

impl<const MIN_ALIGN: usize> PartialOrd for ArenaString<'_, MIN_ALIGN> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const MIN_ALIGN: usize> Ord for ArenaString<'_, MIN_ALIGN> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<const MIN_ALIGN: usize> Hash for ArenaString<'_, MIN_ALIGN> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}
