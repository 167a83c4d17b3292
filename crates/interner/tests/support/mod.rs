//! What several of the tests need.

use std::hash::{BuildHasher, Hasher};

/// Every key has the same hash.
#[derive(Clone, Copy, Default)]
pub(crate) struct Constant;

impl Hasher for Constant {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        0
    }
}

impl BuildHasher for Constant {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}
