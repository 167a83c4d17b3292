//! What an arena holds, in detail.

#![forbid(unsafe_code)]

use core::fmt;

use crate::store::Figures;

/// What an arena holds, in bytes; [`Arena::stats`](crate::Arena::stats) tells.
///
/// ```text
/// reserved = used + wasted + free + spare + a header per chunk
/// ```
///
/// An arena in a caller's buffer does not count the buffer among what it reserved.
///
/// # Examples
///
/// ```
/// use thrifty_arena::Arena;
///
/// let arena = Arena::new();
/// arena.alloc([0_u64; 100]);
/// let stats = arena.stats();
/// let parts = stats.used_bytes + stats.wasted_bytes + stats.free_bytes + stats.spare_bytes;
/// assert_eq!(stats.used_bytes, 800);
/// assert_eq!(stats.reserved_bytes, parts + stats.chunks * Arena::<8>::CHUNK_OVERHEAD);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArenaStats {
    /// What was allocated, with the padding between.
    pub used_bytes: usize,
    /// What was left of chunks when the arena went on to the next one; a reset makes it free.
    pub wasted_bytes: usize,
    /// What is left of the current chunk.
    pub free_bytes: usize,
    /// Room in chunks that wait for use.
    pub spare_bytes: usize,
    /// What was taken from the global allocator.
    pub reserved_bytes: usize,
    /// The most that was ever in use.
    pub peak_used_bytes: usize,
    /// The most that was ever taken from the global allocator at one time.
    pub peak_reserved_bytes: usize,
    /// How many chunks there are.
    pub chunks: usize,
}

impl ArenaStats {
    pub(crate) fn from_figures(figures: Figures) -> Self {
        Self {
            used_bytes: figures.used,
            wasted_bytes: figures.wasted,
            free_bytes: figures.free,
            spare_bytes: figures.spare,
            reserved_bytes: figures.reserved,
            peak_used_bytes: figures.peak_used,
            peak_reserved_bytes: figures.peak_reserved,
            chunks: figures.chunks,
        }
    }
}

impl fmt::Display for ArenaStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} bytes in use in {} chunks ({} wasted, {} spare), at most {} of {}",
            self.used_bytes,
            self.reserved_bytes,
            self.chunks,
            self.wasted_bytes,
            self.spare_bytes,
            self.peak_used_bytes,
            self.peak_reserved_bytes,
        )
    }
}
