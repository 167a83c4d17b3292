//! The concurrent interner.

use core::fmt;
use core::hash::BuildHasher;
use core::marker::PhantomData;

use thrifty_sync::{atomic::AtomicU32, const_unless_loom, hint};
use thrifty_traits::{MemoryUsage, Usage};

#[cfg(feature = "stats")]
use crate::counters::Counters;
use crate::live::{Bounds, Live, Near, Query, Record, Searched, Shipped, Source};
use crate::{Builder, DefaultState, InternError, Iter, Key, Sym, Symbol, or_panic};

/// Gives each distinct string a small number, for many threads at once.
///
/// A string that is there is found without a lock, without a write to shared memory, and without waiting: readers
/// do not slow each other down. A new string takes one of several locks. Strings stay as long as the interner is shared, and
/// do not move: what [`resolve`](Self::resolve) returns is borrowed from the interner, not from a lock.
///
/// For input without an end, where a string that came once may never come again, take a [`Dedup`](crate::Dedup):
/// while it is shared, this interner only grows. Whoever has it as `&mut` can go back to a [`mark`](Self::mark), [`clear`](Self::clear)
/// it, [`compact`](Self::compact) it, and [`trim`](Self::trim) what it has in reserve.
///
/// # Memory
///
/// A new interner allocates nothing, and can stand in a `static`. The first string costs some 4 KiB, and up to 12 where
/// there are many processors, since each shard has a lock of its own. From a hundred
/// thousand strings on, each costs its bytes and some 22 more: 8 bytes for a slot in the table, of which two
/// thirds are full on average; 5 for its number and length; 4 from its number to its place; half a byte of
/// padding, and what is not yet used of the last block. Nothing is ever copied but slots, 8 bytes each; the
/// space of a table that was replaced is used for the next.
///
/// A limit ([`Builder::max_bytes`]) counts every byte taken from the allocator, and is never exceeded. Without one, there is
/// room for 65,536 blocks of up to 128 KiB, so for 8 GiB of short strings; beyond it, inserts are refused as at a limit.
///
/// # Concurrency
///
/// `get`, `resolve`, iterating, and `intern` of a string that is there are wait-free, except that a search begins again if
/// its shard's table was replaced meanwhile. `intern` of a new string locks a shard; tables grow under that lock,
/// while readers go on in the old one. Of your code, the global allocator alone runs under a lock, and must not intern
/// here: keys are hashed before, and compared by their bytes. The child of a `fork` that happened while another thread
/// held a lock waits for that lock for ever.
///
/// Two threads that intern the same string get the same symbol. Who learns of a symbol from another thread in
/// any way that synchronises (a channel, a lock, a Release store) can resolve it.
///
/// # Examples
///
/// ```
/// use thrifty_interner::Interner;
///
/// let hosts: Interner = Interner::new();
/// let first = hosts.intern("db-1.example");
/// assert_eq!(hosts.intern("db-1.example"), first);
/// assert_eq!(hosts.resolve(first), "db-1.example");
/// assert_eq!(hosts.get("db-2.example"), None);
/// ```
pub struct Interner<K: ?Sized + Key = str, Y: Symbol = Sym, S = DefaultState> {
    state: S,
    live: Live<Shipped>,
    #[cfg(feature = "stats")]
    counters: Counters,
    key: PhantomData<fn(&K) -> Y>,
}

impl Interner {
    const_unless_loom! {
        /// An interner of strings with the usual symbols and hasher, which allocates nothing yet.
        ///
        /// # Examples
        ///
        /// ```
        /// use thrifty_interner::Interner;
        ///
        /// static FIELDS: Interner = Interner::new();
        /// assert_eq!(FIELDS.resolve(FIELDS.intern("status")), "status");
        /// ```
        #[must_use]
        pub const fn new() -> Self {
            Self::with_hasher(DefaultState::new())
        }
    }
}

impl<K: ?Sized + Key, Y: Symbol> Interner<K, Y> {
    /// Settings for an interner: limits, hasher, capacity.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Interner;
    ///
    /// let interner: Interner = Interner::builder().max_bytes(1 << 20).build();
    /// ```
    #[must_use]
    pub const fn builder() -> Builder<K, Y> {
        Builder::new()
    }
}

impl<K: ?Sized + Key, Y: Symbol, S> Interner<K, Y, S> {
    const_unless_loom! {
        /// An interner with a hasher of the caller's, which allocates nothing yet.
        ///
        /// All 64 bits of the hash are used; a hasher that leaves some of them alone makes the interner slow, not
        /// wrong.
        ///
        /// # Examples
        ///
        /// ```
        /// use std::hash::RandomState;
        /// use thrifty_interner::{Interner, Sym};
        ///
        /// let interner: Interner<[u8], Sym, RandomState> = Interner::with_hasher(RandomState::new());
        /// interner.intern(b"\xff\xfe");
        /// ```
        #[must_use]
        pub const fn with_hasher(state: S) -> Self {
            Self::with_bounds(state, Bounds {
                bytes: usize::MAX,
                symbols: Y::COUNT,
                length: usize::MAX,
                shards: 0,
                align: K::ALIGN,
            })
        }
    }

    const_unless_loom! {
        pub(crate) const fn with_bounds(state: S, bounds: Bounds) -> Self {
            Self {
                state,
                live: Live::new(bounds),
                #[cfg(feature = "stats")]
                counters: Counters::new(),
                key: PhantomData,
            }
        }
    }

    pub(crate) fn live(&self) -> &Live<Shipped> {
        &self.live
    }

    pub(crate) fn live_mut(&mut self) -> &mut Live<Shipped> {
        &mut self.live
    }

    #[cfg(feature = "stats")]
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    #[cfg(feature = "stats")]
    pub(crate) fn counters_mut(&mut self) -> &mut Counters {
        &mut self.counters
    }

    /// The hasher, and what it hashes for.
    pub(crate) fn parts_mut(&mut self) -> (&S, &mut Live<Shipped>) {
        (&self.state, &mut self.live)
    }

    /// The hasher.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::hash::BuildHasher;
    /// use thrifty_interner::Interner;
    ///
    /// let interner: Interner = Interner::new();
    /// let _: u64 = interner.hasher().hash_one("host");
    /// ```
    pub fn hasher(&self) -> &S {
        &self.state
    }

    /// How many strings there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// interner.intern("a");
    /// interner.intern("a");
    /// assert_eq!(interner.len(), 1);
    /// ```
    #[inline]
    pub fn len(&self) -> usize {
        self.live.body().map_or(0, |body| body.count() as usize)
    }

    /// Whether there is no string.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(thrifty_interner::Interner::new().is_empty());
    /// ```
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The string that a symbol stands for.
    ///
    /// # Panics
    ///
    /// If the symbol is not of this interner; see [`try_resolve`](Self::try_resolve). A symbol of another
    /// interner that has as many strings is not recognised: [`symbol!`](crate::symbol!) makes such mix-ups
    /// type errors.
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// let symbol = interner.intern("host");
    /// assert_eq!(interner.resolve(symbol), "host");
    /// ```
    #[inline]
    #[track_caller]
    pub fn resolve(&self, symbol: Y) -> &K {
        match self.record(symbol) {
            // SAFETY: the record stays while `self` is borrowed, is short, and was written with this key's alignment.
            Some(record) if record.is_short() => unsafe { Self::short_key(record) },
            _ => self.resolve_slow(symbol),
        }
    }

    /// The string that a symbol stands for, if there is one.
    ///
    /// It is `None` also for a symbol that came from another thread without any synchronisation, as long as what
    /// that thread has written has not arrived.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Interner, Sym, Symbol};
    ///
    /// let interner: Interner = Interner::new();
    /// assert_eq!(interner.try_resolve(Sym::try_from_index(7).unwrap()), None);
    /// ```
    #[inline]
    pub fn try_resolve(&self, symbol: Y) -> Option<&K> {
        match self.record(symbol) {
            // SAFETY: as in `resolve`.
            Some(record) if record.is_short() => Some(unsafe { Self::short_key(record) }),
            _ => self.try_resolve_slow(symbol),
        }
    }

    /// The string that a number's place in its page leads to; the slow way may still find one where there is none.
    #[inline]
    pub(crate) fn named(&self, place: &AtomicU32) -> Option<&K> {
        match self.live.body()?.named(place) {
            // SAFETY: as in `resolve`.
            Some(record) if record.is_short() => Some(unsafe { Self::short_key(record) }),
            _ => None,
        }
    }

    /// The record of a symbol, if there is one that this thread can see.
    #[inline]
    fn record(&self, symbol: Y) -> Option<Record> {
        self.live.body()?.resolve(symbol.index().wrapping_add(1))
    }

    /// The string of a short record.
    ///
    /// # Safety
    ///
    /// The record stays for `'a`, is short, and is of a key of this type.
    #[inline]
    unsafe fn short_key<'a>(record: Record) -> &'a K {
        // SAFETY: short and lasting, says the caller; written with this key's alignment.
        let bytes = unsafe { record.short_bytes(K::ALIGN) };
        // SAFETY: these are the bytes of a key that was interned, at an address aligned for it.
        unsafe { K::from_bytes(bytes) }
    }

    /// What is not short, or not there. The usual way has only this one way out: with one for each of the two it
    /// took a fifth longer.
    #[cold]
    #[inline(never)]
    pub(crate) fn try_resolve_slow(&self, symbol: Y) -> Option<&K> {
        let record = self.record(symbol)?;
        // SAFETY: the record stays while `self` is borrowed, and was written with this key's alignment.
        let bytes = unsafe { record.bytes(K::ALIGN) };
        // SAFETY: these are the bytes of a key that was interned, at an address aligned for it.
        Some(unsafe { K::from_bytes(bytes) })
    }

    /// A symbol that has arrived before what it stands for gets some time.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn resolve_slow(&self, symbol: Y) -> &K {
        let given = self.len();
        for _ in 0..1000 {
            if let Some(key) = self.try_resolve_slow(symbol) {
                return key;
            }
            hint::spin_loop();
        }
        panic!("{symbol:?} is not of this interner, which has {given} strings");
    }

    /// The strings with their symbols, in the order of the symbols.
    ///
    /// No lock is held: interning inside the loop is fine. Strings that are interned after this call are left out.
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// interner.intern("a");
    /// interner.intern("b");
    /// let all: Vec<&str> = interner.iter().map(|(_, key)| key).collect();
    /// assert_eq!(all, ["a", "b"]);
    /// ```
    pub fn iter(&self) -> Iter<'_, K, Y, S> {
        Iter::new(self, self.len())
    }
}

impl<K: ?Sized + Key, Y: Symbol, S: BuildHasher> Interner<K, Y, S> {
    #[inline]
    pub(crate) fn query<'a>(&self, key: &'a K) -> Query<'a> {
        Query::new(key.as_bytes(), K::ALIGN, &self.state)
    }

    /// Searches, and counts that where someone asked for it.
    #[expect(clippy::inline_always, reason = "see `Body::find`")]
    #[inline(always)]
    pub(crate) fn find(&self, query: &Query<'_>) -> Option<Y> {
        let found = symbol(self.live.find(query));
        self.count(found.is_some(), query);
        found
    }

    /// What the first look finds.
    #[expect(clippy::inline_always, reason = "see `Body::near`")]
    #[inline(always)]
    fn near(&self, query: Query<'_>) -> Result<Y, Far> {
        let near = self.live.near(&query);
        if let Near::Number(number) = near {
            if let Some(symbol) = symbol(number) {
                self.count(true, &query);
                return Ok(symbol);
            }
        }
        Err(Far {
            hash: query.hash,
            absent: near == Near::Absent,
        })
    }

    /// The symbol of a string that is there.
    ///
    /// Whoever must not let outsiders fill the interner asks with this, and interns what it trusts.
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// assert_eq!(interner.get("host"), None);
    /// let symbol = interner.intern("host");
    /// assert_eq!(interner.get("host"), Some(symbol));
    /// ```
    #[inline]
    pub fn get(&self, key: &K) -> Option<Y> {
        self.find(&self.query(key))
    }

    /// The symbol of a string, which is copied if it is new.
    ///
    /// # Panics
    ///
    /// If the string cannot be interned; see [`try_intern`](Self::try_intern).
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// assert_eq!(interner.intern("host"), interner.intern("host"));
    /// assert_ne!(interner.intern("host"), interner.intern("port"));
    /// ```
    #[inline]
    #[track_caller]
    pub fn intern(&self, key: &K) -> Y {
        match self.near(self.query(key)) {
            Ok(symbol) => symbol,
            Err(far) => self.intern_slow(key, far),
        }
    }

    /// As `try_intern_slow`, without an error: that would come back through memory, and cost the hits 8 % though they
    /// never come here.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn intern_slow(&self, key: &K, far: Far) -> Y {
        or_panic(self.intern_far(key.as_bytes(), Source::Borrowed, far)).0
    }

    /// The symbol of a string, and whether it is new.
    #[inline]
    pub(crate) fn intern_from(
        &self,
        query: Query<'_>,
        source: Source,
    ) -> Result<(Y, bool), InternError> {
        match self.near(query) {
            Ok(symbol) => Ok((symbol, false)),
            Err(far) => self.try_intern_slow(query.bytes, source, far),
        }
    }

    #[cold]
    #[inline(never)]
    fn try_intern_slow(
        &self,
        bytes: &[u8],
        source: Source,
        far: Far,
    ) -> Result<(Y, bool), InternError> {
        self.intern_far(bytes, source, far)
    }

    /// What the first look has not found.
    #[inline]
    fn intern_far(&self, bytes: &[u8], source: Source, far: Far) -> Result<(Y, bool), InternError> {
        // In pieces, so that the caller can keep them in registers.
        let query = Query {
            bytes,
            hash: far.hash,
            align: K::ALIGN,
        };
        let mut searched = Searched::NOTHING;
        if !far.absent {
            match self.live.search(&query) {
                Ok(number) => {
                    self.count(true, &query);
                    return Ok((known(number), false));
                }
                Err(end) => searched = end,
            }
        }
        self.count(false, &query);
        let inserted = self.live.insert_slow(&query, source, searched)?;
        Ok((known(inserted.number), inserted.new))
    }

    /// Counts a search where someone asked for it.
    #[inline]
    fn count(&self, hit: bool, query: &Query<'_>) {
        #[cfg(feature = "stats")]
        self.counters.count(hit, query.bytes.len());
        #[cfg(not(feature = "stats"))]
        let _ = (hit, query);
    }

    /// The symbol of a string, which is copied if it is new and there is room.
    ///
    /// # Errors
    ///
    /// When a limit or the symbols are used up, the string is too long, or the allocator refuses. Then nothing has
    /// changed: what is there is found and resolved as before.
    ///
    /// An allocator that has refused a larger table is not asked again for each new string: as many as the table has
    /// blocks of 4 KiB may be refused alike, though there is memory again, unless [`trim`](Self::trim) or
    /// [`rollback`](Self::rollback) comes between.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{InternError, Interner};
    ///
    /// let interner: Interner = Interner::builder().max_symbols(1).build();
    /// let first = interner.try_intern("a").unwrap();
    /// assert_eq!(interner.try_intern("b"), Err(InternError::SymbolSpace { limit_symbols: 1 }));
    /// assert_eq!(interner.try_intern("a"), Ok(first));
    /// ```
    #[inline]
    pub fn try_intern(&self, key: &K) -> Result<Y, InternError> {
        Ok(self.intern_from(self.query(key), Source::Borrowed)?.0)
    }

    /// The symbol of a string that lives for ever, which is not copied unless it is short.
    ///
    /// # Panics
    ///
    /// As [`intern`](Self::intern).
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// let agent = "Mozilla/5.0 (X11; Linux x86_64)";
    /// let symbol = interner.intern_static(agent);
    /// assert_eq!(interner.resolve(symbol).as_ptr(), agent.as_ptr());
    /// ```
    #[inline]
    #[track_caller]
    pub fn intern_static(&self, key: &'static K) -> Y {
        or_panic(self.try_intern_static(key))
    }

    /// The symbol of a string that lives for ever, which is not copied unless it is short.
    ///
    /// # Errors
    ///
    /// As [`try_intern`](Self::try_intern).
    ///
    /// # Examples
    ///
    /// ```
    /// let interner = thrifty_interner::Interner::new();
    /// assert!(interner.try_intern_static("status").is_ok());
    /// ```
    #[inline]
    pub fn try_intern_static(&self, key: &'static K) -> Result<Y, InternError> {
        Ok(self.intern_from(self.query(key), Source::Static)?.0)
    }
}

/// What the first look leaves to the second.
#[derive(Clone, Copy)]
struct Far {
    /// The string's hash.
    hash: u64,
    /// Whether it is clear that the string is not there.
    absent: bool,
}

/// The symbol of a number, which is one more than its index.
#[inline]
pub(crate) fn symbol<Y: Symbol>(number: u32) -> Option<Y> {
    Y::try_from_index(number.wrapping_sub(1))
}

/// The symbol of a number that was given out.
#[inline]
pub(crate) fn known<Y: Symbol>(number: u32) -> Y {
    symbol(number).expect("no more numbers than symbols")
}

impl<K: ?Sized + Key, Y: Symbol, S> MemoryUsage for Interner<K, Y, S> {
    /// In use are the bytes of the strings that were copied, not those of static ones; the rest of what is reserved is overhead.
    fn memory_usage(&self) -> Usage {
        self.live.body().map_or_else(Usage::new, |body| {
            Usage::new()
                .with_in_use_bytes(body.payload())
                .with_idle_bytes(body.idle())
                .with_reserved_bytes(body.budget().reserved())
        })
    }
}

impl<K: ?Sized + Key, Y: Symbol, S: Default> Default for Interner<K, Y, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K: ?Sized + Key + fmt::Debug, Y: Symbol, S> fmt::Debug for Interner<K, Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interner")
            .field("len", &self.len())
            .field("usage", &self.memory_usage())
            .finish_non_exhaustive()
    }
}

impl<'a, K: ?Sized + Key, Y: Symbol, S> IntoIterator for &'a Interner<K, Y, S> {
    type Item = (Y, &'a K);
    type IntoIter = Iter<'a, K, Y, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
