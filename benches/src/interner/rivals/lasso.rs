//! `lasso`: filled by one thread, read-only, and concurrent.

use lasso::{Capacity, Key as _, Rodeo, RodeoReader, Spur, ThreadedRodeo};

use crate::interner::{
    hash::Hashing,
    table::{Concurrent, Find, Grow, Held, Lookup, Names, Walk, filled, holding},
};

/// Filled by one owner. Threads cannot share it, so that [`LassoReader`] stands for it in lookups.
pub(in crate::interner) struct LassoRodeo<S>(Rodeo<Spur, S>);

impl<S: Hashing + Clone> Grow for LassoRodeo<S> {
    fn empty() -> Self {
        Self(Rodeo::with_hasher(S::default()))
    }

    fn roomy(strings: usize, bytes: usize) -> Self {
        Self(Rodeo::with_capacity_and_hasher(
            capacity(strings, bytes),
            S::default(),
        ))
    }

    fn add(&mut self, text: &'static str) -> u64 {
        self.0.get_or_intern(text).into_usize() as u64
    }
}

fn capacity(strings: usize, bytes: usize) -> Capacity {
    let bytes = bytes.max(1).try_into().expect("it is not 0");
    Capacity::new(strings, bytes)
}

/// Read-only: the same tables as a rodeo's.
pub(in crate::interner) struct LassoReader<S>(RodeoReader<Spur, S>);

impl<S: Hashing + Clone> Lookup for LassoReader<S> {
    fn of(texts: &[&'static str]) -> Self {
        Self(filled::<LassoRodeo<S>>(texts).0.into_reader())
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
        self.find(text).expect("it is known")
    }
}

impl<S: Hashing + Clone> Find for LassoReader<S> {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        self.0.get(text).map(|spur| spur.into_usize() as u64)
    }
}

impl<S: Hashing + Clone> Names for LassoReader<S> {
    type Symbol = Spur;

    fn with_symbols(texts: &[&'static str]) -> (Self, Vec<Spur>) {
        let table = Self::of(texts);
        let symbol = |text: &&str| table.0.get(text).expect("it is known");
        let symbols = texts.iter().map(symbol).collect();
        (table, symbols)
    }

    #[inline]
    fn name(&self, symbol: &Spur) -> &str {
        self.0.resolve(symbol)
    }
}

/// Concurrent.
pub(in crate::interner) struct LassoThreaded<S>(ThreadedRodeo<Spur, S>);

impl<S: Hashing + Clone> Concurrent for LassoThreaded<S> {
    fn new() -> Self {
        Self(ThreadedRodeo::with_hasher(S::default()))
    }

    fn with_room(strings: usize, bytes: usize) -> Self {
        Self(ThreadedRodeo::with_capacity_and_hasher(
            capacity(strings, bytes),
            S::default(),
        ))
    }

    #[inline]
    fn number(&self, text: &str) -> u64 {
        self.0.get_or_intern(text).into_usize() as u64
    }
}

impl<S: Hashing + Clone> Find for LassoThreaded<S> {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        self.0.get(text).map(|spur| spur.into_usize() as u64)
    }
}

impl<S: Hashing + Clone> Names for LassoThreaded<S> {
    type Symbol = Spur;

    fn with_symbols(texts: &[&'static str]) -> (Self, Vec<Spur>) {
        let table = Self::empty();
        let symbols = texts.iter().map(|text| table.0.get_or_intern(text));
        let symbols = symbols.collect();
        (table, symbols)
    }

    #[inline]
    fn name(&self, symbol: &Spur) -> &str {
        self.0.resolve(symbol)
    }
}

impl<S: Hashing + Clone> Held for LassoThreaded<S> {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        holding(texts)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<S: Hashing + Clone> Held for LassoReader<S> {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        let mut rodeo = LassoRodeo::<S>::empty();
        texts.for_each(|text| {
            rodeo.0.get_or_intern(text);
        });
        Self(rodeo.0.into_reader())
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<S: Hashing + Clone> Walk for LassoReader<S> {
    fn of_all(texts: &[&'static str]) -> Self {
        Self::of(texts)
    }

    fn walk(&self, mut each: impl FnMut(&str)) {
        self.0.iter().for_each(|(_, text)| each(text));
    }
}
