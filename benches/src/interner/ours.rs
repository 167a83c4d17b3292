//! Ours, in each of its forms.

use core::cell::RefCell;

use thrifty_interner::{Dedup, Frozen, Interner, LocalInterner, Resolver, Sym, Symbol as _};

use super::table::{Concurrent, Find, Grow, Held, Lookup, Names, Walk, filled, holding};

/// The concurrent interner, with its default hasher.
pub(super) struct Thrifty(pub(super) Interner);

impl Concurrent for Thrifty {
    fn new() -> Self {
        Self(Interner::new())
    }

    fn with_room(strings: usize, _bytes: usize) -> Self {
        Self(Interner::builder().capacity(strings).build())
    }

    #[inline]
    fn number(&self, text: &str) -> u64 {
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
        holding(texts)
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

/// The concurrent interner, asked for a block at a time.
pub(super) struct ThriftyMany(Interner);

impl Lookup for ThriftyMany {
    fn of(texts: &[&'static str]) -> Self {
        Self(filled::<Thrifty>(texts).0)
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
        self.0.intern(text).index().into()
    }

    #[inline]
    fn sum(&self, texts: &[&'static str]) -> u64 {
        thread_local! {
            static SYMBOLS: RefCell<Vec<Sym>> = const { RefCell::new(Vec::new()) };
        }
        SYMBOLS.with_borrow_mut(|symbols| {
            symbols.clear();
            let interned = self.0.try_intern_many(texts.iter().copied(), symbols);
            interned.expect("all are known");
            let numbers = symbols.iter().map(|symbol| u64::from(symbol.index()));
            numbers.sum()
        })
    }
}

/// For one thread; read-only where threads share it.
pub(super) struct ThriftyLocal(pub(super) LocalInterner);

impl Grow for ThriftyLocal {
    fn empty() -> Self {
        Self(LocalInterner::new())
    }

    fn roomy(strings: usize, _bytes: usize) -> Self {
        let mut table = LocalInterner::new();
        table.try_reserve(strings).expect("there is memory");
        Self(table)
    }

    fn add(&mut self, text: &'static str) -> u64 {
        self.0.intern(text).index().into()
    }
}

impl Held for ThriftyLocal {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        let mut table = Self::empty();
        texts.for_each(|text| {
            table.0.intern(text);
        });
        table
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Held for ThriftyFrozen {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        Self(ThriftyLocal::holding(texts).0.freeze())
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Held for ThriftyResolver {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        Self(ThriftyLocal::holding(texts).0.freeze_resolver())
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Read-only, both ways.
pub(super) struct ThriftyFrozen(Frozen);

/// Read-only, from symbols to strings.
pub(super) struct ThriftyResolver(Resolver);

macro_rules! read_only {
    ($($name:ident, $of:expr;)+) => { $(
        impl Lookup for $name {
            fn of(texts: &[&'static str]) -> Self {
                let of: fn(ThriftyLocal) -> Self = $of;
                of(filled(texts))
            }

            #[inline]
            fn hit(&self, text: &str) -> u64 {
                self.find(text).expect("it is known")
            }
        }

        impl Find for $name {
            #[inline]
            fn find(&self, text: &str) -> Option<u64> {
                self.0.get(text).map(|symbol| symbol.index().into())
            }
        }
    )+ };
}

read_only! {
    ThriftyLocal, |local| local;
    ThriftyFrozen, |local| Self(local.0.freeze());
}

macro_rules! named {
    ($($name:ident, $of:expr;)+) => { $(
        impl Names for $name {
            type Symbol = Sym;

            fn with_symbols(texts: &[&'static str]) -> (Self, Vec<Sym>) {
                let mut local: LocalInterner = LocalInterner::new();
                let symbols = texts.iter().map(|&text| local.intern(text)).collect();
                let of: fn(ThriftyLocal) -> Self = $of;
                (of(ThriftyLocal(local)), symbols)
            }

            #[inline]
            fn name(&self, symbol: &Sym) -> &str {
                self.0.resolve(*symbol)
            }
        }

        impl Walk for $name {
            fn of_all(texts: &[&'static str]) -> Self {
                Self::with_symbols(texts).0
            }

            fn walk(&self, mut each: impl FnMut(&str)) {
                self.0.iter().for_each(|(_, text)| each(text));
            }
        }
    )+ };
}

named! {
    ThriftyLocal, |local| local;
    ThriftyFrozen, |local| Self(local.0.freeze());
    ThriftyResolver, |local| Self(local.0.freeze_resolver());
}

/// The bounded one, with room for everything: counted handles, whose addresses stand for the strings.
pub(super) struct ThriftyDedup(Dedup);

impl Concurrent for ThriftyDedup {
    fn new() -> Self {
        Self(Dedup::new(1 << 30))
    }

    #[inline]
    fn number(&self, text: &str) -> u64 {
        self.0.dedup(text).as_ptr().addr() as u64
    }
}

impl Find for ThriftyDedup {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        self.0.get(text).map(|shared| shared.as_ptr().addr() as u64)
    }
}

impl Held for ThriftyDedup {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        holding(texts)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
