//! Figures of an interner.

use thrifty_traits::MemoryUsage;

#[cfg(feature = "stats")]
use crate::counters::Counted;
use crate::{Interner, Key, Symbol};

/// What there is room for, from [`Interner::headroom`], [`LocalInterner::headroom`](crate::LocalInterner::headroom) and
/// [`Dedup::headroom`](crate::Dedup::headroom).
///
/// # Examples
///
/// ```
/// use thrifty_interner::Interner;
///
/// let interner: Interner = Interner::builder().max_symbols(10).build();
/// interner.intern("a");
/// assert_eq!(interner.headroom().strings_left, 9);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Headroom {
    /// Bytes that may still be taken from the allocator; without a limit, `usize::MAX` less those that were taken.
    pub bytes_left: usize,
    /// Strings that may still come; `usize::MAX` where nothing limits their number.
    pub strings_left: usize,
}

/// Figures of an interner, from [`Interner::stats`].
///
/// # Examples
///
/// ```
/// let interner = thrifty_interner::Interner::new();
/// interner.intern("host");
/// let stats = interner.stats();
/// assert_eq!((stats.strings, stats.payload_bytes), (1, 4));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// How many strings there are.
    pub strings: usize,
    /// Bytes of the strings themselves, without static ones that were not copied.
    pub payload_bytes: usize,
    /// Bytes taken from the allocator.
    pub reserved_bytes: usize,
    /// The greatest number of slots that a search looks at.
    pub longest_probe: usize,
    /// How many parts of the table went over to SipHash, because a chain was too long for chance.
    pub keyed_shards: usize,
    /// What was counted, if [`Builder::statistics`](crate::Builder::statistics) asked for it.
    #[cfg(feature = "stats")]
    pub counted: Option<Counted>,
}

impl<K: ?Sized + Key, Y: Symbol, S> Interner<K, Y, S> {
    /// What there is room for.
    ///
    /// A string may need more bytes than its own, where a table or a block is full. Whoever takes strings from
    /// outsiders can ask this, and leave it at [`get`](Self::get) when little is left.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Interner;
    ///
    /// let interner: Interner = Interner::builder().max_bytes(1 << 20).build();
    /// assert_eq!(interner.headroom().bytes_left, 1 << 20);
    /// ```
    #[must_use]
    pub fn headroom(&self) -> Headroom {
        let bounds = self.live().bounds();
        let body = self.live().body();
        Headroom {
            bytes_left: body.map_or(bounds.bytes, |body| body.budget().left()),
            strings_left: (bounds.symbols as usize).saturating_sub(self.len()),
        }
    }

    /// Figures, some of which are worked out now.
    ///
    /// This walks through all tables, whose locks it takes one after the other, so that new strings wait. Strings
    /// that are there are found meanwhile. For what is asked every second, there is
    /// [`memory_usage`](thrifty_traits::MemoryUsage::memory_usage).
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// interner.intern("host");
    /// assert_eq!(interner.stats().keyed_shards, 0);
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        let usage = self.memory_usage();
        let survey = self
            .live()
            .body()
            .map(|body| body.survey())
            .unwrap_or_default();
        Stats {
            strings: self.len(),
            payload_bytes: usage.in_use_bytes,
            reserved_bytes: usage.reserved_bytes,
            longest_probe: survey.longest_probe,
            keyed_shards: survey.keyed,
            #[cfg(feature = "stats")]
            counted: self.counters().read(),
        }
    }
}
