//! The interner's inside: what its first insert allocates.
//!
//! ```text
//! Body
//!  ├ read by every search       shards, tables, chunks, pages
//!  ├ written by every insert    the next number, the budget                    on lines of their own
//!  ├ writers: one per shard     its lock, and its unfinished chunk             on lines of their own
//!  └ shelf: one lock            retired tables, numbers of chunks and pages    taken for growth only
//! ```
//!
//! A string's hash names its shard. Locks are taken in the order writer, shelf; a thread holds at most one of
//! each. No code of the user's runs under a lock.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::slice;

use thrifty_sync::{
    atomic::{AtomicPtr, AtomicU32, AtomicUsize, Exclusive},
    ord,
    sync::{Mutex, MutexGuard},
    thread,
};

use super::budget::Budget;
use super::chunk::{self, Chunk};
use super::directory::Directory;
use super::far;
use super::geometry::Geometry;
use super::page;
use super::query::Query;
use super::record::Record;
use super::shelf::Shelf;
use super::slot;
use super::table::{Header, TableRef};
use super::writer::Writer;
use crate::InternError;

/// The greatest number of shards; two of them are enough for a model.
pub(crate) const MAX_SHARDS: usize = if cfg!(thrifty_loom) { 2 } else { 64 };

/// What a limit should leave each shard, in bytes, where the number of shards is ours to choose.
const LEAST_PER_SHARD: usize = 16 << 10;

/// On a line of its own, and with its neighbour's prefetch out of the way.
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

/// What bounds an interner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes: usize,
    pub(crate) symbols: u32,
    pub(crate) length: usize,
    pub(crate) shards: usize,
    /// The alignment of the keys.
    pub(crate) align: usize,
}

// In this order: what every search reads stands together, and apart from what inserts write.
#[repr(C)]
pub(crate) struct Body<G: Geometry> {
    /// A power of two, less one.
    mask: usize,
    pub(crate) chunks: Directory<Chunk>,
    pub(crate) pages: Directory<AtomicU32>,
    pub(crate) tables: [AtomicPtr<Header>; MAX_SHARDS],
    pub(crate) bounds: Bounds,
    pub(crate) tail: Apart<Tail>,
    pub(crate) writers: Box<[Apart<Shard>]>,
    pub(crate) shelf: Mutex<Shelf>,
    geometry: PhantomData<fn() -> G>,
}

/// What every insert writes.
pub(crate) struct Tail {
    /// How many numbers are given out: symbols are 1 to this.
    pub(crate) count: AtomicU32,
    pub(crate) budget: Budget,
}

/// A shard, except for the pointer to its table.
pub(crate) struct Shard {
    pub(crate) writer: Mutex<Writer>,
    /// Bytes of the shard's strings; written under the lock, read by anyone.
    pub(crate) payload: AtomicUsize,
}

impl<G: Geometry> Body<G> {
    /// A body without strings.
    pub(crate) fn create(bounds: Bounds) -> Result<NonNull<Self>, InternError> {
        let budget = Budget::new(bounds.bytes);
        let shards = match bounds.shards {
            // Each shard has a table and a chunk of its own, for which a small limit has no room.
            0 => (2 * thread::parallelism())
                .min(bounds.bytes / LEAST_PER_SHARD)
                .max(4),
            asked => asked.min(MAX_SHARDS),
        };
        let shards = shards.next_power_of_two().min(MAX_SHARDS);
        budget.charge(shards * size_of::<Apart<Shard>>())?;
        let mut writers = Vec::new();
        let refused = |_| InternError::Backend {
            size_bytes: shards * size_of::<Apart<Shard>>(),
        };
        writers.try_reserve_exact(shards).map_err(refused)?;
        for _ in 0..shards {
            writers.push(Apart(Shard {
                writer: Mutex::new(Writer::new()),
                payload: AtomicUsize::new(0),
            }));
        }
        let body = budget.allocate(Layout::new::<Self>())?.cast::<Self>();
        let (chunks, pages) = directories::<G>(&budget).inspect_err(|_| {
            // SAFETY: allocated just now with this layout.
            unsafe { budget.free(body.cast(), Layout::new::<Self>()) };
        })?;
        let value = Self {
            mask: shards - 1,
            chunks,
            pages,
            tables: core::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            bounds: Bounds { shards, ..bounds },
            tail: Apart(Tail {
                count: AtomicU32::new(0),
                budget,
            }),
            writers: writers.into_boxed_slice(),
            shelf: Mutex::new(Shelf::new()),
            geometry: PhantomData,
        };
        // SAFETY: just allocated for this.
        unsafe { body.write(value) };
        Ok(body)
    }

    /// Frees a body with all its strings.
    ///
    /// # Safety
    ///
    /// It is from [`create`](Self::create), and nobody uses it any more.
    pub(crate) unsafe fn destroy(body: NonNull<Self>) {
        // SAFETY: initialised by `create`, and nobody else's: moved out, so that its fields are dropped here.
        let mut owned = unsafe { body.read() };
        owned.free_strings();
        // SAFETY: allocated by `create` with this layout.
        unsafe { owned.tail.0.budget.free(body.cast(), Layout::new::<Self>()) };
    }

    /// Frees all but the body itself.
    fn free_strings(&mut self) {
        let budget = &self.tail.0.budget;
        for shard in &mut self.writers {
            let writer = exclusive(&mut shard.0.writer);
            let mut next = writer.chunk;
            while let Some(chunk) = next {
                // SAFETY: the shard's chunk, initialised.
                next = unsafe { chunk.as_ref() }.older;
                // SAFETY: nobody uses the interner any more.
                unsafe { chunk::destroy(chunk, budget) };
            }
            // SAFETY: as above; the list is the shard's own.
            unsafe { far::destroy_all(writer.far, budget) };
        }
        for place in &mut self.tables {
            // SAFETY: null or the shard's table.
            if let Some(table) = unsafe { TableRef::<G>::from_ptr(place.read_mut()) } {
                // SAFETY: nobody uses the interner any more; a live table has all its segments.
                unsafe { table.destroy(0..slot::segments::<G>(table.slots()), budget) };
            }
        }
        let shelf = exclusive(&mut self.shelf);
        // SAFETY: nobody uses the interner any more.
        unsafe { shelf.free_retired::<G>(budget) };
        for index in 0..shelf.pages {
            if let Some(page) = NonNull::new(self.pages.get(index)) {
                // SAFETY: entered once, and used by nobody any more.
                unsafe { page::destroy::<G>(page, budget) };
            }
        }
        // SAFETY: as above.
        unsafe { self.pages.destroy(budget) };
        // SAFETY: as above.
        unsafe { self.chunks.destroy(budget) };
    }

    /// The number of a query's shard.
    ///
    /// The upper half of the hash, of which the tag takes the lower.
    #[inline]
    pub(crate) fn shard_of(&self, query: &Query<'_>) -> usize {
        (query.hash >> 32) as usize & self.mask
    }

    /// The place of a query's table.
    #[inline]
    pub(crate) fn table(&self, query: &Query<'_>) -> &AtomicPtr<Header> {
        let shard = self.shard_of(query);
        debug_assert!(shard < MAX_SHARDS);
        // The mask is below `MAX_SHARDS`; said twice, the compiler sees it.
        &self.tables[shard & (MAX_SHARDS - 1)]
    }

    #[inline]
    pub(crate) fn shard(&self, index: usize) -> &Shard {
        &self.writers[index].0
    }

    pub(crate) fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.writers.iter().map(|shard| &shard.0)
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.tail.0.budget
    }

    /// A shard's part of [`PHASES`](slot::PHASES), by the place of its table.
    pub(crate) fn phase(&self, place: &AtomicPtr<Header>) -> u32 {
        let same = |other: &AtomicPtr<Header>| ptr::eq(other, place);
        let shard = self.tables.iter().position(same).unwrap_or(0);
        u32::try_from(shard).expect("at most 64") * slot::PHASES
            / u32::try_from(self.mask + 1).expect("at most 64")
    }

    /// How many numbers are given out.
    #[inline]
    pub(crate) fn count(&self) -> u32 {
        // ORDERING(interner.count): Relaxed; what a number stands for is published with its page.
        self.tail.0.count.load(ord!(interner.count, Relaxed))
    }

    /// The record of a number, if there is one that this thread can see.
    #[inline]
    pub(crate) fn resolve(&self, number: u32) -> Option<Record> {
        let page = self.page(number)?;
        // SAFETY: the page of this number, which stays until the interner is dropped or borrowed exclusively.
        self.named(unsafe { page::place::<G>(page, number) })
    }

    /// The record that a number's place in its page leads to, if there is one that this thread can see.
    #[inline]
    pub(crate) fn named(&self, place: &AtomicU32) -> Option<Record> {
        // ORDERING(interner.resolve): Acquire; pairs with interner.name, so that the record is seen whole.
        let record = place.load(ord!(interner.resolve, Acquire));
        (record != 0).then(|| self.record(record))
    }

    /// The places from a number's to the end of its page; none if the page is not there.
    pub(crate) fn places(&self, number: u32) -> &[AtomicU32] {
        let first = (number & (G::PAGE - 1)) as usize;
        self.page(number).map_or(&[], |page| {
            // SAFETY: below the number of places.
            let place = unsafe { page.add(first) };
            // SAFETY: the rest of the page's places, initialised; shared, atomics; they stay until the interner is
            // dropped or borrowed exclusively.
            unsafe { slice::from_raw_parts(place.as_ptr(), G::PAGE as usize - first) }
        })
    }

    /// The page that a number is in.
    #[inline]
    pub(crate) fn page(&self, number: u32) -> Option<NonNull<AtomicU32>> {
        let index = (number >> G::PAGE_BITS) as usize;
        // SAFETY: pages are entered in their order, and taken out by `truncate` alone.
        unsafe { self.pages.get_in_order(index) }
    }

    /// Bytes that wait for growth to use them.
    pub(crate) fn idle(&self) -> usize {
        lock(&self.shelf).segments() * TableRef::<G>::segment_bytes(G::SEGMENT)
    }

    /// Makes tables for so many strings, so that they do not grow before.
    pub(crate) fn reserve(&self, strings: u32) -> Result<(), InternError> {
        let shards = u32::try_from(self.mask + 1).expect("at most 64");
        // Shards do not fill evenly: five standard deviations more.
        let each = strings.div_ceil(shards);
        let each = each.saturating_add(5 * each.isqrt()).saturating_add(8);
        let full = InternError::SymbolSpace {
            limit_symbols: u32::MAX as usize,
        };
        let slots = slot::slots_for::<G>(each).ok_or(full)?;
        for (shard, place) in self.shards().zip(&self.tables) {
            let _writer = lock(&shard.writer);
            self.reserve_table(place, slots)?;
        }
        Ok(())
    }

    /// Takes the number after `given`, if that is still the last; otherwise tells the last.
    #[inline]
    pub(crate) fn take_number(&self, given: u32) -> Result<u32, u32> {
        // ORDERING(interner.count): Relaxed; that each number is given once is in the exchange itself.
        self.tail.0.count.compare_exchange_weak(
            given,
            given + 1,
            ord!(interner.count, Relaxed),
            ord!(interner.count, Relaxed),
        )
    }

    /// Bytes of all strings.
    pub(crate) fn payload(&self) -> usize {
        self.shards().map(Shard::payload).sum()
    }
}

impl Shard {
    #[inline]
    fn payload(&self) -> usize {
        // ORDERING(interner.payload): Relaxed; a figure, which orders nothing.
        self.payload.load(ord!(interner.payload, Relaxed))
    }

    /// Counts a new string. Under the lock.
    #[inline]
    pub(crate) fn add_payload(&self, bytes: usize) {
        let sum = self.payload() + bytes;
        // ORDERING(interner.payload): Relaxed; as above. Nobody else writes it.
        self.payload.store(sum, ord!(interner.payload, Relaxed));
    }
}

/// Those of the chunks and of the pages.
fn directories<G: Geometry>(
    budget: &Budget,
) -> Result<(Directory<Chunk>, Directory<AtomicU32>), InternError> {
    let mut chunks = Directory::new(G::FIRST_ENTRIES, budget)?;
    let pages = Directory::new(G::FIRST_ENTRIES, budget).inspect_err(|_| {
        // SAFETY: not used any more.
        unsafe { chunks.destroy(budget) };
    })?;
    Ok((chunks, pages))
}

/// Takes a lock. No code of the user's runs under ours, so a poisoned one has nothing half done behind it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What a lock guards, for who has it exclusively.
pub(crate) fn exclusive<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex
        .get_mut()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
