//! Plain numbers: what happened, as a sum of events.
#![forbid(unsafe_code)]

use core::cell::Cell;

/// How much was allocated, freed and moved. Sums wrap, so that differences stay right.
///
/// A reallocation is split: what the block grew by is allocated, what it shrank by is freed, and
/// the part that it kept is `resized`. So one event moves one side only, and no reader can catch
/// the new size counted and the old one not yet gone. Outside this crate the kept part is added
/// to both sides again, since `realloc` hands out the new size and takes back the old one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) allocated_bytes: u64,
    pub(crate) freed_bytes: u64,
    pub(crate) resized_bytes: u64,
    pub(crate) moved_bytes: u64,
    pub(crate) allocs: u64,
    pub(crate) frees: u64,
    pub(crate) reallocs: u64,
}

impl Counts {
    /// Nothing happened.
    pub(crate) const ZERO: Self = Self {
        allocated_bytes: 0,
        freed_bytes: 0,
        resized_bytes: 0,
        moved_bytes: 0,
        allocs: 0,
        frees: 0,
        reallocs: 0,
    };

    /// One allocation.
    pub(crate) const fn alloc(bytes: u64) -> Self {
        Self {
            allocated_bytes: bytes,
            allocs: 1,
            ..Self::ZERO
        }
    }

    /// One free.
    pub(crate) const fn free(bytes: u64) -> Self {
        Self {
            freed_bytes: bytes,
            frees: 1,
            ..Self::ZERO
        }
    }

    /// One reallocation; the block stays the same block.
    pub(crate) const fn realloc(old_bytes: u64, new_bytes: u64, moved_bytes: u64) -> Self {
        Self {
            allocated_bytes: new_bytes.saturating_sub(old_bytes),
            freed_bytes: old_bytes.saturating_sub(new_bytes),
            resized_bytes: if old_bytes < new_bytes {
                old_bytes
            } else {
                new_bytes
            },
            moved_bytes,
            reallocs: 1,
            ..Self::ZERO
        }
    }

    /// Bytes that the allocator handed out, the new sizes of reallocations among them.
    pub(crate) const fn requested_bytes(self) -> u64 {
        self.allocated_bytes.wrapping_add(self.resized_bytes)
    }

    /// Bytes that the allocator got back, the old sizes of reallocations among them.
    pub(crate) const fn returned_bytes(self) -> u64 {
        self.freed_bytes.wrapping_add(self.resized_bytes)
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            allocated_bytes: self.allocated_bytes.wrapping_add(other.allocated_bytes),
            freed_bytes: self.freed_bytes.wrapping_add(other.freed_bytes),
            resized_bytes: self.resized_bytes.wrapping_add(other.resized_bytes),
            moved_bytes: self.moved_bytes.wrapping_add(other.moved_bytes),
            allocs: self.allocs.wrapping_add(other.allocs),
            frees: self.frees.wrapping_add(other.frees),
            reallocs: self.reallocs.wrapping_add(other.reallocs),
        }
    }

    pub(crate) const fn minus(self, other: Self) -> Self {
        Self {
            allocated_bytes: self.allocated_bytes.wrapping_sub(other.allocated_bytes),
            freed_bytes: self.freed_bytes.wrapping_sub(other.freed_bytes),
            resized_bytes: self.resized_bytes.wrapping_sub(other.resized_bytes),
            moved_bytes: self.moved_bytes.wrapping_sub(other.moved_bytes),
            allocs: self.allocs.wrapping_sub(other.allocs),
            frees: self.frees.wrapping_sub(other.frees),
            reallocs: self.reallocs.wrapping_sub(other.reallocs),
        }
    }

    /// Bytes allocated and not freed; negative in a scope that frees what it did not allocate.
    pub(crate) const fn live_bytes(self) -> i64 {
        self.allocated_bytes.wrapping_sub(self.freed_bytes) as i64
    }

    /// Blocks allocated and not freed; negative like [`live_bytes`](Self::live_bytes).
    pub(crate) const fn live_blocks(self) -> i64 {
        self.allocs.wrapping_sub(self.frees) as i64
    }

    /// Calls that asked for memory.
    pub(crate) const fn alloc_calls(self) -> u64 {
        self.allocs.wrapping_add(self.reallocs)
    }
}

/// Counts that one thread adds to through a shared reference.
#[derive(Debug)]
pub(crate) struct CountsCell(Cell<Counts>);

impl CountsCell {
    pub(crate) const fn new() -> Self {
        Self(Cell::new(Counts::ZERO))
    }

    pub(crate) fn get(&self) -> Counts {
        self.0.get()
    }

    pub(crate) fn set(&self, counts: Counts) {
        self.0.set(counts);
    }

    pub(crate) fn add(&self, event: Counts) {
        self.0.set(self.0.get().plus(event));
    }
}
