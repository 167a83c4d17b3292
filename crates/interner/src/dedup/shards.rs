//! The shards of a cache: made at the first use, and picked by the hash.

#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};

#[cfg(not(all(thrifty_loom, feature = "loom")))]
use thrifty_sync::sync::OnceLock;
use thrifty_sync::thread::parallelism;

use super::builder::Settings;
use super::shard::{LARGEST_PART, Rules, Shard};
use super::tables::Tables;
use crate::error::InternError;
use crate::key::Key;

/// A shard has at least so many bytes, unless the user says how many shards there are.
const LEAST_BYTES: usize = 64 << 10;

/// So many shards are enough for any machine, unless the user says otherwise.
const MOST_BY_DEFAULT: usize = 64;

/// More are of no use to anyone.
const MOST: usize = 1 << 16;

/// The shards, once they are needed: a cache can then be a constant, and an unused one takes nothing.
pub(crate) struct Shards<K: ?Sized + Key> {
    made: OnceLock<Option<Made<K>>>,
}

/// Shards, a power of two of them, and what each may do.
pub(crate) struct Made<K: ?Sized + Key> {
    shards: Vec<Shard<K>>,
    pub(crate) rules: Rules,
}

/// A hash, cut up: one part picks the shard, another is compared in it.
#[derive(Clone, Copy)]
pub(crate) struct Hashed {
    pub(crate) hash: u32,
    shard: usize,
}

impl Hashed {
    /// Hashes bytes with a user's hasher. A multiplication spreads what a weak one leaves in few bits.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "parts of a hash")]
    pub(crate) fn new(state: &impl BuildHasher, bytes: &[u8]) -> Self {
        let mut hasher = state.build_hasher();
        hasher.write(bytes);
        let product = u128::from(hasher.finish() ^ 0x9e37_79b9_7f4a_7c15)
            .wrapping_mul(0x2d35_8dcc_aa6c_78a5_u128);
        let spread = (product >> 64) as u64 ^ product as u64;
        Self {
            hash: (spread >> 32) as u32,
            shard: spread as u32 as usize,
        }
    }
}

impl<K: ?Sized + Key> Shards<K> {
    #[cfg(not(all(thrifty_loom, feature = "loom")))]
    pub(crate) const fn new(_: &Settings) -> Self {
        Self {
            made: OnceLock::new(),
        }
    }

    /// Under loom, which knows no `OnceLock`, the shards are there from the start.
    #[cfg(all(thrifty_loom, feature = "loom"))]
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            made: OnceLock(Made::try_new(settings).ok()),
        }
    }

    /// The shards, if they were needed already.
    #[inline]
    pub(crate) fn get(&self) -> Option<&Made<K>> {
        self.made.get()?.as_ref()
    }

    /// The shards.
    ///
    /// # Errors
    ///
    /// Where the limit has no room for a key, or the system none for shards.
    #[inline]
    pub(crate) fn get_or_make(&self, settings: &Settings) -> Result<&Made<K>, InternError> {
        match self.made.get() {
            Some(Some(made)) => Ok(made),
            Some(None) => Err(settings.limit()),
            None => self.make_cold(settings),
        }
    }

    #[cold]
    fn make_cold(&self, settings: &Settings) -> Result<&Made<K>, InternError> {
        // Who finds no memory leaves it to the next one. Another thread may be first: then its shards are taken.
        let _ = self.made.set(Made::try_new(settings)?);
        self.get().ok_or(settings.limit())
    }
}

impl<K: ?Sized + Key> Made<K> {
    /// Shards, or none if what each might keep has no room for the smallest tables and key.
    fn try_new(settings: &Settings) -> Result<Option<Self>, InternError> {
        let count = match settings.shards {
            Some(asked) => asked.clamp(1, MOST).next_power_of_two(),
            None => {
                let wanted = (4 * parallelism()).min(MOST_BY_DEFAULT);
                1 << wanted.min(settings.max_bytes / LEAST_BYTES).max(1).ilog2()
            }
        };
        let own = settings.max_bytes / count;
        let budget = own.saturating_sub(size_of::<Shard<K>>());
        let rules = settings.rules(budget);
        if budget < Tables::<K>::bytes_for(Tables::<K>::LEAST_ROOM) + LARGEST_PART * 8 {
            return Ok(None);
        }
        let mut shards = Vec::new();
        if shards.try_reserve_exact(count).is_err() {
            let size_bytes = count * size_of::<Shard<K>>();
            return Err(InternError::Backend { size_bytes });
        }
        shards.resize_with(count, Shard::new);
        Ok(Some(Self { shards, rules }))
    }

    #[inline]
    pub(crate) fn of(&self, hashed: Hashed) -> &Shard<K> {
        &self.shards[hashed.shard & (self.shards.len() - 1)]
    }

    pub(crate) fn all(&self) -> &[Shard<K>] {
        &self.shards
    }

    /// What the array of shards takes.
    pub(crate) fn bytes(&self) -> usize {
        self.shards.capacity() * size_of::<Shard<K>>()
    }
}

/// What stands for it under loom.
#[cfg(all(thrifty_loom, feature = "loom"))]
struct OnceLock<T>(Option<T>);

#[cfg(all(thrifty_loom, feature = "loom"))]
impl<T> OnceLock<T> {
    fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    fn set(&self, _: T) -> Result<(), ()> {
        Err(())
    }
}
