//! What an arena was told when it was made.

#![forbid(unsafe_code)]

use crate::Retain;

/// What the system's allocator adds to a block, so that block and addition make a power of two.
pub(crate) const BELOW: usize = 16;

/// The settings that never change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    /// Of the first chunk, with what the allocator below adds to it.
    pub(crate) first_chunk: usize,
    /// Where doubling ends.
    pub(crate) max_chunk: usize,
    /// What is larger gets a chunk of its own.
    pub(crate) side_above: usize,
    pub(crate) retain: Retain,
    /// Whether what is given back is overwritten with zeros.
    pub(crate) zeroize: bool,
    /// Whether there is an allocator below at all.
    pub(crate) grows: bool,
}

impl Config {
    pub(crate) const DEFAULT: Self = Self {
        first_chunk: 4 << 10,
        max_chunk: 1 << 20,
        side_above: 1 << 18,
        retain: Retain::AdaptiveDecay,
        zeroize: false,
        grows: true,
    };
}
