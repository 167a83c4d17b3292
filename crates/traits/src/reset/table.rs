//! How the hash tables of `std` and `hashbrown` are emptied.

/// Empties a hash table, tombstones included. `$is_clean` says whether the table has no
/// tombstones, and counts only when it has no entries either.
///
/// A removal may leave a tombstone, which takes up room. `clear` returns early for a table
/// without entries, so that a table whose entries were all removed would keep its tombstones,
/// and would grow on the way to the number of entries that it had before. `drain` wipes them,
/// but takes time in proportion to the capacity, so a clean table is left alone.
///
/// `clear` is better for a table with entries: when the destructor of one panics, `drain` leaks
/// the allocation.
macro_rules! clear_table {
    ($table:expr, $is_clean:expr) => {
        if !$table.is_empty() {
            $table.clear();
        } else if !$is_clean {
            drop($table.drain());
        }
    };
}

pub(super) use clear_table;

/// What a table of `buckets`, a power of two, reports as its capacity when it has no
/// tombstones: one bucket in eight, and at least one, stays empty.
pub(super) const fn full_capacity(buckets: usize) -> usize {
    if buckets < 8 {
        buckets.saturating_sub(1)
    } else {
        buckets / 8 * 7
    }
}
