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

use core::array;
use core::ptr::{self, NonNull};

use thrifty_sync::ord;

use super::body::Body;
use super::geometry::Geometry;
use super::query::Query;
use super::record::{LONGEST_SHORT, Record};
use super::slot::{self, GROUP};
use super::table::{Header, TableRef};

/// What the first look has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Near {
    /// The string, by its number.
    Number(u32),
    /// That it is nowhere.
    Absent,
    /// Nothing yet.
    Far,
}

/// How far a search without the lock has come in vain.
///
/// The groups before are full of other strings. As long as the table is the shard's, that does not change: strings are
/// taken out by who has the interner exclusively. So an insert need not look there again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Searched {
    /// The table, which may have been replaced. Its header stays, so its address stands for no other.
    pub(crate) table: *mut Header,
    /// The group that had an empty slot.
    pub(crate) group: u32,
    /// The groups before, without this one: an insert looks at it again. Collisions count for several.
    pub(crate) steps: u32,
}

impl Searched {
    /// Not at all.
    pub(crate) const NOTHING: Self = Self {
        table: ptr::null_mut(),
        group: 0,
        steps: 0,
    };

    /// The group of a table where the search for a tag goes on, and the steps so far.
    #[inline]
    pub(crate) fn next<G: Geometry>(self, table: TableRef<G>, tag: u32) -> (u32, u32) {
        if self.table == table.as_ptr() {
            (self.group, self.steps)
        } else {
            (slot::home(tag, table.groups()), 0)
        }
    }
}

impl<G: Geometry> Body<G> {
    /// The number of a string, 0 if there is none.
    #[expect(clippy::inline_always, reason = "see `near`")]
    #[inline(always)]
    pub(crate) fn find(&self, query: &Query<'_>) -> u32 {
        match self.near(query) {
            Near::Number(number) => number,
            Near::Absent => 0,
            Near::Far => self.find_slow(query.bytes, query.hash, query.align),
        }
    }

    /// The search as it nearly always goes: the table uses the interner's own hash, the string is short, and it is in
    /// the first group or, that group having room, nowhere. Everything else is [`search`](Self::search)'s.
    #[expect(
        clippy::inline_always,
        reason = "14 instead of 18 ns: the call's spills cost more than the search"
    )]
    #[inline(always)]
    pub(crate) fn near(&self, query: &Query<'_>) -> Near {
        let place = self.table(query);
        // ORDERING(interner.table): Acquire; pairs with interner.publish: the header and its slots are seen.
        let seen = place.load(ord!(interner.table, Acquire));
        // SAFETY: the shard's table, which stays until the interner is dropped or borrowed exclusively.
        let Some(table) = (unsafe { TableRef::<G>::from_ptr(seen) }) else {
            return Near::Absent;
        };
        if table.keyed().is_some() || query.bytes.len() > LONGEST_SHORT {
            return Near::Far;
        }
        let tag = query.tag();
        let slots = self.look(table, slot::home(tag, table.groups()));
        match u32::try_from(slot::pick(slots, tag)) {
            Ok(found @ 1..) => {
                let record = self.record(found);
                // SAFETY: one interner has one alignment.
                if unsafe { record.is_short_of(query.bytes, query.align) } {
                    return Near::Number(record.number());
                }
            }
            // The tag 0 and an empty slot, which may hide a record.
            Ok(0) => {}
            // ORDERING(interner.recheck): Relaxed; that the pointer is no older than what the search has seen
            // follows from the Acquire of the slots.
            Err(_) if slots.contains(&0) && place.load(ord!(interner.recheck, Relaxed)) == seen => {
                return Near::Absent;
            }
            Err(_) => {}
        }
        Near::Far
    }

    #[cold]
    #[inline(never)]
    fn find_slow(&self, bytes: &[u8], hash: u64, align: usize) -> u32 {
        // In pieces, so that the caller can keep them in registers.
        self.search(&Query { bytes, hash, align }).unwrap_or(0)
    }

    /// The number of a string; whatever the string, the table and the time.
    pub(crate) fn search(&self, query: &Query<'_>) -> Result<u32, Searched> {
        let place = self.table(query);
        // ORDERING(interner.table_again): Acquire; pairs with interner.publish: the header and its slots are seen.
        let load = || place.load(ord!(interner.table_again, Acquire));
        let mut seen = load();
        // SAFETY: null or the shard's table, which stays until the interner is dropped or borrowed exclusively.
        while let Some(table) = unsafe { TableRef::<G>::from_ptr(seen) } {
            let outcome = self.search_table(table, query);
            let now = load();
            if outcome.is_ok() || now == seen {
                return outcome;
            }
            seen = now;
        }
        Err(Searched::NOTHING)
    }

    fn search_table(&self, table: TableRef<G>, query: &Query<'_>) -> Result<u32, Searched> {
        let groups = table.groups();
        let tag = query.tag_in(table.keyed());
        let mut searched = Searched {
            table: table.as_ptr(),
            group: slot::home(tag, groups),
            steps: 0,
        };
        // A table that was replaced may have been refilled so that no slot is empty.
        for _ in 0..groups {
            let contents = self.look(table, searched.group);
            let mut collisions = 0;
            match u32::try_from(slot::pick(contents, tag)) {
                Ok(found @ 1..) if self.is(found, query) => {
                    return Ok(self.record(found).number());
                }
                // Two of this tag in one group, or another's tag, or the tag 0 and an empty slot.
                Ok(_) => {
                    for found in slot::of_tag(contents, tag) {
                        if self.is(found, query) {
                            return Ok(self.record(found).number());
                        }
                        collisions += slot::COLLISION;
                    }
                }
                Err(_) => {}
            }
            if slot::first_empty(contents).is_some() {
                return Err(searched);
            }
            searched.group = slot::step(searched.group, groups);
            searched.steps += collisions + 1;
        }
        Err(Searched::NOTHING)
    }

    /// Whether a record is the string's.
    #[inline]
    pub(crate) fn is(&self, record: u32, query: &Query<'_>) -> bool {
        // SAFETY: one interner has one alignment.
        unsafe { self.record(record).is(query.bytes, query.align) }
    }

    /// What is in a group of slots, with all that it leads to.
    #[inline]
    fn look(&self, table: TableRef<G>, group: u32) -> [u64; GROUP] {
        // SAFETY: `home` is below the number of groups, and `step` keeps it so.
        let slots = unsafe { table.group(group) };
        array::from_fn(|index| {
            // ORDERING(interner.slot): Acquire; pairs with interner.insert, interner.copy and interner.clear: the
            // record is seen whole, and so is the replacement of the table if the segment serves another.
            slots[index].load(ord!(interner.slot, Acquire))
        })
    }

    /// A record that the caller has read from a slot or a page.
    #[inline]
    pub(crate) fn record(&self, record: u32) -> Record {
        // SAFETY: the chunk was entered before the record was published, which the caller has acquired.
        let chunk = unsafe { self.chunks.get_known(slot::chunk_of(record)) };
        debug_assert!(
            !chunk.is_null(),
            "a record is read before its chunk is seen"
        );
        // SAFETY: entries that were set are not null.
        let chunk = unsafe { NonNull::new_unchecked(chunk) };
        // SAFETY: chunk and record belong together and stay; written before it was published.
        unsafe { Record::new(chunk, record) }
    }
}
