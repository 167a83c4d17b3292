//! A failure that gives back what was handed in.

use core::error::Error;
use core::fmt;

use crate::AllocError;

/// The error of an operation that takes a value by move: it gives the value back.
///
/// `T` needs no trait. Debug output leaves the value out, so that `unwrap` works for every `T`
/// and no content ends up in a log.
///
/// # Examples
///
/// ```
/// use thrifty_traits::{AllocError, AllocErrorKind, Rejected};
///
/// fn try_store(value: String, room: usize) -> Result<(), Rejected<String>> {
///     if value.len() > room {
///         let error = AllocError::new(AllocErrorKind::Exhausted, value.len(), 1);
///         return Err(Rejected::new(value, error));
///     }
///     Ok(())
/// }
///
/// let rejected = try_store("too long".to_owned(), 4).unwrap_err();
/// assert_eq!(rejected.error.size, 8);
/// assert_eq!(rejected.into_value(), "too long");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rejected<T> {
    /// The value that was handed in, untouched.
    pub value: T,
    /// Why it was not taken.
    pub error: AllocError,
}

impl<T> Rejected<T> {
    /// Hands `value` back because of `error`.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::{AllocError, Rejected};
    ///
    /// let rejected = Rejected::new(7, AllocError::overflow(4));
    /// assert_eq!(rejected.value, 7);
    /// ```
    #[must_use]
    pub const fn new(value: T, error: AllocError) -> Self {
        Self { value, error }
    }

    /// Takes the value back and forgets why it was rejected.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::{AllocError, Rejected};
    ///
    /// let result: Result<(), _> = Err(Rejected::new(vec![1], AllocError::overflow(1)));
    /// assert_eq!(result.map_err(Rejected::into_value), Err(vec![1]));
    /// ```
    #[must_use = "the value is dropped otherwise"]
    pub fn into_value(self) -> T {
        self.value
    }

    /// Changes the value, as when a wrapper hands back what it was given.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::{AllocError, Rejected};
    ///
    /// let inner = Rejected::new(Box::new(7), AllocError::overflow(4));
    /// let outer: Rejected<i32> = inner.map(|boxed| *boxed);
    /// assert_eq!(outer.value, 7);
    /// ```
    #[must_use = "the value is dropped otherwise"]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Rejected<U> {
        Rejected {
            value: change(self.value),
            error: self.error,
        }
    }
}

impl<T> fmt::Debug for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

// The cause is left to `source`, so that a report that follows the chain says it once.
impl<T> fmt::Display for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("the value was handed back because there was no room for it")
    }
}

impl<T> Error for Rejected<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// Drops the value and keeps the reason, for `?` in functions that return an [`AllocError`].
impl<T> From<Rejected<T>> for AllocError {
    fn from(rejected: Rejected<T>) -> Self {
        rejected.error
    }
}
