//! Where the strings are: records in chunks, none of which moves.
//!
//! ```text
//! record  │ which: u16 │ len: u8 │ (255: len: u32) │ padding │ bytes … │
//! place   │ chunk: 16 bits │ offset in it: 16 bits │
//! ```
//!
//! `which` counts from the chunk's first symbol: two bytes instead of four, and a hit reads the symbol from the
//! line that has the bytes. Chunks double from 512 bytes to 64 KiB; what is over 16 KiB gets a chunk of its own.

#![forbid(unsafe_code)]

use alloc::vec::Vec;

use super::limits::Allowance;
use crate::{InternError, buffer::Buffer, live::equal::equal};

/// Where a record begins: the chunk above, the offset below.
pub(super) type Place = u32;

const OFFSET_BITS: u32 = 16;
const MAX_CHUNK: usize = 1 << OFFSET_BITS;
const MAX_CHUNKS: usize = 1 << (32 - OFFSET_BITS);
const MIN_CHUNK: usize = 512;
/// From here on a record has a chunk of its own.
const LARGE: usize = MAX_CHUNK / 4;
/// What stands for the length of a longer string.
const LONG: u8 = u8::MAX;
const SHORT_HEAD: usize = 3;
const LONG_HEAD: usize = SHORT_HEAD + 4;

/// The longest string that a record can hold.
pub(super) const MAX_LEN: usize = u32::MAX as usize;

#[derive(Debug)]
struct Chunk {
    memory: Buffer,
    /// The index of its first record; or of the next one, before there is any.
    first: u32,
    /// It holds one large record and nothing else.
    is_large: bool,
}

/// The records, in the order of their symbols.
#[derive(Debug)]
pub(super) struct Store {
    chunks: Vec<Chunk>,
    /// The chunk that small records go to, and how much of it is used.
    open: usize,
    used: usize,
    /// Bytes of all chunks' memory.
    chunk_bytes: usize,
    /// Bytes of all strings.
    payload_bytes: usize,
}

/// Room for a record, which is not one yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    chunk: usize,
    offset: usize,
    /// Where the record ends.
    end: usize,
}

impl Store {
    pub(super) const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            open: 0,
            used: 0,
            chunk_bytes: 0,
            payload_bytes: 0,
        }
    }

    /// Whether the record here has these bytes.
    #[inline]
    pub(super) fn is(&self, place: Place, bytes: &[u8], align: usize) -> bool {
        let (chunk, offset) = self.at(place);
        let memory = chunk.memory.bytes();
        let short = memory[offset + 2];
        if short == LONG {
            return self.body(place, align) == bytes;
        }
        let body = (offset + SHORT_HEAD).next_multiple_of(align);
        usize::from(short) == bytes.len() && equal(&memory[body..body + bytes.len()], bytes)
    }

    /// The index of the record here.
    #[inline]
    pub(super) fn index(&self, place: Place) -> u32 {
        let (chunk, offset) = self.at(place);
        let memory = chunk.memory.bytes();
        chunk.first + u32::from(u16::from_ne_bytes([memory[offset], memory[offset + 1]]))
    }

    /// The bytes of the record here.
    #[inline]
    pub(super) fn body(&self, place: Place, align: usize) -> &[u8] {
        let (chunk, offset) = self.at(place);
        let memory = chunk.memory.bytes();
        let short = memory[offset + 2];
        let (head, len) = if short == LONG {
            let mut long = [0; 4];
            long.copy_from_slice(&memory[offset + SHORT_HEAD..offset + LONG_HEAD]);
            (LONG_HEAD, u32::from_ne_bytes(long) as usize)
        } else {
            (SHORT_HEAD, usize::from(short))
        };
        let body = (offset + head).next_multiple_of(align);
        &memory[body..body + len]
    }

    #[inline]
    fn at(&self, place: Place) -> (&Chunk, usize) {
        let chunk = &self.chunks[(place >> OFFSET_BITS) as usize];
        (chunk, place as usize & (MAX_CHUNK - 1))
    }

    /// The room for the record of the next symbol in the open chunk, if it has some. Nothing is visible yet.
    #[inline]
    pub(super) fn room_here(&self, index: u32, len: usize, align: usize) -> Option<Room> {
        let head = head_of(len);
        let chunk = self.chunks.get(self.open)?;
        let end = (self.used + head).next_multiple_of(align) + len;
        let which = index - chunk.first;
        let fits = end <= chunk.memory.len() && head + len <= LARGE;
        (fits && !chunk.is_large && which <= u32::from(u16::MAX)).then_some(Room {
            chunk: self.open,
            offset: self.used,
            end,
        })
    }

    /// Makes room for the record of the next symbol in another chunk. Nothing is visible yet.
    #[cold]
    pub(super) fn room_elsewhere(
        &mut self,
        index: u32,
        len: usize,
        align: usize,
        allowance: &mut Allowance,
    ) -> Result<Room, InternError> {
        let whole = head_of(len).next_multiple_of(align) + len;
        let chunk = if head_of(len) + len > LARGE {
            self.add_chunk(whole, index, true, allowance)?
        } else {
            self.open_chunk(index, whole, allowance)?;
            self.open
        };
        Ok(Room {
            chunk,
            offset: 0,
            end: whole,
        })
    }

    /// Begins a chunk for small records: twice the last one, or else what is needed now.
    fn open_chunk(
        &mut self,
        index: u32,
        needed: usize,
        allowance: &mut Allowance,
    ) -> Result<(), InternError> {
        let last = match self.chunks.get(self.open) {
            Some(chunk) if !chunk.is_large => chunk.memory.len(),
            _ => 0,
        };
        let wanted = (last * 2).clamp(MIN_CHUNK, MAX_CHUNK).max(needed);
        let made = self.add_chunk(wanted, index, false, allowance);
        let made = made.or_else(|_| self.add_chunk(needed, index, false, allowance))?;
        self.open = made;
        self.used = 0;
        Ok(())
    }

    fn add_chunk(
        &mut self,
        bytes: usize,
        first: u32,
        is_large: bool,
        allowance: &mut Allowance,
    ) -> Result<usize, InternError> {
        let number = self.chunks.len();
        if number == MAX_CHUNKS {
            return Err(InternError::MemoryLimit {
                limit_bytes: MAX_CHUNKS.saturating_mul(MAX_CHUNK),
            });
        }
        grow_by_quarters(&mut self.chunks, allowance)?;
        let memory = allowance.take(bytes, || Buffer::zeroed(bytes))?;
        self.chunk_bytes += bytes;
        self.chunks.push(Chunk {
            memory,
            first,
            is_large,
        });
        Ok(number)
    }

    /// Writes a record into the room found for it. It exists once [`Self::commit`] was called.
    pub(super) fn write(&mut self, room: Room, index: u32, bytes: &[u8]) -> Place {
        let chunk = &mut self.chunks[room.chunk];
        let which = index - chunk.first;
        let record = &mut chunk.memory.bytes_mut()[room.offset..room.end];
        let [low, high, ..] = which.to_le_bytes();
        record[..2].copy_from_slice(&u16::from_le_bytes([low, high]).to_ne_bytes());
        if let Some(short) = short_len(bytes.len()) {
            record[2] = short;
        } else {
            record[2] = LONG;
            #[expect(clippy::cast_possible_truncation, reason = "the limit is `MAX_LEN`")]
            let long = bytes.len() as u32;
            record[SHORT_HEAD..LONG_HEAD].copy_from_slice(&long.to_ne_bytes());
        }
        let body = record.len() - bytes.len();
        record[body..].copy_from_slice(bytes);
        #[expect(clippy::cast_possible_truncation, reason = "both are below 2^16")]
        let place = (room.chunk << OFFSET_BITS | room.offset) as Place;
        place
    }

    /// Makes the record that was written one of the store's.
    pub(super) fn commit(&mut self, room: Room, len: usize) {
        if room.chunk == self.open {
            self.used = room.end;
        }
        self.payload_bytes += len;
    }

    /// Counts the record here no longer.
    pub(super) fn forget(&mut self, place: Place, align: usize) {
        self.payload_bytes -= self.body(place, align).len();
    }

    /// Frees the chunks that records from this index on had for themselves. `places` are those that stay.
    pub(super) fn truncate(&mut self, places: &[Place], align: usize) {
        let is_stale = |chunk: &Chunk| chunk.first as usize >= places.len();
        while self.chunks.last().is_some_and(is_stale) {
            let freed = self.chunks.pop().map_or(0, |chunk| chunk.memory.len());
            self.chunk_bytes -= freed;
        }
        let shared = self.chunks.iter().rposition(|chunk| !chunk.is_large);
        self.open = shared.unwrap_or(0);
        self.used = shared.map_or(0, |open| {
            let since = self.chunks[open].first as usize;
            let last = places[since.min(places.len())..]
                .iter()
                .rfind(|place| (**place >> OFFSET_BITS) as usize == open);
            last.map_or(0, |last| self.end_of(*last, align))
        });
    }

    /// Where the record here ends, in its chunk.
    fn end_of(&self, place: Place, align: usize) -> usize {
        let len = self.body(place, align).len();
        let (_, offset) = self.at(place);
        (offset + head_of(len)).next_multiple_of(align) + len
    }

    /// Forgets everything, and keeps one chunk for what comes.
    pub(super) fn clear(&mut self) {
        let largest = self.chunks.iter().rposition(|chunk| !chunk.is_large);
        let kept = largest.map(|largest| self.chunks.swap_remove(largest));
        self.chunks.clear();
        self.open = 0;
        self.used = 0;
        self.payload_bytes = 0;
        self.chunk_bytes = 0;
        if let Some(mut chunk) = kept {
            chunk.first = 0;
            self.chunk_bytes = chunk.memory.len();
            self.chunks.push(chunk);
        }
    }

    /// Gives back what is free in the open chunk. `count` is that of all records.
    pub(super) fn shrink(&mut self, count: usize) {
        if count == 0 {
            *self = Self::new();
            return;
        }
        if let Some(open) = self.chunks.get_mut(self.open).filter(|open| !open.is_large) {
            let before = open.memory.len();
            open.memory.shrink(self.used.max(1));
            self.chunk_bytes -= before - open.memory.len();
        }
        shrink(&mut self.chunks);
    }

    /// Bytes from the allocator.
    pub(super) fn reserved_bytes(&self) -> usize {
        self.chunk_bytes + self.chunks.capacity() * size_of::<Chunk>()
    }

    /// Bytes of the strings.
    pub(super) const fn payload_bytes(&self) -> usize {
        self.payload_bytes
    }

    /// Bytes of the open chunk that no record has.
    pub(super) fn idle_bytes(&self) -> usize {
        match self.chunks.get(self.open) {
            Some(chunk) if !chunk.is_large => chunk.memory.len() - self.used,
            _ => 0,
        }
    }
}

/// The length as the short head has it.
fn short_len(len: usize) -> Option<u8> {
    u8::try_from(len).ok().filter(|short| *short != LONG)
}

fn head_of(len: usize) -> usize {
    match short_len(len) {
        Some(_) => SHORT_HEAD,
        None => LONG_HEAD,
    }
}

/// Makes room for one more: a quarter more, so that little is idle, or one where that is refused.
pub(super) fn grow_by_quarters<T>(
    vec: &mut Vec<T>,
    allowance: &mut Allowance,
) -> Result<(), InternError> {
    if vec.len() < vec.capacity() {
        return Ok(());
    }
    let quarter = vec.len() / 4 + 8;
    reserve(vec, quarter, allowance).or_else(|_| reserve(vec, 1, allowance))
}

/// Makes room for that many more, and no more than that.
pub(super) fn reserve<T>(
    vec: &mut Vec<T>,
    additional: usize,
    allowance: &mut Allowance,
) -> Result<(), InternError> {
    let missing = additional.saturating_sub(vec.capacity() - vec.len());
    if missing == 0 {
        return Ok(());
    }
    allowance.take(missing.saturating_mul(size_of::<T>()), || {
        let all = vec.len().saturating_add(additional);
        vec.try_reserve_exact(additional)
            .map_err(|_| InternError::Backend {
                size_bytes: all.saturating_mul(size_of::<T>()),
            })
    })
}

/// Gives back what is spare, if the allocator has room for a copy: `Vec::shrink_to_fit` ends the process if not.
pub(super) fn shrink<T>(vec: &mut Vec<T>) {
    if vec.len() == vec.capacity() {
        return;
    }
    let mut exact = Vec::new();
    if exact.try_reserve_exact(vec.len()).is_ok() {
        exact.append(vec);
        *vec = exact;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InternError, KeysError, LocalInterner};

    /// Without 4 GiB to fill them: chunks of no bytes, as many as there can be.
    fn with_all_chunks() -> LocalInterner {
        let mut names: LocalInterner = LocalInterner::new();
        names.intern("a");
        let store = &mut names.store;
        store.chunks.resize_with(MAX_CHUNKS, || Chunk {
            memory: Buffer::new(),
            first: 1,
            is_large: true,
        });
        names
    }

    #[test]
    fn what_no_place_can_name_is_refused() {
        let mut names = with_all_chunks();
        let room = MIN_CHUNK - names.store.used - SHORT_HEAD;
        let full = InternError::MemoryLimit {
            limit_bytes: MAX_CHUNKS.saturating_mul(MAX_CHUNK),
        };
        for long in [room + 1, LARGE, MAX_CHUNK] {
            let key = "x".repeat(long);
            assert_eq!(names.try_intern(&key), Err(full));
            assert_eq!(names.push_new(&key), Err(KeysError::Intern(full)));
            assert_eq!((names.len(), names.get(&key)), (1, None));
        }
        // What is left of the open chunk can still be had.
        assert!(names.try_intern("b").is_ok());
        assert_eq!(
            names.iter().map(|(_, key)| key).collect::<Vec<_>>(),
            ["a", "b"]
        );
    }
}
