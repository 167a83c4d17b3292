//! Interning from parallel iterators.

use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::mem::size_of;
use std::collections::HashSet;

use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, ParallelExtend, ParallelIterator,
};

use crate::{InternError, Interner, Key, Symbol, or_panic};

impl<K: ?Sized + Key, Y: Symbol, S: BuildHasher + Sync> Interner<K, Y, S> {
    /// Interns all strings, on all threads of the pool.
    ///
    /// Which string gets which symbol depends on the threads; see [`try_par_intern_ordered`](Self::try_par_intern_ordered).
    ///
    /// # Errors
    ///
    /// The first error that a thread meets; what was interned before stays.
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// interner.try_par_intern(["to", "be", "or", "not", "to", "be"]).unwrap();
    /// assert_eq!(interner.len(), 4);
    /// ```
    pub fn try_par_intern<'a, I>(&self, keys: I) -> Result<(), InternError>
    where
        I: IntoParallelIterator<Item = &'a K>,
        K: 'a,
    {
        keys.into_par_iter()
            .try_for_each(|key| self.try_intern(key).map(drop))
    }

    /// Interns all strings so that new ones get their symbols in the order of their first occurrence, whatever the
    /// threads do.
    ///
    /// The threads find out what is new, each in a part of the strings; then the calling thread interns that. So it pays where most
    /// strings are there or repeat. The order is that one only if nobody else interns meanwhile.
    ///
    /// # Errors
    ///
    /// If a string cannot be interned, or there is no memory to list what is new. The strings that were
    /// interned before stay: a first part of those that are new, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// interner.try_par_intern_ordered(["to", "be", "or", "not", "to", "be"]).unwrap();
    /// let keys: Vec<&str> = interner.iter().map(|(_, key)| key).collect();
    /// assert_eq!(keys, ["to", "be", "or", "not"]);
    /// ```
    pub fn try_par_intern_ordered<'a, I>(&self, keys: I) -> Result<(), InternError>
    where
        I: IntoParallelIterator<Item = &'a K, Iter: IndexedParallelIterator>,
        K: 'a,
    {
        // Folding and reducing keep the order: each part is a run of the strings, and runs are joined in order.
        let new = keys
            .into_par_iter()
            .try_fold(Part::new, |mut part, key| {
                if self.get(key).is_none() {
                    part.push(key)?;
                }
                Ok(part)
            })
            .map(|part| part.map(|part| part.keys))
            .try_reduce(Vec::new, join)?;
        for key in new {
            // That it was not there is counted already.
            self.insert_missing(&self.query(key))?;
        }
        Ok(())
    }
}

/// The new strings of a run, each once, in order.
struct Part<'a, K: ?Sized> {
    keys: Vec<&'a K>,
    known: HashSet<&'a [u8]>,
}

impl<'a, K: ?Sized + Key> Part<'a, K> {
    fn new() -> Self {
        Self {
            keys: Vec::new(),
            known: HashSet::new(),
        }
    }

    fn push(&mut self, key: &'a K) -> Result<(), InternError> {
        let refused = |_| InternError::Backend {
            size_bytes: size_of::<&K>(),
        };
        self.known.try_reserve(1).map_err(refused)?;
        self.keys.try_reserve(1).map_err(refused)?;
        if self.known.insert(key.as_bytes()) {
            self.keys.push(key);
        }
        Ok(())
    }
}

fn join<'a, K: ?Sized>(
    mut first: Vec<&'a K>,
    second: Vec<&'a K>,
) -> Result<Vec<&'a K>, InternError> {
    let refused = |_| InternError::Backend {
        size_bytes: second.len() * size_of::<&K>(),
    };
    first.try_reserve(second.len()).map_err(refused)?;
    first.extend(second);
    Ok(first)
}

/// Interns all strings; which gets which symbol depends on the threads.
///
/// # Panics
///
/// If one cannot be interned; see [`Interner::try_par_intern`].
impl<'a, K: ?Sized + Key + 'a, Y: Symbol, S: BuildHasher + Send + Sync> ParallelExtend<&'a K>
    for Interner<K, Y, S>
{
    #[track_caller]
    fn par_extend<I: IntoParallelIterator<Item = &'a K>>(&mut self, keys: I) {
        or_panic(self.try_par_intern(keys));
    }
}
