//! Why a buffer or a pool of buffers cannot be had.

use core::fmt;
use std::io;

use thrifty_magazine::ConfigError;
use thrifty_traits::AllocError;

use super::classes::ClassesError;

/// Why a buffer cannot be had or cannot grow.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{BufError, BufferPool, Oversize};
///
/// let pool = BufferPool::builder().oversize(Oversize::Error).build()?;
/// let error = pool.try_get(2 << 20).unwrap_err();
/// assert_eq!(error, BufError::Oversize { requested: 2 << 20, limit: 1 << 20 });
/// # Ok::<(), thrifty_pool::BufferPoolError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BufError {
    /// More was asked for than the pool's [`Oversize`](crate::Oversize) policy serves.
    Oversize {
        /// The capacity that was asked for, in bytes.
        requested: usize,
        /// The largest capacity that the pool serves.
        limit: usize,
    },
    /// There is no memory, or no layout for a buffer of this size.
    Alloc(AllocError),
    /// The pool has been closed.
    Closed,
}

impl fmt::Display for BufError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oversize { requested, limit } => write!(
                f,
                "a buffer of {requested} bytes is more than the pool serves, which is {limit}"
            ),
            // The cause is left to `source`, so that a report that follows the chain says it once.
            Self::Alloc(_) => f.write_str("there is no memory for the buffer"),
            Self::Closed => f.write_str("the pool of buffers is closed"),
        }
    }
}

impl core::error::Error for BufError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Alloc(error) => Some(error),
            _ => None,
        }
    }
}

impl From<AllocError> for BufError {
    fn from(error: AllocError) -> Self {
        Self::Alloc(error)
    }
}

/// [`FileTooLarge`](io::ErrorKind::FileTooLarge) for what is oversize,
/// [`OutOfMemory`](io::ErrorKind::OutOfMemory) for what cannot be allocated,
/// [`Other`](io::ErrorKind::Other) for a closed pool, which is no fault of a file or a peer. The kind is all that it says:
/// anything more would have to be allocated.
impl From<BufError> for io::Error {
    fn from(error: BufError) -> Self {
        let kind = match error {
            BufError::Oversize { .. } => io::ErrorKind::FileTooLarge,
            BufError::Alloc(_) => io::ErrorKind::OutOfMemory,
            BufError::Closed => io::ErrorKind::Other,
        };
        kind.into()
    }
}

/// Why a pool of buffers cannot be made.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{BufferPool, BufferPoolError};
///
/// let error = BufferPool::builder().align(48).build().unwrap_err();
/// assert_eq!(error, BufferPoolError::Align(48));
/// assert_eq!(error.to_string(), "an alignment of 48 is no power of two");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BufferPoolError {
    /// The table of classes is wrong.
    Classes(ClassesError),
    /// The alignment is no power of two.
    Align(usize),
    /// The largest class, with slack, header and alignment, exceeds what can be allocated.
    TooLarge {
        /// The size of that class.
        size: usize,
        /// The slack that comes on top of it.
        slack: usize,
    },
    /// `Oversize::Capped` names a limit below the largest class's capacity.
    Cap {
        /// The limit.
        limit: usize,
        /// The largest class's capacity.
        largest: usize,
    },
    /// The limits that the engine was given are wrong.
    Config(ConfigError),
    /// There is no memory for the pool itself.
    Alloc(AllocError),
}

impl fmt::Display for BufferPoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classes(_) => f.write_str("the table of classes is wrong"),
            Self::Align(align) => write!(f, "an alignment of {align} is no power of two"),
            Self::TooLarge { size, slack } => write!(
                f,
                "a class of {size} bytes with a slack of {slack} is more than can be allocated"
            ),
            Self::Cap { limit, largest } => write!(
                f,
                "a cap of {limit} bytes is below the largest class, which serves {largest}"
            ),
            Self::Config(_) => f.write_str("the limits of the pool are wrong"),
            Self::Alloc(_) => f.write_str("there is no memory for the pool"),
        }
    }
}

impl core::error::Error for BufferPoolError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Classes(error) => Some(error),
            Self::Config(error) => Some(error),
            Self::Alloc(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ClassesError> for BufferPoolError {
    fn from(error: ClassesError) -> Self {
        Self::Classes(error)
    }
}

impl From<ConfigError> for BufferPoolError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<AllocError> for BufferPoolError {
    fn from(error: AllocError) -> Self {
        Self::Alloc(error)
    }
}
