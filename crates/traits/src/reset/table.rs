//! How the hash tables of `std` and `hashbrown` are emptied.

/// Empties a hash table, tombstones included.
///
/// A removal may leave a tombstone, which takes up room. `clear` returns early for a table
/// without entries, so that a table whose entries were all removed would keep its tombstones,
/// and would grow on the way to the number of entries that it had before. `drain` wipes them.
///
/// `clear` is better for a table with entries: when the destructor of one panics, `drain` leaks
/// the allocation.
macro_rules! clear_table {
    ($table:expr) => {
        if $table.is_empty() {
            drop($table.drain());
        } else {
            $table.clear();
        }
    };
}

pub(super) use clear_table;
