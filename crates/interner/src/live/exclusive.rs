//! What only the interner's owner can do, while nobody else uses it: taking strings out and giving memory back.
//!
//! The last string of all is also the last record of its shard, and the last of the shard's long strings if it is
//! one: records are written in the order of their numbers, under the shard's lock. So strings leave one by one
//! from the end, and each leaves everything as it was before it came. In between the interner is whole, since
//! the user's hasher is called there, which may panic.

use core::ptr::{self, NonNull};

use thrifty_sync::atomic::Exclusive;
use thrifty_sync::ord;
use thrifty_traits::{Pressure, Reclaimed};

use super::Live;
use super::body::{Body, exclusive};
use super::chunk::{self, FIRST_OFFSET};
use super::far;
use super::geometry::Geometry;
use super::page;
use super::query::Query;
use super::slot;
use super::table::TableRef;
use crate::Mark;

impl<G: Geometry> Live<G> {
    /// The point that the interner has come to.
    pub(crate) fn mark(&self) -> Mark {
        self.history.mark(self.body().map_or(0, Body::count))
    }

    /// Takes out the strings that came after a mark, and says how many; `None` if the mark is not good.
    pub(crate) fn rollback(&mut self, mark: Mark, hash: impl FnMut(&[u8]) -> u64) -> Option<u32> {
        let count = self.body().map_or(0, Body::count);
        if mark.count() > count || !self.history.admits(&mark) {
            return None;
        }
        if mark.count() < count {
            let mut body = NonNull::new(self.body.read_mut())?;
            // SAFETY: initialised; exclusive, since `self` is.
            let body = unsafe { body.as_mut() };
            self.history.cut(mark.count(), body.budget());
            body.rollback(mark.count(), hash);
        }
        Some(count - mark.count())
    }

    /// Takes out all strings, and keeps memory for as many.
    pub(crate) fn empty(&mut self) {
        self.history.forget();
        if let Some(body) = self.body_mut() {
            body.clear();
        }
    }

    /// Gives up the body.
    pub(crate) fn free(&mut self) -> Reclaimed {
        let reserved = self.body().map_or(0, |body| body.budget().reserved());
        self.history.rebase();
        self.clear();
        Reclaimed::new()
            .with_bytes(reserved)
            .with_items(usize::from(reserved != 0))
    }

    /// Gives memory back; how much and from how many places.
    pub(crate) fn trim(&mut self, pressure: Pressure) -> Reclaimed {
        let Some(body) = self.body_mut() else {
            return Reclaimed::new();
        };
        let before = body.budget().reserved();
        if pressure == Pressure::High {
            body.fit_tables();
        }
        if pressure >= Pressure::Medium {
            body.drop_unused_chunks();
            body.drop_unused_pages();
        }
        let tables = body.drop_retired();
        let freed = before - body.budget().reserved();
        Reclaimed::new().with_bytes(freed).with_items(tables)
    }
}

impl<G: Geometry> Body<G> {
    /// Takes out all strings but the first `keep`.
    pub(crate) fn rollback(&mut self, keep: u32, mut hash: impl FnMut(&[u8]) -> u64) {
        self.drop_unused_chunks();
        while self.count() > keep {
            let number = self.count();
            if let Some(place) = self.place_of(number) {
                // SAFETY: the record stays until it is forgotten below.
                let bytes = unsafe { self.record(place).bytes(self.bounds.align) };
                let query = Query {
                    bytes,
                    hash: hash(bytes),
                    align: self.bounds.align,
                };
                self.forget(place, &query);
            }
            self.set_place(number, 0);
            self.tail.0.count.write_mut(number - 1);
        }
        self.drop_unused_pages();
        self.drop_retired();
    }

    /// Takes out all strings; tables, pages and a chunk for each shard stay.
    pub(crate) fn clear(&mut self) {
        for index in 0..self.writers.len() {
            self.clear_shard(index);
        }
        for number in 1..=self.count() {
            self.set_place(number, 0);
        }
        self.tail.0.count.write_mut(0);
        self.drop_retired();
    }

    /// Gives back what retired tables and outgrown directories occupy; how many tables there were. All shards may ask
    /// for memory again.
    pub(crate) fn drop_retired(&mut self) -> usize {
        for shard in &mut self.writers {
            exclusive(&mut shard.0.writer).try_anew();
        }
        let budget = &self.tail.0.budget;
        // SAFETY: `self` is exclusive, so nobody reads; all tables are from this budget.
        let tables = unsafe { exclusive(&mut self.shelf).free_retired::<G>(budget) };
        self.pages.forget_older(budget);
        self.chunks.forget_older(budget);
        tables
    }

    /// Gives back pages that no string needs.
    pub(crate) fn drop_unused_pages(&mut self) {
        let needed = match self.count() {
            0 => 0,
            last => (last >> G::PAGE_BITS) as usize + 1,
        };
        let shelf = exclusive(&mut self.shelf);
        for index in needed..shelf.pages {
            if let Some(page) = NonNull::new(self.pages.get(index)) {
                // SAFETY: from `create` with this budget; `self` is exclusive, and no string has a number in it.
                unsafe { page::destroy::<G>(page, &self.tail.0.budget) };
            }
        }
        self.pages.truncate(needed);
        shelf.pages = shelf.pages.min(needed);
    }

    /// Gives back chunks that were begun and have no record.
    pub(crate) fn drop_unused_chunks(&mut self) {
        for index in 0..self.writers.len() {
            while exclusive(&mut self.writers[index].0.writer).is_chunk_unused() {
                self.drop_chunk(index);
            }
        }
    }

    /// Replaces tables that have more slots than they need, as far as memory admits.
    pub(crate) fn fit_tables(&mut self) {
        for index in 0..self.writers.len() {
            let entries = exclusive(&mut self.writers[index].0.writer).entries;
            // SAFETY: null or the shard's table, which stays while `self` is borrowed.
            let Some(old) = (unsafe { TableRef::<G>::from_ptr(self.tables[index].read_mut()) })
            else {
                continue;
            };
            let mut fitting = ptr::null_mut();
            if entries != 0 {
                let slots = slot::slots_for::<G>(entries).unwrap_or(u32::MAX);
                if slots >= old.slots() {
                    continue;
                }
                let keyed = old.keyed().cloned();
                let Ok(table) =
                    TableRef::<G>::create(slots, keyed, &self.tail.0.budget, &self.shelf)
                else {
                    continue;
                };
                old.for_each_occupied(|content| table.place(content));
                fitting = table.as_ptr();
            }
            self.tables[index].write_mut(fitting);
            // SAFETY: replaced just now.
            unsafe { exclusive(&mut self.shelf).retire(old) };
        }
    }

    /// Takes out the last string of its shard, except for its number.
    fn forget(&mut self, place: u32, query: &Query<'_>) {
        let chunk = NonNull::new(self.chunks.get(slot::chunk_of(place)));
        let expected = self.shard_of(query);
        // A hasher may have changed its mind; then the chunk tells the shard.
        let owns = |writer: &mut super::writer::Writer| writer.chunk == chunk;
        let index = if owns(exclusive(&mut self.writers[expected].0.writer)) {
            expected
        } else {
            let mut shards = self.writers.iter_mut();
            shards
                .position(|shard| owns(exclusive(&mut shard.0.writer)))
                .expect("the last record of all is the last of its shard")
        };
        // SAFETY: null or the shard's table, which stays while `self` is borrowed.
        let table = unsafe { TableRef::<G>::from_ptr(self.tables[index].read_mut()) };
        let was_there = table.is_some_and(|table| table.erase(query.tag_in(table.keyed()), place));
        let is_own = !self.record(place).is_static();
        let shard = &mut self.writers[index].0;
        if is_own {
            let payload = shard.payload.read_mut();
            shard.payload.write_mut(payload - query.bytes.len());
        }
        let writer = exclusive(&mut shard.writer);
        writer.entries -= u32::from(was_there);
        writer.try_anew();
        writer.offset = slot::offset_of(place);
        if let Some(last) = writer.far {
            // SAFETY: the shard's last long string, alive.
            let is_this = ptr::eq(unsafe { far::bytes(last) }, query.bytes);
            if is_this {
                // SAFETY: from `create` with this budget; its record is forgotten.
                writer.far = unsafe { far::destroy(last, &self.tail.0.budget) };
            }
        }
        while exclusive(&mut self.writers[index].0.writer).is_chunk_unused() {
            self.drop_chunk(index);
        }
    }

    /// Frees a shard's last chunk. The one before it counts as full.
    fn drop_chunk(&mut self, index: usize) {
        let writer = exclusive(&mut self.writers[index].0.writer);
        let shelf = exclusive(&mut self.shelf);
        // SAFETY: no record in it is named any more, and `self` is exclusive.
        unsafe { writer.drop_chunk(&self.chunks, shelf, &self.tail.0.budget) };
    }

    /// Takes out a shard's strings, except for their numbers.
    fn clear_shard(&mut self, index: usize) {
        // SAFETY: null or the shard's table.
        if let Some(table) = unsafe { TableRef::<G>::from_ptr(self.tables[index].read_mut()) } {
            if table.keyed().is_some() {
                // Whatever made the shard change its hash is gone.
                self.tables[index].write_mut(ptr::null_mut());
                // SAFETY: replaced just now, by nothing.
                unsafe { exclusive(&mut self.shelf).retire(table) };
            } else {
                table.erase_all();
            }
        }
        let budget = &self.tail.0.budget;
        let shard = &mut self.writers[index].0;
        shard.payload.write_mut(0);
        let writer = exclusive(&mut shard.writer);
        writer.entries = 0;
        // SAFETY: `self` is exclusive, and no record names them any more.
        unsafe { far::destroy_all(writer.far.take(), budget) };
        let Some(last) = writer.chunk else {
            return;
        };
        // SAFETY: the shard's chunk; exclusive, since `self` is.
        let mut older = unsafe { (*last.as_ptr()).older.take() };
        while let Some(chunk) = older {
            // SAFETY: one of the shard's chunks, alive.
            let header = unsafe { chunk.as_ref() };
            let (next, id) = (header.older, header.id as usize);
            self.chunks.set(id, ptr::null_mut());
            exclusive(&mut self.shelf).free_chunks += 1;
            // SAFETY: from `create` with this budget; no record in it is named any more, and `self` is exclusive.
            unsafe { chunk::destroy(chunk, budget) };
            older = next;
        }
        writer.offset = FIRST_OFFSET;
        // SAFETY: the shard's chunk, alive.
        writer.taken = unsafe { last.as_ref() }.size as usize;
    }

    /// Where the record of a number is.
    fn place_of(&self, number: u32) -> Option<u32> {
        let page = self.page(number)?;
        // SAFETY: the page of this number, which stays while `self` is borrowed.
        let place = unsafe { page::place::<G>(page, number) };
        // ORDERING(interner.alone): Relaxed; whoever has the interner exclusively was told so by all who used it.
        let record = place.load(ord!(interner.alone, Relaxed));
        (record != 0).then_some(record)
    }

    fn set_place(&mut self, number: u32, record: u32) {
        if let Some(page) = self.page(number) {
            // SAFETY: the page of this number, which stays while `self` is borrowed.
            let place = unsafe { page::place::<G>(page, number) };
            // ORDERING(interner.alone): Relaxed; as above.
            place.store(record, ord!(interner.alone, Relaxed));
        }
    }
}
