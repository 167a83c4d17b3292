//! From interners to frozen ones, and back.

#![forbid(unsafe_code)]

use core::hash::BuildHasher;

use super::{Frozen, KeysError, build::build};
use crate::{
    DefaultState, InternError, Key, LocalInterner, Resolver, Symbol, backing::Backing, or_panic,
};

impl<K: Key + ?Sized, Y: Symbol> Frozen<K, Y> {
    /// Freezes keys in the order of their symbols: the first gets symbol 0.
    ///
    /// # Errors
    ///
    /// A key comes twice, there are more of them than symbols, or there is no room: the allocator refuses it, or the keys
    /// have more than 4 GiB together, or are more than 65,536 of over 16 KiB, which a [`LocalInterner`] collects before.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Frozen, Sym, Symbol};
    ///
    /// let days: Frozen = Frozen::try_from_keys(["Mon", "Tue", "Wed"])?;
    /// assert_eq!(days.get("Tue"), Sym::try_from_index(1));
    /// # Ok::<(), thrifty_interner::KeysError>(())
    /// ```
    pub fn try_from_keys<'a>(keys: impl IntoIterator<Item = &'a K>) -> Result<Self, KeysError> {
        Ok(LocalInterner::try_from_keys(keys)?.try_freeze()?)
    }

    /// Freezes keys that are different from each other, in the order of their symbols. They are walked twice.
    ///
    /// # Panics
    ///
    /// If the second walk gives other keys than the first.
    pub(crate) fn from_ordered<'a>(
        keys: impl Iterator<Item = &'a K> + Clone,
    ) -> Result<Self, InternError> {
        Ok(Self::new(build(keys, true)?))
    }

    /// Gives the table back: what is left leads from symbols to keys.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Frozen;
    ///
    /// let names: Frozen = Frozen::try_from_keys(["a", "b"])?;
    /// let b = names.get("b").unwrap();
    /// assert_eq!(names.into_resolver().resolve(b), "b");
    /// # Ok::<(), thrifty_interner::KeysError>(())
    /// ```
    #[must_use]
    pub fn into_resolver(self) -> Resolver<K, Y> {
        Resolver::new(self.image.without_table())
    }
}

impl<K: Key + ?Sized, Y: Symbol, B: Backing> Frozen<K, Y, B> {
    /// An interner with the same symbols, to which more can be added.
    ///
    /// # Panics
    ///
    /// Where [`try_thaw`](Self::try_thaw) has an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Frozen;
    ///
    /// let names: Frozen = Frozen::try_from_keys(["a"])?;
    /// let a = names.get("a").unwrap();
    /// let mut more = names.thaw();
    /// more.intern("b");
    /// assert_eq!((more.get("a"), more.len()), (Some(a), 2));
    /// # Ok::<(), thrifty_interner::KeysError>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn thaw(&self) -> LocalInterner<K, Y> {
        or_panic(self.try_thaw())
    }

    /// An interner with the same symbols, to which more can be added.
    ///
    /// # Errors
    ///
    /// There is no room: the allocator refuses it, or the keys have more than 4 GiB.
    pub fn try_thaw(&self) -> Result<LocalInterner<K, Y>, InternError> {
        let mut interner = LocalInterner::new();
        interner.try_reserve(self.len())?;
        for (_, key) in self {
            interner.try_intern(key)?;
        }
        Ok(interner)
    }
}

impl<K: Key + ?Sized, Y: Symbol> LocalInterner<K, Y, DefaultState> {
    /// Interns keys in their order: the first gets symbol 0.
    ///
    /// # Errors
    ///
    /// A key comes twice, there are more of them than symbols, or there is no room: the allocator refuses it, or the keys
    /// have more than 4 GiB together.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{LocalInterner, Sym};
    ///
    /// assert!(LocalInterner::<str, Sym>::try_from_keys(["a", "b"]).is_ok());
    /// assert!(LocalInterner::<str, Sym>::try_from_keys(["a", "a"]).is_err());
    /// ```
    pub fn try_from_keys<'a>(keys: impl IntoIterator<Item = &'a K>) -> Result<Self, KeysError> {
        let keys = keys.into_iter();
        let mut interner = Self::new();
        interner.try_reserve(keys.size_hint().0)?;
        for key in keys {
            interner.push_new(key)?;
        }
        Ok(interner)
    }
}

impl<K: Key + ?Sized, Y: Symbol, S: BuildHasher> LocalInterner<K, Y, S> {
    /// Interns a key that is not there yet.
    pub(crate) fn push_new(&mut self, key: &K) -> Result<Y, KeysError> {
        let second = self.mark().count();
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

impl<K: Key + ?Sized, Y: Symbol, S> LocalInterner<K, Y, S> {
    /// The same symbols, read-only and smaller.
    ///
    /// # Panics
    ///
    /// The allocator refuses the room.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// let a = names.intern("a");
    /// assert_eq!(names.freeze().get("a"), Some(a));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn freeze(&self) -> Frozen<K, Y> {
        or_panic(self.try_freeze())
    }

    /// The same symbols, read-only and smaller.
    ///
    /// # Errors
    ///
    /// The allocator refuses the room.
    pub fn try_freeze(&self) -> Result<Frozen<K, Y>, InternError> {
        Frozen::from_ordered(self.iter().map(|(_, key)| key))
    }

    /// The same symbols, for nothing but to resolve them.
    ///
    /// # Panics
    ///
    /// The allocator refuses the room.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// let a = names.intern("a");
    /// assert_eq!(names.freeze_resolver().resolve(a), "a");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn freeze_resolver(&self) -> Resolver<K, Y> {
        or_panic(self.try_freeze_resolver())
    }

    /// The same symbols, for nothing but to resolve them.
    ///
    /// # Errors
    ///
    /// The allocator refuses the room.
    pub fn try_freeze_resolver(&self) -> Result<Resolver<K, Y>, InternError> {
        Resolver::from_ordered(self.iter().map(|(_, key)| key))
    }
}
