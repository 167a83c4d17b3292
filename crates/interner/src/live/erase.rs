//! Taking slots out of a table that nobody else looks at.
//!
//! A search ends at an empty slot, so a hole must not stay where a later string's search passes: strings behind it
//! move up, as far as the groups where their searches begin allow.

use thrifty_sync::{atomic::AtomicU64, ord};

use super::geometry::Geometry;
use super::slot;
use super::table::TableRef;

impl<G: Geometry> TableRef<G> {
    /// Takes a record out; whether it was there. For who has the interner exclusively.
    pub(crate) fn erase(self, tag: u32, record: u32) -> bool {
        let Some(mut hole) = self.seek(tag, record).or_else(|| self.seek_slow(record)) else {
            return false;
        };
        let mut next = hole;
        loop {
            next = self.after(next);
            let content = self.peek(next);
            if content == 0 {
                break;
            }
            let home = slot::first(slot::home(slot::tag(content), self.groups()));
            if self.distance(home, next) >= self.distance(hole, next) {
                self.poke(hole, content);
                hole = next;
            }
        }
        self.poke(hole, 0);
        true
    }

    /// Empties all slots. For who has the interner exclusively.
    pub(crate) fn erase_all(self) {
        for index in 0..self.slots() {
            self.poke(index, 0);
        }
    }

    /// The slot of a record, where its search finds it.
    fn seek(self, tag: u32, record: u32) -> Option<u32> {
        let mut index = slot::first(slot::home(tag, self.groups()));
        for _ in 0..self.slots() {
            let content = self.peek(index);
            if content == 0 {
                return None;
            }
            if content == slot::pack(tag, record) {
                return Some(index);
            }
            index = self.after(index);
        }
        None
    }

    /// The slot of a record, wherever it is: a hasher may have changed its mind.
    #[cold]
    fn seek_slow(self, record: u32) -> Option<u32> {
        (0..self.slots()).find(|index| slot::record(self.peek(*index)) == record)
    }

    fn after(self, index: u32) -> u32 {
        if index + 1 == self.slots() {
            0
        } else {
            index + 1
        }
    }

    /// How many steps lead from one slot to another, around the end.
    fn distance(self, from: u32, to: u32) -> u32 {
        if to >= from {
            to - from
        } else {
            self.slots() - from + to
        }
    }

    fn peek(self, index: u32) -> u64 {
        // ORDERING(interner.erase): Relaxed; nobody else uses the table.
        self.slot(index).load(ord!(interner.erase, Relaxed))
    }

    fn poke(self, index: u32, content: u64) {
        // ORDERING(interner.erase): Relaxed; as above, and who uses it later was told so by who has it now.
        self.slot(index)
            .store(content, ord!(interner.erase, Relaxed));
    }

    fn slot<'a>(self, index: u32) -> &'a AtomicU64 {
        assert!(index < self.slots());
        // SAFETY: below the number of slots, which are whole groups.
        let group = unsafe { self.group(slot::groups(index)) };
        &group[(index - slot::first(slot::groups(index))) as usize]
    }
}
