//! The search that takes no lock and writes nothing.
//!
//! # Why a reader needs no protection from growth
//!
//! A hit proves itself: the record's bytes equal the string's, and records neither move nor end. A miss is
//! believed only if the table is still the shard's when the search is over. What lies between may be nonsense: the
//! table may have been replaced, and its segments serve another one of another shard. But
//!
//! 1. whatever the reader finds in a slot is 0 or some string's record (table.rs, invariant 3);
//! 2. a record of another shard cannot equal the string, since the string's hash names one shard;
//! 3. slots of a recycled segment are written with Release and read with Acquire, after the table that had the
//!    segment before was replaced. A reader who has seen one of those values sees the replacement too, and
//!    searches again;
//! 4. headers stay, so an equal pointer is the same table (invariant 2).
//!
//! So nobody waits for readers: no epochs, no hazard pointers, no counts.

use core::ptr::NonNull;

use thrifty_sync::ord;

use super::body::Body;
use super::geometry::Geometry;
use super::query::Query;
use super::record::Record;
use super::slot;
use super::table::{TableRef, step};

impl<G: Geometry> Body<G> {
    /// The number of a string, 0 if there is none.
    #[inline]
    pub(crate) fn find(&self, query: &Query<'_>) -> u32 {
        let place = self.table(query);
        // ORDERING(interner.table): Acquire; pairs with interner.publish: the header and its slots are seen.
        let mut seen = place.load(ord!(interner.table, Acquire));
        loop {
            // SAFETY: the shard's table, which stays until the interner is dropped or borrowed exclusively.
            let Some(table) = (unsafe { TableRef::<G>::from_ptr(seen) }) else {
                return 0;
            };
            let number = self.search(table, query);
            if number != 0 {
                return number;
            }
            // ORDERING(interner.recheck): Acquire; pairs with interner.publish, for the next round. That the pointer
            // is no older than what the search has seen follows from the Acquire of the slots.
            let now = place.load(ord!(interner.recheck, Acquire));
            if now == seen {
                return 0;
            }
            seen = now;
        }
    }

    /// The number of a string in a table, 0 if the search came to an end.
    #[inline]
    fn search(&self, table: TableRef<G>, query: &Query<'_>) -> u32 {
        let slots = table.slots();
        let tag = query.tag(table.keyed());
        let mut index = slot::home(tag, slots);
        for _ in 0..slots {
            // SAFETY: `home` is below `slots`, and `step` keeps it so.
            let slot = unsafe { table.slot(index) };
            // ORDERING(interner.slot): Acquire; pairs with interner.insert, interner.copy and interner.clear: the
            // record is seen whole, and so is the replacement of the table if the segment serves another.
            let content = slot.load(ord!(interner.slot, Acquire));
            if slot::tag(content) == tag && content != 0 {
                let record = self.record(slot::record(content));
                // SAFETY: one interner has one alignment.
                if unsafe { record.is(query.bytes, query.align) } {
                    return record.number();
                }
            }
            if content == 0 {
                return 0;
            }
            index = step(index, slots);
        }
        0
    }

    /// A record that the caller has read from a slot or a page.
    #[inline]
    pub(crate) fn record(&self, record: u32) -> Record {
        // SAFETY: the chunk was entered before the record was published, which the caller has acquired.
        let chunk = unsafe { self.chunks.get_known(slot::chunk_of(record)) };
        // SAFETY: entries that were set are not null.
        let chunk = unsafe { NonNull::new_unchecked(chunk) };
        // SAFETY: chunk and record belong together and stay; written before it was published.
        unsafe { Record::new(chunk, record) }
    }
}
