//! Replacing a shard's table: by a larger one, or by one with a hash of its own.

use std::collections::hash_map::RandomState;

use thrifty_sync::{atomic::AtomicPtr, ord};

use super::body::{Body, lock};
use super::geometry::Geometry;
use super::query::keyed_tag_slow;
use super::slot;
use super::table::{Header, TableRef};
use crate::InternError;

impl<G: Geometry> Body<G> {
    /// The shard's table, while its lock is held.
    #[inline]
    pub(crate) fn own_table(&self, place: &AtomicPtr<Header>) -> Option<TableRef<G>> {
        // ORDERING(interner.own_table): Relaxed; written under the shard's lock only, which is held.
        let current = place.load(ord!(interner.own_table, Relaxed));
        // SAFETY: null or the shard's table, which stays while the lock is held.
        unsafe { TableRef::from_ptr(current) }
    }

    /// A shard's first table.
    pub(crate) fn first_table(
        &self,
        place: &AtomicPtr<Header>,
    ) -> Result<TableRef<G>, InternError> {
        let table = TableRef::create(G::FIRST_SLOTS, None, self.budget(), &self.shelf)?;
        publish(place, table);
        Ok(table)
    }

    /// A table of at least so many slots, while the shard's lock is held.
    pub(crate) fn reserve_table(
        &self,
        place: &AtomicPtr<Header>,
        slots: u32,
    ) -> Result<(), InternError> {
        match self.own_table(place) {
            None => {
                let table = TableRef::<G>::create(slots, None, self.budget(), &self.shelf)?;
                publish(place, table);
            }
            Some(table) if table.slots() < slots => {
                self.enlarge(place, table, slots)?;
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Replaces a table by a larger one. No string is read: the tags are in the slots.
    #[cold]
    pub(crate) fn grow(
        &self,
        place: &AtomicPtr<Header>,
        old: TableRef<G>,
    ) -> Result<TableRef<G>, InternError> {
        let full = InternError::SymbolSpace {
            limit_symbols: u32::MAX as usize,
        };
        let slots = slot::grown::<G>(old.slots(), self.phase(place)).ok_or(full)?;
        self.enlarge(place, old, slots)
    }

    /// Replaces a table by one of so many slots, which are enough.
    pub(crate) fn enlarge(
        &self,
        place: &AtomicPtr<Header>,
        old: TableRef<G>,
        slots: u32,
    ) -> Result<TableRef<G>, InternError> {
        let keyed = old.keyed().cloned();
        let table = TableRef::create(slots, keyed, self.budget(), &self.shelf)?;
        old.for_each_occupied(|content| table.place(content));
        publish(place, table);
        // SAFETY: replaced just now.
        unsafe { lock(&self.shelf).retire(old) };
        Ok(table)
    }

    /// Replaces a table by one whose hash nobody outside can guess, after a chain that is too long for chance.
    ///
    /// The only place where growing reads strings.
    #[cold]
    pub(crate) fn escalate(
        &self,
        place: &AtomicPtr<Header>,
        old: TableRef<G>,
    ) -> Result<TableRef<G>, InternError> {
        let full = InternError::SymbolSpace {
            limit_symbols: u32::MAX as usize,
        };
        let slots = slot::grown::<G>(old.slots(), self.phase(place)).ok_or(full)?;
        let state = RandomState::new();
        let table = TableRef::create(slots, Some(state.clone()), self.budget(), &self.shelf)?;
        old.for_each_occupied(|content| {
            let record = slot::record(content);
            // SAFETY: the record stays, and the bytes do not leave this closure.
            let bytes = unsafe { self.record(record).bytes(self.bounds.align) };
            table.place(slot::pack(keyed_tag_slow(&state, bytes), record));
        });
        publish(place, table);
        // SAFETY: replaced just now.
        unsafe { lock(&self.shelf).retire(old) };
        Ok(table)
    }
}

fn publish<G: Geometry>(place: &AtomicPtr<Header>, table: TableRef<G>) {
    // ORDERING(interner.publish): Release; pairs with interner.table and interner.table_again. Everything that
    // recycles the old table's segments comes after it.
    place.store(table.as_ptr(), ord!(interner.publish, Release));
}
