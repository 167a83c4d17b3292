//! Walks over a frozen interner.

use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;
use core::ops::Range;

use super::layout::View;
use crate::{Key, Kinds, Symbol};

/// Symbols and what they stand for, in the order of the symbols.
///
/// From [`Frozen::iter`](crate::Frozen::iter) and [`Resolver::iter`](crate::Resolver::iter).
pub struct FrozenIter<'a, K: ?Sized, Y> {
    view: View<'a>,
    left: Range<u32>,
    kinds: Kinds<K, Y>,
}

impl<'a, K: Key + ?Sized, Y: Symbol> FrozenIter<'a, K, Y> {
    /// Over an image of keys of this kind.
    pub(crate) fn new(view: View<'a>) -> Self {
        Self {
            left: 0..view.layout.count,
            view,
            kinds: PhantomData,
        }
    }

    fn item(&self, index: u32) -> Option<(Y, &'a K)> {
        let bytes = self.view.key(index)?;
        // SAFETY: as in `Resolver::try_resolve`: the image was built from such keys or checked for them.
        let key = unsafe { K::from_bytes(bytes) };
        Some((Y::try_from_index(index)?, key))
    }
}

impl<'a, K: Key + ?Sized, Y: Symbol> Iterator for FrozenIter<'a, K, Y> {
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

impl<K: Key + ?Sized, Y: Symbol> DoubleEndedIterator for FrozenIter<'_, K, Y> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let index = self.left.next_back()?;
        self.item(index)
    }
}

impl<K: Key + ?Sized, Y: Symbol> ExactSizeIterator for FrozenIter<'_, K, Y> {}
impl<K: Key + ?Sized, Y: Symbol> FusedIterator for FrozenIter<'_, K, Y> {}

impl<K: ?Sized, Y> Clone for FrozenIter<'_, K, Y> {
    fn clone(&self) -> Self {
        Self {
            view: self.view,
            left: self.left.clone(),
            kinds: PhantomData,
        }
    }
}

impl<K: ?Sized, Y> fmt::Debug for FrozenIter<'_, K, Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrozenIter")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
