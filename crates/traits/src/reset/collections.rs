//! The collections and owners of `alloc`.
//!
//! Each `clear` of the standard library leaves the collection valid and empty even when an
//! element's destructor panics, and leaks at most the remaining elements.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, BinaryHeap, LinkedList, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use super::Reset;

macro_rules! clear_and_keep_buffer {
    ($($collection:ident),+) => {$(
        impl<T> Reset for $collection<T> {
            #[inline]
            fn reset(&mut self) {
                self.clear();
            }

            // The product cannot overflow: an allocation has at most `isize::MAX` bytes, and
            // the capacity of a collection of zero-sized elements is multiplied by zero.
            #[inline]
            fn retained_bytes(&self) -> usize {
                self.capacity() * size_of::<T>()
            }
        }
    )+};
}

clear_and_keep_buffer!(BinaryHeap, Vec, VecDeque);

impl Reset for String {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.capacity()
    }
}

/// Frees every node: a `BTreeMap` has no capacity to keep.
impl<K, V> Reset for BTreeMap<K, V> {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }
}

/// Frees every node: a `BTreeSet` has no capacity to keep.
impl<T> Reset for BTreeSet<T> {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }
}

/// Frees every node: a `LinkedList` has no capacity to keep.
impl<T> Reset for LinkedList<T> {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }
}

/// Resets the value in place. The box keeps its allocation, and so its address.
///
/// A `Box<[T]>` keeps its length and resets each element. A `Box<dyn Reset>` works too.
impl<T: Reset + ?Sized> Reset for Box<T> {
    #[inline]
    fn reset(&mut self) {
        (**self).reset();
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        size_of_val::<T>(self).saturating_add((**self).retained_bytes())
    }
}
