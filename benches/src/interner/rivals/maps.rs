//! Concurrent maps from strings to numbers: what a program takes that needs no way back.

use core::sync::atomic::{AtomicU32, Ordering};

use dashmap::DashMap;

use crate::interner::{
    hash::Hashing,
    table::{Find, Grow, Held, Live, Lookup, filled},
};

/// `dashmap`.
pub(in crate::interner) struct Dash<S> {
    map: DashMap<Box<str>, u32, S>,
    next: AtomicU32,
}

impl<S: Hashing + Clone> Grow for Dash<S> {
    fn empty() -> Self {
        Self {
            map: DashMap::with_hasher(S::default()),
            next: AtomicU32::new(0),
        }
    }

    fn roomy(strings: usize, _bytes: usize) -> Self {
        Self {
            map: DashMap::with_capacity_and_hasher(strings, S::default()),
            next: AtomicU32::new(0),
        }
    }

    fn add(&mut self, text: &'static str) -> u64 {
        self.hit(text)
    }
}

impl<S: Hashing + Clone> Live for Dash<S> {
    fn intern(&self, text: &'static str) -> u64 {
        self.hit(text)
    }
}

impl<S: Hashing + Clone> Lookup for Dash<S> {
    fn of(texts: &[&'static str]) -> Self {
        filled(texts)
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
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

impl<S: Hashing> Grow for Papaya<S> {
    fn empty() -> Self {
        Self {
            map: papaya::HashMap::with_hasher(S::default()),
            next: AtomicU32::new(0),
        }
    }

    fn roomy(strings: usize, _bytes: usize) -> Self {
        Self {
            map: papaya::HashMap::with_capacity_and_hasher(strings, S::default()),
            next: AtomicU32::new(0),
        }
    }

    fn add(&mut self, text: &'static str) -> u64 {
        self.hit(text)
    }
}

impl<S: Hashing> Live for Papaya<S> {
    fn intern(&self, text: &'static str) -> u64 {
        self.hit(text)
    }
}

impl<S: Hashing> Lookup for Papaya<S> {
    fn of(texts: &[&'static str]) -> Self {
        filled(texts)
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
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
        let table = Self::empty();
        texts.for_each(|text| {
            table.hit(text);
        });
        table
    }

    fn len(&self) -> usize {
        self.map.len()
    }
}

impl<S: Hashing> Held for Papaya<S> {
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self {
        let table = Self::empty();
        texts.for_each(|text| {
            table.hit(text);
        });
        table
    }

    fn len(&self) -> usize {
        self.map.len()
    }
}
