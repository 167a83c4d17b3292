//! What a cache says about itself.

#![forbid(unsafe_code)]

use core::fmt;

/// Figures of a [`Dedup`](crate::Dedup), from [`Dedup::stats`](crate::Dedup::stats).
///
/// Each shard's are of one instant; while other threads use the cache, the shards' instants differ.
///
/// # Examples
///
/// ```
/// use thrifty_interner::Dedup;
///
/// let hosts: Dedup = Dedup::new(1 << 20);
/// let _ = [hosts.dedup("db-1"), hosts.dedup("db-1")];
/// let stats = hosts.stats();
/// assert_eq!((stats.hits, stats.misses, stats.keys), (1, 1, 1));
/// assert!(stats.to_string().starts_with("1 key "));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DedupStats {
    /// Keys that are cached.
    pub keys: usize,
    /// Bytes of the keys that are cached.
    pub key_bytes: usize,
    /// Bytes that the cache keeps: the blocks of its keys, and its own tables. Never above the limit.
    pub reserved_bytes: usize,
    /// How often a key was found, so far.
    pub hits: u64,
    /// How often a key was not found, so far. Keys that are longer than is admitted are not looked for.
    pub misses: u64,
    /// How many keys were forgotten to make room, so far. What was trimmed or cleared is not among them.
    pub evictions: u64,
    /// How many copies were given out that the cache did not keep, so far, of keys that it looked for.
    pub unshared: u64,
}

impl fmt::Display for DedupStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.keys == 1 { "" } else { "s" };
        write!(
            f,
            "{} key{plural} of {} bytes in {} bytes, {} hits, {} misses, {} evictions, {} unshared",
            self.keys,
            self.key_bytes,
            self.reserved_bytes,
            self.hits,
            self.misses,
            self.evictions,
            self.unshared
        )
    }
}
