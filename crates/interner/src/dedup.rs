//! A cache of shared keys that holds a bounded number of bytes.

#![forbid(unsafe_code)]

mod builder;
mod index;
#[cfg(test)]
mod models;
mod seen;
mod shard;
mod shards;
mod stats;
mod tables;
mod trim;

use core::fmt;
use core::hash::BuildHasher;

use thrifty_sync::const_unless_loom;

use self::builder::Settings;
pub use self::builder::{DedupBuilder, WhenFull};
use self::shard::{Rules, Shard};
use self::shards::{Hashed, Shards};
pub use self::stats::DedupStats;
use crate::error::InternError;
use crate::key::Key;
use crate::panics::or_panic;
use crate::shared::{Shared, block};
use crate::state::DefaultState;
use crate::stats::Headroom;

/// One copy of each string, for input without an end: a cache that gives out shared handles, and keeps a
/// bounded number of bytes.
///
/// Equal keys get the same handle as long as the cache remembers them. What it forgets, to stay within its
/// limit, loses sharing and nothing else: handles that were given out stay as they are, and the next equal
/// key gets a new copy. So a handle is a key of its own right, compared by its contents; it is not a number
/// that stands for a key, as a symbol of an interner is, and an interner is the better choice where the set
/// of keys is bounded.
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Dedup, Shared};
///
/// struct Event {
///     host: Shared<str>,
///     agent: Shared<str>,
/// }
///
/// static STRINGS: Dedup = Dedup::new(16 << 20);
///
/// let read = |host: &str, agent: &str| Event {
///     host: STRINGS.dedup(host),
///     agent: STRINGS.dedup(agent),
/// };
/// let (a, b) = (read("db-1", "curl/8.5.0"), read("db-2", "curl/8.5.0"));
/// assert!(Shared::ptr_eq(&a.agent, &b.agent));
/// assert_eq!(*a.host, *"db-1");
/// ```
///
/// # Memory
///
/// The limit counts all that the cache itself keeps: the blocks of its keys (8 bytes and the key, as [`Shared`]
/// says), 26 bytes for each place in its tables, two bytes for each 64 bytes of the limit once something was evicted,
/// and 256 bytes for a shard. Of the places up to a fifth is free; up to half, below some hundred of them or when keys have
/// become longer; more after a trim. While a shard's table grows, by a quarter, or shrinks, its old one exists beside the
/// new; keys on their way in and out, up to 17 for a thread, exist beside the cache. It does not count what malloc adds,
/// nor what callers hold: a program has at most the limit and the blocks that its own handles keep, of which those that
/// the cache still remembers count once.
///
/// Each shard has an equal share of the limit. A key larger than a quarter of that gets a copy of its own.
///
/// Nothing is allocated before the first use; threads that race for it make the shards once each, and all but one of
/// them free theirs again. [`trim`](Self::trim), and [`Reclaim`](crate::Reclaim) for a limit controller, give back
/// what nobody holds.
///
/// # Concurrency
///
/// `Send` and `Sync` if the hasher is. A hit takes the lock of one shard for a look into its table and a
/// count up; dropping a handle takes no lock at all. Hashing, allocating and freeing are done outside the locks.
/// Threads that look up one key all the time wait for each other, at the lock and at the count: let each keep
/// a clone of such a key's handle, and clone less where a `&str` will do.
///
/// The child of a `fork` that happened while another thread was at a shard waits for that shard for ever.
pub struct Dedup<K: ?Sized + Key = str, S = DefaultState> {
    /// What it was made by: its settings and its hasher.
    builder: DedupBuilder<K, S>,
    shards: Shards<K>,
}

/// What a block takes besides its key.
const fn key_overhead<K: ?Sized + Key>() -> usize {
    block::offset(K::ALIGN)
}

impl<K: ?Sized + Key> Dedup<K> {
    const_unless_loom! {
        /// A cache that keeps at most so many bytes.
        ///
        /// # Examples
        ///
        /// ```
        /// use thrifty_interner::Dedup;
        ///
        /// let numbers = Dedup::new(1 << 20);
        /// assert_eq!(*numbers.dedup(&[1, 2, 3][..]), [1, 2, 3]);
        /// ```
        #[must_use]
        pub const fn new(max_bytes: usize) -> Self {
            Self::with_hasher(max_bytes, DefaultState::new())
        }
    }

    /// Settings for a cache that keeps at most so many bytes: the one that every cache has to have.
    ///
    /// # Examples
    ///
    /// [`DedupBuilder`] has one.
    pub const fn builder(max_bytes: usize) -> DedupBuilder<K> {
        DedupBuilder::new(max_bytes, DefaultState::new())
    }
}

impl<K: ?Sized + Key, S> Dedup<K, S> {
    const_unless_loom! {
        /// A cache with a hasher of the caller's that keeps at most so many bytes.
        ///
        /// # Examples
        ///
        /// ```
        /// use std::hash::RandomState;
        /// use thrifty_interner::Dedup;
        ///
        /// let hosts: Dedup<str, RandomState> = Dedup::with_hasher(1 << 20, RandomState::new());
        /// assert_eq!(*hosts.dedup("db-1"), *"db-1");
        /// ```
        #[must_use]
        pub const fn with_hasher(max_bytes: usize, state: S) -> Self {
            Self::from_builder(DedupBuilder::new(max_bytes, state))
        }
    }

    const_unless_loom! {
        const fn from_builder(builder: DedupBuilder<K, S>) -> Self {
            let shards = Shards::new(&builder.settings);
            Self { builder, shards }
        }
    }

    const fn settings(&self) -> &Settings {
        &self.builder.settings
    }

    /// How many bytes the cache keeps at most.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Dedup;
    ///
    /// assert_eq!(Dedup::<str>::new(1 << 20).max_bytes(), 1 << 20);
    /// ```
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.settings().max_bytes
    }

    /// How many keys are cached.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Dedup;
    ///
    /// let hosts: Dedup = Dedup::new(1 << 20);
    /// let _ = [hosts.dedup("db-1"), hosts.dedup("db-1")];
    /// assert_eq!(hosts.len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.stats().keys
    }

    /// Whether no key is cached.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Dedup;
    ///
    /// assert!(Dedup::<str>::new(1 << 20).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes there are to the limit: next to none is the usual state of a cache that evicts. The number of keys
    /// has no limit of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Dedup;
    ///
    /// let hosts: Dedup = Dedup::new(1 << 20);
    /// let _ = hosts.dedup("db-1");
    /// assert!((1..1 << 20).contains(&hosts.headroom().bytes_left));
    /// ```
    #[must_use]
    pub fn headroom(&self) -> Headroom {
        Headroom {
            bytes_left: self.max_bytes().saturating_sub(self.stats().reserved_bytes),
            strings_left: usize::MAX,
        }
    }

    /// What the cache holds, and how often it helped. Every shard is locked for a moment, one after the other.
    ///
    /// # Examples
    ///
    /// [`DedupStats`] has one.
    #[must_use]
    pub fn stats(&self) -> DedupStats {
        let mut stats = DedupStats::default();
        let Some(made) = self.shards.get() else {
            return stats;
        };
        stats.reserved_bytes = made.bytes();
        for shard in made.all() {
            let state = shard.lock();
            let (tables, counts) = (&state.tables, &state.counts);
            stats.keys += tables.len();
            stats.key_bytes += tables.block_bytes() - tables.len() * key_overhead::<K>();
            stats.reserved_bytes += state.used_bytes();
            stats.hits += counts.hits;
            stats.misses += counts.misses;
            stats.evictions += counts.evictions;
            stats.unshared += counts.unshared;
        }
        stats
    }

    /// Forgets all keys, also those that somebody holds, and gives the tables back.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Dedup;
    ///
    /// let hosts: Dedup = Dedup::new(1 << 20);
    /// let held = hosts.dedup("db-1");
    /// hosts.clear();
    /// assert!(hosts.is_empty() && *held == *"db-1");
    /// ```
    pub fn clear(&self) {
        let shards = self.shards.get().map_or(&[][..], |made| made.all());
        for shard in shards {
            // Freed when the lock is released, which a temporary in this statement does.
            let garbage = shard.lock().take();
            drop(garbage);
        }
    }
}

impl<K: ?Sized + Key, S: BuildHasher> Dedup<K, S> {
    /// A handle to the key: the cached one, or a copy, which is then cached if there is room for it.
    ///
    /// # Panics
    ///
    /// Where [`try_dedup`](Self::try_dedup) returns an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Dedup, Shared};
    ///
    /// let hosts: Dedup = Dedup::new(1 << 20);
    /// assert!(Shared::ptr_eq(&hosts.dedup("db-1"), &hosts.dedup("db-1")));
    /// ```
    #[inline]
    #[track_caller]
    pub fn dedup(&self, key: &K) -> Shared<K> {
        or_panic(self.try_dedup(key))
    }

    /// A handle to the key: the cached one, or a copy, which is then cached if there is room for it.
    ///
    /// # Errors
    ///
    /// - [`Backend`](InternError::Backend) where there is no memory for a copy;
    /// - [`TooLong`](InternError::TooLong) beyond 4 GiB;
    /// - with [`WhenFull::Refuse`] also where a key cannot be cached: [`TooLong`](InternError::TooLong) beyond
    ///   [`max_length`](DedupBuilder::max_length), [`MemoryLimit`](InternError::MemoryLimit), and
    ///   [`Backend`](InternError::Backend) where there is no memory for the tables.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Dedup, WhenFull};
    ///
    /// let hosts: Dedup = Dedup::builder(1 << 20).max_length(4).when_full(WhenFull::Refuse).build();
    /// assert!(hosts.try_dedup("db-1").is_ok());
    /// assert!(hosts.try_dedup("db-01").is_err());
    /// ```
    #[inline]
    pub fn try_dedup(&self, key: &K) -> Result<Shared<K>, InternError> {
        let bytes = key.as_bytes();
        if bytes.len() > self.settings().max_length {
            return self.pass_by_cold(key, self.too_long(bytes.len()));
        }
        let hashed = Hashed::new(&self.builder.state, bytes);
        let made = match self.shards.get_or_make(self.settings()) {
            Ok(made) => made,
            Err(error) => return self.pass_by_cold(key, error),
        };
        let shard = made.of(hashed);
        match shard.look(hashed.hash, bytes) {
            Some(shared) => Ok(shared),
            None => self.insert_cold(shard, made.rules, hashed, key),
        }
    }

    /// A handle to the key, if it is cached.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Dedup;
    ///
    /// let hosts: Dedup = Dedup::new(1 << 20);
    /// assert!(hosts.get("db-1").is_none());
    /// let _ = hosts.dedup("db-1");
    /// assert!(hosts.get("db-1").is_some());
    /// ```
    #[inline]
    pub fn get(&self, key: &K) -> Option<Shared<K>> {
        let bytes = key.as_bytes();
        let made = self.shards.get()?;
        let hashed = Hashed::new(&self.builder.state, bytes);
        made.of(hashed).look(hashed.hash, bytes)
    }

    #[cold]
    #[inline(never)]
    fn insert_cold(
        &self,
        shard: &Shard<K>,
        rules: Rules,
        hashed: Hashed,
        key: &K,
    ) -> Result<Shared<K>, InternError> {
        if self.settings().when_full == WhenFull::Refuse && !shard.might_take(key, rules) {
            // Whoever sends long keys would else have each copied, for an error.
            return Err(self.settings().limit());
        }
        let fresh = Shared::try_new(key)?;
        match shard.insert_cold(hashed.hash, fresh, rules) {
            Ok(shared) => Ok(shared),
            Err((fresh, _)) if self.settings().when_full != WhenFull::Refuse => {
                shard.lock().counts.unshared += 1;
                Ok(fresh)
            }
            Err((_, InternError::MemoryLimit { .. })) => Err(self.settings().limit()),
            Err((_, error)) => Err(error),
        }
    }

    /// A copy for who is not even looked for.
    #[cold]
    fn pass_by_cold(&self, key: &K, error: InternError) -> Result<Shared<K>, InternError> {
        match self.settings().when_full {
            WhenFull::Refuse => Err(error),
            WhenFull::Evict | WhenFull::Unshared => Shared::try_new(key),
        }
    }

    fn too_long(&self, length_bytes: usize) -> InternError {
        InternError::TooLong {
            length_bytes,
            limit_bytes: self.settings().max_length,
        }
    }
}

impl<K: ?Sized + Key, S> fmt::Debug for Dedup<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dedup")
            .field("settings", self.settings())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
