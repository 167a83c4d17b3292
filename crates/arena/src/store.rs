//! The chunks of an arena: what happens when an allocation misses, and what becomes of memory later.
//!
//! ```text
//! window.chunk ──► newest ──► … ──► oldest      the chain that is filled, one after another
//! side         ──► big    ──► big              one object each: larger than `side_above`
//! spare        ──► free   ──► free             kept by resets and scopes for later
//! spare_big    ──► free   ──► free             … those that had one object each, or are larger than others
//! home                                         a caller's buffer, filled before any chunk
//! ```
//!
//! Chunks double from 4 KiB to 1 MiB. A large object gets a chunk of its own and leaves the current one
//! as it is, so that one large object neither wastes the rest of that chunk nor inflates later ones.
//!
//! # For the crate's other arenas
//!
//! [`Store::miss`] serves what [`Window::up`] and [`Window::down`] have no room for; [`Store::mark`] and
//! [`Store::rewind`] make a scope; [`Store::reset`] starts over (both in `store/reclaim.rs`). Nothing here runs the user's code.

mod reclaim;

pub(crate) use self::reclaim::Mark;

use core::{cell::Cell, ptr, ptr::NonNull};

use thrifty_traits::{AllocError, AllocErrorKind};

use crate::{
    asan,
    chunk::{self, Chunk, HEADER, Link},
    config::{BELOW, Config},
    kernel::{self, BASE},
    window::{NOWHERE, Window},
};

/// From which end of the window a request is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Objects, and whatever may grow.
    Low,
    /// Bytes, and objects that are aligned to less than the minimal alignment.
    High,
}

/// An arena's memory.
///
/// # Invariants
///
/// 1. Each chunk that was allocated and not freed is in exactly one of the chain, `side`, `spare` and
///    `spare_big`.
/// 2. `oldest` is the last of the chain, and none if and only if the chain is empty.
/// 3. `reserved` is the sum of the chunks' bytes, and at most `limit` where that was not lowered later.
/// 4. No pointer that is in use points into a chunk in `spare` or `spare_big`.
/// 5. `busy` is the sum of the bytes of the chunks in the chain and in `side`.
/// 6. If `rests` is not 0, then the chain is one chunk, whose data `whole` bounds; there is nothing in `side`, and no
///    buffer; and so many resets keep all chunks and overwrite nothing.
/// 7. The `depth` of chunks in the chain does not grow from the newest to the oldest, nor in `side`, and is at
///    most both the store's `depth` and `joined_at`; with `zeroize`, `joined_at` is more than any depth.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) window: Window,
    /// The least that was free in the current window, where it became more again.
    least_free: Cell<usize>,
    /// What the next resets open.
    whole: Cell<(*mut u8, *mut u8)>,
    /// How many more resets have nothing to do but that.
    rests: Cell<usize>,
    /// How many scopes are open, one within another.
    depth: Cell<usize>,
    /// How many were open when a chunk last joined the chain or the side.
    joined_at: Cell<usize>,
    side: Link,
    spare: Link,
    spare_big: Link,
    oldest: Link,
    /// The next chunk's size, with what the allocator below adds.
    next_bytes: Cell<usize>,
    limit: Cell<usize>,
    reserved: Cell<usize>,
    busy: Cell<usize>,
    /// The most that ever was busy.
    busiest: Cell<usize>,
    /// Whether the chain may have chunks that belong to `spare_big`.
    chain_has_big: Cell<bool>,
    /// Whether the next chunk is the one that is to serve whole rounds.
    consolidates: Cell<bool>,
    /// What `rests` was at first.
    granted: Cell<usize>,
    filled: Cell<Filled>,
    peaks: Cell<Peaks>,
    home: Cell<(*mut u8, *mut u8)>,
    /// Where the cursors stood when the buffer was left for chunks.
    home_retired: Cell<(*mut u8, *mut u8)>,
    config: Config,
}

/// What lies outside the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filled {
    /// Bytes in use in the chain's older chunks and in the buffer.
    retired: usize,
    /// Bytes in use in side chunks.
    side: usize,
    /// Bytes that were left when the arena went on to another chunk.
    wasted: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Peaks {
    used: usize,
    reserved: usize,
    /// The most that was in use since the last reset.
    round: usize,
    /// What recent rounds had in use, see [`smoothed`](crate::retain::smoothed).
    recent: usize,
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) used: usize,
    pub(crate) wasted: usize,
    pub(crate) free: usize,
    pub(crate) spare: usize,
    pub(crate) reserved: usize,
    pub(crate) peak_used: usize,
    pub(crate) peak_reserved: usize,
    pub(crate) chunks: usize,
}

// SAFETY: the chunks are the store's own, reached through it alone; a caller's buffer is lent to it as by
// `&mut`. What is allocated is borrowed from the arena, so no reference to it is left when the arena moves
// to another thread, and nothing is dropped there but memory: values need not be `Send`.
unsafe impl Send for Store {}

impl Store {
    /// No memory yet.
    pub(crate) const fn new(config: Config, limit: usize) -> Self {
        Self {
            window: Window::empty(),
            least_free: Cell::new(usize::MAX),
            whole: Cell::new((NOWHERE, NOWHERE)),
            rests: Cell::new(0),
            depth: Cell::new(0),
            joined_at: Cell::new(if config.zeroize { usize::MAX } else { 0 }),
            side: Cell::new(None),
            spare: Cell::new(None),
            spare_big: Cell::new(None),
            oldest: Cell::new(None),
            next_bytes: Cell::new(config.first_chunk),
            limit: Cell::new(limit),
            reserved: Cell::new(0),
            busy: Cell::new(0),
            busiest: Cell::new(0),
            chain_has_big: Cell::new(false),
            consolidates: Cell::new(false),
            granted: Cell::new(0),
            filled: Cell::new(Filled {
                retired: 0,
                side: 0,
                wasted: 0,
            }),
            peaks: Cell::new(Peaks {
                used: 0,
                reserved: 0,
                round: 0,
                recent: 0,
            }),
            home: Cell::new((NOWHERE, NOWHERE)),
            home_retired: Cell::new((NOWHERE, NOWHERE)),
            config,
        }
    }

    /// A store that fills the bytes from `lo` to `hi` before anything else.
    ///
    /// # Safety
    ///
    /// - the range is valid for writes and *exclusive* for as long as the store may be used;
    /// - `lo` is at least [`FEW`](kernel::FEW) and a multiple of the arena's minimal alignment.
    pub(crate) unsafe fn with_home(config: Config, limit: usize, lo: *mut u8, hi: *mut u8) -> Self {
        let store = Self::new(config, limit);
        store.home.set((lo, hi));
        asan::sleep(lo, hi.addr() - lo.addr());
        // SAFETY: the store is new, so nothing in the range is handed out; the rest is the caller's
        // word.
        unsafe { store.window.open(None, lo, hi) };
        store
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.get()
    }

    /// What was taken from the global allocator.
    pub(crate) fn reserved(&self) -> usize {
        self.reserved.get()
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.set(limit);
    }

    /// How many scopes are open.
    #[inline]
    pub(crate) fn depth(&self) -> usize {
        self.depth.get()
    }

    /// Notes with which depth a chunk joins the chain or the side.
    fn note_joined(&self, header: &Chunk) {
        self.end_rests();
        let depth = self.depth.get();
        // INVARIANT: 7 — no chunk has a larger one.
        header.depth.set(depth);
        if !self.config.zeroize {
            self.joined_at.set(depth);
        }
    }

    /// Whether there is a caller's buffer.
    #[inline]
    fn has_home(&self) -> bool {
        self.home.get().0 != NOWHERE
    }

    /// Where the window's range begins and ends, used bytes included.
    fn bounds(&self) -> (*mut u8, *mut u8) {
        match self.window.chunk.get() {
            None => self.home.get(),
            // SAFETY: in the chain, so not freed.
            Some(chunk) => (chunk::data(chunk), unsafe { chunk::end(chunk) }),
        }
    }

    /// Bytes in use, with their padding.
    pub(crate) fn used(&self) -> usize {
        let Filled { retired, side, .. } = self.filled.get();
        let (start, end) = self.bounds();
        retired + side + (end.addr() - start.addr() - self.window.free())
    }

    pub(crate) fn figures(&self) -> Figures {
        self.note_peak();
        let peaks = self.peaks.get();
        let (mut spare, mut busy, mut chunks) = (0, 0, 0);
        let mut count = |list: &Link, also: &mut dyn FnMut(&Chunk)| {
            let mut at = list.get();
            while let Some(chunk) = at {
                // SAFETY: in a list of ours, so not freed; headers are only ever shared.
                let header = unsafe { chunk.as_ref() };
                also(header);
                chunks += 1;
                at = header.next.get();
            }
        };
        count(&self.window.chunk, &mut |header| busy += header.bytes());
        count(&self.side, &mut |header| busy += header.bytes());
        count(&self.spare, &mut |header| spare += header.capacity());
        count(&self.spare_big, &mut |header| spare += header.capacity());
        debug_assert_eq!(busy, self.busy.get(), "invariant 5");
        Figures {
            used: self.used(),
            wasted: self.filled.get().wasted,
            free: self.window.free(),
            spare,
            reserved: self.reserved.get(),
            peak_used: peaks.used,
            peak_reserved: peaks.reserved,
            chunks,
        }
    }

    /// To be called before the window gets bytes back.
    #[inline]
    pub(crate) fn note_fullest(&self) {
        let free = self.window.free();
        // A branch: as a minimum, it would have to wait for what the call before has written.
        if free < self.least_free.get() {
            self.least_free.set(free);
        }
    }

    fn note_peak(&self) {
        // At its fullest the window had this much more in use.
        let more = self.window.free().saturating_sub(self.least_free.get());
        let mut peaks = self.peaks.get();
        peaks.round = peaks.round.max(self.used() + more);
        peaks.used = peaks.used.max(peaks.round);
        self.peaks.set(peaks);
        self.least_free.set(usize::MAX);
    }

    /// Serves a request that the window has no room for; `min` is the arena's minimal alignment.
    ///
    /// `size` and `align` are those of a valid layout, and a request at the high end is aligned to at
    /// most `min`. On an error nothing has changed, but that spare chunks may have been freed.
    #[cold]
    #[inline(never)]
    pub(crate) fn miss(
        &self,
        size: usize,
        align: usize,
        min: usize,
        end: End,
    ) -> Result<NonNull<u8>, AllocError> {
        let error = |kind| AllocError::new(kind, size, align);
        if size == 0 {
            let address = ptr::without_provenance_mut(align);
            return NonNull::new(address).ok_or(error(AllocErrorKind::Align));
        }
        let unit = if end == End::Low { min } else { 1 };
        let need = kernel::need(size, align, unit).ok_or(error(AllocErrorKind::Overflow))?;
        if self.is_for_the_side(need) {
            return self.beside(need, size, align).map_err(error);
        }
        self.refill(need).map_err(error)?;
        let taken = match end {
            End::Low => self.window.up(size, align, min),
            End::High => self.window.down(size, align),
        };
        debug_assert!(
            taken.is_some(),
            "a chunk of the size that was needed has no room"
        );
        taken.ok_or(error(AllocErrorKind::Exhausted))
    }

    /// Whether a request of `need` bytes gets a chunk of its own.
    fn is_for_the_side(&self, need: usize) -> bool {
        // A consolidated chunk is larger than any other, and is there for all.
        let room = self.next_bytes.get().saturating_sub(HEADER + BELOW);
        let is_consolidated = self.consolidates.get() && need <= room;
        need > self.config.side_above && !is_consolidated
    }

    /// Serves a request from a chunk of its own.
    fn beside(
        &self,
        need: usize,
        size: usize,
        align: usize,
    ) -> Result<NonNull<u8>, AllocErrorKind> {
        // Lest an object here end where a caller's buffer begins: whether an object is the last one
        // is seen by its address.
        let need = need
            .checked_add(usize::from(self.has_home()))
            .ok_or(AllocErrorKind::Overflow)?;
        // SAFETY: chunks in lists are not freed.
        let big = unsafe { chunk::take_best(&self.spare_big, need) };
        // SAFETY: as above.
        let spare = big.or_else(|| unsafe { chunk::take_first(&self.spare, need) });
        let chunk = match spare {
            Some(chunk) => chunk,
            None => self.allocate(need, 0)?,
        };
        // SAFETY: ours, and in no list.
        unsafe { chunk::push(&self.side, chunk) };
        let start = chunk::data(chunk);
        // SAFETY: not freed; headers are only ever shared.
        let header = unsafe { chunk.as_ref() };
        self.note_busy(header.bytes());
        self.note_joined(header);
        // SAFETY: not freed.
        header.retire(start.wrapping_add(need), unsafe { chunk::end(chunk) });
        self.count_side(header);
        let start = start.map_addr(|address| kernel::align_up(address, align));
        asan::wake(start, size);
        NonNull::new(start).ok_or(AllocErrorKind::Backend)
    }

    /// Counts a side chunk's bytes.
    fn count_side(&self, header: &Chunk) {
        let mut filled = self.filled.get();
        filled.side += header.retired_bytes();
        filled.wasted += header.wasted_bytes();
        self.filled.set(filled);
    }

    /// Undoes [`count_side`](Self::count_side).
    fn uncount_side(&self, header: &Chunk) {
        let mut filled = self.filled.get();
        filled.side -= header.retired_bytes();
        filled.wasted -= header.wasted_bytes();
        self.filled.set(filled);
    }

    /// Grows the newest object that has a chunk of its own, or says that this is not one. It may move.
    ///
    /// The system can often enlarge such a block without copying it; and nothing is left behind.
    ///
    /// # Safety
    ///
    /// `start` is an object of this store, the caller's alone, aligned to `align`, and of at most `new_size`
    /// bytes.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn grow_beside(
        &self,
        start: NonNull<u8>,
        new_size: usize,
        align: usize,
    ) -> Option<NonNull<u8>> {
        let chunk = self.side.get()?;
        // Another place is aligned to no more than chunks are.
        if chunk::data(chunk) != start.as_ptr() || align > BASE {
            return None;
        }
        // SAFETY: not freed; headers are only ever shared.
        let header = unsafe { chunk.as_ref() };
        let need = new_size.checked_add(usize::from(self.has_home()))?;
        let bytes = need.checked_add(HEADER)?;
        if need <= header.capacity() {
            self.uncount_side(header);
            header.retire(start.as_ptr().wrapping_add(need), header.retired_at().1);
            self.count_side(header);
            asan::wake(start.as_ptr(), new_size);
            return Some(start);
        }
        let held = header.bytes();
        // A block that moves leaves its content where it was.
        if self.config.zeroize {
            return None;
        }
        if bytes - held > self.room() {
            self.free_spare(0);
        }
        if bytes - held > self.room() {
            return None;
        }
        self.uncount_side(header);
        // SAFETY: chunks in lists are not freed.
        unsafe { chunk::pop(&self.side) };
        // SAFETY: ours, in no list; the one object in it is the caller's, who is told where it is now.
        let moved = unsafe { Chunk::resize(chunk, bytes) };
        let now = moved.unwrap_or(chunk);
        // SAFETY: in no list; where it was not resized it is what it was.
        unsafe { chunk::push(&self.side, now) };
        // SAFETY: not freed; headers are only ever shared.
        let header = unsafe { now.as_ref() };
        self.count_side(header);
        self.note_joined(header);
        let moved = moved?;
        // INVARIANT: 3 and 5.
        self.note_reserved(bytes - held);
        self.note_busy(bytes - held);
        NonNull::new(chunk::data(moved))
    }

    /// Opens a window with room for `need` bytes.
    pub(crate) fn refill(&self, need: usize) -> Result<(), AllocErrorKind> {
        // SAFETY: chunks in lists are not freed.
        let regular = unsafe { chunk::take_first(&self.spare, need) };
        // SAFETY: as above.
        let spare = regular.or_else(|| unsafe { chunk::take_best(&self.spare_big, need) });
        let chunk = match spare {
            Some(chunk) => chunk,
            None => self.allocate(need, self.next_bytes.get())?,
        };
        // SAFETY: not freed: it was just made or taken from a list; headers are only ever shared.
        let header = unsafe { chunk.as_ref() };
        self.note_busy(header.bytes());
        self.note_joined(header);
        if header.bytes() > self.config.max_chunk {
            self.chain_has_big.set(true);
        }
        self.retire();
        let before = self.window.chunk.get();
        header.next.set(before);
        // INVARIANT: 2 — the first one of an empty chain is its last one.
        if before.is_none() {
            self.oldest.set(Some(chunk));
        }
        self.open_whole(chunk);
        Ok(())
    }

    /// A chunk with room for `need` bytes, as close to `wanted` bytes as limit and allocator permit.
    fn allocate(&self, need: usize, wanted: usize) -> Result<NonNull<Chunk>, AllocErrorKind> {
        if !self.config.grows {
            return Err(AllocErrorKind::Exhausted);
        }
        let least = need.checked_add(HEADER).ok_or(AllocErrorKind::Overflow)?;
        if self.room() < least {
            self.free_spare(0);
        }
        if self.room() < least {
            self.free_empty_current();
        }
        if self.room() < least {
            return Err(AllocErrorKind::Limit);
        }
        let mut bytes = match wanted {
            0 => least,
            _ => self.generous(least, wanted).min(self.room()),
        };
        loop {
            if let Some(chunk) = Chunk::allocate(bytes) {
                self.note_allocated(bytes, wanted);
                return Ok(chunk);
            }
            // The last attempt is for exactly what is needed, and with all idle memory given back.
            if bytes == least && self.free_spare(0).is_nothing() && !self.free_empty_current() {
                return Err(AllocErrorKind::Backend);
            }
            bytes = (bytes / 2).max(least);
        }
    }

    /// The size of a chunk that is to serve more than this request.
    fn generous(&self, least: usize, wanted: usize) -> usize {
        let doubled = least
            .saturating_add(BELOW)
            .checked_next_power_of_two()
            .unwrap_or(0)
            .min(self.config.max_chunk);
        least.max(wanted.max(doubled).saturating_sub(BELOW))
    }

    fn note_allocated(&self, bytes: usize, wanted: usize) {
        self.note_reserved(bytes);
        if wanted != 0 {
            self.consolidates.set(false);
            let next = (bytes + BELOW).saturating_mul(2).min(self.config.max_chunk);
            self.next_bytes.set(next.max(self.config.first_chunk));
        }
    }

    fn note_reserved(&self, more: usize) {
        // INVARIANT: 3.
        let reserved = self.reserved.get() + more;
        self.reserved.set(reserved);
        let mut peaks = self.peaks.get();
        peaks.reserved = peaks.reserved.max(reserved);
        self.peaks.set(peaks);
    }

    /// Counts a chunk that joins the chain or the side.
    fn note_busy(&self, more: usize) {
        // INVARIANT: 5.
        let busy = self.busy.get() + more;
        self.busy.set(busy);
        self.busiest.set(self.busiest.get().max(busy));
    }

    /// What the limit still permits.
    fn room(&self) -> usize {
        self.limit.get().saturating_sub(self.reserved.get())
    }

    /// Notes how far the current chunk is filled, before another one takes its place.
    fn retire(&self) {
        self.note_peak();
        let (start, end) = self.bounds();
        let free = self.window.free();
        let mut filled = self.filled.get();
        filled.retired += end.addr() - start.addr() - free;
        filled.wasted += free;
        self.filled.set(filled);
        let cursors = (self.window.lo(), self.window.hi());
        match self.window.chunk.get() {
            None => self.home_retired.set(cursors),
            // SAFETY: in the chain, so not freed; headers are only ever shared.
            Some(chunk) => unsafe { chunk.as_ref() }.retire(cursors.0, cursors.1),
        }
    }

    /// Opens all of a chunk that has nothing in it; it is the first of the chain.
    #[inline]
    fn open_whole(&self, chunk: NonNull<Chunk>) {
        // SAFETY: not freed.
        let end = unsafe { chunk::end(chunk) };
        // SAFETY: data and end are the bounds of one block, of which nothing is handed out; data is
        // aligned to `BASE`, as the header's size is a multiple of it.
        unsafe { self.window.open(Some(chunk), chunk::data(chunk), end) };
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.config.zeroize {
            // SAFETY: whoever drops the store has no pointers into it that will be used.
            unsafe { self.scrub_all() };
        }
        for list in [&self.window.chunk, &self.side, &self.spare, &self.spare_big] {
            // SAFETY: chunks in lists are not freed.
            while let Some(chunk) = unsafe { chunk::pop(list) } {
                // SAFETY: ours, in no list any more, and nothing in it is used again.
                unsafe { Chunk::free(chunk) };
            }
        }
        let (start, end) = self.home.get();
        asan::wake(start, end.addr() - start.addr());
    }
}
