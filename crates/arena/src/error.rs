//! Why formatting into an arena failed.

#![forbid(unsafe_code)]

use core::fmt;

use thrifty_traits::AllocError;

/// Why formatting into an arena failed.
///
/// # Examples
///
/// ```
/// use thrifty_arena::{AllocErrorKind, Arena, FormatError};
///
/// let arena = Arena::builder().limit(100).build();
/// let error = arena.try_alloc_fmt(format_args!("{:>200}", 1)).unwrap_err();
/// assert!(matches!(error, FormatError::Alloc(error) if error.kind == AllocErrorKind::Limit));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatError {
    /// There was no room for the text.
    Alloc(AllocError),
    /// A `Display` or `Debug` of what was to be formatted returned an error.
    Refused,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alloc(_) => "there was no room for the text",
            Self::Refused => "a value refused to be formatted",
        })
    }
}

impl core::error::Error for FormatError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Alloc(error) => Some(error),
            Self::Refused => None,
        }
    }
}

impl From<AllocError> for FormatError {
    fn from(error: AllocError) -> Self {
        Self::Alloc(error)
    }
}
