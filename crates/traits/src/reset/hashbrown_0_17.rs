//! The tables of `hashbrown` 0.17, which tell exactly how large their allocation is.
//!
//! Only tables in the global allocator: the `Allocator` trait that names any other one is
//! private to `hashbrown` unless a further crate is drawn in.

use core::hash::{BuildHasher, Hash};

use hashbrown::{HashMap, HashSet, HashTable};

use super::Reset;
use super::table::{clear_table, full_capacity};

/// Keeps the table and the hasher.
impl<K: Eq + Hash, V, S: BuildHasher> Reset for HashMap<K, V, S> {
    #[inline]
    fn reset(&mut self) {
        clear_table!(
            self,
            is_clean::<(K, V)>(self.capacity(), self.allocation_size())
        );
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
        clear_table!(self, is_clean::<T>(self.capacity(), self.allocation_size()));
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
        clear_table!(self, is_clean::<T>(self.capacity(), self.allocation_size()));
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.allocation_size()
    }
}

/// Whether an empty table of this size that reports `capacity` has no tombstones.
///
/// The answer is exact, except that it is always `false` for zero-sized entries, whose table is
/// too small to matter.
fn is_clean<T>(capacity: usize, allocation: usize) -> bool {
    // For each of its buckets, a power of two, a table has an entry and a control byte. What else
    // it has is less than this takes, or else the result is too large, and the capacity is not
    // that of so many.
    let at_most = allocation / (size_of::<T>() + 1);
    let buckets = at_most.checked_ilog2().map_or(0, |log| 1 << log);
    capacity == full_capacity(buckets)
}

#[cfg(test)]
mod tests {
    use core::hash::BuildHasherDefault;
    use std::hash::DefaultHasher;

    use super::*;

    type Set<T> = HashSet<T, BuildHasherDefault<DefaultHasher>>;

    fn check<T: Eq + Hash>(requested: usize) {
        let set = Set::<T>::with_capacity_and_hasher(requested, <_>::default());
        let (full, allocation) = (set.capacity(), set.allocation_size());
        assert!(
            is_clean::<T>(full, allocation),
            "{requested} of {}",
            size_of::<T>()
        );
        for capacity in [0, full / 4, full / 2, full - 1, full * 2] {
            assert!(!is_clean::<T>(capacity, allocation), "{capacity} of {full}");
        }
    }

    #[test]
    fn only_a_full_capacity_is_clean() {
        #[derive(PartialEq, Eq, Hash)]
        #[repr(align(64))]
        struct Wide(u8);

        assert!(is_clean::<u8>(0, Set::<u8>::default().allocation_size()));
        for requested in (1..200).chain((200..20_000).step_by(97)) {
            check::<u8>(requested);
            check::<u16>(requested);
            check::<[u8; 3]>(requested);
            check::<u32>(requested);
            check::<u64>(requested);
            check::<[u64; 9]>(requested);
            check::<Wide>(requested);
        }
    }
}
