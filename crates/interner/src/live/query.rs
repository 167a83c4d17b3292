//! What is looked for.

use core::hash::{BuildHasher, Hasher};
use std::collections::hash_map::RandomState;

/// A string with its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) hash: u64,
    pub(crate) align: usize,
}

impl<'a> Query<'a> {
    /// Hashes a string.
    #[expect(
        clippy::inline_always,
        reason = "a call would pass the parts through memory, 1 ns of 9"
    )]
    #[inline(always)]
    pub(crate) fn new<S: BuildHasher>(bytes: &'a [u8], align: usize, state: &S) -> Self {
        let mut hasher = state.build_hasher();
        hasher.write(bytes);
        Self {
            bytes,
            hash: hasher.finish(),
            align,
        }
    }

    /// The tag by the interner's own hash.
    #[inline]
    pub(crate) fn tag(&self) -> u32 {
        low(self.hash)
    }

    /// The tag in a table, which may have a hash of its own.
    #[inline]
    pub(crate) fn tag_in(&self, keyed: Option<&RandomState>) -> u32 {
        keyed.map_or(self.tag(), |state| keyed_tag_slow(state, self.bytes))
    }
}

/// The tag of a string in a table that has a hash of its own.
#[cold]
#[inline(never)]
pub(crate) fn keyed_tag_slow(state: &RandomState, bytes: &[u8]) -> u32 {
    let mut hasher = state.build_hasher();
    hasher.write(bytes);
    low(hasher.finish())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is asked for"
)]
const fn low(hash: u64) -> u32 {
    hash as u32
}
