//! Settings of an interner.

use core::fmt;
use core::hash::BuildHasher;
use core::marker::PhantomData;

use crate::live::Bounds;
use crate::{DefaultState, InternError, Interner, Key, Kinds, Sym, Symbol, or_panic};

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
pub struct Builder<K: ?Sized = str, Y = Sym, S = DefaultState> {
    state: S,
    settings: Settings,
    kinds: Kinds<K, Y>,
}

/// All but the hasher.
#[derive(Clone, Copy, Debug)]
struct Settings {
    bytes: usize,
    symbols: usize,
    length: usize,
    shards: usize,
    capacity: usize,
    #[cfg(feature = "stats")]
    statistics: bool,
}

impl<K: ?Sized, Y> Builder<K, Y> {
    pub(crate) const fn new() -> Self {
        Self {
            state: DefaultState::new(),
            settings: Settings {
                bytes: usize::MAX,
                symbols: usize::MAX,
                length: usize::MAX,
                shards: 0,
                capacity: 0,
                #[cfg(feature = "stats")]
                statistics: false,
            },
            kinds: PhantomData,
        }
    }
}

impl<K: ?Sized + Key, Y: Symbol, S> Builder<K, Y, S> {
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
        self.settings.bytes = bytes;
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
        self.settings.symbols = symbols;
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
        self.settings.length = bytes;
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
        self.settings.shards = shards;
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
        self.settings.capacity = strings;
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
        self.settings.statistics = counted;
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
    pub fn hasher<T: BuildHasher>(self, state: T) -> Builder<K, Y, T> {
        Builder {
            state,
            settings: self.settings,
            kinds: PhantomData,
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
    pub fn build(self) -> Interner<K, Y, S> {
        or_panic(self.try_build())
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
    /// let much = Interner::<str, Sym>::builder().max_bytes(1 << 10).capacity(1 << 20);
    /// assert!(much.try_build().is_err());
    /// ```
    pub fn try_build(self) -> Result<Interner<K, Y, S>, InternError> {
        let settings = self.settings;
        let symbols =
            u32::try_from(settings.symbols).map_or(Y::COUNT, |wanted| wanted.min(Y::COUNT));
        #[cfg_attr(
            not(feature = "stats"),
            expect(unused_mut, reason = "nothing to set up")
        )]
        let mut interner = Interner::with_bounds(
            self.state,
            Bounds {
                bytes: settings.bytes,
                symbols,
                length: settings.length,
                shards: settings.shards,
                align: K::ALIGN,
            },
        );
        #[cfg(feature = "stats")]
        if settings.statistics {
            interner.counters_mut().start()?;
        }
        if settings.capacity != 0 {
            match u32::try_from(settings.capacity) {
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

impl<K: ?Sized, Y, S: Clone> Clone for Builder<K, Y, S> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            settings: self.settings,
            kinds: PhantomData,
        }
    }
}

impl<K: ?Sized, Y, S> fmt::Debug for Builder<K, Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
