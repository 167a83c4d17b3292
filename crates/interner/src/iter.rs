//! The strings of an interner, in the order of their symbols.

use core::fmt;
use core::iter::FusedIterator;

use thrifty_sync::atomic::AtomicU32;

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
    /// How many symbols have been looked at.
    next: usize,
    end: usize,
    /// What is left of the page of the next one.
    places: &'a [AtomicU32],
}

impl<'a, K: ?Sized + Key, Y: Symbol, S> Iter<'a, K, Y, S> {
    pub(crate) fn new(interner: &'a Interner<K, Y, S>, end: usize) -> Self {
        Self {
            interner,
            next: 0,
            end,
            places: &[],
        }
    }

    /// A new page, at its beginning or as soon as it is there.
    #[cold]
    fn turn_page(&mut self, number: u32) {
        let body = self.interner.live().body();
        self.places = body.map_or(&[], |body| body.places(number));
    }
}

impl<'a, K: ?Sized + Key, Y: Symbol, S> Iterator for Iter<'a, K, Y, S> {
    type Item = (Y, &'a K);

    fn next(&mut self) -> Option<Self::Item> {
        while self.next < self.end {
            self.next += 1;
            let number = u32::try_from(self.next).ok()?;
            let symbol = symbol::<Y>(number)?;
            if self.places.is_empty() {
                self.turn_page(number);
            }
            let Some((place, left)) = self.places.split_first() else {
                continue;
            };
            self.places = left;
            let known = self.interner.named(place);
            // Another thread may have taken the number and not yet published the string.
            if let Some(key) = known.or_else(|| self.interner.try_resolve_slow(symbol)) {
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
            places: self.places,
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
