//! The hash tables of `std`, and an estimate of the allocation that they do not reveal.
//!
//! `std` wraps `hashbrown`, whose one allocation is laid out like this:
//!
//! ```text
//! | bucket[n-1] … bucket[1] bucket[0] | padding | control[0] … control[n-1] | copy of one group |
//! '----- n * size_of::<(K, V)>() -----'         '------------ n bytes ------'--- GROUP_WIDTH ---'
//! ```

use std::collections::{HashMap, HashSet};

use super::Reset;
use super::table::{clear_table, full_capacity};

/// How many control bytes the table looks at in one step: a vector register, or a word.
///
/// This follows `hashbrown` as of 0.17, and the target features of this crate, which may be more
/// than those that `std` was compiled with. On LoongArch with LSX, `std` uses 16: there the
/// estimate is 8 to 16 bytes low. The tests that compare it with what an allocator counts have run
/// on x86-64 only.
const GROUP_WIDTH: usize = if cfg!(all(target_feature = "sse2", not(miri))) {
    16
} else if cfg!(any(target_pointer_width = "64", target_arch = "wasm32")) {
    8
} else {
    4
};

/// Keeps the table and the hasher.
///
/// The standard library does not tell how large its allocation is, so `retained_bytes` computes
/// it from the capacity and the layout of the table, which was the same from Rust 1.85 to 1.95.
/// Between removals and the next reset, tombstones may hide part of the capacity, and the answer
/// is low.
///
/// The same goes for the reset: it sees tombstones in an empty table by a capacity that no table
/// has without them. When they take up exactly half of it (or three quarters, and so on) the
/// rest looks like the whole of a smaller table. The reset then leaves them, and the map will
/// reuse or grow over them as it would have without the reset.
impl<K, V, S> Reset for HashMap<K, V, S> {
    #[inline]
    fn reset(&mut self) {
        clear_table!(self, looks_clean(self.capacity()));
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        table_bytes::<(K, V)>(self.capacity())
    }
}

/// Keeps the table and the hasher, as for `HashMap`; `retained_bytes` is the same estimate.
impl<T, S> Reset for HashSet<T, S> {
    #[inline]
    fn reset(&mut self) {
        clear_table!(self, looks_clean(self.capacity()));
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        table_bytes::<T>(self.capacity())
    }
}

/// Whether an empty table that reports `capacity` has no tombstones, as far as one can tell.
fn looks_clean(capacity: usize) -> bool {
    full_capacity(buckets(capacity)) == capacity
}

/// The allocation of a table that reports `capacity` entries of type `T`.
fn table_bytes<T>(capacity: usize) -> usize {
    if capacity == 0 {
        return 0;
    }
    let buckets = buckets(capacity);
    // Padded to the group only: where `T` is aligned more strictly, so is the end of its
    // buckets.
    size_of::<T>()
        .saturating_mul(buckets)
        .checked_next_multiple_of(GROUP_WIDTH)
        .unwrap_or(usize::MAX)
        .saturating_add(buckets)
        .saturating_add(GROUP_WIDTH)
}

/// The bucket count of a table with room for `capacity` entries: at least 4, and a power of
/// two, of which one in eight, and at least one, stays empty.
fn buckets(capacity: usize) -> usize {
    capacity
        .saturating_mul(8)
        .div_ceil(7)
        .next_power_of_two()
        .max(4)
}

#[cfg(test)]
mod tests {
    use core::hash::{BuildHasherDefault, Hasher};

    use super::*;

    /// Puts the number `n` into bucket `n`.
    #[derive(Default)]
    struct InOrder(u64);

    impl Hasher for InOrder {
        fn finish(&self) -> u64 {
            self.0
        }

        fn write(&mut self, _: &[u8]) {
            unreachable!("only numbers are hashed");
        }

        fn write_u64(&mut self, number: u64) {
            self.0 = number;
        }
    }

    /// An empty set of 64 buckets, with room for 56, and this many tombstones. The items were
    /// neighbours and filled a group at least: a removal leaves no tombstone where less is full.
    fn worn(tombstones: u64) -> HashSet<u64, BuildHasherDefault<InOrder>> {
        let mut set = HashSet::with_capacity_and_hasher(56, <_>::default());
        assert_eq!(set.capacity(), 56);
        set.extend(0..tombstones);
        set.retain(|_| false);
        assert_eq!(set.capacity() as u64, 56 - tombstones);
        set
    }

    #[test]
    fn tables_without_tombstones_look_clean() {
        for requested in 1..5000 {
            let capacity = HashSet::<u64>::with_capacity(requested).capacity();
            assert!(looks_clean(capacity), "{capacity} for {requested}");
            let capacity = HashSet::<u8>::with_capacity(requested).capacity();
            assert!(looks_clean(capacity), "{capacity} for {requested}");
        }
    }

    #[test]
    fn any_other_capacity_means_tombstones() {
        let clean = (0..=448).filter(|capacity| looks_clean(*capacity));
        assert!(clean.eq([3, 7, 14, 28, 56, 112, 224, 448]));
        assert!(!looks_clean(usize::MAX));
    }

    /// That the reset leaves 28 of 56 tombstones is the price of not wiping clean tables, and
    /// shows that it does not: nothing else tells the two cases apart.
    #[test]
    fn a_table_is_wiped_unless_it_looks_clean() {
        for tombstones in 16..=50 {
            let mut set = worn(tombstones);
            set.reset();
            let left = match tombstones {
                28 | 42 | 49 => 56 - tombstones,
                _ => 56,
            };
            assert_eq!(set.capacity() as u64, left, "{tombstones} tombstones");
        }
    }
}
