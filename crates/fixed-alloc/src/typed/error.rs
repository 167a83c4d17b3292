//! Why a value that was to be made in place is not there.

use core::error::Error;
use core::fmt;

use thrifty_traits::AllocError;

/// Why [`Slab::try_insert_with`](crate::Slab::try_insert_with) has no box.
///
/// # Examples
///
/// ```
/// use thrifty_fixed_alloc::{InsertError, Slab};
///
/// let numbers: Slab<u32> = Slab::new();
/// let result = numbers.try_insert_with(|| "x".parse());
/// assert!(matches!(result, Err(InsertError::Failed(_))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InsertError<E> {
    /// There was no block; the closure was not called.
    NoRoom(AllocError),
    /// The closure made no value; its block has gone back.
    Failed(E),
}

impl<E> fmt::Display for InsertError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NoRoom(_) => "there is no block for the value",
            Self::Failed(_) => "the value could not be made",
        })
    }
}

impl<E: Error + 'static> Error for InsertError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoRoom(error) => Some(error),
            Self::Failed(error) => Some(error),
        }
    }
}
