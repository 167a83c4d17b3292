//! What a cache may keep, and what it does when that is reached.

#![forbid(unsafe_code)]

use core::fmt;
use core::hash::BuildHasher;
use core::marker::PhantomData;

use thrifty_sync::const_unless_loom;

use super::Dedup;
use super::shard::Rules;
use crate::error::InternError;
use crate::key::Key;
use crate::shared::block::MAX_LEN;
use crate::state::DefaultState;

/// What a [`Dedup`] does with a new key when it holds as many bytes as it may.
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Dedup, InternError, WhenFull};
///
/// let hosts: Dedup = Dedup::builder(0).when_full(WhenFull::Refuse).build();
/// assert!(matches!(hosts.try_dedup("db-1"), Err(InternError::MemoryLimit { .. })));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// It forgets keys that were not asked for lately. A key that cannot be cached all the same (one that is
    /// too long, for one) gets a copy of its own.
    #[default]
    Evict,
    /// It forgets nothing: a new key gets a copy of its own.
    Unshared,
    /// It forgets nothing: a new key is an error, and so is one that is too long.
    Refuse,
}

/// The settings of a cache, all plain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) max_bytes: usize,
    pub(crate) max_length: usize,
    pub(crate) shards: Option<usize>,
    pub(crate) when_full: WhenFull,
    pub(crate) second_sighting: bool,
}

impl Settings {
    pub(crate) const fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            max_length: MAX_LEN,
            shards: None,
            when_full: WhenFull::Evict,
            second_sighting: false,
        }
    }

    pub(crate) const fn limit(&self) -> InternError {
        InternError::MemoryLimit {
            limit_bytes: self.max_bytes,
        }
    }

    /// What a shard with this budget does.
    pub(crate) fn rules(&self, budget: usize) -> Rules {
        Rules {
            budget,
            evicts: self.when_full == WhenFull::Evict,
            doorkeeper: self.second_sighting,
        }
    }
}

/// Settings of a [`Dedup`] that is to be made, from [`Dedup::builder`].
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Dedup, Shared};
///
/// let agents: Dedup = Dedup::builder(8 << 20)
///     .max_length(512) // longer ones get a copy of their own
///     .second_sighting(true) // and so does who comes only once
///     .build();
/// let first = agents.dedup("curl/8.5.0");
/// let (second, third) = (agents.dedup("curl/8.5.0"), agents.dedup("curl/8.5.0"));
/// assert!(!Shared::ptr_eq(&first, &second) && Shared::ptr_eq(&second, &third));
/// ```
#[must_use = "it is the settings, not the cache"]
pub struct DedupBuilder<K: ?Sized + Key = str, S = DefaultState> {
    pub(super) settings: Settings,
    pub(super) state: S,
    key: PhantomData<fn(&K)>,
}

impl<K: ?Sized + Key, S> DedupBuilder<K, S> {
    pub(super) const fn new(max_bytes: usize, state: S) -> Self {
        Self {
            settings: Settings::new(max_bytes),
            state,
            key: PhantomData,
        }
    }

    /// Keys longer than so many bytes are not cached: they get a copy of their own, or are an error with
    /// [`WhenFull::Refuse`]. Without it, keys up to a quarter of a shard's bytes are cached.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Dedup;
    ///
    /// let short: Dedup = Dedup::builder(1 << 20).max_length(3).build();
    /// let _ = (short.dedup("abc"), short.dedup("abcd"));
    /// assert_eq!(short.len(), 1);
    /// ```
    pub const fn max_length(mut self, bytes: usize) -> Self {
        self.settings.max_length = if bytes < MAX_LEN { bytes } else { MAX_LEN };
        self
    }

    /// Whether a key is cached only when it is met for the second time, so that keys which come once cost
    /// nothing but their own copy, and push nothing out.
    ///
    /// What was met is remembered in two bytes for each 64 bytes of the limit, so that in a flood of other keys
    /// a sighting may be forgotten. A limit below 256 bytes a shard has no room for it, and caches at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Dedup;
    ///
    /// let ids: Dedup = Dedup::builder(1 << 20).second_sighting(true).build();
    /// let _ = ids.dedup("0001");
    /// assert_eq!(ids.len(), 0);
    /// ```
    pub const fn second_sighting(mut self, on: bool) -> Self {
        self.settings.second_sighting = on;
        self
    }

    /// How many parts the cache has, each with its own lock and its own share of the bytes; rounded up to a
    /// power of two.
    ///
    /// Without it, four for each processor, 64 at most, each with at least 64 KiB.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Dedup;
    ///
    /// let one: Dedup = Dedup::builder(4096).shards(1).build();
    /// assert_eq!(one.max_bytes(), 4096);
    /// ```
    pub const fn shards(mut self, shards: usize) -> Self {
        self.settings.shards = Some(shards);
        self
    }

    /// What happens to a new key when there is no room left.
    ///
    /// # Examples
    ///
    /// [`WhenFull`] has one.
    pub const fn when_full(mut self, policy: WhenFull) -> Self {
        self.settings.when_full = policy;
        self
    }

    /// The hasher. It hashes the bytes of keys, outside all locks.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::hash::RandomState;
    /// use thrifty_interner::Dedup;
    ///
    /// let hosts = Dedup::<str>::builder(1 << 20).hasher(RandomState::new()).build();
    /// assert_eq!(*hosts.dedup("db-1"), *"db-1");
    /// ```
    pub fn hasher<T: BuildHasher>(self, state: T) -> DedupBuilder<K, T> {
        DedupBuilder {
            settings: self.settings,
            state,
            key: PhantomData,
        }
    }

    const_unless_loom! {
        /// Makes the cache. It allocates nothing before its first use.
        ///
        /// # Examples
        ///
        /// ```
        /// use thrifty_interner::Dedup;
        ///
        /// static HOSTS: Dedup = Dedup::builder(1 << 20).max_length(255).build();
        /// assert!(HOSTS.is_empty());
        /// ```
        #[must_use]
        pub const fn build(self) -> Dedup<K, S> {
            // Moved as a whole: a constant function cannot take a hasher out of what would have to be dropped.
            Dedup::from_builder(self)
        }
    }
}

impl<K: ?Sized + Key, S> fmt::Debug for DedupBuilder<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}
