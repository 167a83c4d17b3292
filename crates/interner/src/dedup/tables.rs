//! The entries of a shard: found by their contents, and queued for eviction in two queues.
//!
//! ```text
//!   index    hash ──► number of an entry
//!   entries  │ handle │ hash32 │ uses 2 | next 30 │ …    one array; queues and free entries are linked through it
//!            small ─►─►─►   main ─►─►─►─►─►─►   free ─►
//! ```
//!
//! An entry takes 16 bytes here and 10 in the index. Nothing in here allocates or frees but
//! [`Tables::try_with_room`] and the drop, which are called without a lock.
//!
//! # Invariants
//!
//! 1. Each number below the length of `entries` is in exactly one of the lists; an entry has a handle, and a slot
//!    in the index, unless it is in `free`. (What [`Tables::move_into`] leaves behind is in none.)
//! 2. There are at most `room` entries, for which `entries` has capacity and the index slots.

#![forbid(unsafe_code)]

use alloc::vec::Vec;

use super::index::Index;
use crate::error::InternError;
use crate::key::Key;
use crate::shared::Shared;

/// No entry.
const NIL: u32 = (1 << 30) - 1;

/// More uses than this are not told apart.
const MOST_USES: u32 = 3;

/// One of the two queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Queue {
    /// New keys, on probation.
    Small,
    /// Keys that were asked for again.
    Main,
}

impl Queue {
    pub(crate) const BOTH: [Self; 2] = [Self::Small, Self::Main];
}

struct Entry<K: ?Sized + Key> {
    handle: Option<Shared<K>>,
    hash: u32,
    /// The uses in the upper two bits, the next entry of the same list in the others.
    link: u32,
}

#[derive(Clone, Copy)]
struct List {
    first: u32,
    last: u32,
    len: usize,
    /// What the blocks of the entries take.
    bytes: usize,
}

impl List {
    const EMPTY: Self = Self {
        first: NIL,
        last: NIL,
        len: 0,
        bytes: 0,
    };
}

pub(crate) struct Tables<K: ?Sized + Key> {
    index: Index,
    entries: Vec<Entry<K>>,
    room: usize,
    queues: [List; 2],
    free: u32,
}

impl<K: ?Sized + Key> Tables<K> {
    /// The least that is allocated.
    pub(crate) const LEAST_ROOM: usize = 4;

    pub(crate) const fn new() -> Self {
        Self {
            index: Index::new(),
            entries: Vec::new(),
            room: 0,
            queues: [List::EMPTY; 2],
            free: NIL,
        }
    }

    /// Empty tables for so many entries.
    pub(crate) fn try_with_room(room: usize) -> Result<Self, InternError> {
        let mut tables = Self::new();
        if tables.entries.try_reserve_exact(room).is_err() {
            return Err(InternError::Backend {
                size_bytes: room.saturating_mul(size_of::<Entry<K>>()),
            });
        }
        tables.index = Index::try_with_room(room)?;
        tables.room = room;
        Ok(tables)
    }

    /// How many bytes tables for so many entries take.
    pub(crate) const fn bytes_for(room: usize) -> usize {
        room.saturating_mul(size_of::<Entry<K>>())
            .saturating_add(Index::bytes_for(room))
    }

    /// How many bytes these take, without the blocks.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry<K>>() + self.index.bytes()
    }

    pub(crate) const fn len(&self) -> usize {
        self.queues[0].len + self.queues[1].len
    }

    pub(crate) const fn room(&self) -> usize {
        self.room
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.len() == self.room
    }

    /// The next size: twice as many, later a quarter more.
    pub(crate) fn next_room(&self) -> usize {
        let more = (self.room / 4).max(self.room.min(64));
        (self.room + more)
            .max(Self::LEAST_ROOM)
            .min(NIL as usize - 1)
    }

    /// What the blocks of a queue take.
    pub(crate) const fn queue_bytes(&self, queue: Queue) -> usize {
        self.queues[queue as usize].bytes
    }

    pub(crate) const fn queue_len(&self, queue: Queue) -> usize {
        self.queues[queue as usize].len
    }

    /// What all blocks take.
    pub(crate) const fn block_bytes(&self) -> usize {
        self.queues[0].bytes + self.queues[1].bytes
    }

    /// The entry of a key.
    #[inline]
    pub(crate) fn find(&self, hash: u32, bytes: &[u8]) -> Option<u32> {
        self.index
            .find(hash, |entry| match &self.entries[entry as usize].handle {
                Some(handle) => handle.bytes() == bytes,
                None => false,
            })
    }

    /// A handle to the key of an entry that was found, and a use more.
    #[inline]
    pub(crate) fn lend(&mut self, entry: u32) -> Option<Shared<K>> {
        let entry = &mut self.entries[entry as usize];
        if entry.link >> 30 < MOST_USES {
            entry.link += 1 << 30;
        }
        entry.handle.clone()
    }

    /// Puts a key at the end of a queue.
    ///
    /// # Errors
    ///
    /// Gives the handle back if there is no slot near its home.
    ///
    /// # Panics
    ///
    /// If the tables are full.
    pub(crate) fn push(
        &mut self,
        queue: Queue,
        hash: u32,
        handle: Shared<K>,
    ) -> Result<(), Shared<K>> {
        assert!(!self.is_full(), "invariant 2: there is room for the entry");
        let is_new = self.free == NIL;
        let number = if is_new { self.end() } else { self.free };
        if !self.index.insert(hash, number) {
            return Err(handle);
        }
        let bytes = handle.block_bytes();
        let entry = Entry {
            handle: Some(handle),
            hash,
            link: NIL,
        };
        if is_new {
            self.entries.push(entry);
        } else {
            self.free = self.next(number);
            self.entries[number as usize] = entry;
        }
        // INVARIANT: 1 — out of `free`, or new, and into the queue.
        self.append(queue, number, bytes);
        Ok(())
    }

    /// The first of a queue: the one that has waited longest, and how often it was asked for since.
    pub(crate) fn first(&self, queue: Queue) -> Option<First<'_, K>> {
        let entry = self
            .entries
            .get(self.queues[queue as usize].first as usize)?;
        Some(First {
            uses: entry.link >> 30,
            handle: entry.handle.as_ref()?,
        })
    }

    /// Moves the first of a queue to the end of one, with that many uses.
    pub(crate) fn requeue(&mut self, from: Queue, to: Queue, uses: u32) {
        let Some((number, bytes)) = self.unlink_first(from) else {
            return;
        };
        self.entries[number as usize].link = uses << 30 | NIL;
        self.append(to, number, bytes);
    }

    /// Takes the first out of a queue and out of the index.
    pub(crate) fn pop(&mut self, queue: Queue) -> Option<(u32, Shared<K>)> {
        let (number, _) = self.unlink_first(queue)?;
        let entry = &mut self.entries[number as usize];
        let (hash, handle) = (entry.hash, entry.handle.take());
        entry.link = self.free;
        // INVARIANT: 1 — out of the queue, out of the index, and into `free`.
        self.free = number;
        self.index.remove(hash, number);
        handle.map(|handle| (hash, handle))
    }

    /// Moves all entries into tables that have room for them, in their order.
    ///
    /// What finds no slot near its home there stays here, out of reach, for the drop of these.
    pub(crate) fn move_into(&mut self, new: &mut Self) {
        for queue in Queue::BOTH {
            while let Some((number, _)) = self.unlink_first(queue) {
                let entry = &mut self.entries[number as usize];
                let (hash, link) = (entry.hash, entry.link);
                let Some(handle) = entry.handle.take() else {
                    continue;
                };
                match new.push(queue, hash, handle) {
                    Ok(()) => new.last_keeps_uses(queue, link),
                    Err(handle) => entry.handle = Some(handle),
                }
            }
        }
    }

    fn last_keeps_uses(&mut self, queue: Queue, link: u32) {
        let last = self.queues[queue as usize].last;
        self.entries[last as usize].link = (link & !NIL) | NIL;
    }

    /// The bytes of the blocks, and of those that others hold, of some entries spread over all.
    pub(crate) fn sample(&self, most: usize) -> (usize, usize) {
        let step = (self.entries.len() / most).max(1);
        let sampled = self.entries.iter().step_by(step);
        sampled
            .filter_map(|entry| entry.handle.as_ref())
            .fold((0, 0), |(all, held), handle| {
                let bytes = handle.block_bytes();
                (all + bytes, held + if handle.is_held() { bytes } else { 0 })
            })
    }

    fn append(&mut self, queue: Queue, number: u32, bytes: usize) {
        let list = &mut self.queues[queue as usize];
        let last = core::mem::replace(&mut list.last, number);
        list.len += 1;
        list.bytes += bytes;
        if last == NIL {
            list.first = number;
        } else {
            let link = &mut self.entries[last as usize].link;
            *link = (*link & !NIL) | number;
        }
    }

    fn unlink_first(&mut self, queue: Queue) -> Option<(u32, usize)> {
        let number = self.queues[queue as usize].first;
        let entry = self.entries.get(number as usize)?;
        let bytes = entry.handle.as_ref().map_or(0, Shared::block_bytes);
        let next = entry.link & NIL;
        let list = &mut self.queues[queue as usize];
        list.first = next;
        list.len -= 1;
        list.bytes -= bytes;
        if next == NIL {
            list.last = NIL;
        }
        Some((number, bytes))
    }

    fn next(&self, number: u32) -> u32 {
        self.entries[number as usize].link & NIL
    }

    /// The number of an entry behind the last: below `room`, which is below `NIL`.
    #[expect(clippy::cast_possible_truncation, reason = "below NIL")]
    fn end(&self) -> u32 {
        self.entries.len() as u32
    }
}

/// What there is to know about the first of a queue.
pub(crate) struct First<'a, K: ?Sized + Key> {
    pub(crate) uses: u32,
    pub(crate) handle: &'a Shared<K>,
}
