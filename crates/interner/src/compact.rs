//! Keeping some strings and leaving the others behind.

use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::iter::FusedIterator;
use core::marker::PhantomData;
use core::mem::size_of;

use crate::interner::symbol;
use crate::live::Query;
use crate::{InternError, Interner, Key, Symbol};

/// Which symbol became which, from [`Interner::compact`].
///
/// # Memory
///
/// Four bytes for each symbol that there was.
///
/// # Examples
///
/// ```
/// let mut interner = thrifty_interner::Interner::new();
/// let [a, b] = ["a", "b"].map(|key| interner.intern(key));
/// let remap = interner.compact(|symbol| symbol == b);
/// assert_eq!(remap.get(a), None);
/// assert_eq!(remap.get(b), interner.get("b"));
/// ```
pub struct Remap<Y> {
    /// By the old symbol's index: the new one's number, 0 if there is none.
    numbers: Vec<u32>,
    symbols: PhantomData<fn() -> Y>,
}

impl<Y: Symbol> Remap<Y> {
    /// What has become of a symbol: `None` if its string is gone, or was never there.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut interner = thrifty_interner::Interner::new();
    /// let symbol = interner.intern("a");
    /// assert_eq!(interner.compact(|_| true).get(symbol), Some(symbol));
    /// ```
    #[must_use]
    pub fn get(&self, old: Y) -> Option<Y> {
        symbol(*self.numbers.get(old.index() as usize)?)
    }

    /// How many symbols there were.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut interner = thrifty_interner::Interner::new();
    /// interner.intern("a");
    /// assert_eq!(interner.compact(|_| false).len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there was no symbol.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(thrifty_interner::Interner::new().compact(|_| true).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Every symbol that there was, and what has become of it.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut interner = thrifty_interner::Interner::new();
    /// let [a, b] = ["a", "b"].map(|key| interner.intern(key));
    /// let remap = interner.compact(|symbol| symbol == b);
    /// assert_eq!(remap.iter().collect::<Vec<_>>(), [(a, None), (b, Some(a))]);
    /// ```
    #[must_use]
    pub fn iter(&self) -> RemapIter<'_, Y> {
        RemapIter {
            remap: self,
            next: 0,
        }
    }
}

impl<Y: Symbol> core::fmt::Debug for Remap<Y> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<'a, Y: Symbol> IntoIterator for &'a Remap<Y> {
    type Item = (Y, Option<Y>);
    type IntoIter = RemapIter<'a, Y>;

    fn into_iter(self) -> RemapIter<'a, Y> {
        self.iter()
    }
}

/// Old symbols with their new ones, from [`Remap::iter`].
///
/// # Examples
///
/// ```
/// let mut interner = thrifty_interner::Interner::new();
/// interner.intern("a");
/// assert_eq!(interner.compact(|_| true).iter().count(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct RemapIter<'a, Y: Symbol> {
    remap: &'a Remap<Y>,
    next: usize,
}

impl<Y: Symbol> Iterator for RemapIter<'_, Y> {
    type Item = (Y, Option<Y>);

    fn next(&mut self) -> Option<Self::Item> {
        let new = *self.remap.numbers.get(self.next)?;
        self.next += 1;
        let old = symbol(u32::try_from(self.next).ok()?)?;
        Some((old, symbol(new)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.remap.len() - self.next;
        (left, Some(left))
    }
}

impl<Y: Symbol> ExactSizeIterator for RemapIter<'_, Y> {}

impl<Y: Symbol> FusedIterator for RemapIter<'_, Y> {}

impl<K: ?Sized + Key, Y: Symbol, S: BuildHasher> Interner<K, Y, S> {
    /// Keeps the strings whose symbols are `live`, gives them new symbols in the same order, and gives back the
    /// memory of all others.
    ///
    /// # Panics
    ///
    /// If there is no memory for it; see [`try_compact`](Self::try_compact).
    ///
    /// # Examples
    ///
    /// ```
    /// let mut interner = thrifty_interner::Interner::new();
    /// let used = interner.intern("used");
    /// interner.intern("unused");
    /// let remap = interner.compact(|symbol| symbol == used);
    /// assert_eq!(interner.len(), 1);
    /// assert_eq!(interner.resolve(remap.get(used).unwrap()), "used");
    /// ```
    #[track_caller]
    pub fn compact(&mut self, live: impl FnMut(Y) -> bool) -> Remap<Y> {
        match self.try_compact(live) {
            Ok(remap) => remap,
            Err(error) => panic!("{error}"),
        }
    }

    /// Keeps the strings whose symbols are `live`, gives them new symbols in the same order, and gives back the
    /// memory of all others.
    ///
    /// `live` is asked for all symbols in their order, before anything else is done. Then the strings that stay are copied, so
    /// for a while there are both: a limit holds for each of the two. Marks that were taken before are stale.
    ///
    /// # Errors
    ///
    /// If there is no memory for it. Then nothing has changed, as if `live` or the hasher panics.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut interner = thrifty_interner::Interner::new();
    /// interner.intern("a");
    /// let remap = interner.try_compact(|_| false).unwrap();
    /// assert_eq!((remap.len(), interner.len()), (1, 0));
    /// ```
    pub fn try_compact(
        &mut self,
        mut live: impl FnMut(Y) -> bool,
    ) -> Result<Remap<Y>, InternError> {
        let count = self.len();
        let mut numbers = Vec::new();
        numbers
            .try_reserve_exact(count)
            .map_err(|_| InternError::Backend {
                size_bytes: count * size_of::<u32>(),
            })?;
        // A number's symbol is there, since it was given out.
        let asked = (1..=u32::MAX).map_while(symbol).take(count);
        numbers.extend(asked.map(|symbol| u32::from(live(symbol))));
        let (state, body) = self.parts_mut();
        body.compact(&mut numbers, |bytes| {
            Query::new(bytes, K::ALIGN, state).hash
        })?;
        Ok(Remap {
            numbers,
            symbols: PhantomData,
        })
    }
}
