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
        let bytes = handle.block_bytes();
        self.place(queue, hash, handle)?;
        self.queues[queue as usize].bytes += bytes;
        Ok(())
    }

    /// The same, without the bytes, for which the block would be looked at.
    fn place(&mut self, queue: Queue, hash: u32, handle: Shared<K>) -> Result<(), Shared<K>> {
        assert!(!self.is_full(), "invariant 2: there is room for the entry");
        let is_new = self.free == NIL;
        let number = if is_new { self.end() } else { self.free };
        if !self.index.insert(hash, number) {
            return Err(handle);
        }
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
        self.append(queue, number);
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
        let Some(number) = self.unlink_first(from) else {
            return;
        };
        let entry = &mut self.entries[number as usize];
        entry.link = uses << 30 | NIL;
        if from != to {
            // The block is cold: who stays in a queue is not asked for its size.
            let bytes = entry.handle.as_ref().map_or(0, Shared::block_bytes);
            self.queues[from as usize].bytes -= bytes;
            self.queues[to as usize].bytes += bytes;
        }
        self.append(to, number);
    }

    /// Takes the first out of a queue and out of the index.
    pub(crate) fn pop(&mut self, queue: Queue) -> Option<(u32, Shared<K>)> {
        let number = self.unlink_first(queue)?;
        let entry = &mut self.entries[number as usize];
        let (hash, handle) = (entry.hash, entry.handle.take());
        entry.link = self.free;
        // INVARIANT: 1 — out of the queue, out of the index, and into `free`.
        self.free = number;
        self.index.remove(hash, number);
        let handle = handle?;
        self.queues[queue as usize].bytes -= handle.block_bytes();
        Some((hash, handle))
    }

    /// Moves all entries into empty tables that have room for them, in their order. No block is looked at.
    ///
    /// What finds no slot near its home there stays here, out of reach, for the drop of these.
    pub(crate) fn move_into(&mut self, new: &mut Self) {
        for queue in Queue::BOTH {
            let mut bytes = core::mem::take(&mut self.queues[queue as usize].bytes);
            while let Some(number) = self.unlink_first(queue) {
                let entry = &mut self.entries[number as usize];
                let (hash, link) = (entry.hash, entry.link);
                let Some(handle) = entry.handle.take() else {
                    continue;
                };
                match new.place(queue, hash, handle) {
                    Ok(()) => new.last_keeps_uses(queue, link),
                    Err(handle) => {
                        bytes -= handle.block_bytes();
                        entry.handle = Some(handle);
                    }
                }
            }
            new.queues[queue as usize].bytes = bytes;
        }
    }

    fn last_keeps_uses(&mut self, queue: Queue, link: u32) {
        let last = self.queues[queue as usize].last;
        self.entries[last as usize].link = (link & !NIL) | NIL;
    }

    /// The bytes of the blocks, and of those that others hold, of some entries spread over all.
    pub(crate) fn sample(&self, most: usize) -> (usize, usize) {
        let step = self.entries.len().div_ceil(most).max(1);
        let sampled = self.entries.iter().step_by(step);
        sampled
            .filter_map(|entry| entry.handle.as_ref())
            .fold((0, 0), |(all, held), handle| {
                let bytes = handle.block_bytes();
                (all + bytes, held + if handle.is_held() { bytes } else { 0 })
            })
    }

    fn append(&mut self, queue: Queue, number: u32) {
        let list = &mut self.queues[queue as usize];
        let last = core::mem::replace(&mut list.last, number);
        list.len += 1;
        if last == NIL {
            list.first = number;
        } else {
            let link = &mut self.entries[last as usize].link;
            *link = (*link & !NIL) | number;
        }
    }

    /// Takes the first out of a queue; its bytes are the caller's to take off.
    fn unlink_first(&mut self, queue: Queue) -> Option<u32> {
        let number = self.queues[queue as usize].first;
        let next = self.entries.get(number as usize)?.link & NIL;
        let list = &mut self.queues[queue as usize];
        list.first = next;
        list.len -= 1;
        if next == NIL {
            list.last = NIL;
        }
        Some(number)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(tables: &Tables<str>) -> [usize; 2] {
        let mut sums = [0; 2];
        for queue in Queue::BOTH {
            let mut number = tables.queues[queue as usize].first;
            while number != NIL {
                let entry = &tables.entries[number as usize];
                sums[queue as usize] += entry.handle.as_ref().map_or(0, Shared::block_bytes);
                number = entry.link & NIL;
            }
        }
        sums
    }

    #[test]
    fn entries_move_between_queues_and_tables_with_their_bytes_and_uses() {
        let mut tables = Tables::<str>::try_with_room(10).unwrap();
        for (hash, key) in (0..).zip(["", "a", "bb", "ccc", "dddd"]) {
            tables.push(Queue::Small, hash, Shared::from(key)).unwrap();
        }
        tables.requeue(Queue::Small, Queue::Main, 2);
        tables.requeue(Queue::Small, Queue::Main, 1);
        tables.requeue(Queue::Main, Queue::Main, 3);
        tables.requeue(Queue::Small, Queue::Small, 0);
        let (hash, popped) = tables.pop(Queue::Small).unwrap();
        assert_eq!((hash, &*popped), (3, "ccc"));
        assert_eq!(sums(&tables), tables.queues.map(|list| list.bytes));

        let mut new = Tables::try_with_room(4).unwrap();
        tables.move_into(&mut new);
        assert_eq!((tables.len(), tables.block_bytes(), new.len()), (0, 0, 4));
        assert_eq!(sums(&new), new.queues.map(|list| list.bytes));
        let order = |queue, tables: &mut Tables<str>| {
            let mut order = Vec::new();
            while let Some(uses) = tables.first(queue).map(|first| first.uses) {
                let (_, handle) = tables.pop(queue).unwrap();
                order.push((String::from(&*handle), uses));
            }
            order
        };
        let expected = |all: &[(&str, u32)]| -> Vec<(String, u32)> {
            all.iter()
                .map(|(key, uses)| ((*key).into(), *uses))
                .collect()
        };
        assert_eq!(order(Queue::Main, &mut new), expected(&[("a", 1), ("", 3)]));
        assert_eq!(
            order(Queue::Small, &mut new),
            expected(&[("dddd", 0), ("bb", 0)])
        );
        assert_eq!((new.len(), new.block_bytes()), (0, 0));
        // Free places serve again.
        for hash in 0..4 {
            new.push(Queue::Main, hash, Shared::from("x")).unwrap();
        }
        assert!(new.is_full());
    }

    #[test]
    fn what_finds_no_place_in_new_tables_stays_out_of_the_sums() {
        // Two homes that lie a thousand slots apart here, and six there.
        let mut tables = Tables::<str>::try_with_room(100_000).unwrap();
        for i in 0..600 {
            let hash = i % 2 * 34_360_000;
            let handle = Shared::from(&*format!("{i}"));
            tables.push(Queue::Small, hash, handle).unwrap();
        }
        let mut new = Tables::try_with_room(600).unwrap();
        tables.move_into(&mut new);
        assert_eq!(sums(&new), new.queues.map(|list| list.bytes));
        assert!((512..600).contains(&new.len()), "{}", new.len());
    }
}
