//! [`LocalInterner`], for one thread.

mod builder;
mod iter;
mod limits;
mod memory;
mod store;

use alloc::vec::Vec;
use core::fmt;
use core::hash::{BuildHasher, Hasher};

use hashbrown::{HashTable, TryReserveError};
use thrifty_sync::const_unless_loom;

pub use self::{builder::LocalBuilder, iter::LocalIter};
use self::{
    limits::Allowance,
    store::{MAX_LEN, Place, Store, grow_by_quarters},
};
use crate::live::{budget::Budget, history::History};
use crate::{DefaultState, InternError, Key, Mark, StaleMark, Sym, Symbol, or_panic};

/// An interner for one thread at a time: inserts by `&mut`, no atomics.
///
/// Equal keys get the same symbol; symbols are dense, in the order of first sight. What many threads fill
/// together is an `Interner`; what is finished becomes a [`Frozen`](crate::Frozen).
///
/// # Examples
///
/// ```
/// use thrifty_interner::LocalInterner;
///
/// let mut hosts: LocalInterner = LocalInterner::new();
/// let web = hosts.intern("web-1");
/// assert_eq!(hosts.intern("web-1"), web);
/// assert_eq!(hosts.resolve(web), "web-1");
/// assert_eq!(hosts.get("db-1"), None);
/// ```
///
/// Keys of other kinds, and symbols of one's own:
///
/// ```
/// use thrifty_interner::LocalInterner;
///
/// thrifty_interner::symbol! { struct Shape; }
///
/// let mut shapes: LocalInterner<[u32], Shape> = LocalInterner::new();
/// let matrix = shapes.intern(&[3, 4]);
/// assert_eq!(shapes.resolve(matrix), [3, 4]);
/// ```
///
/// # Memory
///
/// Nothing before the first insert. Then, per string, its bytes and 3 more (7 from 255 bytes on), 4 to 5 bytes that lead
/// from the symbol to it, and 5.7 to 11.4 of the hash table, which doubles: beyond the payload some 15 on average. Strings lie in chunks of up to
/// 64 KiB and never move; one of more than 16 KiB has a chunk of its own. There is room for 4 GiB of short strings,
/// or for 65,536 long ones. Memory is given back by [`rollback`](Self::rollback), [`clear`](Self::clear),
/// [`shrink_to_fit`](Self::shrink_to_fit) and [`trim`](Self::trim).
///
/// # Concurrency
///
/// `Send` and `Sync`: a reference can be read from many threads, an insert needs the interner for itself.
pub struct LocalInterner<K: ?Sized = str, Y = Sym, S = DefaultState> {
    /// What it was made by: its hasher and its limits.
    builder: LocalBuilder<K, Y, S>,
    /// Where each record is, found by the hash of its bytes.
    table: HashTable<Place>,
    /// Where each record is, found by its index.
    places: Vec<Place>,
    store: Store,
    history: History,
}

impl<K: Key + ?Sized, Y: Symbol> LocalInterner<K, Y> {
    const_unless_loom! {
        /// An empty interner with the default hasher. Allocates nothing.
        ///
        /// # Examples
        ///
        /// ```
        /// use thrifty_interner::LocalInterner;
        ///
        /// const EMPTY: LocalInterner = LocalInterner::new();
        /// assert!(EMPTY.is_empty());
        /// ```
        #[must_use]
        pub const fn new() -> Self {
            Self::with_hasher(DefaultState::new())
        }
    }

    /// Settings, to build one with limits or another hasher.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let names: LocalInterner = LocalInterner::builder().max_bytes(1 << 20).build();
    /// assert!(names.is_empty());
    /// ```
    #[must_use]
    pub const fn builder() -> LocalBuilder<K, Y> {
        LocalBuilder::new(DefaultState::new())
    }
}

impl<K: ?Sized, Y, S> LocalInterner<K, Y, S> {
    const_unless_loom! {
        /// An empty interner with a hasher of the caller's. Allocates nothing.
        ///
        /// # Examples
        ///
        /// ```
        /// use std::hash::RandomState;
        /// use thrifty_interner::{LocalInterner, Sym};
        ///
        /// let mut names: LocalInterner<[u8], Sym, RandomState> = LocalInterner::with_hasher(RandomState::new());
        /// names.intern(b"\xff\xfe");
        /// ```
        #[must_use]
        pub const fn with_hasher(state: S) -> Self {
            Self::from_builder(LocalBuilder::new(state))
        }
    }

    const_unless_loom! {
        const fn from_builder(builder: LocalBuilder<K, Y, S>) -> Self {
            Self {
                builder,
                table: HashTable::new(),
                places: Vec::new(),
                store: Store::new(),
                history: History::new(),
            }
        }
    }

    /// How many symbols were given out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// No symbol was given out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The same, as symbols count.
    fn count(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "at most `Y::COUNT`, a u32")]
        let count = self.places.len() as u32;
        count
    }
}

impl<K: Key + ?Sized, Y: Symbol, S: BuildHasher> LocalInterner<K, Y, S> {
    /// The symbol of a key, which is copied if it is new.
    ///
    /// # Panics
    ///
    /// Where [`try_intern`](Self::try_intern) has an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// assert_eq!(names.intern("a"), names.intern("a"));
    /// ```
    #[track_caller]
    #[inline]
    pub fn intern(&mut self, key: &K) -> Y {
        let bytes = key.as_bytes();
        let hash = hash_of(&self.builder.state, bytes);
        // Apart from `try_intern`, so that a hit makes no `Result`.
        match self.find(hash, bytes) {
            Some(symbol) => symbol,
            None => or_panic(self.insert(hash, bytes)),
        }
    }

    /// The symbol of a key, which is copied if it is new.
    ///
    /// # Errors
    ///
    /// The key is new, and a limit or the allocator does not admit it. Nothing is inserted then.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{InternError, LocalInterner, Sym8};
    ///
    /// let mut few: LocalInterner<[u8], Sym8> = LocalInterner::new();
    /// for at in 0..255 {
    ///     few.try_intern(&[at]).unwrap();
    /// }
    /// assert_eq!(few.try_intern(&[255]), Err(InternError::SymbolSpace { limit_symbols: 255 }));
    /// ```
    #[inline]
    pub fn try_intern(&mut self, key: &K) -> Result<Y, InternError> {
        let bytes = key.as_bytes();
        let hash = hash_of(&self.builder.state, bytes);
        match self.find(hash, bytes) {
            Some(symbol) => Ok(symbol),
            None => self.insert(hash, bytes),
        }
    }

    /// The symbol of a key, if it was interned.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// let a = names.intern("a");
    /// assert_eq!((names.get("a"), names.get("b")), (Some(a), None));
    /// ```
    #[must_use]
    #[inline]
    pub fn get(&self, key: &K) -> Option<Y> {
        let bytes = key.as_bytes();
        self.find(hash_of(&self.builder.state, bytes), bytes)
    }

    #[inline]
    fn find(&self, hash: u64, bytes: &[u8]) -> Option<Y> {
        let store = &self.store;
        let place = self
            .table
            .find(hash, |place| store.is(*place, bytes, K::ALIGN))?;
        Y::try_from_index(store.index(*place))
    }

    /// Inserts bytes that are not there. All that can fail or panic comes before all that changes.
    #[inline(never)]
    fn insert(&mut self, hash: u64, bytes: &[u8]) -> Result<Y, InternError> {
        let limits = self.builder.limits;
        let limit_bytes = limits.len.min(MAX_LEN);
        if bytes.len() > limit_bytes {
            return Err(InternError::TooLong {
                length_bytes: bytes.len(),
                limit_bytes,
            });
        }
        let index = self.count();
        let limit_symbols = limits.symbols.min(Y::COUNT as usize);
        let symbol = Y::try_from_index(index).filter(|_| self.len() < limit_symbols);
        let symbol = symbol.ok_or(InternError::SymbolSpace { limit_symbols })?;
        if self.places.len() == self.places.capacity() {
            self.grow_places()?;
        }
        if self.table.len() == self.table.capacity() {
            self.make_slots()?;
        }
        let room = match self.store.room_here(index, bytes.len(), K::ALIGN) {
            Some(room) => room,
            None => {
                let mut allowance = self.allowance();
                let store = &mut self.store;
                store.room_elsewhere(index, bytes.len(), K::ALIGN, &mut allowance)?
            }
        };
        let place = self.store.write(room, index, bytes);
        self.table
            .insert_unique(hash, place, |_| unreachable!("the table has room"));
        self.places.push(place);
        self.store.commit(room, bytes.len());
        Ok(symbol)
    }

    #[cold]
    fn grow_places(&mut self) -> Result<(), InternError> {
        let mut allowance = self.allowance();
        grow_by_quarters(&mut self.places, &mut allowance)
    }

    /// Goes over to a table with slots for some more strings than one.
    ///
    /// A removed entry may leave its slot unusable, so that a table is used up with fewer entries than it is made for.
    /// One that is made anew for as many has few free slots again: who interns and rolls back near that point would pay for
    /// all entries each time, not for an eighth of them in one.
    #[cold]
    fn make_slots(&mut self) -> Result<(), InternError> {
        let len = self.len();
        self.grow_table(len + len / 8 + 1)
            .or_else(|_| self.grow_table(len + 1))
    }

    /// Goes over to a table for at least that many, made aside: a hasher that panics leaves the old one.
    #[cold]
    fn grow_table(&mut self, wanted: usize) -> Result<(), InternError> {
        let mut table = HashTable::new();
        // The closure hashes what is in the table already: nothing.
        table
            .try_reserve(wanted, |_| 0)
            .map_err(|error| InternError::Backend {
                size_bytes: match error {
                    TryReserveError::AllocError { layout } => layout.size(),
                    TryReserveError::CapacityOverflow => usize::MAX,
                },
            })?;
        let others = self.reserved_bytes() - self.table.allocation_size();
        self.builder
            .limits
            .allowance(others)
            .take(table.allocation_size(), || Ok(()))?;
        // In the order of the records, which is that of memory.
        for place in &self.places {
            let hash = hash_of(&self.builder.state, self.store.body(*place, K::ALIGN));
            table.insert_unique(hash, *place, |_| unreachable!("the table has room"));
        }
        self.table = table;
        Ok(())
    }

    /// Makes room for that many more keys in the tables; not for their bytes, which take it as they come.
    ///
    /// # Panics
    ///
    /// Where [`try_reserve`](Self::try_reserve) has an error.
    #[track_caller]
    pub fn reserve(&mut self, additional: usize) {
        or_panic(self.try_reserve(additional));
    }

    /// Makes room for that many more keys in the tables; not for their bytes, which take it as they come.
    ///
    /// # Errors
    ///
    /// A limit or the allocator does not admit it. Part of the room may have been made.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// names.try_reserve(1000)?;
    /// # Ok::<(), thrifty_interner::InternError>(())
    /// ```
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), InternError> {
        let mut allowance = self.allowance();
        store::reserve(&mut self.places, additional, &mut allowance)?;
        let wanted = self.len().saturating_add(additional);
        if wanted > self.table.capacity() {
            self.grow_table(wanted)?;
        }
        Ok(())
    }

    /// Forgets all symbols after the mark, and says how many those were; they are given out again.
    ///
    /// It takes time in proportion to what is forgotten. A mark can be used again, as long as its own strings are there.
    ///
    /// # Errors
    ///
    /// If the mark is of another interner, or some of its strings are gone: by a rollback to an earlier mark, or by
    /// [`clear`](Self::clear). Then nothing has changed.
    ///
    /// # Panics
    ///
    /// If the hasher does. Then some of the strings are gone, from the last on, and the mark is still good.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// let mark = names.mark();
    /// let symbol = names.intern("a");
    /// assert_eq!(names.rollback(mark), Ok(1));
    /// assert_eq!(names.try_resolve(symbol), None);
    /// ```
    pub fn rollback(&mut self, mark: Mark) -> Result<usize, StaleMark> {
        let (count, keep) = (self.count(), mark.count());
        if keep > count || !self.history.admits(&mark) {
            return Err(StaleMark);
        }
        if keep < count {
            // What it takes counts with the rest; a rollback is not refused for it.
            self.history.cut(keep, &Budget::new(usize::MAX));
        }
        // The last first, and each as a whole: a hasher that panics leaves an interner of those before.
        let this = Rollback(self);
        while this.0.count() > mark.count() {
            this.0.forget_last();
        }
        Ok((count - keep) as usize)
    }

    fn forget_last(&mut self) {
        let Some(place) = self.places.last().copied() else {
            return;
        };
        let bytes = self.store.body(place, K::ALIGN);
        let hash = hash_of(&self.builder.state, bytes);
        match self.table.find_entry(hash, |other| *other == place) {
            Ok(entry) => drop(entry.remove()),
            // A hasher that does not keep to its word.
            Err(_) => self.table.retain(|other| *other != place),
        }
        self.store.forget(place, K::ALIGN);
        self.places.pop();
    }
}

/// Frees the chunks of what was forgotten, in a panic too.
struct Rollback<'a, K: Key + ?Sized, Y, S>(&'a mut LocalInterner<K, Y, S>);

impl<K: Key + ?Sized, Y, S> Drop for Rollback<'_, K, Y, S> {
    fn drop(&mut self) {
        self.0.store.truncate(&self.0.places, K::ALIGN);
    }
}

impl<K: Key + ?Sized, Y: Symbol, S> LocalInterner<K, Y, S> {
    /// What a symbol stands for.
    ///
    /// # Panics
    ///
    /// The symbol is not from here, or was forgotten.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// let symbol = names.intern("a");
    /// assert_eq!(names.resolve(symbol), "a");
    /// ```
    #[must_use]
    #[track_caller]
    #[inline]
    pub fn resolve(&self, symbol: Y) -> &K {
        match self.try_resolve(symbol) {
            Some(key) => key,
            None => crate::cold_unknown(symbol.index(), self.len()),
        }
    }

    /// What a symbol stands for, if it is from here.
    ///
    /// A symbol of another interner may happen to be one here: brand yours with [`symbol!`](crate::symbol!).
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{LocalInterner, Sym, Symbol};
    ///
    /// let names: LocalInterner = LocalInterner::new();
    /// assert_eq!(names.try_resolve(Sym::try_from_index(0).unwrap()), None);
    /// ```
    #[must_use]
    #[inline]
    pub fn try_resolve(&self, symbol: Y) -> Option<&K> {
        let place = self.places.get(symbol.index() as usize)?;
        let bytes = self.store.body(*place, K::ALIGN);
        // SAFETY: the record has the bytes of a `K`, which `insert` copied there, at an offset that is a multiple
        // of `K::ALIGN` in a chunk that is aligned to `BLOCK_ALIGN`.
        Some(unsafe { K::from_bytes(bytes) })
    }

    /// All symbols and what they stand for, in their order.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// names.intern("b");
    /// names.intern("a");
    /// assert!(names.iter().map(|(_, name)| name).eq(["b", "a"]));
    /// ```
    pub fn iter(&self) -> LocalIter<'_, K, Y, S> {
        LocalIter::new(self)
    }

    /// The point to which [`rollback`](Self::rollback) goes back.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.history.mark(self.count())
    }

    /// Forgets everything, and keeps the tables and one chunk for what comes.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// names.intern("a");
    /// names.clear();
    /// assert_eq!((names.len(), names.get("a")), (0, None));
    /// ```
    pub fn clear(&mut self) {
        self.history.forget();
        self.table.clear();
        self.places.clear();
        self.store.clear();
    }
}

/// The hash that the table is searched by.
#[inline]
fn hash_of<S: BuildHasher>(state: &S, bytes: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

impl<K: Key + ?Sized, Y: Symbol, S: BuildHasher + Default> Default for LocalInterner<K, Y, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<'a, K: Key + ?Sized, Y: Symbol, S: BuildHasher> Extend<&'a K> for LocalInterner<K, Y, S> {
    /// Interns each, as [`LocalInterner::intern`] does.
    #[track_caller]
    fn extend<I: IntoIterator<Item = &'a K>>(&mut self, keys: I) {
        for key in keys {
            self.intern(key);
        }
    }
}

impl<K: ?Sized, Y, S> fmt::Debug for LocalInterner<K, Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalInterner")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
