//! `string-interner`: for one thread.

use string_interner::{DefaultBackend, DefaultSymbol, StringInterner, Symbol as _};

use crate::interner::{
    hash::Hashing,
    table::{Find, Grow, Held, Lookup, Names, Walk, filled},
};

/// With its default backend, which keeps all strings in one buffer.
pub(in crate::interner) struct StringInterned<S: Hashing>(StringInterner<DefaultBackend, S>);

impl<S: Hashing> Grow for StringInterned<S> {
    fn empty() -> Self {
        Self(StringInterner::with_hasher(S::default()))
    }

    fn roomy(strings: usize, _bytes: usize) -> Self {
        Self(StringInterner::with_capacity_and_hasher(
            strings,
            S::default(),
        ))
    }

    fn add(&mut self, text: &'static str) -> u64 {
        self.0.get_or_intern(text).to_usize() as u64
    }
}

impl<S: Hashing> Lookup for StringInterned<S> {
    fn of(texts: &[&'static str]) -> Self {
        filled(texts)
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
        self.find(text).expect("it is known")
    }
}

impl<S: Hashing> Find for StringInterned<S> {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        self.0.get(text).map(|symbol| symbol.to_usize() as u64)
    }
}

impl<S: Hashing> Names for StringInterned<S> {
    type Symbol = DefaultSymbol;

    fn with_symbols(texts: &[&'static str]) -> (Self, Vec<DefaultSymbol>) {
        let mut table = Self::empty();
        let symbols = texts.iter().map(|text| table.0.get_or_intern(text));
        let symbols = symbols.collect();
        (table, symbols)
    }

    #[inline]
    fn name(&self, symbol: &DefaultSymbol) -> &str {
        self.0.resolve(*symbol).expect("a symbol of this table")
    }
}

impl<S: Hashing> Held for StringInterned<S> {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        let mut table = Self::empty();
        texts.for_each(|text| {
            table.0.get_or_intern(text);
        });
        table
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<S: Hashing> Walk for StringInterned<S> {
    fn of_all(texts: &[&'static str]) -> Self {
        filled(texts)
    }

    fn walk(&self, mut each: impl FnMut(&str)) {
        self.0.iter().for_each(|(_, text)| each(text));
    }
}
