//! What an interner's owner can do while nobody else uses it.

use core::fmt;
use core::hash::BuildHasher;

use thrifty_traits::{Pressure, Reclaim, Reclaimed};

use crate::live::Query;
use crate::{Interner, Key, Mark, Symbol};

/// A [`Mark`] is not one of this interner, or strings that it has are gone. Nothing was changed.
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Interner, StaleMark};
///
/// let mut interner: Interner = Interner::new();
/// let elsewhere = Interner::new().mark();
/// assert_eq!(interner.rollback(elsewhere), Err(StaleMark));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StaleMark;

impl fmt::Display for StaleMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the mark is of another interner, or strings that it has are gone")
    }
}

impl core::error::Error for StaleMark {}

impl<K: ?Sized + Key, Y: Symbol, S> Interner<K, Y, S> {
    /// The point that the interner has come to, for [`rollback`](Self::rollback).
    ///
    /// Of strings that other threads are just interning, some may come before it and some after.
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// assert_eq!(interner.mark(), interner.mark());
    /// ```
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.live().mark()
    }

    /// Takes out all strings, and keeps what is useful for as many: tables, and a block of memory for each lock.
    ///
    /// Symbols begin again with the first, and marks that were taken before are stale. What is kept,
    /// [`shrink_to_fit`](Self::shrink_to_fit) gives back.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut interner = thrifty_interner::Interner::new();
    /// let before = interner.intern("a");
    /// interner.clear();
    /// assert_eq!(interner.get("a"), None);
    /// assert_eq!(interner.intern("b"), before);
    /// ```
    pub fn clear(&mut self) {
        self.live_mut().empty();
    }

    /// Gives memory back that holds no string; the strings and their symbols stay, and do not move.
    ///
    /// | pressure | what goes |
    /// |---|---|
    /// | low | tables that growth has replaced, and their spare segments |
    /// | medium | also blocks and pages without a string |
    /// | high | also the free slots of tables, so that they grow with the next strings; this takes memory for a while, and where there is none a table stays |
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Interner;
    /// use thrifty_traits::{MemoryUsage, Pressure};
    ///
    /// let mut interner: Interner = Interner::builder().capacity(10_000).build();
    /// let symbol = interner.intern("a");
    /// assert!(interner.trim(Pressure::High).bytes > 100_000);
    /// assert_eq!(interner.resolve(symbol), "a");
    /// assert_eq!(interner.memory_usage().idle_bytes, 0);
    /// ```
    pub fn trim(&mut self, pressure: Pressure) -> Reclaimed {
        if pressure == Pressure::High && self.is_empty() {
            return self.live_mut().free();
        }
        self.live_mut().trim(pressure)
    }

    /// Gives back all memory that holds no string, as [`trim`](Self::trim) does under high pressure.
    ///
    /// An empty interner holds nothing afterwards.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Interner;
    /// use thrifty_traits::MemoryUsage;
    ///
    /// let mut interner: Interner = Interner::builder().capacity(1000).build();
    /// interner.shrink_to_fit();
    /// assert_eq!(interner.memory_usage().reserved_bytes, 0);
    /// ```
    pub fn shrink_to_fit(&mut self) {
        self.trim(Pressure::High);
    }
}

impl<K: ?Sized + Key, Y: Symbol, S: BuildHasher> Interner<K, Y, S> {
    /// Takes out all strings that came after a mark, and says how many those were.
    ///
    /// Their symbols are given to the next strings. Blocks and pages that only they needed go back to the
    /// allocator, as do tables that growth has replaced; the rest of their space is used again, and tables keep their size. It costs about what
    /// interning those strings cost, and allocates nothing but now and then a few bytes, without which it does too.
    ///
    /// A mark can be used again, as long as its own strings are there.
    ///
    /// # Errors
    ///
    /// If the mark is of another interner, or some of its strings are gone: by a rollback to an earlier mark, by
    /// [`clear`](Self::clear) or by [`compact`](Self::compact). Then nothing has changed.
    ///
    /// # Panics
    ///
    /// If the hasher does. Then some of the strings are gone, from the last on, and the mark is still good.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut interner = thrifty_interner::Interner::new();
    /// let symbol = interner.intern("stays");
    /// let mark = interner.mark();
    /// for request in ["a", "b"] {
    ///     interner.intern(request);
    ///     assert_eq!(interner.rollback(mark), Ok(1));
    /// }
    /// assert_eq!(interner.get("stays"), Some(symbol));
    /// assert_eq!(interner.get("a"), None);
    /// ```
    pub fn rollback(&mut self, mark: Mark) -> Result<usize, StaleMark> {
        let (state, live) = self.parts_mut();
        let hash = |bytes: &[u8]| Query::new(bytes, K::ALIGN, state).hash;
        let removed = live.rollback(mark, hash).ok_or(StaleMark)?;
        Ok(removed as usize)
    }
}

/// An interner that is shared can give back nothing, and says so.
///
/// Strings stay; and what growth has replaced may still be looked at by a reader of any age, since readers leave no
/// trace that one could wait for. It is not lost: the next growth uses it, and
/// [`MemoryUsage`](thrifty_traits::MemoryUsage) reports it as idle until then. Its owner gives it back with
/// [`Interner::trim`].
///
/// The implementation is there so that an interner can be registered where limits are watched, and be seen.
impl<K: ?Sized + Key, Y: Symbol, S: Send + Sync> Reclaim for Interner<K, Y, S> {
    fn reclaim(&self, _: Pressure) -> Reclaimed {
        Reclaimed::new()
    }
}
