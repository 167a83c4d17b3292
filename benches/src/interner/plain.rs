//! What a program does without a crate for it: maps of std and `hashbrown`.

use alloc::sync::Arc;
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use super::{
    hash::Hashing,
    table::{Concurrent, Find, Grow, Held, Lookup, Names, Walk, filled, holding},
};

/// `hashbrown`'s map of borrowed strings, which nobody fills any more when it is asked: the control.
pub(super) struct ReadOnly<S>(hashbrown::HashMap<&'static str, u32, S>);

impl<S: Hashing> Grow for ReadOnly<S> {
    fn empty() -> Self {
        Self(hashbrown::HashMap::with_hasher(S::default()))
    }

    fn roomy(strings: usize, _bytes: usize) -> Self {
        Self(hashbrown::HashMap::with_capacity_and_hasher(
            strings,
            S::default(),
        ))
    }

    fn add(&mut self, text: &'static str) -> u64 {
        let next = number_of(self.0.len());
        u64::from(*self.0.entry(text).or_insert(next))
    }
}

impl<S: Hashing> Lookup for ReadOnly<S> {
    fn of(texts: &[&'static str]) -> Self {
        filled(texts)
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
        self.find(text).expect("it is known")
    }
}

impl<S: Hashing> Find for ReadOnly<S> {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        self.0.get(text).copied().map(u64::from)
    }
}

/// The textbook's interner: a map and a list behind a lock for readers and writers.
pub(super) struct Locked<S>(RwLock<Tables<S>>);

struct Tables<S> {
    numbers: HashMap<Arc<str>, u32, S>,
    names: Vec<Arc<str>>,
}

impl<S: Hashing> Concurrent for Locked<S> {
    fn new() -> Self {
        Self(RwLock::new(Tables {
            numbers: HashMap::with_hasher(S::default()),
            names: Vec::new(),
        }))
    }

    fn with_room(strings: usize, _bytes: usize) -> Self {
        Self(RwLock::new(Tables {
            numbers: HashMap::with_capacity_and_hasher(strings, S::default()),
            names: Vec::with_capacity(strings),
        }))
    }

    #[inline]
    fn number(&self, text: &str) -> u64 {
        if let Some(number) = self.find(text) {
            return number;
        }
        let mut tables = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = tables.numbers.get(text) {
            return number.into();
        }
        let (name, number) = (Arc::<str>::from(text), number_of(tables.names.len()));
        tables.names.push(Arc::clone(&name));
        tables.numbers.insert(name, number);
        number.into()
    }
}

impl<S: Hashing> Find for Locked<S> {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        let tables = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tables.numbers.get(text).copied().map(u64::from)
    }
}

/// A list of the strings, whose places are their symbols: the least that resolving can cost.
pub(super) struct Listed(Vec<&'static str>);

impl Names for Listed {
    type Symbol = u32;

    fn with_symbols(texts: &[&'static str]) -> (Self, Vec<u32>) {
        (Self(texts.into()), (0..number_of(texts.len())).collect())
    }

    #[inline]
    fn name(&self, symbol: &u32) -> &str {
        self.0[*symbol as usize]
    }
}

/// A number that symbols can have.
pub(super) fn number_of(index: usize) -> u32 {
    u32::try_from(index).expect("tables hold fewer strings")
}

impl<S: Hashing> Held for Locked<S> {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        holding(texts)
    }

    fn len(&self) -> usize {
        self.0.read().map_or(0, |tables| tables.names.len())
    }
}

impl Walk for Listed {
    fn of_all(texts: &[&'static str]) -> Self {
        Self(texts.into())
    }

    fn walk(&self, mut each: impl FnMut(&str)) {
        self.0.iter().for_each(|text| each(text));
    }
}
