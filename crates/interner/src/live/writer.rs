//! Where a shard's next record goes.

use core::ptr::{self, NonNull};

use super::body::{Body, lock};
use super::budget::Budget;
use super::chunk::{self, Chunk, FIRST_OFFSET};
use super::directory::Directory;
use super::far::{self, Far};
use super::geometry::Geometry;
use super::record::{self, Form};
use super::shelf::Shelf;
use super::slot;
use crate::InternError;

/// What a shard's lock guards.
pub(crate) struct Writer {
    /// Entries of the shard's table.
    pub(crate) entries: u32,
    /// How many there must be before growth is tried again, after it was refused.
    pub(crate) patience: u32,
    /// How many strings are still refused as the last one was, without asking the allocator, where the table is full.
    refusals: usize,
    /// What the allocator refused then.
    pub(crate) refused_bytes: usize,
    /// The chunk that records are written into; those before it are full.
    pub(crate) chunk: Option<NonNull<Chunk>>,
    /// Where in it the next record begins.
    pub(crate) offset: usize,
    /// Bytes of all chunks.
    pub(crate) taken: usize,
    /// Long strings.
    pub(crate) far: Option<NonNull<Far>>,
}

// SAFETY: the pointers lead to memory that is the shard's own, and whoever holds its lock uses them.
unsafe impl Send for Writer {}

impl Writer {
    pub(crate) fn new() -> Self {
        Self {
            entries: 0,
            patience: 0,
            refusals: 0,
            refused_bytes: 0,
            chunk: None,
            offset: 0,
            taken: 0,
            far: None,
        }
    }

    /// Notes that the allocator refused a larger table, and what: so many strings need not ask again.
    pub(crate) fn remember_refusal(&mut self, bytes: usize, strings: usize) {
        self.refused_bytes = bytes;
        self.refusals = strings - 1;
    }

    /// Whether a string is refused as the last one was.
    pub(crate) fn is_refused_still(&mut self) -> bool {
        // Not `self.refusals -= usize::from(still)`: rustc 1.95, for one, loses the store where this is inlined into a
        // condition (rust-lang/rust#158206).
        let Some(left) = self.refusals.checked_sub(1) else {
            return false;
        };
        self.refusals = left;
        true
    }

    /// Forgets that growth was ever refused: there is room again.
    pub(crate) fn try_anew(&mut self) {
        self.patience = 0;
        self.refusals = 0;
    }

    /// Frees the chunk. The one before it counts as full.
    ///
    /// # Safety
    ///
    /// No record in it can be found, nor is one being read; the directory and the budget are those it was made with.
    pub(crate) unsafe fn drop_chunk(
        &mut self,
        chunks: &Directory<Chunk>,
        shelf: &mut Shelf,
        budget: &Budget,
    ) {
        let Some(last) = self.chunk else {
            return;
        };
        // SAFETY: the shard's chunk, alive.
        let chunk = unsafe { last.as_ref() };
        let (older, size, id) = (chunk.older, chunk.size as usize, chunk.id as usize);
        chunks.set(id, ptr::null_mut());
        shelf.free_chunks += 1;
        // SAFETY: from `create` with this budget; nobody uses it, says the caller.
        unsafe { chunk::destroy(last, budget) };
        self.taken -= size;
        self.chunk = older;
        // SAFETY: one of the shard's chunks.
        self.offset = older.map_or(0, |older| unsafe { older.as_ref() }.size as usize);
    }

    /// Room for a record of so many bytes in the chunk, if there is one and it has.
    #[inline]
    pub(crate) fn room_left(&self, form: Form, len: usize, align: usize) -> Option<Room> {
        let chunk = self.chunk?;
        // SAFETY: the shard's chunk, initialised and alive.
        let Chunk { size, id, .. } = unsafe { chunk.as_ref() };
        let end = record::end(self.offset, form, len, align);
        (end <= *size as usize).then_some(Room {
            chunk,
            id: *id,
            offset: self.offset,
            end,
        })
    }

    /// Whether the chunk has no record.
    pub(crate) fn is_chunk_unused(&self) -> bool {
        self.chunk.is_some() && self.offset == FIRST_OFFSET
    }
}

/// Room for a record.
pub(crate) struct Room {
    pub(crate) chunk: NonNull<Chunk>,
    pub(crate) id: u32,
    pub(crate) offset: usize,
    pub(crate) end: usize,
}

impl<G: Geometry> Body<G> {
    /// Room for a record of so many bytes, in the shard's chunk or a new one. It is taken by setting the
    /// writer's offset to its end.
    pub(crate) fn room(
        &self,
        writer: &mut Writer,
        form: Form,
        len: usize,
        align: usize,
    ) -> Result<Room, InternError> {
        if let Some(room) = writer.room_left(form, len, align) {
            return Ok(room);
        }
        self.new_chunk(writer, record::end(FIRST_OFFSET, form, len, align))?;
        let chunk = writer.chunk.expect("there is one now");
        // SAFETY: as above.
        let id = unsafe { chunk.as_ref() }.id;
        Ok(Room {
            chunk,
            id,
            offset: FIRST_OFFSET,
            end: record::end(FIRST_OFFSET, form, len, align),
        })
    }

    /// Gives the shard a new chunk of at least so many bytes.
    fn new_chunk(&self, writer: &mut Writer, least: usize) -> Result<(), InternError> {
        let budget = self.budget();
        let mut shelf = lock(&self.shelf);
        if writer.is_chunk_unused() {
            // It was begun for a string that was then refused, and is too small for this one. Every chunk but the last
            // has a record: `forget` goes by that.
            // SAFETY: a chunk without a record is known to nobody.
            unsafe { writer.drop_chunk(&self.chunks, &mut shelf, budget) };
        }
        let id = if shelf.free_chunks == 0 {
            shelf.chunks
        } else {
            let free = |id: &usize| self.chunks.get(*id).is_null();
            (0..shelf.chunks).find(free).unwrap_or(shelf.chunks)
        };
        if id >= slot::MAX_CHUNKS {
            return Err(InternError::MemoryLimit {
                limit_bytes: slot::MAX_CHUNKS.saturating_mul(G::LAST_CHUNK),
            });
        }
        self.chunks.ensure(id, budget)?;
        let usual = slot::chunk_size::<G>(writer.taken).max(least);
        // Near the limit a chunk as large as the record has to do.
        let (size, chunk) = match chunk::create(usual, writer.chunk, budget) {
            Ok(chunk) => (usual, chunk),
            Err(_) => (least, chunk::create(least, writer.chunk, budget)?),
        };
        // SAFETY: just created, and nobody else knows it.
        unsafe { (*chunk.as_ptr()).id = u32::try_from(id).expect("below 2^16") };
        self.chunks.set(id, chunk.as_ptr());
        if id == shelf.chunks {
            shelf.chunks += 1;
        } else {
            shelf.free_chunks -= 1;
        }
        drop(shelf);
        writer.chunk = Some(chunk);
        writer.offset = FIRST_OFFSET;
        writer.taken += size;
        Ok(())
    }

    /// Copies a long string into a block of its own, which [`forget_far`](Self::forget_far) takes back.
    pub(crate) fn new_far(
        &self,
        writer: &mut Writer,
        bytes: &[u8],
    ) -> Result<NonNull<Far>, InternError> {
        let far = far::create(bytes, writer.far, self.budget())?;
        writer.far = Some(far);
        Ok(far)
    }

    /// Frees the shard's last long string, which no record names.
    pub(crate) fn forget_far(&self, writer: &mut Writer) {
        if let Some(far) = writer.far {
            // SAFETY: from `new_far`, and nobody has heard of it.
            writer.far = unsafe { far::destroy(far, self.budget()) };
        }
    }
}
