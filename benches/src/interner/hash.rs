//! The hasher that all sides share where a row compares tables and not hashes.

use core::hash::BuildHasher;

/// `ahash`, the algorithm of our default, with keys that are the same in every run.
#[derive(Clone)]
pub(super) struct Ahash(ahash::RandomState);

impl Default for Ahash {
    fn default() -> Self {
        Self(ahash::RandomState::with_seeds(11, 22, 33, 44))
    }
}

impl BuildHasher for Ahash {
    type Hasher = ahash::AHasher;

    #[inline]
    fn build_hasher(&self) -> ahash::AHasher {
        self.0.build_hasher()
    }
}

/// What tables ask of a hasher.
pub(super) trait Hashing: BuildHasher + Default + Send + Sync + 'static {}

impl<S: BuildHasher + Default + Send + Sync + 'static> Hashing for S {}
