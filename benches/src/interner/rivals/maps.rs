//! Concurrent maps from strings to numbers: what a program takes that needs no way back.

use core::sync::atomic::{AtomicU32, Ordering};

use dashmap::DashMap;

use crate::interner::{
    hash::Hashing,
    table::{Concurrent, Find, Held, holding},
};

/// `dashmap`.
pub(in crate::interner) struct Dash<S> {
    map: DashMap<Box<str>, u32, S>,
    next: AtomicU32,
}

impl<S: Hashing + Clone> Concurrent for Dash<S> {
    fn new() -> Self {
        Self {
            map: DashMap::with_hasher(S::default()),
            next: AtomicU32::new(0),
        }
    }

    fn with_room(strings: usize, _bytes: usize) -> Self {
        Self {
            map: DashMap::with_capacity_and_hasher(strings, S::default()),
            next: AtomicU32::new(0),
        }
    }

    #[inline]
    fn number(&self, text: &str) -> u64 {
        if let Some(number) = self.find(text) {
            return number;
        }
        let next = || self.next.fetch_add(1, Ordering::Relaxed);
        let number = *self.map.entry(text.into()).or_insert_with(next);
        number.into()
    }
}

impl<S: Hashing + Clone> Find for Dash<S> {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        self.map.get(text).map(|number| u64::from(*number))
    }
}

/// `papaya`, whose guard is taken for each call, as by who interns one string at a time.
pub(in crate::interner) struct Papaya<S> {
    map: papaya::HashMap<Box<str>, u32, S>,
    next: AtomicU32,
}

impl<S: Hashing> Concurrent for Papaya<S> {
    fn new() -> Self {
        Self {
            map: papaya::HashMap::with_hasher(S::default()),
            next: AtomicU32::new(0),
        }
    }

    fn with_room(strings: usize, _bytes: usize) -> Self {
        Self {
            map: papaya::HashMap::with_capacity_and_hasher(strings, S::default()),
            next: AtomicU32::new(0),
        }
    }

    #[inline]
    fn number(&self, text: &str) -> u64 {
        let map = self.map.pin();
        if let Some(&number) = map.get(text) {
            return number.into();
        }
        // Whoever comes second has drawn a number for nothing.
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        (*map.get_or_insert(text.into(), next)).into()
    }
}

impl<S: Hashing> Find for Papaya<S> {
    #[inline]
    fn find(&self, text: &str) -> Option<u64> {
        self.map.pin().get(text).map(|&number| number.into())
    }
}

impl<S: Hashing + Clone> Held for Dash<S> {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        holding(texts)
    }

    fn len(&self) -> usize {
        self.map.len()
    }
}

impl<S: Hashing> Held for Papaya<S> {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        holding(texts)
    }

    fn len(&self) -> usize {
        self.map.len()
    }
}
