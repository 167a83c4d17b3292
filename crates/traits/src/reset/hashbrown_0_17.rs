//! The tables of `hashbrown` 0.17, which tell exactly how large their allocation is.
//!
//! Only tables in the global allocator: the `Allocator` trait that names any other one is
//! private to `hashbrown` unless a further crate is drawn in.

use core::hash::{BuildHasher, Hash};

use hashbrown::{HashMap, HashSet, HashTable};

use super::Reset;
use super::table::clear_table;

/// Keeps the table and the hasher.
impl<K: Eq + Hash, V, S: BuildHasher> Reset for HashMap<K, V, S> {
    #[inline]
    fn reset(&mut self) {
        clear_table!(self);
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.allocation_size()
    }
}

/// Keeps the table and the hasher.
impl<T: Eq + Hash, S: BuildHasher> Reset for HashSet<T, S> {
    #[inline]
    fn reset(&mut self) {
        clear_table!(self);
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.allocation_size()
    }
}

/// Keeps the table.
impl<T> Reset for HashTable<T> {
    #[inline]
    fn reset(&mut self) {
        clear_table!(self);
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.allocation_size()
    }
}
