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
use super::table::clear_table;

/// How many control bytes the table looks at in one step: a vector register, or a word.
const GROUP_WIDTH: usize = if cfg!(target_feature = "sse2") {
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
impl<K, V, S> Reset for HashMap<K, V, S> {
    #[inline]
    fn reset(&mut self) {
        clear_table!(self);
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        table_bytes::<(K, V)>(self.capacity())
    }
}

/// Keeps the table and the hasher; `retained_bytes` is the same estimate as for `HashMap`.
impl<T, S> Reset for HashSet<T, S> {
    #[inline]
    fn reset(&mut self) {
        clear_table!(self);
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        table_bytes::<T>(self.capacity())
    }
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
