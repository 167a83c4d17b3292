//! Walks over what was interned.

use core::fmt;
use core::iter::FusedIterator;
use core::ops::Range;

use super::LocalInterner;
use crate::{Key, Symbol};

/// Symbols and what they stand for, in the order of the symbols. From [`LocalInterner::iter`].
pub struct LocalIter<'a, K: ?Sized, Y, S> {
    interner: &'a LocalInterner<K, Y, S>,
    left: Range<u32>,
}

impl<'a, K: ?Sized, Y, S> LocalIter<'a, K, Y, S> {
    pub(super) fn new(interner: &'a LocalInterner<K, Y, S>) -> Self {
        Self {
            interner,
            left: 0..interner.count(),
        }
    }
}

impl<'a, K: Key + ?Sized, Y: Symbol, S> LocalIter<'a, K, Y, S> {
    fn item(&self, index: u32) -> Option<(Y, &'a K)> {
        let symbol = Y::try_from_index(index)?;
        Some((symbol, self.interner.try_resolve(symbol)?))
    }
}

impl<'a, K: Key + ?Sized, Y: Symbol, S> Iterator for LocalIter<'a, K, Y, S> {
    type Item = (Y, &'a K);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let index = self.left.next()?;
        self.item(index)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.left.len();
        (left, Some(left))
    }

    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        let index = self.left.nth(n)?;
        self.item(index)
    }
}

impl<K: Key + ?Sized, Y: Symbol, S> DoubleEndedIterator for LocalIter<'_, K, Y, S> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let index = self.left.next_back()?;
        self.item(index)
    }
}

impl<K: Key + ?Sized, Y: Symbol, S> ExactSizeIterator for LocalIter<'_, K, Y, S> {}
impl<K: Key + ?Sized, Y: Symbol, S> FusedIterator for LocalIter<'_, K, Y, S> {}

impl<K: ?Sized, Y, S> Clone for LocalIter<'_, K, Y, S> {
    fn clone(&self) -> Self {
        Self {
            interner: self.interner,
            left: self.left.clone(),
        }
    }
}

impl<K: ?Sized, Y, S> fmt::Debug for LocalIter<'_, K, Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalIter")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl<'a, K: Key + ?Sized, Y: Symbol, S> IntoIterator for &'a LocalInterner<K, Y, S> {
    type Item = (Y, &'a K);
    type IntoIter = LocalIter<'a, K, Y, S>;

    fn into_iter(self) -> Self::IntoIter {
        LocalIter::new(self)
    }
}
