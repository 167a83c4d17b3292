//! The strings of an interner, in the order of their symbols.

use core::fmt;
use core::iter::FusedIterator;

use crate::interner::symbol;
use crate::{DefaultState, Interner, Key, Sym, Symbol};

/// The strings of an [`Interner`] with their symbols, from [`Interner::iter`].
///
/// # Examples
///
/// ```
/// let interner = thrifty_interner::Interner::new();
/// let symbol = interner.intern("host");
/// assert_eq!(interner.iter().next(), Some((symbol, "host")));
/// ```
pub struct Iter<'a, K: ?Sized + Key = str, Y: Symbol = Sym, S = DefaultState> {
    interner: &'a Interner<K, Y, S>,
    next: usize,
    end: usize,
}

impl<'a, K: ?Sized + Key, Y: Symbol, S> Iter<'a, K, Y, S> {
    pub(crate) fn new(interner: &'a Interner<K, Y, S>, end: usize) -> Self {
        Self {
            interner,
            next: 0,
            end,
        }
    }
}

impl<'a, K: ?Sized + Key, Y: Symbol, S> Iterator for Iter<'a, K, Y, S> {
    type Item = (Y, &'a K);

    fn next(&mut self) -> Option<Self::Item> {
        while self.next < self.end {
            self.next += 1;
            let symbol = symbol::<Y>(u32::try_from(self.next).ok()?)?;
            // Another thread may have taken the number and not yet published the string.
            if let Some(key) = self.interner.try_resolve(symbol) {
                return Some((symbol, key));
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.end - self.next))
    }
}

impl<K: ?Sized + Key, Y: Symbol, S> FusedIterator for Iter<'_, K, Y, S> {}

impl<K: ?Sized + Key, Y: Symbol, S> Clone for Iter<'_, K, Y, S> {
    fn clone(&self) -> Self {
        Self {
            interner: self.interner,
            next: self.next,
            end: self.end,
        }
    }
}

impl<K: ?Sized + Key, Y: Symbol, S> fmt::Debug for Iter<'_, K, Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter")
            .field("next", &self.next)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
