//! Concurrent interners: `internity`, `symbol_table`, `inturn`, `blazinterner`.

use core::{hash::BuildHasher, num::NonZeroU32};

use blazinterner::{ArenaStr, InternedStr};
use internity::ThreadedLexicon;
use symbol_table::{Symbol, SymbolTable};

use crate::interner::{
    hash::Hashing,
    table::{Concurrent, Find, Held, Names, Walk, filled, holding},
};

/// The hasher that `symbol_table` takes by default.
pub(in crate::interner) use symbol_table::DeterministicHashBuilder as Deterministic;

/// The hasher that `internity` takes by default.
pub(in crate::interner) type Fx = <ThreadedLexicon as Hashed>::Hasher;

pub(in crate::interner) trait Hashed {
    type Hasher: BuildHasher;
}

impl<S: BuildHasher> Hashed for ThreadedLexicon<S> {
    type Hasher = S;
}

/// `internity`, which resolves only once it is frozen.
pub(in crate::interner) struct Internity<S>(ThreadedLexicon<S>);

impl<S: Hashing> Concurrent for Internity<S> {
    fn new() -> Self {
        Self(ThreadedLexicon::with_hasher(S::default()))
    }

    fn with_room(strings: usize, bytes: usize) -> Self {
        Self(ThreadedLexicon::with_capacity_and_hasher(
            strings,
            bytes,
            S::default(),
        ))
    }

    #[inline]
    fn number(&self, text: &str) -> u64 {
        self.0.intern(text).as_u32().into()
    }
}

impl<S: Hashing> Find for Internity<S> {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        self.0.get(text).map(|symbol| symbol.as_u32().into())
    }
}

/// `symbol_table`.
pub(in crate::interner) struct Symbols<S>(SymbolTable<16, S>);

impl<S: Hashing> Concurrent for Symbols<S> {
    fn new() -> Self {
        Self(SymbolTable::default())
    }

    #[inline]
    fn number(&self, text: &str) -> u64 {
        NonZeroU32::from(self.0.intern(text)).get().into()
    }
}

impl<S: Hashing> Names for Symbols<S> {
    type Symbol = Symbol;

    fn with_symbols(texts: &[&'static str]) -> (Self, Vec<Symbol>) {
        let table = Self::new();
        let symbols = texts.iter().map(|text| table.0.intern(text)).collect();
        (table, symbols)
    }

    #[inline]
    fn name(&self, symbol: &Symbol) -> &str {
        self.0.resolve(*symbol)
    }
}

/// `inturn`.
pub(in crate::interner) struct Inturn<S>(inturn::sync::Interner<inturn::Symbol, S>);

impl<S: Hashing + Clone> Concurrent for Inturn<S> {
    fn new() -> Self {
        Self(inturn::sync::Interner::with_hasher(S::default()))
    }

    fn with_room(strings: usize, _bytes: usize) -> Self {
        Self(inturn::sync::Interner::with_capacity_and_hasher(
            strings,
            S::default(),
        ))
    }

    #[inline]
    fn number(&self, text: &str) -> u64 {
        self.0.intern(text).get().into()
    }
}

impl<S: Hashing + Clone> Names for Inturn<S> {
    type Symbol = inturn::Symbol;

    fn with_symbols(texts: &[&'static str]) -> (Self, Vec<inturn::Symbol>) {
        let table = Self::new();
        let symbols = texts.iter().map(|text| table.0.intern(text)).collect();
        (table, symbols)
    }

    #[inline]
    fn name(&self, symbol: &inturn::Symbol) -> &str {
        self.0.resolve(*symbol)
    }
}

/// `blazinterner`.
pub(in crate::interner) struct Blaze<S>(ArenaStr<S, u32>);

impl<S: Hashing> Concurrent for Blaze<S> {
    fn new() -> Self {
        Self(ArenaStr::default())
    }

    fn with_room(strings: usize, bytes: usize) -> Self {
        Self(ArenaStr::with_capacity(strings, bytes))
    }

    #[inline]
    fn number(&self, text: &str) -> u64 {
        self.0.intern(text).id().into()
    }
}

impl<S: Hashing> Find for Blaze<S> {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        self.0.find(text).map(|symbol| symbol.id().into())
    }
}

impl<S: Hashing> Names for Blaze<S> {
    type Symbol = InternedStr<S, u32>;

    fn with_symbols(texts: &[&'static str]) -> (Self, Vec<Self::Symbol>) {
        let table = Self::new();
        let symbols = texts.iter().map(|text| table.0.intern(text)).collect();
        (table, symbols)
    }

    #[inline]
    fn name(&self, symbol: &Self::Symbol) -> &str {
        self.0.lookup(*symbol)
    }
}

impl<S: Hashing> Held for Internity<S> {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        holding(texts)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<S: Hashing + Clone> Held for Inturn<S> {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        holding(texts)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<S: Hashing> Held for Blaze<S> {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        holding(texts)
    }

    fn len(&self) -> usize {
        self.0.strings()
    }
}

impl<S: Hashing + Clone> Walk for Inturn<S> {
    fn of_all(texts: &[&'static str]) -> Self {
        filled(texts)
    }

    fn walk(&self, mut each: impl FnMut(&str)) {
        self.0.iter().for_each(|(_, text)| each(text));
    }
}

impl<S: Hashing> Walk for Blaze<S> {
    fn of_all(texts: &[&'static str]) -> Self {
        filled(texts)
    }

    fn walk(&self, each: impl FnMut(&str)) {
        self.0.iter().for_each(each);
    }
}
