//! Why a pool has no item to give, or does not take one.

use core::convert::Infallible;
use core::error::Error;
use core::fmt;

use thrifty_magazine::Refused;
use thrifty_traits::AllocError;

/// Why a pool lends no item. `E` is the manager's error.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{GetError, Pool};
///
/// let pool = Pool::builder(Vec::<u8>::new).max_total(1).build()?;
/// let first = pool.try_get()?;
/// assert!(matches!(pool.try_get(), Err(GetError::Exhausted)));
/// drop(first);
/// assert!(pool.try_get().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GetError<E = Infallible> {
    /// The manager could not make an item.
    Create(E),
    /// As many items exist as `max_total` allows, and none is idle where this thread can reach it.
    /// One may be idle all the same: in the cache of another thread, or where a thread was suspended
    /// in the middle of a get or a return. See [`max_total`](crate::Builder::max_total).
    Exhausted,
    /// The pool is closed.
    Closed,
    /// There is no memory for another item.
    Alloc(AllocError),
}

impl<E> GetError<E> {
    /// The same with another error of the manager, as for one that is no [`Error`] itself, like a box
    /// of one: the rest of the chain wants an error that is.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::GetError;
    ///
    /// let error: GetError<Box<dyn std::error::Error>> = GetError::Create("no route".into());
    /// let error: GetError<std::io::Error> = error.map_create(|it| std::io::Error::other(it.to_string()));
    /// assert!(matches!(error, GetError::Create(error) if error.to_string() == "no route"));
    /// ```
    #[must_use]
    pub fn map_create<F>(self, map: impl FnOnce(E) -> F) -> GetError<F> {
        match self {
            Self::Create(error) => GetError::Create(map(error)),
            Self::Exhausted => GetError::Exhausted,
            Self::Closed => GetError::Closed,
            Self::Alloc(error) => GetError::Alloc(error),
        }
    }

    /// From a refusal of the engine, which has two reasons.
    pub(crate) fn refused(why: Refused) -> Self {
        if why == Refused::Closed {
            Self::Closed
        } else {
            Self::Exhausted
        }
    }
}

// Causes are left to `source`, so that a report that follows the chain says them once.
impl<E> fmt::Display for GetError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create(_) => "the item could not be made",
            Self::Exhausted => "the pool is exhausted: as many items exist as it may have",
            Self::Closed => "the pool is closed",
            Self::Alloc(_) => "there is no memory for another item",
        })
    }
}

impl<E: Error + 'static> Error for GetError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Create(error) => Some(error),
            Self::Alloc(error) => Some(error),
            Self::Exhausted | Self::Closed => None,
        }
    }
}

/// Why [`Pool::adopt`](crate::Pool::adopt) did not take an item, and the item.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{GetError, Pool};
///
/// let pool = Pool::new(String::new);
/// pool.close();
/// let error = pool.adopt("kept".to_owned()).unwrap_err();
/// assert_eq!(error.reason, GetError::Closed);
/// assert_eq!(error.into_value(), "kept");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdoptError<T> {
    /// The item, untouched.
    pub value: T,
    /// Why it was not taken.
    pub reason: GetError,
}

impl<T> AdoptError<T> {
    /// Takes the item back and forgets why it was not taken.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_pool::Pool;
    /// # let pool = Pool::new(String::new);
    /// # pool.close();
    /// let result = pool.adopt("kept".to_owned());
    /// assert_eq!(result.unwrap_err().into_value(), "kept");
    /// ```
    #[must_use = "the item is dropped otherwise"]
    pub fn into_value(self) -> T {
        self.value
    }
}

// The item is left out, so that `unwrap` works for every `T` and no content ends up in a log.
impl<T> fmt::Debug for AdoptError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdoptError")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for AdoptError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pool did not take the item")
    }
}

impl<T> Error for AdoptError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.reason)
    }
}
