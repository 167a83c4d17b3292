//! Settings of a [`LocalInterner`].

#![forbid(unsafe_code)]

use core::fmt;
use core::hash::BuildHasher;
use core::marker::PhantomData;

use thrifty_sync::const_unless_loom;

use super::{LocalInterner, limits::Limits};
use crate::{DefaultState, Key, Kinds, Sym, Symbol};

/// Settings of a [`LocalInterner`].
///
/// # Examples
///
/// ```
/// use thrifty_interner::{InternError, LocalInterner};
///
/// let mut tags: LocalInterner = LocalInterner::builder().max_symbols(2).max_length(8).build();
/// tags.intern("a");
/// tags.intern("b");
/// assert_eq!(tags.try_intern("c"), Err(InternError::SymbolSpace { limit_symbols: 2 }));
/// assert!(tags.try_intern("far too long").is_err());
/// assert!(tags.try_intern("a").is_ok());
/// ```
pub struct LocalBuilder<K: ?Sized = str, Y = Sym, S = DefaultState> {
    pub(super) state: S,
    pub(super) limits: Limits,
    kinds: Kinds<K, Y>,
}

impl<K: ?Sized, Y, S> LocalBuilder<K, Y, S> {
    pub(super) const fn new(state: S) -> Self {
        Self {
            state,
            limits: Limits::NONE,
            kinds: PhantomData,
        }
    }
}

impl<K: Key + ?Sized, Y: Symbol, S> LocalBuilder<K, Y, S> {
    /// Holds at most this many bytes from the allocator, tables and spare room included.
    ///
    /// What does not fit is refused with [`InternError::MemoryLimit`](crate::InternError::MemoryLimit); what is there is
    /// still found. While its table grows, an interner holds the old one beside the new one; the limit does not
    /// count the old one.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Gives out at most this many symbols.
    #[must_use]
    pub const fn max_symbols(mut self, symbols: usize) -> Self {
        self.limits.symbols = symbols;
        self
    }

    /// Refuses strings of more than this many bytes.
    #[must_use]
    pub const fn max_length(mut self, bytes: usize) -> Self {
        self.limits.len = bytes;
        self
    }

    /// Hashes with `state`.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{DefaultState, LocalInterner};
    ///
    /// // The same run after run: not for input from outside.
    /// let builder = LocalInterner::<str>::builder().hasher(DefaultState::with_seed(1));
    /// assert_eq!(builder.build().len(), 0);
    /// ```
    #[must_use]
    pub fn hasher<T: BuildHasher>(self, state: T) -> LocalBuilder<K, Y, T> {
        LocalBuilder {
            state,
            limits: self.limits,
            kinds: PhantomData,
        }
    }

    const_unless_loom! {
        /// Makes the interner. Nothing is allocated: [`LocalInterner::reserve`] does that.
        ///
        /// # Examples
        ///
        /// ```
        /// use thrifty_interner::LocalInterner;
        ///
        /// const SMALL: LocalInterner = LocalInterner::builder().max_bytes(1 << 16).build();
        /// assert_eq!(SMALL.headroom().bytes_left, 1 << 16);
        /// ```
        #[must_use]
        pub const fn build(self) -> LocalInterner<K, Y, S> {
            // Moved as a whole: a constant function cannot take a hasher out of what would have to be dropped.
            LocalInterner::from_builder(self)
        }
    }
}

impl<K: ?Sized, Y, S> fmt::Debug for LocalBuilder<K, Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBuilder")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
