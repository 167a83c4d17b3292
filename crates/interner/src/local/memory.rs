//! What a [`LocalInterner`] holds, and gives back.

#![forbid(unsafe_code)]

use core::hash::BuildHasher;

use thrifty_traits::{MemoryUsage, Pressure, Reclaimed, Usage};

use super::{Allowance, LocalInterner, Place, store};
use crate::{Headroom, Key, Symbol};

impl<K: ?Sized, Y, S> LocalInterner<K, Y, S> {
    /// Bytes from the allocator.
    pub(super) fn reserved_bytes(&self) -> usize {
        self.table.allocation_size()
            + self.places.capacity() * size_of::<Place>()
            + self.store.reserved_bytes()
            + self.history.bytes()
    }

    /// What it may still take.
    pub(super) fn allowance(&self) -> Allowance {
        self.builder.limits.allowance(self.reserved_bytes())
    }

    /// What there is room for.
    ///
    /// A string may need more bytes than its own, where a table or a chunk is full.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::builder().max_symbols(10).build();
    /// names.intern("a");
    /// assert_eq!(names.headroom().strings_left, 9);
    /// ```
    #[must_use]
    pub fn headroom(&self) -> Headroom
    where
        Y: Symbol,
    {
        let symbols = self.builder.limits.symbols.min(Y::COUNT as usize);
        Headroom {
            bytes_left: self.allowance().left_bytes(),
            strings_left: symbols.saturating_sub(self.len()),
        }
    }

    /// Bytes of all strings, each counted once.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// names.extend(["abc", "de", "abc"]);
    /// assert_eq!(names.payload_bytes(), 5);
    /// ```
    #[must_use]
    pub const fn payload_bytes(&self) -> usize {
        self.store.payload_bytes()
    }
}

impl<K: Key + ?Sized, Y: Symbol, S: BuildHasher> LocalInterner<K, Y, S> {
    /// Gives back what is idle: spare room of the tables and of the open chunk.
    ///
    /// What is left is copied; where the allocator refuses the room, the larger block stays.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    /// use thrifty_traits::MemoryUsage;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// names.try_reserve(1000).unwrap();
    /// names.intern("a");
    /// names.shrink_to_fit();
    /// assert!(names.memory_usage().reserved_bytes < 150);
    /// ```
    pub fn shrink_to_fit(&mut self) {
        self.store.shrink(self.len());
        store::shrink(&mut self.places);
        // A table for as many is never larger than the one that there is; it may be as large.
        if self.table.capacity() >= 2 * self.len().max(2) {
            let _ = self.grow_table(self.len());
        }
        if self.is_empty() {
            self.table = hashbrown::HashTable::new();
        }
    }

    /// Gives back idle memory if the pressure is more than low; see [`shrink_to_fit`](Self::shrink_to_fit).
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    /// use thrifty_traits::Pressure;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// names.try_reserve(1000).unwrap();
    /// assert!(names.trim(Pressure::Low).is_nothing());
    /// assert!(names.trim(Pressure::High).bytes > 9000);
    /// ```
    pub fn trim(&mut self, pressure: Pressure) -> Reclaimed {
        if pressure == Pressure::Low {
            return Reclaimed::new();
        }
        let before = self.reserved_bytes();
        self.shrink_to_fit();
        let bytes = before.saturating_sub(self.reserved_bytes());
        Reclaimed::new()
            .with_bytes(bytes)
            .with_items(usize::from(bytes > 0))
    }
}

/// In use are the strings' bytes; idle is what the next strings will take, before anything is allocated.
impl<K: ?Sized, Y, S> MemoryUsage for LocalInterner<K, Y, S> {
    fn memory_usage(&self) -> Usage {
        let spare_places = self.places.capacity() - self.places.len();
        Usage::new()
            .with_in_use_bytes(self.payload_bytes())
            .with_idle_bytes(self.store.idle_bytes() + spare_places * size_of::<Place>())
            .with_reserved_bytes(self.reserved_bytes())
    }
}
