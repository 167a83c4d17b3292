//! Ours, in each of its forms.

use thrifty_interner::{Interner, Sym, Symbol as _};

use super::table::{Find, Grow, Held, Live, Lookup, Names, Walk, filled};

/// The concurrent interner, with its default hasher.
pub(super) struct Thrifty(Interner);

impl Grow for Thrifty {
    fn empty() -> Self {
        Self(Interner::new())
    }

    fn roomy(strings: usize, _bytes: usize) -> Self {
        Self(Interner::builder().capacity(strings).build())
    }

    fn add(&mut self, text: &'static str) -> u64 {
        self.hit(text)
    }
}

impl Live for Thrifty {
    fn intern(&self, text: &'static str) -> u64 {
        self.hit(text)
    }
}

impl Lookup for Thrifty {
    fn of(texts: &[&'static str]) -> Self {
        filled(texts)
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
        self.0.intern(text).index().into()
    }
}

impl Find for Thrifty {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        self.0.get(text).map(|symbol| symbol.index().into())
    }
}

impl Names for Thrifty {
    type Symbol = Sym;

    fn with_symbols(texts: &[&'static str]) -> (Self, Vec<Sym>) {
        let table = Self::empty();
        let symbols = texts.iter().map(|text| table.0.intern(text)).collect();
        (table, symbols)
    }

    #[inline]
    fn name(&self, symbol: &Sym) -> &str {
        self.0.resolve(*symbol)
    }
}

impl Held for Thrifty {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        let table = Self::empty();
        texts.for_each(|text| {
            table.0.intern(text);
        });
        table
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Walk for Thrifty {
    fn of_all(texts: &[&'static str]) -> Self {
        filled(texts)
    }

    fn walk(&self, mut each: impl FnMut(&str)) {
        self.0.iter().for_each(|(_, text)| each(text));
    }
}
