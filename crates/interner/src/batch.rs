//! Many strings in one go.

use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::mem::size_of;
use core::str::Utf8Error;

use crate::interner::known;
use crate::live::{Inserted, Query, Searched, Source};
use crate::{InternError, Interner, Key, Symbol, or_panic};

/// How many strings are looked for at once: some more than a processor waits for at once.
const BATCH: usize = 16;

/// From so many strings on, a table and its records are larger than a second-level cache; below, batches only cost.
///
/// How many times as long a loop took as batches, hits on strings of 20 bytes in random order: 0.76 to 0.78 at 10,000, 0.83 to
/// 0.94 at 20,000 and 30,000, 0.9 to 1.1 at 40,000, 1.2 to 1.4 at 60,000, 1.4 to 1.6 at 100,000, 1.5 to 1.9 from 300,000 to
/// 3,000,000. Medians of 201 pairs in turn, by the thread's clock, two to six runs; x86-64 with 1 MiB of second-level cache
/// to the core, busy, 2026-11-22.
const LARGE: u32 = 1 << 15;

impl<K: ?Sized + Key, Y: Symbol, S: BuildHasher> Interner<K, Y, S> {
    /// The symbol of a string, and whether it is new.
    ///
    /// # Panics
    ///
    /// As [`intern`](Self::intern).
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// let (symbol, new) = interner.intern_with_status("host");
    /// assert!(new);
    /// assert_eq!(interner.intern_with_status("host"), (symbol, false));
    /// ```
    #[inline]
    #[track_caller]
    pub fn intern_with_status(&self, key: &K) -> (Y, bool) {
        or_panic(self.try_intern_with_status(key))
    }

    /// The symbol of a string, and whether it is new.
    ///
    /// # Errors
    ///
    /// As [`try_intern`](Self::try_intern).
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// let (symbol, new) = interner.try_intern_with_status("host").unwrap();
    /// assert!(new);
    /// assert_eq!(interner.try_intern_with_status("host"), Ok((symbol, false)));
    /// ```
    #[inline]
    pub fn try_intern_with_status(&self, key: &K) -> Result<(Y, bool), InternError> {
        self.intern_from(self.query(key), Source::Borrowed)
    }

    /// Inserts what was not there, without counting another search.
    pub(crate) fn insert_missing(&self, query: &Query<'_>) -> Result<Inserted, InternError> {
        self.live()
            .insert_slow(query, Source::Borrowed, Searched::NOTHING)
    }

    /// Interns many strings, and puts their symbols behind those that are in `symbols`.
    ///
    /// See [`try_intern_many`](Self::try_intern_many).
    ///
    /// # Panics
    ///
    /// As [`intern`](Self::intern), or if there is no memory for the symbols.
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// let mut symbols = Vec::new();
    /// interner.intern_many(["to", "be", "or", "not"], &mut symbols);
    /// assert_eq!(symbols.len(), 4);
    /// ```
    #[track_caller]
    pub fn intern_many<'a>(&self, keys: impl IntoIterator<Item = &'a K>, symbols: &mut Vec<Y>)
    where
        K: 'a,
    {
        or_panic(self.try_intern_many(keys, symbols));
    }

    /// Interns many strings, and puts their symbols behind those that are in `symbols`.
    ///
    /// Where the table does not fit into the processor's cache, this is faster than a loop: it waits for the memory of
    /// several strings at once.
    ///
    /// # Errors
    ///
    /// As [`try_intern`](Self::try_intern), or if there is no memory for the symbols. What was interned before has its
    /// symbol in `symbols`; how many those are tells where to go on. Of an iterator by reference some more may have been
    /// taken than that, up to a batch of 16: whoever wants to go on keeps the strings.
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// let mut symbols = Vec::new();
    /// interner.try_intern_many("to be or not to be".split(' '), &mut symbols).unwrap();
    /// assert_eq!(symbols.len(), 6);
    /// assert_eq!(symbols[..2], symbols[4..]);
    /// assert_eq!(interner.len(), 4);
    /// ```
    pub fn try_intern_many<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a K>,
        symbols: &mut Vec<Y>,
    ) -> Result<(), InternError>
    where
        K: 'a,
    {
        self.for_each(keys.into_iter(), |query| {
            if symbols.len() == symbols.capacity() {
                let size_bytes = (symbols.len() + BATCH) * size_of::<Y>();
                let refused = |_| InternError::Backend { size_bytes };
                symbols.try_reserve(BATCH).map_err(refused)?;
            }
            symbols.push(self.intern_from(query, Source::Borrowed)?.0);
            Ok(())
        })
    }

    /// Hands all queries over, those of a large table in batches whose memory has been asked for.
    #[inline]
    fn for_each<'a>(
        &self,
        mut keys: impl Iterator<Item = &'a K>,
        mut take: impl FnMut(Query<'a>) -> Result<(), InternError>,
    ) -> Result<(), InternError>
    where
        K: 'a,
    {
        let nothing = Query {
            bytes: &[],
            hash: 0,
            align: K::ALIGN,
        };
        let mut batch = [nothing; BATCH];
        loop {
            let mut len = 0;
            let large = self.live().body().filter(|body| body.count() >= LARGE);
            if let Some(body) = large {
                for (place, key) in batch.iter_mut().zip(&mut keys) {
                    *place = self.query(key);
                    len += 1;
                }
                let batch = &batch[..len];
                batch.iter().for_each(|query| body.ask_for_slots(query));
                batch.iter().for_each(|query| body.ask_for_record(query));
                batch.iter().copied().try_for_each(&mut take)?;
            } else {
                for key in keys.by_ref().take(BATCH) {
                    take(self.query(key))?;
                    len += 1;
                }
            }
            if len < BATCH {
                return Ok(());
            }
        }
    }
}

impl<Y: Symbol, S: BuildHasher> Interner<str, Y, S> {
    /// The symbol of a string whose bytes are not known to be UTF-8.
    ///
    /// # Errors
    ///
    /// The bytes are not UTF-8.
    ///
    /// # Panics
    ///
    /// As [`intern`](Self::intern).
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// assert_eq!(interner.intern_utf8(b"host"), Ok(interner.intern("host")));
    /// assert!(interner.intern_utf8(b"\xff").is_err());
    /// ```
    #[inline]
    #[track_caller]
    pub fn intern_utf8(&self, bytes: &[u8]) -> Result<Y, Utf8Error> {
        or_panic(self.try_intern_utf8(bytes))
    }

    /// The symbol of a string whose bytes are not known to be UTF-8.
    ///
    /// Only those of a new string are checked: a string that is there has been.
    ///
    /// # Errors
    ///
    /// As [`try_intern`](Self::try_intern); and inside, if the bytes are not UTF-8.
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// assert_eq!(interner.try_intern_utf8(b"host"), Ok(Ok(interner.intern("host"))));
    /// assert!(interner.try_intern_utf8(b"\xff").unwrap().is_err());
    /// ```
    #[inline]
    pub fn try_intern_utf8(&self, bytes: &[u8]) -> Result<Result<Y, Utf8Error>, InternError> {
        let query = Query::new(bytes, <str as Key>::ALIGN, self.hasher());
        match self.find(&query) {
            Some(symbol) => Ok(Ok(symbol)),
            None => self.insert_checked(&query),
        }
    }

    #[cold]
    fn insert_checked(&self, query: &Query<'_>) -> Result<Result<Y, Utf8Error>, InternError> {
        match core::str::from_utf8(query.bytes) {
            Ok(_) => self
                .insert_missing(query)
                .map(|inserted| Ok(known(inserted.number))),
            Err(error) => Ok(Err(error)),
        }
    }
}

/// Interns all strings.
///
/// # Panics
///
/// If one cannot be interned; see [`Interner::try_intern_many`].
impl<'a, K: ?Sized + Key + 'a, Y: Symbol, S: BuildHasher> Extend<&'a K> for Interner<K, Y, S> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = &'a K>>(&mut self, keys: I) {
        let result = self.for_each(keys.into_iter(), |query| {
            self.intern_from(query, Source::Borrowed).map(drop)
        });
        or_panic(result);
    }
}

/// Interns all strings, in their order.
///
/// # Panics
///
/// As [`Extend`].
impl<'a, K: ?Sized + Key + 'a, Y: Symbol, S: BuildHasher + Default> FromIterator<&'a K>
    for Interner<K, Y, S>
{
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = &'a K>>(keys: I) -> Self {
        let mut interner = Self::default();
        interner.extend(keys);
        interner
    }
}
