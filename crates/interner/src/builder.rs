//! Settings of an interner.

use crate::live::Bounds;
use crate::{DefaultState, InternError, Interner, Key, Symbol};

/// Settings for an [`Interner`], from [`Interner::builder`].
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Interner, Sym16};
///
/// let tables: Interner<str, Sym16> = Interner::builder()
///     .max_bytes(1 << 20)
///     .max_length(255)
///     .build();
/// ```
#[derive(Clone, Debug)]
pub struct Builder<S = DefaultState> {
    state: S,
    bytes: usize,
    symbols: usize,
    length: usize,
    shards: usize,
    capacity: usize,
    #[cfg(feature = "stats")]
    statistics: bool,
}

impl Builder {
    pub(crate) const fn new() -> Self {
        Self {
            state: DefaultState::new(),
            bytes: usize::MAX,
            symbols: usize::MAX,
            length: usize::MAX,
            shards: 0,
            capacity: 0,
            #[cfg(feature = "stats")]
            statistics: false,
        }
    }
}

impl<S> Builder<S> {
    /// The greatest number of bytes that the interner takes from the allocator, all told. Without, there is none.
    ///
    /// It is exact, whatever threads do at once. While a table is replaced, both count. Only while
    /// [`compact`](Interner::compact) copies what stays, the old and the new each have the limit. What
    /// `statistics` counts in is not among these bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{InternError, Interner};
    ///
    /// let small: Interner = Interner::builder().max_bytes(100).build();
    /// assert_eq!(small.try_intern("a"), Err(InternError::MemoryLimit { limit_bytes: 100 }));
    /// ```
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// The greatest number of strings. Without, there are as many as the symbol's type has values.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Interner;
    ///
    /// let few: Interner = Interner::builder().max_symbols(2).build();
    /// few.intern("a");
    /// few.intern("b");
    /// assert!(few.try_intern("c").is_err());
    /// ```
    #[must_use]
    pub const fn max_symbols(mut self, symbols: usize) -> Self {
        self.symbols = symbols;
        self
    }

    /// The greatest length of a string, in bytes. Without, there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{InternError, Interner};
    ///
    /// let short: Interner = Interner::builder().max_length(3).build();
    /// let error = InternError::TooLong { length_bytes: 4, limit_bytes: 3 };
    /// assert_eq!(short.try_intern("abcd"), Err(error));
    /// ```
    #[must_use]
    pub const fn max_length(mut self, bytes: usize) -> Self {
        self.length = bytes;
        self
    }

    /// How many locks the strings are spread over, rounded up to a power of two up to 64.
    ///
    /// Without, it is twice the number of processors. Each costs some hundred bytes, and more once it has strings.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Interner;
    ///
    /// let for_one_writer: Interner = Interner::builder().shards(1).build();
    /// ```
    #[must_use]
    pub const fn shards(mut self, shards: usize) -> Self {
        self.shards = shards;
        self
    }

    /// How many strings the tables have room for from the start, so that they do not grow before.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Interner;
    ///
    /// let interner: Interner = Interner::builder().capacity(10_000).build();
    /// assert!(interner.is_empty());
    /// ```
    #[must_use]
    pub const fn capacity(mut self, strings: usize) -> Self {
        self.capacity = strings;
        self
    }

    /// Whether hits, misses and saved bytes are counted, for [`Interner::stats`].
    ///
    /// Each thread counts for itself, in 64 bytes that it alone writes: some 2 ns a search. What threads look for while they end may
    /// not be counted, nor what is looked for when there is no memory for the counts.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Interner;
    ///
    /// let interner: Interner = Interner::builder().statistics(true).build();
    /// assert!(interner.stats().counted.is_some());
    /// ```
    #[cfg(feature = "stats")]
    #[must_use]
    pub const fn statistics(mut self, counted: bool) -> Self {
        self.statistics = counted;
        self
    }

    /// The hasher.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{DefaultState, Interner};
    ///
    /// let repeatable: Interner = Interner::builder().hasher(DefaultState::with_seed(1)).build();
    /// ```
    #[must_use]
    pub fn hasher<T>(self, state: T) -> Builder<T> {
        Builder {
            state,
            bytes: self.bytes,
            symbols: self.symbols,
            length: self.length,
            shards: self.shards,
            capacity: self.capacity,
            #[cfg(feature = "stats")]
            statistics: self.statistics,
        }
    }

    /// Makes the interner.
    ///
    /// # Panics
    ///
    /// If a [`capacity`](Self::capacity) was asked for that cannot be allocated; see [`try_build`](Self::try_build).
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Interner;
    ///
    /// let interner: Interner<[u8]> = Interner::builder().build();
    /// ```
    #[must_use]
    #[track_caller]
    pub fn build<K: ?Sized + Key, Y: Symbol>(self) -> Interner<K, Y, S> {
        match self.try_build() {
            Ok(interner) => interner,
            Err(error) => panic!("{error}"),
        }
    }

    /// Makes the interner.
    ///
    /// # Errors
    ///
    /// If a [`capacity`](Self::capacity) was asked for that cannot be allocated, or is beyond another limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Interner, Sym};
    ///
    /// let much = Interner::builder().max_bytes(1 << 10).capacity(1 << 20);
    /// assert!(much.try_build::<str, Sym>().is_err());
    /// ```
    pub fn try_build<K: ?Sized + Key, Y: Symbol>(self) -> Result<Interner<K, Y, S>, InternError> {
        let symbols = u32::try_from(self.symbols).map_or(Y::COUNT, |wanted| wanted.min(Y::COUNT));
        #[cfg_attr(
            not(feature = "stats"),
            expect(unused_mut, reason = "nothing to set up")
        )]
        let mut interner = Interner::with_bounds(
            self.state,
            Bounds {
                bytes: self.bytes,
                symbols,
                length: self.length,
                shards: self.shards,
                align: K::ALIGN,
            },
        );
        #[cfg(feature = "stats")]
        if self.statistics {
            interner.counters_mut().start()?;
        }
        if self.capacity != 0 {
            match u32::try_from(self.capacity) {
                Ok(strings) if strings <= symbols => {
                    interner.live().body_or_new()?.reserve(strings)?;
                }
                _ => {
                    return Err(InternError::SymbolSpace {
                        limit_symbols: symbols as usize,
                    });
                }
            }
        }
        Ok(interner)
    }
}
