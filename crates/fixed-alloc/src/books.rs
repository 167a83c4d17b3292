//! Which blocks are free: a bit for each, kept beside the slabs.
//!
//! A bit per block is a thirty-second of a list of indices, and a slab's bits lie in one or two
//! lines of a cache. Blocks come out in the order of their addresses, so that they lie side by
//! side. Nothing is written into a free block: a free touches no page, a program that writes
//! to a block after its free cannot lead the allocator astray, and a second free shows.
//!
//! Slabs that have free blocks are in lists by how full they are. Blocks are taken from a slab of
//! the fullest list, so that the emptiest have a chance to become empty; finding it is one
//! instruction, and moving a slab to another list a handful, once in a sixteenth of its blocks.
//!
//! ```text
//! list   0: empty slabs ──> spares   1: under 1/16 … 16: nearly full   (full slabs: in none)
//! ```
//!
//! All of this is plain data behind a lock, and safe code.
//!
//! # Invariants
//!
//! 1. The slab of a record that is in `places` is in the books: nobody has released it.
//! 2. A bit is set if and only if its block is free; bits beyond a slab's blocks are clear.
//! 3. A record with free blocks is in the list that [`Books::list_for`] says, others are in none.
//! 4. Checked books have a second bit for each block, which is set while it is lent. A block with
//!    neither bit is on its way from one state to the other, or is set aside for good.

use alloc::vec::Vec;
use core::num::NonZeroUsize;
use core::ptr::NonNull;

use crate::batch::Batch;
use crate::places::Places;
use crate::shape::Shape;
use crate::slab::Slab;

#[cfg(test)]
mod tests;

/// The end of a list.
const NIL: u32 = u32::MAX;

/// Partly used slabs are told apart by sixteenths.
const LISTS: usize = 17;

/// Where empty slabs are.
const EMPTY: usize = 0;

const WORD: u32 = u64::BITS;

/// What is wrong with a pointer that is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It points into no slab.
    Foreign,
    /// It points into a slab, but not to the start of a block.
    Interior,
    /// The block is free already.
    Double,
}

/// The state of all slabs.
#[derive(Debug)]
pub(crate) struct Books {
    shape: Shape,
    /// Whether there are bits for blocks that are lent.
    checked: bool,
    records: Vec<Record>,
    /// `shape.words()` for each record, and as many again in checked books.
    bits: Vec<u64>,
    places: Places,
    heads: [u32; LISTS],
    /// A bit for each list that is not empty.
    filled: u32,
    /// Records without a slab, linked by `next`.
    vacant: u32,
    pub(crate) figures: Figures,
}

/// Sums over all slabs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    /// Slabs in the books.
    pub(crate) slabs: usize,
    /// Slabs taken out whose memory has not gone back yet.
    pub(crate) releasing: usize,
    /// Trims that are under way. They release what is empty at their end, and nobody else does.
    pub(crate) trims: usize,
    /// Whether nobody will take blocks any more.
    pub(crate) closed: bool,
    /// Those without a block in use.
    pub(crate) empty: usize,
    /// Blocks in use: lent, or idle in the engine.
    pub(crate) used: usize,
    /// Slabs entered and taken out so far.
    pub(crate) entered: u64,
    pub(crate) removed: u64,
    /// Bad pointers that a hardened allocator has met so far.
    pub(crate) faults: u64,
    /// Bytes of the books themselves.
    pub(crate) book_bytes: usize,
}

#[derive(Debug)]
struct Record {
    /// `None`: the record is vacant.
    slab: Option<Slab>,
    used: u32,
    /// No word before this one has a bit set.
    hint: u32,
    next: u32,
    before: u32,
}

/// Memory for more slabs than the books have room for, allocated by whoever does not hold them.
#[derive(Debug)]
pub(crate) struct Room {
    records: Vec<Record>,
    bits: Vec<u64>,
    places: Places,
}

impl Room {
    /// Room for so many slabs, if there is memory.
    pub(crate) fn try_new(slabs: usize, shape: &Shape, checked: bool) -> Option<Self> {
        let mut records = Vec::new();
        records.try_reserve_exact(slabs).ok()?;
        let mut bits = Vec::new();
        bits.try_reserve_exact(slabs.checked_mul(stride(shape, checked))?)
            .ok()?;
        Some(Self {
            records,
            bits,
            places: Places::try_with_capacity(slabs)?,
        })
    }
}

impl Books {
    /// No slabs, and no room for any.
    pub(crate) fn new(shape: Shape, checked: bool) -> Self {
        Self {
            shape,
            checked,
            records: Vec::new(),
            bits: Vec::new(),
            places: Places::default(),
            heads: [NIL; LISTS],
            filled: 0,
            vacant: NIL,
            figures: Figures::default(),
        }
    }

    /// For how many slabs there must be room before one more is entered; `None` if there is.
    pub(crate) fn wants_room(&self) -> Option<usize> {
        let full = self.vacant == NIL && self.records.len() == self.records.capacity();
        full.then(|| self.records.capacity().saturating_mul(2).max(4))
    }

    /// Moves into larger books; the old ones come back, to be freed by the caller.
    pub(crate) fn move_into(&mut self, mut room: Room) -> Room {
        room.records.append(&mut self.records);
        room.bits.append(&mut self.bits);
        room.places.copy(&self.places);
        core::mem::swap(&mut self.records, &mut room.records);
        core::mem::swap(&mut self.bits, &mut room.bits);
        core::mem::swap(&mut self.places, &mut room.places);
        self.figures.book_bytes = self.records.capacity() * size_of::<Record>()
            + self.bits.capacity() * size_of::<u64>()
            + self.places.bytes();
        room
    }

    /// Enters a slab, all of its blocks free. There is room: see [`wants_room`](Self::wants_room).
    pub(crate) fn enter(&mut self, slab: Slab) {
        let key = self.shape.key(slab.address());
        let stride = stride(&self.shape, self.checked);
        let record = if self.vacant == NIL {
            self.records.push(Record {
                slab: None,
                used: 0,
                hint: 0,
                next: NIL,
                before: NIL,
            });
            self.bits.resize(self.bits.len() + stride, 0);
            u32::try_from(self.records.len() - 1).unwrap_or(NIL)
        } else {
            let vacant = self.vacant;
            self.vacant = self.records[vacant as usize].next;
            vacant
        };
        // INVARIANT: 2 — every block is free.
        let blocks = self.shape.blocks;
        for (word, bits) in (0_u32..).zip(self.words_of(record)) {
            let left = blocks - word * WORD;
            *bits = if left >= WORD {
                u64::MAX
            } else {
                (1 << left) - 1
            };
        }
        let entry = &mut self.records[record as usize];
        entry.slab = Some(slab);
        entry.used = 0;
        entry.hint = 0;
        self.places.insert(key, record);
        self.link(record, EMPTY);
        self.figures.slabs += 1;
        self.figures.empty += 1;
        self.figures.entered += 1;
    }

    /// Takes an empty slab out of the books, if there are more than `keep`.
    pub(crate) fn remove_empty(&mut self, keep: usize) -> Option<Slab> {
        if self.figures.empty <= keep {
            return None;
        }
        let record = self.heads[EMPTY];
        let entry = self.records.get_mut(record as usize)?;
        let slab = entry.slab.take()?;
        self.unlink(record, EMPTY);
        self.places.remove(self.shape.key(slab.address()));
        self.records[record as usize].next = self.vacant;
        self.vacant = record;
        self.figures.slabs -= 1;
        self.figures.empty -= 1;
        self.figures.removed += 1;
        self.figures.releasing += 1;
        Some(slab)
    }

    /// Gives the room up, if there is no slab in it; it is to be freed by the caller.
    pub(crate) fn vacate(&mut self) -> Option<Room> {
        if self.figures.slabs > 0 {
            return None;
        }
        // No record is in a list, since none has a slab.
        self.vacant = NIL;
        self.figures.book_bytes = 0;
        Some(Room {
            records: core::mem::take(&mut self.records),
            bits: core::mem::take(&mut self.bits),
            places: core::mem::take(&mut self.places),
        })
    }

    /// Takes a slab out of the books for good, whatever its blocks are used for.
    pub(crate) fn remove_any(&mut self) -> Option<Slab> {
        loop {
            if let Some(slab) = self.records.pop()?.slab {
                return Some(slab);
            }
        }
    }

    /// Takes free blocks, fullest slabs first, until the batch has as many as are wanted.
    pub(crate) fn take(&mut self, batch: &mut Batch, wanted: usize) {
        while batch.len() < wanted && self.filled != 0 {
            let list = self.filled.ilog2() as usize;
            let before = batch.len();
            self.take_from(self.heads[list], list, batch, wanted);
            if batch.len() == before {
                debug_assert!(false, "invariant 3: a record in a list has free blocks");
                return;
            }
        }
    }

    fn take_from(&mut self, record: u32, list: usize, batch: &mut Batch, wanted: usize) {
        let shape = self.shape;
        let entry = &self.records[record as usize];
        let Some(base) = entry.slab.as_ref().map(Slab::base) else {
            return;
        };
        let (used, mut word) = (entry.used, entry.hint);
        let before = batch.len();
        let words = self.words_of(record);
        while let Some(bits) = words.get_mut(word as usize) {
            while *bits != 0 && batch.len() < wanted {
                let index = word * WORD + bits.trailing_zeros();
                // INVARIANT: 2 — the block is in use from here on.
                *bits &= *bits - 1;
                batch.push(block(base, shape.offset(index)));
            }
            if *bits != 0 {
                break;
            }
            word += 1;
        }
        let taken = batch.len() - before;
        let entry = &mut self.records[record as usize];
        let used = used + u32::try_from(taken).unwrap_or(0);
        entry.hint = word;
        entry.used = used;
        let after = self.list_for(used);
        self.figures.used += taken;
        if list == EMPTY {
            self.figures.empty -= 1;
        }
        self.relink(record, Some(list), after);
    }

    /// Gives blocks back by their addresses; those that are none, or free already, change nothing.
    pub(crate) fn give(&mut self, blocks: &[NonNull<()>]) -> Result<(), Fault> {
        let (shape, mut left, mut result) = (self.shape, blocks, Ok(()));
        while let Some(first) = left.first() {
            // What was taken together often comes back together.
            let key = shape.key(first.addr().get());
            let of_another = |block: &NonNull<()>| shape.key(block.addr().get()) != key;
            let run = left.iter().position(of_another).unwrap_or(left.len());
            let (these, others) = left.split_at(run);
            result = self.give_run(key, these).and(result);
            left = others;
        }
        result
    }

    /// Gives blocks of one slab back.
    fn give_run(&mut self, key: usize, blocks: &[NonNull<()>]) -> Result<(), Fault> {
        let record = self.places.find(key).ok_or(Fault::Foreign)?;
        let (shape, mut result) = (self.shape, Ok(()));
        let entry = &self.records[record as usize];
        let (before, mut hint) = (entry.used, entry.hint);
        let words = self.words_of(record);
        let mut used = before;
        for block in blocks {
            let Some(index) = shape.index(block.addr().get() & (shape.slab_bytes - 1)) else {
                result = Err(Fault::Interior);
                continue;
            };
            let (word, bit) = (index / WORD, 1_u64 << (index % WORD));
            let bits = &mut words[word as usize];
            if *bits & bit != 0 {
                result = Err(Fault::Double);
                continue;
            }
            // INVARIANT: 2 — the block is free from here on.
            *bits |= bit;
            hint = hint.min(word);
            used -= 1;
        }
        let entry = &mut self.records[record as usize];
        entry.hint = hint;
        entry.used = used;
        self.figures.used -= (before - used) as usize;
        if used == 0 && before > 0 {
            self.figures.empty += 1;
        }
        let (before, after) = (self.list_for(before), self.list_for(used));
        self.relink(record, before, after);
        result
    }

    /// The block that begins at this address, if one that is in use does; with the provenance of its
    /// slab.
    pub(crate) fn check(&self, address: usize) -> Result<NonNull<u8>, Fault> {
        let (record, index) = self.look_up(address)?;
        let (word, bit) = self.bit_of(record, index);
        let is_free = if self.checked {
            self.bits[self.lent(word)] & bit == 0
        } else {
            self.bits[word] & bit != 0
        };
        if is_free {
            return Err(Fault::Double);
        }
        let slab = self.records[record as usize].slab.as_ref();
        // Invariant 1: what `places` finds has a slab.
        let slab = slab.ok_or(Fault::Foreign)?;
        Ok(block(slab.base(), self.shape.offset(index)).cast())
    }

    /// As [`check`](Self::check), in checked books; the block is no longer lent, and not free yet.
    pub(crate) fn claim(&mut self, address: usize) -> Result<NonNull<u8>, Fault> {
        let block = self.check(address)?;
        let (record, index) = self.look_up(address)?;
        let (word, bit) = self.bit_of(record, index);
        let lent = self.lent(word);
        // INVARIANT: 4 — from here on it has neither bit.
        self.bits[lent] &= !bit;
        Ok(block)
    }

    /// Enters a block that was taken as lent, in checked books.
    pub(crate) fn lend(&mut self, block: NonNull<u8>) {
        let Ok((record, index)) = self.look_up(block.addr().get()) else {
            debug_assert!(false, "a block that was not taken from these books");
            return;
        };
        let (word, bit) = self.bit_of(record, index);
        let lent = self.lent(word);
        // INVARIANT: 4 — its other bit was cleared when it was taken.
        self.bits[lent] |= bit;
    }

    /// Where the bit is that says that a block is free.
    fn bit_of(&self, record: u32, index: u32) -> (usize, u64) {
        let first = record as usize * stride(&self.shape, self.checked);
        (first + (index / WORD) as usize, 1 << (index % WORD))
    }

    /// The word in which a block is lent, beside that in which it is free.
    fn lent(&self, word: usize) -> usize {
        word + self.shape.words()
    }

    /// The record and the number of the block at this address.
    #[inline]
    fn look_up(&self, address: usize) -> Result<(u32, u32), Fault> {
        let found = self.places.find(self.shape.key(address));
        let record = found.ok_or(Fault::Foreign)?;
        let offset = address & (self.shape.slab_bytes - 1);
        let index = self.shape.index(offset).ok_or(Fault::Interior)?;
        Ok((record, index))
    }

    fn words_of(&mut self, record: u32) -> &mut [u64] {
        let words = self.shape.words();
        let first = record as usize * stride(&self.shape, self.checked);
        &mut self.bits[first..first + words]
    }

    /// Which list a slab with so many blocks in use belongs in.
    #[inline]
    fn list_for(&self, used: u32) -> Option<usize> {
        if used == self.shape.blocks {
            return None;
        }
        if used == 0 {
            return Some(EMPTY);
        }
        let bits = WORD / 2 - self.shape.blocks.leading_zeros();
        Some(1 + (used >> bits.saturating_sub(4)) as usize)
    }

    fn relink(&mut self, record: u32, before: Option<usize>, after: Option<usize>) {
        if before == after {
            return;
        }
        // INVARIANT: 3.
        if let Some(list) = before {
            self.unlink(record, list);
        }
        if let Some(list) = after {
            self.link(record, list);
        }
    }

    fn link(&mut self, record: u32, list: usize) {
        let head = self.heads[list];
        if let Some(next) = self.records.get_mut(head as usize) {
            next.before = record;
        }
        let entry = &mut self.records[record as usize];
        entry.next = head;
        entry.before = NIL;
        self.heads[list] = record;
        self.filled |= 1 << list;
    }

    fn unlink(&mut self, record: u32, list: usize) {
        let entry = &self.records[record as usize];
        let (next, before) = (entry.next, entry.before);
        if let Some(next) = self.records.get_mut(next as usize) {
            next.before = before;
        }
        if let Some(before) = self.records.get_mut(before as usize) {
            before.next = next;
        } else {
            self.heads[list] = next;
            if next == NIL {
                self.filled &= !(1 << list);
            }
        }
    }
}

/// The words of bits that a record has.
fn stride(shape: &Shape, checked: bool) -> usize {
    shape.words() << u32::from(checked)
}

/// The block so far into a slab, with the provenance of the slab.
#[inline]
fn block(base: NonNull<u8>, offset: usize) -> NonNull<()> {
    let at = |address: NonZeroUsize| address.saturating_add(offset);
    base.map_addr(at).cast()
}
