//! What a vector is to std: a slice, a target of `extend`, a writer.

#![forbid(unsafe_code)]

use core::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::{Deref, DerefMut},
};
use std::io;

use super::ArenaVec;
use crate::arena::fail;

impl<T, const MIN_ALIGN: usize> Deref for ArenaVec<'_, T, MIN_ALIGN> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T, const MIN_ALIGN: usize> DerefMut for ArenaVec<'_, T, MIN_ALIGN> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        self.as_mut_slice()
    }
}

/// Panics where there is no room; see [`ArenaVec::try_extend`].
impl<T, const MIN_ALIGN: usize> Extend<T> for ArenaVec<'_, T, MIN_ALIGN> {
    #[inline]
    #[track_caller]
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        if let Err(rejected) = self.try_extend(items) {
            fail(rejected.error);
        }
    }
}

/// Panics where there is no room; see [`ArenaVec::try_extend`].
impl<'t, T: Copy + 't, const MIN_ALIGN: usize> Extend<&'t T> for ArenaVec<'_, T, MIN_ALIGN> {
    #[inline]
    #[track_caller]
    fn extend<I: IntoIterator<Item = &'t T>>(&mut self, items: I) {
        self.extend(items.into_iter().copied());
    }
}

impl<'v, T, const MIN_ALIGN: usize> IntoIterator for &'v ArenaVec<'_, T, MIN_ALIGN> {
    type Item = &'v T;
    type IntoIter = core::slice::Iter<'v, T>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'v, T, const MIN_ALIGN: usize> IntoIterator for &'v mut ArenaVec<'_, T, MIN_ALIGN> {
    type Item = &'v mut T;
    type IntoIter = core::slice::IterMut<'v, T>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T, const MIN_ALIGN: usize> AsRef<[T]> for ArenaVec<'_, T, MIN_ALIGN> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T, const MIN_ALIGN: usize> AsMut<[T]> for ArenaVec<'_, T, MIN_ALIGN> {
    fn as_mut(&mut self) -> &mut [T] {
        self
    }
}

impl<T, const MIN_ALIGN: usize> Borrow<[T]> for ArenaVec<'_, T, MIN_ALIGN> {
    fn borrow(&self) -> &[T] {
        self
    }
}

impl<T: fmt::Debug, const MIN_ALIGN: usize> fmt::Debug for ArenaVec<'_, T, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_slice(), f)
    }
}

impl<T: PartialEq, const MIN_ALIGN: usize> PartialEq for ArenaVec<'_, T, MIN_ALIGN> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

macro_rules! equals_slices {
    ($([$($generics:tt)*] $other:ty;)+) => { $(
        impl<T: PartialEq<U>, U, $($generics)* const MIN_ALIGN: usize> PartialEq<$other>
            for ArenaVec<'_, T, MIN_ALIGN>
        {
            fn eq(&self, other: &$other) -> bool {
                self.as_slice() == &other[..]
            }
        }
    )+ };
}

equals_slices! {
    [] [U];
    [] &[U];
    [] &mut [U];
    [const N: usize,] [U; N];
    [const N: usize,] &[U; N];
}

impl<T: Eq, const MIN_ALIGN: usize> Eq for ArenaVec<'_, T, MIN_ALIGN> {}

impl<T: PartialOrd, const MIN_ALIGN: usize> PartialOrd for ArenaVec<'_, T, MIN_ALIGN> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.as_slice().partial_cmp(other.as_slice())
    }
}

impl<T: Ord, const MIN_ALIGN: usize> Ord for ArenaVec<'_, T, MIN_ALIGN> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl<T: Hash, const MIN_ALIGN: usize> Hash for ArenaVec<'_, T, MIN_ALIGN> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

/// Appends; fails with [`io::ErrorKind::OutOfMemory`] where there is no room.
impl<const MIN_ALIGN: usize> io::Write for ArenaVec<'_, u8, MIN_ALIGN> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        // The kind alone: an error that holds another one allocates.
        self.try_extend_from_slice(bytes)
            .map_err(|_| io::ErrorKind::OutOfMemory.into())
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
