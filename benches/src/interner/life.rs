//! Freezing, and loading what was frozen: the rows `interner/freeze/…` and `interner/load/…`.

use core::hint::black_box;

use thrifty_interner::Frozen;

#[cfg(feature = "rivals")]
use super::rivals::StringInterned;
use super::{
    data::Source,
    hash::Ahash,
    hit::BUDGET,
    ours::{Thrifty, ThriftyLocal},
    plain::ReadOnly,
    table::{Grow, filled},
};
use crate::suite::{self, Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let words = Source::Words(100_000);
    let row = |name: &str, reason| {
        let strings = words.tokens() as u64;
        Row::new(format!("interner/{name}/words/1t"), reason)
            .operations(strings)
            .oracle(move || strings)
            .budget(BUDGET)
    };
    let freeze = row(
        "freeze",
        "a read-only copy of a table of a hundred thousand strings (thrifty-resolver: of symbols only)",
    )
    .shared("thrifty", || {
        Done::new(filled::<Thrifty>(known()), |table| {
            table.0.freeze().len() as u64
        })
    })
    .shared("thrifty-local", || {
        Done::new(filled::<ThriftyLocal>(known()), |local| {
            local.0.freeze().len() as u64
        })
    })
    .ours()
    .shared("thrifty-resolver", || {
        Done::new(filled::<ThriftyLocal>(known()), |local| {
            local.0.freeze_resolver().len() as u64
        })
    })
    .ours();
    let load = row(
        "load",
        "a table of a hundred thousand strings from bytes; the others intern a list of the strings again",
    )
    .shared("thrifty", || {
        Done::new(image(), |bytes| {
            let loaded = Frozen::<str>::from_bytes(bytes);
            loaded.map_or(0, |frozen| frozen.len() as u64)
        })
    })
    .shared("thrifty-copied", || {
        Done::new(image(), |bytes| {
            let loaded = Frozen::<str>::copy_from_bytes(bytes);
            loaded.map_or(0, |frozen| frozen.len() as u64)
        })
    })
    .ours()
    .shared("hashbrown", || Done::new((), |()| again::<ReadOnly<Ahash>>()));
    #[cfg(feature = "rivals")]
    let load = load.shared("string-interner", || {
        Done::new((), |()| again::<StringInterned<Ahash>>())
    });
    vec![freeze, load]
}

fn known() -> &'static [&'static str] {
    &Source::Words(100_000).data().known
}

/// What a frozen table is in a file.
fn image() -> Vec<u8> {
    filled::<ThriftyLocal>(known()).0.freeze().to_bytes()
}

/// How many numbers a table gives.
fn again<T: Grow>() -> u64 {
    let mut table = T::empty();
    let numbers = known().iter().map(|text| table.add(text));
    numbers.max().map_or(0, |last| last + 1)
}

/// Something that is done over and over with one thing, and gives a number of strings.
struct Done<T> {
    with: T,
    work: fn(&T) -> u64,
}

impl<T> Done<T> {
    fn new(with: T, work: fn(&T) -> u64) -> Self {
        Self { with, work }
    }
}

impl<T: Sync> Subject for Done<T> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(suite::each(|| (self.work)(black_box(&self.with))))
    }
}
