//! What a handle does as its key does.

#![forbid(unsafe_code)]

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use super::Shared;
use crate::key::Key;

impl<K: ?Sized + Key> AsRef<K> for Shared<K> {
    #[inline]
    fn as_ref(&self) -> &K {
        self
    }
}

// Equal, ordered and hashed as the key: what a map relies on.
impl<K: ?Sized + Key> Borrow<K> for Shared<K> {
    #[inline]
    fn borrow(&self) -> &K {
        self
    }
}

impl<K: ?Sized + Key> PartialEq for Shared<K> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // By `Key`'s contract keys are equal exactly if their bytes are.
        Self::ptr_eq(self, other) || self.bytes() == other.bytes()
    }
}

impl<K: ?Sized + Key> Eq for Shared<K> {}

impl<K: ?Sized + Key> PartialEq<K> for Shared<K> {
    #[inline]
    fn eq(&self, other: &K) -> bool {
        **self == *other
    }
}

impl<K: ?Sized + Key> PartialEq<&K> for Shared<K> {
    #[inline]
    fn eq(&self, other: &&K) -> bool {
        **self == **other
    }
}

impl<K: ?Sized + Key + PartialOrd> PartialOrd for Shared<K> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<K: ?Sized + Key + Ord> Ord for Shared<K> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<K: ?Sized + Key + Hash> Hash for Shared<K> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<K: ?Sized + Key + fmt::Display> fmt::Display for Shared<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
