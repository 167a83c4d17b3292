//! Interners of which a program has one: `ustr`, `internment`, `string_cache`.

use internment::Intern;
use string_cache::DefaultAtom;
use ustr::Ustr;

use crate::interner::table::{Find, Lookup, Names};

/// `ustr`.
pub(in crate::interner) struct Ustrs;

impl Lookup for Ustrs {
    fn of(texts: &[&'static str]) -> Self {
        texts.iter().for_each(|text| {
            let _ = Ustr::from(text);
        });
        Self
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
        Ustr::from(text).as_char_ptr().addr() as u64
    }
}

impl Find for Ustrs {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        Ustr::from_existing(text).map(|found| found.as_char_ptr().addr() as u64)
    }
}

impl Names for Ustrs {
    type Symbol = Ustr;

    fn with_symbols(texts: &[&'static str]) -> (Self, Vec<Ustr>) {
        (Self, texts.iter().map(|text| Ustr::from(text)).collect())
    }

    #[inline]
    fn name<'a>(&'a self, symbol: &'a Ustr) -> &'a str {
        symbol.as_str()
    }
}

/// `internment`.
pub(in crate::interner) struct Interns;

impl Lookup for Interns {
    fn of(texts: &[&'static str]) -> Self {
        texts.iter().for_each(|&text| {
            let _ = Intern::<str>::from(text);
        });
        Self
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
        Intern::<str>::from(text).as_ref().as_ptr().addr() as u64
    }
}

/// `string_cache`, which frees what nobody holds. Strings of up to seven bytes lie in their handles.
pub(in crate::interner) struct Atoms {
    _held: Vec<DefaultAtom>,
}

impl Lookup for Atoms {
    fn of(texts: &[&'static str]) -> Self {
        let held = texts.iter().map(|&text| DefaultAtom::from(text));
        Self {
            _held: held.collect(),
        }
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
        DefaultAtom::from(text).unsafe_data()
    }
}
