//! Why a string could not be interned.

use core::fmt;

/// Why a string could not be interned.
///
/// Nothing was inserted, not even in part: what was interned before is found and resolved as before. The
/// error owns no heap, so that it can be made when there is none left.
///
/// # Examples
///
/// ```
/// use thrifty_interner::InternError;
///
/// let full = InternError::MemoryLimit { limit_bytes: 4096 };
/// assert_eq!(full.to_string(), "cannot intern: the limit of 4096 bytes is reached");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InternError {
    /// The limit on memory does not admit the string.
    MemoryLimit {
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// All symbols are given out: the type of the symbol, or a limit of the user's, admits no more.
    SymbolSpace {
        /// How many there are.
        limit_symbols: usize,
    },
    /// The string is longer than is admitted.
    TooLong {
        /// Its length, in bytes.
        length_bytes: usize,
        /// The greatest length that is admitted, in bytes.
        limit_bytes: usize,
    },
    /// The allocator refused: as a rule, the system is out of memory.
    Backend {
        /// How many bytes were asked for.
        size_bytes: usize,
    },
    /// The keys collide under every seed that was tried for a [`Frozen`](crate::Frozen), also under those that nobody
    /// could know. No such keys are known.
    Collisions {
        /// How many seeds were tried.
        seeds: u32,
    },
}

impl fmt::Display for InternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot intern: ")?;
        match *self {
            Self::MemoryLimit { limit_bytes } => {
                write!(f, "the limit of {limit_bytes} bytes is reached")
            }
            Self::SymbolSpace { limit_symbols } => {
                write!(f, "all {limit_symbols} symbols are given out")
            }
            Self::TooLong {
                length_bytes,
                limit_bytes,
            } => write!(
                f,
                "{length_bytes} bytes are longer than the limit of {limit_bytes}"
            ),
            Self::Backend { size_bytes } => {
                write!(f, "the allocator refused {size_bytes} bytes")
            }
            Self::Collisions { seeds } => {
                write!(f, "the keys collide under each of {seeds} seeds")
            }
        }
    }
}

impl core::error::Error for InternError {}
