//! From the concurrent interner to frozen ones, and back.

#![forbid(unsafe_code)]

use core::hash::BuildHasher;

use crate::{
    DefaultState, Frozen, InternError, Interner, Iter, Key, KeysError, Resolver, Symbol, interner,
    or_panic,
};

impl<K: Key + ?Sized, Y: Symbol, S> Interner<K, Y, S> {
    /// The same symbols, read-only and smaller.
    ///
    /// Other threads may go on interning. What they have not finished when the call begins is left out, and so is
    /// what came after it.
    ///
    /// # Panics
    ///
    /// The allocator refuses the room.
    ///
    /// # Examples
    ///
    /// ```
    /// let names = thrifty_interner::Interner::new();
    /// let a = names.intern("a");
    /// assert_eq!(names.freeze().get("a"), Some(a));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn freeze(&self) -> Frozen<K, Y> {
        or_panic(self.try_freeze())
    }

    /// The same symbols, read-only and smaller; see [`freeze`](Self::freeze).
    ///
    /// # Errors
    ///
    /// The allocator refuses the room.
    pub fn try_freeze(&self) -> Result<Frozen<K, Y>, InternError> {
        Frozen::from_ordered(self.settled().map(|(_, key)| key))
    }

    /// The same symbols, for nothing but to resolve them; see [`freeze`](Self::freeze).
    ///
    /// # Panics
    ///
    /// The allocator refuses the room.
    ///
    /// # Examples
    ///
    /// ```
    /// let names = thrifty_interner::Interner::new();
    /// let a = names.intern("a");
    /// assert_eq!(names.freeze_resolver().resolve(a), "a");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn freeze_resolver(&self) -> Resolver<K, Y> {
        or_panic(self.try_freeze_resolver())
    }

    /// The same symbols, for nothing but to resolve them; see [`freeze`](Self::freeze).
    ///
    /// # Errors
    ///
    /// The allocator refuses the room.
    pub fn try_freeze_resolver(&self) -> Result<Resolver<K, Y>, InternError> {
        Resolver::from_ordered(self.settled().map(|(_, key)| key))
    }

    /// The strings from the first on, as far as all are published.
    fn settled(&self) -> Iter<'_, K, Y, S> {
        let mut settled = 0;
        for number in 1..=u32::try_from(self.len()).unwrap_or(u32::MAX) {
            let known = interner::symbol(number).and_then(|symbol| self.try_resolve(symbol));
            if known.is_none() {
                break;
            }
            settled += 1;
        }
        Iter::new(self, settled)
    }
}

impl<K: Key + ?Sized, Y: Symbol> Interner<K, Y, DefaultState> {
    /// Interns keys in their order: the first gets symbol 0. The way back from a [`Frozen`].
    ///
    /// # Errors
    ///
    /// A key comes twice, there are more of them than symbols, or there is no room: the allocator refuses it, or the keys
    /// have more than 8 GiB together.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Frozen, Interner};
    ///
    /// let frozen: Frozen = Frozen::try_from_keys(["a", "b"])?;
    /// let names: Interner = Interner::try_from_keys(frozen.iter().map(|(_, key)| key))?;
    /// assert_eq!(names.get("b"), frozen.get("b"));
    /// # Ok::<(), thrifty_interner::KeysError>(())
    /// ```
    pub fn try_from_keys<'a>(keys: impl IntoIterator<Item = &'a K>) -> Result<Self, KeysError> {
        let interner = Self::with_hasher(DefaultState::new());
        for key in keys {
            interner.push_new(key)?;
        }
        Ok(interner)
    }
}

impl<K: Key + ?Sized, Y: Symbol, S: BuildHasher> Interner<K, Y, S> {
    /// Interns a key that is not there yet, while no other thread does.
    pub(crate) fn push_new(&self, key: &K) -> Result<Y, KeysError> {
        let second = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let symbol = self.try_intern(key)?;
        if symbol.index() == second {
            return Ok(symbol);
        }
        Err(KeysError::Duplicate {
            first: symbol.index(),
            second,
        })
    }
}
