//! Interners of which a program has one: `internment` and `string_cache`.

use internment::Intern;
use string_cache::DefaultAtom;

use crate::interner::table::Lookup;

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
