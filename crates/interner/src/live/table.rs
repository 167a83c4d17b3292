//! A shard's table: slots in segments, under a header that is never freed before the interner.
//!
//! ```text
//! Table  [ slots | hash | retired ][ seg 0 | seg 1 | … ]
//!                                     │       └► [ 512 slots ]
//!                                     └────────► [ 512 slots ]
//! ```
//!
//! # Invariants
//!
//! 1. A header's number of slots, its hash and its pointers to segments do not change once it is published.
//! 2. A header stays allocated until the interner is dropped or its owner has it exclusively. So a table pointer
//!    that is read twice is the same table.
//! 3. A segment that was ever published stays allocated as long, and holds nothing but slots: 0, or a tag with
//!    the record of some string of this interner. It may come to serve another table, of another shard.

use core::alloc::Layout;
use core::array;
use core::marker::PhantomData;
use core::mem::size_of;
use core::ptr::{self, NonNull};
use std::collections::hash_map::RandomState;

use thrifty_sync::{UnsafeCell, atomic::AtomicU64, ord, sync::Mutex};

use super::body::lock;
use super::budget::Budget;
use super::geometry::Geometry;
use super::shelf::Shelf;
use super::slot::{self, GROUP};
use crate::InternError;

/// A pointer to a table's header, with leave to use the whole of it and its segments.
pub(crate) struct TableRef<G> {
    header: NonNull<Header>,
    geometry: PhantomData<fn() -> G>,
}

impl<G> Clone for TableRef<G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for TableRef<G> {}

/// What stands before a table's pointers to segments.
pub(crate) struct Header {
    slots: u32,
    /// Entries beyond which the table should grow: in the space that alignment leaves beside `slots`.
    usual: u32,
    /// The hash of this table, if it is not the interner's own: see `escalate`.
    keyed: Option<RandomState>,
    /// Written by whoever holds the lock of the spares, once the table is retired.
    retired: UnsafeCell<Retired>,
}

/// A retired table, in the list of the spares.
pub(crate) struct Retired {
    /// The table that was retired before.
    pub(crate) next: *mut Header,
    /// How many of its segments, from the first, are still its own.
    pub(crate) segments: usize,
}

/// So many slots, or as many as a table has that is smaller.
pub(crate) type Segment = NonNull<AtomicU64>;

impl<G: Geometry> TableRef<G> {
    /// A table of empty slots, from spare segments as far as there are any.
    ///
    /// The shelf is locked for moments only: other shards need it for their chunks and pages, while a large table
    /// takes milliseconds to make and to fill.
    pub(crate) fn create(
        slots: u32,
        keyed: Option<RandomState>,
        budget: &Budget,
        shelf: &Mutex<Shelf>,
    ) -> Result<Self, InternError> {
        let count = slot::segments::<G>(slots);
        // Only whole segments are recycled: they fit everywhere.
        let whole = slots >= G::SEGMENT;
        let recycled = if whole { lock(shelf).promise(count) } else { 0 };
        // What can fail comes before anything is taken.
        let table = match Self::allocate(slots, keyed, recycled, budget) {
            Ok(table) => table,
            Err(error) => {
                lock(shelf).withdraw(recycled);
                return Err(error);
            }
        };
        if recycled != 0 {
            let mut shelf = lock(shelf);
            for index in 0..recycled {
                // SAFETY: one of the table's pointers, which nobody knows yet.
                unsafe { table.entry(index).write(shelf.take::<G>()) };
            }
        }
        for index in 0..recycled {
            // SAFETY: written just now.
            clear::<G>(unsafe { table.segment(index) });
        }
        Ok(table)
    }

    /// A table without its first `recycled` segments.
    fn allocate(
        slots: u32,
        keyed: Option<RandomState>,
        recycled: usize,
        budget: &Budget,
    ) -> Result<Self, InternError> {
        let count = slot::segments::<G>(slots);
        let fresh = segment_layout::<G>(slots).size() * (count - recycled);
        budget.expect_room(Self::layout(count).size() + fresh)?;
        let header = budget.allocate(Self::layout(count))?.cast::<Header>();
        let retired = UnsafeCell::new(Retired {
            next: ptr::null_mut(),
            segments: 0,
        });
        let value = Header {
            slots,
            usual: slot::usual(slots),
            keyed,
            retired,
        };
        // SAFETY: a block for a header with its pointers, just allocated, and aligned for it.
        unsafe { header.write(value) };
        let table = Self {
            header,
            geometry: PhantomData,
        };
        for index in recycled..count {
            match allocate_segment::<G>(slots, budget) {
                // SAFETY: one of the `count` pointers behind the header.
                Ok(segment) => unsafe { table.entry(index).write(segment) },
                Err(error) => {
                    // SAFETY: never published; these segments were allocated here and are written.
                    unsafe { table.destroy(recycled..index, budget) };
                    return Err(error);
                }
            }
        }
        Ok(table)
    }

    fn layout(segments: usize) -> Layout {
        let bytes = size_of::<Header>() + segments * size_of::<Segment>();
        Layout::from_size_align(bytes, align_of::<Header>())
            .expect("2^32 slots have no more than 2^23 segments")
    }

    /// The table that this pointer stands for; `None` for null.
    ///
    /// # Safety
    ///
    /// `header` is null, or from [`as_ptr`](Self::as_ptr) of a table that is not freed while the result is used.
    #[inline]
    pub(crate) unsafe fn from_ptr(header: *mut Header) -> Option<Self> {
        NonNull::new(header).map(|header| Self {
            header,
            geometry: PhantomData,
        })
    }

    #[inline]
    pub(crate) fn as_ptr(self) -> *mut Header {
        self.header.as_ptr()
    }

    #[inline]
    fn header<'a>(self) -> &'a Header {
        // SAFETY:
        // - valid: initialised by `create`, and alive as whoever made this `TableRef` has promised;
        // - shared: what changes is in an `UnsafeCell`. The lifetime does not leave this file's callers.
        unsafe { self.header.as_ref() }
    }

    /// How many slots there are.
    #[inline]
    pub(crate) fn slots(self) -> u32 {
        self.header().slots
    }

    /// Entries beyond which it should grow.
    #[inline]
    pub(crate) fn usual(self) -> u32 {
        self.header().usual
    }

    /// The table's own hash, if it has one.
    #[inline]
    pub(crate) fn keyed<'a>(self) -> Option<&'a RandomState> {
        self.header().keyed.as_ref()
    }

    /// The cell for whoever holds the lock of the spares.
    pub(crate) fn retired<'a>(self) -> &'a UnsafeCell<Retired> {
        &self.header().retired
    }

    #[inline]
    fn entry(self, index: usize) -> NonNull<Segment> {
        debug_assert!(index < slot::segments::<G>(self.slots()));
        // SAFETY: the pointers stand behind the header in the same block.
        let first = unsafe { self.header.add(1) }.cast::<Segment>();
        // SAFETY: `index` is one of them.
        unsafe { first.add(index) }
    }

    /// A segment, by its number.
    ///
    /// # Safety
    ///
    /// There is a segment of this number.
    #[inline]
    pub(crate) unsafe fn segment(self, index: usize) -> Segment {
        // SAFETY: written by `create`, and by invariant 1 not since.
        unsafe { self.entry(index).read() }
    }

    /// A group of slots.
    ///
    /// # Safety
    ///
    /// `group` is below the number of [`groups`](Self::groups).
    #[inline]
    pub(crate) unsafe fn group<'a>(self, group: u32) -> &'a [AtomicU64; GROUP] {
        let first = slot::first(group);
        // SAFETY: below the number of slots, so in one of the segments.
        let segment = unsafe { self.segment((first >> G::SEGMENT_BITS) as usize) };
        // SAFETY: a whole segment has `SEGMENT` slots, and a small one as many as the table; both are whole groups.
        let slots = unsafe { segment.add((first & (G::SEGMENT - 1)) as usize) };
        // SAFETY:
        // - valid: invariant 3, and the promise behind this `TableRef`;
        // - shared: atomics.
        unsafe { slots.cast::<[AtomicU64; GROUP]>().as_ref() }
    }

    /// What is in a group. For the shard's writer.
    ///
    /// # Safety
    ///
    /// As for [`group`](Self::group).
    pub(crate) unsafe fn own_group(self, group: u32) -> [u64; GROUP] {
        // SAFETY: as this function.
        let slots = unsafe { self.group(group) };
        // ORDERING(interner.own_slot): Relaxed; the writer reads what it or its predecessors wrote.
        array::from_fn(|index| slots[index].load(ord!(interner.own_slot, Relaxed)))
    }

    /// How many groups there are.
    #[inline]
    pub(crate) fn groups(self) -> u32 {
        slot::groups(self.slots())
    }

    /// The first empty slot for a tag. For the one writer; one slot at least is empty.
    #[inline]
    pub(crate) fn vacant<'a>(self, tag: u32) -> &'a AtomicU64 {
        let groups = self.groups();
        let mut group = slot::home(tag, groups);
        loop {
            // SAFETY: `home` is below the number of groups, and `step` keeps it so.
            let slots = unsafe { self.group(group) };
            // One at a time: the table is new, and the first is mostly empty.
            for slot in slots {
                // ORDERING(interner.own_slot): Relaxed; as in `own_group`.
                if slot.load(ord!(interner.own_slot, Relaxed)) == 0 {
                    return slot;
                }
            }
            group = slot::step(group, groups);
        }
    }

    /// Copies a slot's content to where its search will find it. For the one writer of an unfinished table.
    pub(crate) fn place(self, content: u64) {
        // ORDERING(interner.copy): Release; pairs with interner.slot. A reader of a table that is long replaced may
        // see this segment in its new life, and must then see that the table was replaced.
        self.vacant(slot::tag(content))
            .store(content, ord!(interner.copy, Release));
    }

    /// Hands over every slot that is not empty. For the shard's writer.
    ///
    /// No iterator: as one, flattened, it took half again as many instructions for each string.
    #[inline]
    pub(crate) fn for_each_occupied(self, mut take: impl FnMut(u64)) {
        for group in 0..self.groups() {
            // SAFETY: below the number of groups.
            let contents = unsafe { self.own_group(group) };
            for content in contents {
                if content != 0 {
                    take(content);
                }
            }
        }
    }

    /// Bytes of one segment.
    pub(crate) fn segment_bytes(slots: u32) -> usize {
        segment_layout::<G>(slots).size()
    }

    /// Frees the header and some of its segments.
    ///
    /// # Safety
    ///
    /// Nobody uses the table any more, these segments are its own, and all was allocated through `budget`.
    pub(crate) unsafe fn destroy(self, own: core::ops::Range<usize>, budget: &Budget) {
        let slots = self.slots();
        for index in own {
            // SAFETY: one of its segments, says the caller.
            let segment = unsafe { self.segment(index) };
            // SAFETY: allocated with this layout, and used by nobody, says the caller.
            unsafe { budget.free(segment.cast(), segment_layout::<G>(slots)) };
        }
        let layout = Self::layout(slot::segments::<G>(slots));
        // SAFETY: initialised by `create` and used by nobody.
        unsafe { self.header.drop_in_place() };
        // SAFETY: allocated by `create` with this layout.
        unsafe { budget.free(self.header.cast(), layout) };
    }
}

fn segment_layout<G: Geometry>(slots: u32) -> Layout {
    let slots = slots.min(G::SEGMENT) as usize;
    let layout = Layout::array::<AtomicU64>(slots).expect("a segment is a few kilobytes");
    // No group crosses a cache line.
    layout
        .align_to(size_of::<[AtomicU64; GROUP]>())
        .expect("a small alignment")
}

fn allocate_segment<G: Geometry>(slots: u32, budget: &Budget) -> Result<Segment, InternError> {
    let layout = segment_layout::<G>(slots);
    let segment = budget.allocate(layout)?.cast::<AtomicU64>();
    // Zeroed memory is a segment of empty slots, except to loom.
    #[cfg(thrifty_loom)]
    for index in 0..slots.min(G::SEGMENT) as usize {
        // SAFETY: within the block.
        let slot = unsafe { segment.add(index) };
        // SAFETY: valid for writes, just allocated.
        unsafe { slot.write(AtomicU64::new(0)) };
    }
    Ok(segment)
}

/// Empties a segment that readers of an old table may still look at.
fn clear<G: Geometry>(segment: Segment) {
    for index in 0..G::SEGMENT as usize {
        // SAFETY: recycled segments are whole.
        let slot = unsafe { segment.add(index) };
        // SAFETY: valid by invariant 3; shared, an atomic.
        let slot = unsafe { slot.as_ref() };
        // ORDERING(interner.clear): Release; pairs with interner.slot. Whoever takes this emptiness for the end
        // of a search in the table that had the segment before must see that this table was replaced.
        slot.store(0, ord!(interner.clear, Release));
    }
}
