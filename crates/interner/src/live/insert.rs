//! Inserting: one writer per shard, readers undisturbed.
//!
//! Everything that can fail comes before anything that can be seen: the table's growth, room for the record, the
//! symbol's page. The number is taken last, so numbers have no gaps, and then nothing can fail any more. The
//! record is published under its number first and in the table second: who finds it in the table can
//! resolve it.

use core::ptr::NonNull;

use thrifty_sync::{
    atomic::{AtomicU32, AtomicU64},
    ord,
};

use super::body::{Body, Shard, lock};
use super::far;
use super::find::Searched;
use super::geometry::Geometry;
use super::page;
use super::query::Query;
use super::record::{self, Form};
use super::slot;
use super::table::TableRef;
use super::writer::{Room, Writer};
use crate::InternError;

/// Where a string comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It must be copied.
    Borrowed,
    /// It stays where it is for ever.
    Static,
}

/// What an insert has found or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inserted {
    pub(crate) number: u32,
    pub(crate) new: bool,
}

/// What a search under the lock has found.
enum Found<'a> {
    /// The string, by its number.
    Number(u32),
    /// An empty slot, after so many full groups; collisions count for several.
    Vacant { slot: &'a AtomicU64, steps: u32 },
}

impl<G: Geometry> Body<G> {
    /// Finds a string's number, or gives it one.
    #[cold]
    #[inline(never)]
    pub(crate) fn insert_slow(
        &self,
        query: &Query<'_>,
        source: Source,
        searched: Searched,
    ) -> Result<Inserted, InternError> {
        let len = query.bytes.len();
        if len > self.bounds.length {
            // What is too long was never inserted, so there is nothing to find.
            return Err(InternError::TooLong {
                length_bytes: len,
                limit_bytes: self.bounds.length,
            });
        }
        let shard = self.shard(self.shard_of(query));
        let mut writer = lock(&shard.writer);
        if source == Source::Borrowed {
            if let Some(number) = self.insert_usual(shard, &mut writer, query, searched) {
                return Ok(Inserted { number, new: true });
            }
        }
        let (table, vacant) = match self.table_for(&mut writer, query, searched)? {
            Target::Taken(number) => return Ok(Inserted { number, new: false }),
            Target::Vacant(table, slot) => (table, slot),
        };
        let tag = query.tag_in(table.keyed());
        let new = self.prepare(&mut writer, query, source)?;
        let number = new.number;
        // SAFETY: prepared just now, in this shard.
        unsafe { self.publish(shard, &mut writer, new, query.align, vacant, tag) };
        Ok(Inserted { number, new: true })
    }

    /// The string's number, or a table with room for it.
    fn table_for(
        &self,
        writer: &mut Writer,
        query: &Query<'_>,
        searched: Searched,
    ) -> Result<Target<'_, G>, InternError> {
        // In a table of whatever hash, the first empty slot of a string that is not there.
        let fresh = |table: TableRef<G>| {
            let slot = table.vacant(query.tag_in(table.keyed()));
            Target::Vacant(table, slot)
        };
        let place = self.table(query);
        let Some(table) = self.own_table(place) else {
            return self.first_table(place).map(fresh);
        };
        let (slot, steps) = match self.search_own(table, query, searched) {
            Found::Number(number) => return Ok(Target::Taken(number)),
            Found::Vacant { slot, steps } => (slot, steps),
        };
        let keys = steps > slot::suspicious(table.slots()) && table.keyed().is_none();
        let full = writer.entries >= slot::utmost(table.slots());
        let crowded = keys || writer.entries >= table.usual();
        if !full && (!crowded || writer.entries < writer.patience) {
            return Ok(Target::Vacant(table, slot));
        }
        if full && writer.is_refused_still() {
            let size_bytes = writer.refused_bytes;
            return Err(InternError::Backend { size_bytes });
        }
        let replaced = if keys {
            self.escalate(place, table)
        } else {
            self.grow(place, table)
        };
        match replaced {
            Ok(larger) => Ok(fresh(larger)),
            Err(error) if full => {
                if let InternError::Backend { size_bytes } = error {
                    // Before the allocator refused a part, it may have given all others.
                    writer.remember_refusal(size_bytes, slot::segments::<G>(table.slots()));
                }
                Err(error)
            }
            Err(_) => {
                // A fuller table, or a longer chain, is better than no insert. To ask the allocator each time would
                // make the inserts before the limit a thousand times dearer than the others.
                writer.patience = writer.entries + writer.entries / 64 + 1;
                Ok(Target::Vacant(table, slot))
            }
        }
    }

    /// Searches what has not been `searched` of the shard's table, whose lock is held.
    fn search_own(&self, table: TableRef<G>, query: &Query<'_>, searched: Searched) -> Found<'_> {
        let groups = table.groups();
        let tag = query.tag_in(table.keyed());
        let (mut group, mut steps) = searched.next(table, tag);
        loop {
            // SAFETY: `home` is below the number of groups, and `step` keeps it so.
            let contents = unsafe { table.own_group(group) };
            if slot::may_have(contents, tag) {
                for found in slot::of_tag(contents, tag) {
                    if self.is(found, query) {
                        return Found::Number(self.record(found).number());
                    }
                    steps += slot::COLLISION;
                }
            }
            if let Some(index) = slot::first_empty(contents) {
                // SAFETY: as above.
                let slot = &unsafe { table.group(group) }[index];
                return Found::Vacant { slot, steps };
            }
            group = slot::step(group, groups);
            steps += 1;
        }
    }

    /// Everything that a string needs but a slot.
    fn prepare<'a>(
        &self,
        writer: &mut Writer,
        query: &Query<'a>,
        source: Source,
    ) -> Result<New<'a>, InternError> {
        let len = query.bytes.len();
        let long = len > slot::longest_inline::<G>();
        let aligned = query.bytes.as_ptr().addr() & (query.align - 1) == 0;
        let stays = source == Source::Static && len > 2 * size_of::<usize>() && aligned;
        let form = match (stays, long) {
            (true, _) => Form::Static,
            (false, true) => Form::Far,
            (false, false) => Form::Near,
        };
        let room = self.room(writer, form, len, query.align)?;
        let far = match form {
            Form::Far => Some(self.new_far(writer, query.bytes)?),
            _ => None,
        };
        // SAFETY: just created, and not freed before the interner, except below.
        let bytes = far.map_or(query.bytes, |far| unsafe { far::bytes(far) });
        let (number, page) = match self.next_number() {
            Ok(taken) => taken,
            Err(error) => {
                if far.is_some() {
                    self.forget_far(writer);
                }
                return Err(error);
            }
        };
        Ok(New {
            room,
            form,
            bytes,
            number,
            page,
        })
    }

    /// Writes a record, and publishes it under its number and in its slot. Nothing can fail any more.
    ///
    /// # Safety
    ///
    /// The room is free and the shard's, whose writer this is; the page is the number's; the bytes stay if the form
    /// says so.
    #[inline]
    pub(crate) unsafe fn publish(
        &self,
        shard: &Shard,
        writer: &mut Writer,
        new: New<'_>,
        align: usize,
        slot: &AtomicU64,
        tag: u32,
    ) {
        let New {
            room,
            form,
            bytes,
            number,
            page,
        } = new;
        // SAFETY: the room is the writer's; a far string is in its own block or stays for ever.
        unsafe { record::write(room.chunk, room.offset, number, bytes, form, align) };
        writer.offset = room.end;
        let record = slot::place(room.id, room.offset);
        // SAFETY: the page of this number, which stays.
        let place = unsafe { page::place::<G>(page, number) };
        // ORDERING(interner.name): Release; pairs with interner.resolve.
        place.store(record, ord!(interner.name, Release));
        // ORDERING(interner.insert): Release; pairs with interner.slot: who finds the record sees it whole.
        slot.store(slot::pack(tag, record), ord!(interner.insert, Release));
        writer.entries += 1;
        if form != Form::Static {
            shard.add_payload(bytes.len());
        }
    }

    /// Takes the next number, once there is a page for it; both.
    fn next_number(&self) -> Result<(u32, NonNull<AtomicU32>), InternError> {
        let mut given = self.count();
        loop {
            if given >= self.bounds.symbols {
                return Err(InternError::SymbolSpace {
                    limit_symbols: self.bounds.symbols as usize,
                });
            }
            let number = given + 1;
            let page = match self.page(number) {
                Some(page) => page,
                None => self.new_page(number)?,
            };
            match self.take_number(given) {
                Ok(_) => return Ok((number, page)),
                Err(now) => given = now,
            }
        }
    }

    #[cold]
    fn new_page(&self, number: u32) -> Result<NonNull<AtomicU32>, InternError> {
        let mut shelf = lock(&self.shelf);
        if let Some(page) = self.page(number) {
            return Ok(page);
        }
        // All numbers before are given out, so all pages before are there.
        let index = shelf.pages;
        debug_assert_eq!(index, (number >> G::PAGE_BITS) as usize);
        self.pages.ensure(index, self.budget())?;
        let page = page::create::<G>(self.budget())?;
        self.pages.set(index, page.as_ptr());
        shelf.pages = index + 1;
        Ok(page)
    }
}

/// Where a string is to go.
enum Target<'a, G> {
    /// Nowhere: it is there, by this number.
    Taken(u32),
    /// Into this slot of this table, which has room.
    Vacant(TableRef<G>, &'a AtomicU64),
}

/// What a string needs before it is published.
pub(crate) struct New<'a> {
    pub(crate) room: Room,
    pub(crate) form: Form,
    pub(crate) bytes: &'a [u8],
    pub(crate) number: u32,
    /// The number's page.
    pub(crate) page: NonNull<AtomicU32>,
}
