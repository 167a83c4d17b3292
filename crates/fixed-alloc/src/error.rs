//! Why no allocator can be made.

use core::alloc::Layout;
use core::error::Error;
use core::fmt;

use thrifty_traits::AllocError;

/// Why a [`Builder`](crate::Builder) makes no allocator.
///
/// # Examples
///
/// ```
/// use std::alloc::Layout;
/// use thrifty_fixed_alloc::{ConfigError, FixedAlloc};
///
/// let result = FixedAlloc::new(Layout::new::<()>());
/// assert_eq!(result.unwrap_err(), ConfigError::ZeroSized);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Blocks of no bytes: nothing needs to be allocated for those.
    ZeroSized,
    /// Eight blocks and their slab would exceed the address space. `slab_bytes` may ask for slabs with
    /// fewer.
    TooLarge(Layout),
    /// A slab of so many bytes is too large, or has too many blocks.
    SlabTooLarge(usize),
    /// A slab has no room for a block.
    SlabTooSmall {
        /// Bytes of a slab.
        slab_bytes: usize,
        /// The layout of a block.
        block: Layout,
    },
    /// `max_bytes` is less than one slab, or than the smallest slab with a block in it.
    LimitBelowSlab {
        /// The limit.
        max_bytes: usize,
        /// Bytes of a slab.
        slab_bytes: usize,
    },
    /// `max_blocks` is 0.
    NothingMayLive,
    /// `ThreadCache::Rounds(0)`; no cache is `ThreadCache::Off`.
    NoRounds,
    /// More blocks than a magazine may have, which is 1024.
    RoundsTooMany(usize),
    /// `decay_interval` is zero.
    NoInterval,
    /// There is no memory for the allocator itself.
    Alloc(AllocError),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroSized => f.write_str("blocks of no bytes need no allocator"),
            Self::TooLarge(block) => write!(
                f,
                "blocks of {} bytes aligned to {} are too large for slabs",
                block.size(),
                block.align()
            ),
            Self::SlabTooLarge(bytes) => write!(f, "slabs of {bytes} bytes are too large"),
            Self::SlabTooSmall { slab_bytes, block } => write!(
                f,
                "slabs of {slab_bytes} bytes have no room for a block of {} aligned to {}",
                block.size(),
                block.align()
            ),
            Self::LimitBelowSlab {
                max_bytes,
                slab_bytes,
            } => write!(
                f,
                "a limit of {max_bytes} bytes is less than one slab of {slab_bytes}"
            ),
            Self::NothingMayLive => f.write_str("a limit of 0 blocks allows none"),
            Self::NoRounds => f.write_str("a cache of 0 rounds: say ThreadCache::Off"),
            Self::RoundsTooMany(rounds) => {
                let most = thrifty_magazine::MAX_ROUNDS;
                write!(f, "{rounds} rounds are too many: the most is {most}")
            }
            Self::NoInterval => f.write_str("a decay interval of zero would never rest"),
            Self::Alloc(_) => f.write_str("there is no memory for the allocator"),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Alloc(error) => Some(error),
            _ => None,
        }
    }
}
