//! A pool for one thread, whose items may borrow.

use core::cell::{Cell, RefCell};
use core::fmt;

use thrifty_traits::{AllocError, MemoryUsage, Pressure, Reclaimed, Reset, Usage};

use crate::boxed::{try_box, try_box_with};
use crate::contain::{Doomed, contain};

#[expect(unsafe_code, reason = "moves the item out of a guard that is dropped")]
mod guard;

pub use self::guard::LocalPooled;

/// How many idle items a local pool keeps, unless told otherwise.
const MAX_IDLE: usize = 256;

/// Beyond an item's own size, what it may hold and still be kept, unless told otherwise.
const OWNED_BYTES: usize = 64 << 10;

/// A pool for one thread: its items may borrow, and need not be `Send`.
///
/// It shares nothing, so it is no faster than a [`Pool`](crate::Pool) whose thread cache hits, but
/// it is smaller: a vector of boxes. The functions that make and clean items are called while the
/// pool is not borrowed, so they may use it.
///
/// # Memory
///
/// Each item lies in a box, from its creation to its drop. Idle are at most
/// [`max_idle`](Self::max_idle) items of [`max_item_weight`](Self::max_item_weight) bytes. The
/// vector of idle items grows to `max_idle` pointers; [`trim`](Self::trim) frees it.
///
/// # Concurrency
///
/// Neither `Sync` nor, as its functions may be bound to the thread, `Send`.
///
/// # Examples
///
/// ```
/// use thrifty_pool::LocalPool;
///
/// let text = String::from("one two two");
/// let words = LocalPool::new(Vec::<&str>::new);
/// let mut found = words.get();
/// found.extend(text.split(' '));
/// assert_eq!(found.len(), 3);
/// drop(found);
/// assert!(words.get().is_empty());
/// ```
pub struct LocalPool<'a, T, C = ByReset> {
    idle: Idle<T>,
    in_use: Cell<usize>,
    created: Cell<u64>,
    max_idle: usize,
    max_item_weight: usize,
    clean: C,
    create: Box<dyn Fn() -> T + 'a>,
}

/// Cleans the items of a [`LocalPool`]. Functions from `&mut T` do, and [`ByReset`].
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use thrifty_pool::{Clean, LocalPool};
///
/// /// A list of names that weighs what it owns.
/// struct Names;
///
/// impl Clean<Vec<Rc<str>>> for Names {
///     fn clean(&self, names: &mut Vec<Rc<str>>) {
///         names.clear();
///     }
///     fn weight(&self, names: &Vec<Rc<str>>) -> usize {
///         size_of_val(names) + names.capacity() * size_of::<Rc<str>>()
///     }
/// }
///
/// let pool = LocalPool::with_cleaner(Vec::new, Names).max_item_weight(1000);
/// pool.get().reserve(1000);
/// assert_eq!(pool.stats().idle, 0);
/// ```
pub trait Clean<T> {
    /// Makes the item as new.
    fn clean(&self, item: &mut T);

    /// The bytes that dropping the clean item would free, its own size included.
    #[inline]
    fn weight(&self, item: &T) -> usize {
        size_of_val(item)
    }
}

/// Cleans items by [`Reset`]: what [`LocalPool::new`] takes.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{ByReset, LocalPool};
///
/// let pool: LocalPool<'_, String, ByReset> = LocalPool::new(String::new);
/// assert_eq!(*pool.get(), "");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ByReset;

impl<T: Reset> Clean<T> for ByReset {
    #[inline]
    fn clean(&self, item: &mut T) {
        item.reset();
    }

    #[inline]
    fn weight(&self, item: &T) -> usize {
        size_of::<T>().saturating_add(item.retained_bytes())
    }
}

impl<T, F: Fn(&mut T)> Clean<T> for F {
    #[inline]
    fn clean(&self, item: &mut T) {
        self(item);
    }
}

impl<'a, T: Reset> LocalPool<'a, T> {
    /// A pool of items that `create` makes and [`Reset`] cleans.
    ///
    /// # Panics
    ///
    /// When there is no memory for what `create` has captured, for which
    /// [`try_with`](Self::try_with) has an error.
    ///
    /// # Examples
    ///
    /// See [`LocalPool`].
    pub fn new(create: impl Fn() -> T + 'a) -> Self {
        Self::with_cleaner(create, ByReset)
    }
}

impl<'a, T, C: Fn(&mut T)> LocalPool<'a, T, C> {
    /// A pool of items that `create` makes and `reset` cleans. An item weighs its size alone: for
    /// items that own memory which grows, see [`with_cleaner`](Self::with_cleaner).
    ///
    /// # Panics
    ///
    /// When there is no memory for what `create` has captured, for which
    /// [`try_with`](Self::try_with) has an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{collections::BTreeSet, rc::Rc};
    /// use thrifty_pool::LocalPool;
    ///
    /// let pool = LocalPool::with(BTreeSet::<Rc<str>>::new, |set| set.clear());
    /// pool.get().insert("shared".into());
    /// assert!(pool.get().is_empty());
    /// ```
    pub fn with(create: impl Fn() -> T + 'a, reset: C) -> Self {
        Self::with_cleaner(create, reset)
    }
}

impl<'a, T, C: Clean<T>> LocalPool<'a, T, C> {
    /// A pool of items that `create` makes and `clean` cleans and weighs.
    ///
    /// # Panics
    ///
    /// When there is no memory for what `create` has captured, for which
    /// [`try_with`](Self::try_with) has an error.
    ///
    /// # Examples
    ///
    /// See [`Clean`].
    pub fn with_cleaner(create: impl Fn() -> T + 'a, clean: C) -> Self {
        match Self::try_with(create, clean) {
            Ok(pool) => pool,
            Err(error) => panic!("{error}"),
        }
    }

    /// A pool of items that `create` makes and `clean` cleans; [`ByReset`] does for those that are
    /// [`Reset`].
    ///
    /// # Errors
    ///
    /// There is no memory for what `create` has captured.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{ByReset, LocalPool};
    ///
    /// let pool = LocalPool::try_with(String::new, ByReset)?;
    /// assert_eq!(*pool.get(), "");
    /// # Ok::<(), thrifty_pool::AllocError>(())
    /// ```
    pub fn try_with(create: impl Fn() -> T + 'a, clean: C) -> Result<Self, AllocError> {
        Ok(Self {
            idle: Idle(RefCell::default()),
            in_use: Cell::new(0),
            created: Cell::new(0),
            max_idle: MAX_IDLE,
            max_item_weight: size_of::<T>().saturating_add(OWNED_BYTES),
            clean,
            create: try_box(create)?,
        })
    }

    /// The most idle items that it keeps; 256 by default. At 0 it keeps none. Of a pool in use, what
    /// is idle beyond that is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::LocalPool;
    ///
    /// let pool = LocalPool::new(String::new).max_idle(1);
    /// drop([pool.get(), pool.get()]);
    /// assert_eq!(pool.stats().idle, 1);
    /// ```
    #[must_use]
    pub fn max_idle(mut self, items: usize) -> Self {
        self.max_idle = items;
        while self.idle.len() > items {
            let Some(item) = self.idle.pop() else { break };
            contain(|| drop(item));
        }
        self
    }

    /// Drops an item on return that weighs more; by default, more than its size and 64 KiB. Below
    /// that size it keeps none. What is idle already stays.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::LocalPool;
    ///
    /// let pool = LocalPool::new(String::new).max_item_weight(1000);
    /// pool.get().reserve(2000);
    /// assert_eq!(pool.stats().idle, 0);
    /// ```
    #[must_use]
    pub fn max_item_weight(mut self, bytes: usize) -> Self {
        self.max_item_weight = bytes;
        self
    }

    /// An idle item, or a new one.
    ///
    /// # Panics
    ///
    /// When there is no memory, for which [`try_get`](Self::try_get) has an error, or making an item
    /// panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::LocalPool;
    ///
    /// let pool = LocalPool::new(String::new);
    /// pool.get().push_str("text");
    /// ```
    #[inline]
    pub fn get(&self) -> LocalPooled<'_, 'a, T, C> {
        match self.try_get() {
            Ok(item) => item,
            Err(error) => no_memory_cold(error),
        }
    }

    /// An idle item, or a new one.
    ///
    /// # Errors
    ///
    /// There is no memory for a new one, which is then not made.
    ///
    /// # Panics
    ///
    /// When making an item does.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::LocalPool;
    ///
    /// let pool = LocalPool::new(String::new);
    /// assert_eq!(*pool.try_get()?, "");
    /// # Ok::<(), thrifty_pool::AllocError>(())
    /// ```
    #[inline]
    pub fn try_get(&self) -> Result<LocalPooled<'_, 'a, T, C>, AllocError> {
        match self.idle.pop() {
            Some(item) => Ok(self.lend(item)),
            None => self.make_cold(),
        }
    }

    #[cold]
    #[inline(never)]
    fn make_cold(&self) -> Result<LocalPooled<'_, 'a, T, C>, AllocError> {
        let item = try_box_with(|| (self.create)())?;
        self.created.set(self.created.get() + 1);
        Ok(self.lend(item))
    }

    /// Drops idle items: on low pressure half of them, else all. A panic in an item's drop ends
    /// there, and the others are dropped all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{LocalPool, Pressure};
    ///
    /// let pool = LocalPool::new(String::new);
    /// drop([pool.get(), pool.get()]);
    /// assert_eq!(pool.trim(Pressure::Low).items, 1);
    /// assert_eq!(pool.trim(Pressure::High).items, 1);
    /// ```
    pub fn trim(&self, pressure: Pressure) -> Reclaimed {
        let idle = self.idle.len();
        let surplus = match pressure {
            Pressure::Low => idle.div_ceil(2),
            Pressure::Medium | Pressure::High => idle,
        };
        let mut reclaimed = Reclaimed::new();
        for _ in 0..surplus {
            let Some(item) = self.idle.pop() else { break };
            contain(|| {
                let weight = self.clean.weight(&item);
                reclaimed.bytes = reclaimed.bytes.saturating_add(weight);
            });
            contain(|| drop(item));
            reclaimed.items += 1;
        }
        let mut idle = self.idle.0.borrow_mut();
        if idle.is_empty() {
            *idle = Vec::new();
        }
        reclaimed
    }

    /// What the pool has done and what it holds.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::LocalPool;
    ///
    /// let pool = LocalPool::new(String::new);
    /// let _line = pool.get();
    /// assert_eq!((pool.stats().in_use, pool.stats().idle), (1, 0));
    /// ```
    #[must_use]
    pub fn stats(&self) -> LocalStats {
        LocalStats {
            in_use: self.in_use.get(),
            idle: self.idle.len(),
            created: self.created.get(),
        }
    }

    #[inline]
    fn lend(&self, item: Box<T>) -> LocalPooled<'_, 'a, T, C> {
        self.in_use.set(self.in_use.get() + 1);
        LocalPooled::new(self, item)
    }

    /// Takes an item back. The user's code runs before the pool is touched.
    #[inline]
    fn receive(&self, item: Box<T>) {
        let mut item = Doomed(Some(item));
        if std::thread::panicking() {
            return;
        }
        let fits = item.0.as_mut().is_some_and(|item| {
            self.clean.clean(item);
            self.clean.weight(item) <= self.max_item_weight
        });
        if fits {
            let mut idle = self.idle.0.borrow_mut();
            if idle.len() < self.max_idle && idle.try_reserve(1).is_ok() {
                idle.extend(item.0.take());
            }
        }
    }
}

/// What is idle. Dropped one by one, as by [`trim`](LocalPool::trim): an item's panic ends there.
struct Idle<T>(RefCell<Vec<Box<T>>>);

impl<T> Idle<T> {
    fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Takes one out. The list is not borrowed while the item is dropped, whose drop may use it.
    #[inline]
    fn pop(&self) -> Option<Box<T>> {
        self.0.borrow_mut().pop()
    }
}

impl<T> Drop for Idle<T> {
    fn drop(&mut self) {
        while let Some(item) = self.pop() {
            contain(|| drop(item));
        }
    }
}

#[cold]
#[inline(never)]
fn no_memory_cold(error: AllocError) -> ! {
    panic!("{error}")
}

/// By the items' own size, without what they own.
impl<T, C: Clean<T>> MemoryUsage for LocalPool<'_, T, C> {
    fn memory_usage(&self) -> Usage {
        let stats = self.stats();
        let slots = self
            .idle
            .0
            .borrow()
            .capacity()
            .saturating_mul(size_of::<Box<T>>());
        let in_use = stats.in_use.saturating_mul(size_of::<T>());
        let idle = stats.idle.saturating_mul(size_of::<T>());
        Usage::new()
            .with_in_use_bytes(in_use)
            .with_idle_bytes(idle)
            .with_reserved_bytes(in_use.saturating_add(idle).saturating_add(slots))
    }
}

impl<T, C: Clean<T>> fmt::Debug for LocalPool<'_, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalPool")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// Figures of a [`LocalPool`].
///
/// # Examples
///
/// ```
/// use thrifty_pool::{LocalPool, LocalStats};
///
/// let pool = LocalPool::new(String::new);
/// assert_eq!(pool.stats(), LocalStats::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalStats {
    /// Items on loan.
    pub in_use: usize,
    /// Idle items.
    pub idle: usize,
    /// Items that were made so far.
    pub created: u64,
}
