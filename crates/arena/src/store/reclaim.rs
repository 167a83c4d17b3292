//! What becomes of memory that is given back: by a scope's end, a reset, a policy, a trim.

use core::{cell::Cell, ptr::NonNull};

use thrifty_traits::Reclaimed;

use super::{Filled, Store};
use crate::{
    Retain,
    chunk::{self, Chunk, HEADER, Link},
    config::BELOW,
    retain::smoothed,
    scrub::scrub,
    window::NOWHERE,
};

/// Whether this build shows what is given back to whoever looks for stale reads.
const POISONS: bool = cfg!(debug_assertions) || cfg!(thrifty_asan);

/// A point in a store's life to go back to: where the cursors stood, and how many scopes are open since.
///
/// Which chunks came later is told by the depth that they have, so that a mark need not name any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) lo: *mut u8,
    pub(crate) hi: *mut u8,
    pub(crate) depth: usize,
}

impl Store {
    /// Begins a scope, the outermost if `depth` is 1, and notes where the store stands.
    #[inline]
    pub(crate) fn enter(&self, depth: usize) -> Mark {
        debug_assert_eq!(depth, self.depth.get() + 1, "scopes end in their order");
        self.depth.set(depth);
        Mark {
            lo: self.window.lo(),
            hi: self.window.hi(),
            depth,
        }
    }

    /// Ends the scope that began at `mark`: gives back all that was allocated since, and keeps the chunks for later.
    ///
    /// # Safety
    ///
    /// - `mark` is from this store, and of the scope that began last among those that have not ended;
    /// - nothing that was allocated since is used again, and nothing from before has been given back.
    #[inline]
    pub(crate) unsafe fn leave(&self, mark: Mark) {
        // By invariant 7, no chunk came since; nor is anything to be overwritten.
        let is_here = self.joined_at.get() < mark.depth;
        if is_here && !POISONS {
            self.note_fullest();
            // SAFETY: the cursor was the window's at the mark, and what came later is not used again.
            unsafe { self.window.set_lo(mark.lo) };
            // SAFETY: as above.
            unsafe { self.window.set_hi(mark.hi) };
            self.depth.set(mark.depth - 1);
            return;
        }
        // SAFETY: the caller's contract is the same.
        unsafe { self.leave_slow(mark.lo, mark.hi, mark.depth) };
    }

    /// Whether what is given back is overwritten.
    #[inline]
    const fn scrubs(&self) -> bool {
        self.config.zeroize || POISONS
    }

    /// Takes the mark by its parts: by reference, a mark would have to be in memory for the other way, too.
    ///
    /// # Safety
    ///
    /// As for [`leave`](Self::leave).
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn leave_slow(&self, lo: *mut u8, hi: *mut u8, depth: usize) {
        let mark = Mark { lo, hi, depth };
        self.note_peak();
        while self.side.get().is_some_and(|chunk| is_since(chunk, depth)) {
            // SAFETY: chunks in lists are not freed.
            let Some(chunk) = (unsafe { chunk::pop(&self.side) }) else {
                break;
            };
            // SAFETY: not freed; headers are only ever shared.
            self.uncount_side(unsafe { chunk.as_ref() });
            // SAFETY: nothing in it is used again, says the caller: it came after the mark.
            unsafe { self.spare_whole(chunk) };
        }
        // SAFETY: the caller's contract is the same.
        unsafe { self.rewind_chain(&mark) };
        // INVARIANT: 7 — chunks that came since are gone, or have the depth that is now.
        self.depth.set(depth - 1);
        if !self.config.zeroize {
            self.joined_at.set(depth - 1);
        }
        self.free_excess();
    }

    /// Gives back what came since the mark in the chain.
    ///
    /// # Safety
    ///
    /// As for [`leave`](Self::leave).
    unsafe fn rewind_chain(&self, mark: &Mark) {
        let (mut lo, mut hi) = (self.window.lo(), self.window.hi());
        while let Some(chunk) = self.window.chunk.get() {
            // SAFETY: in the chain, so not freed; headers are only ever shared.
            let header = unsafe { chunk.as_ref() };
            if header.depth.get() < mark.depth {
                break;
            }
            let older = header.next.get();
            // SAFETY: nothing in the chunk is used again, says the caller: it came after the mark.
            unsafe { self.scrub_chunk(chunk, lo, hi) };
            if older.is_none() && !self.has_home() {
                // There was no chunk at the mark. The first one stays: the next scope needs it.
                header.depth.set(mark.depth - 1);
                return self.open_whole(chunk);
            }
            (lo, hi) = self.back_to(older);
            // SAFETY: ours, and now in no list.
            unsafe { self.spare_regular(chunk) };
        }
        // SAFETY: between the cursors of the mark and those of now lies what was allocated since.
        unsafe { self.scrub_between(mark, lo, hi) };
        // SAFETY: the cursors were this window's at the mark, and what came later is not used again.
        unsafe { self.window.open(self.window.chunk.get(), mark.lo, mark.hi) };
    }

    /// Makes an older chunk, or the buffer, the current one again; returns where its cursors stood.
    fn back_to(&self, older: Option<NonNull<Chunk>>) -> (*mut u8, *mut u8) {
        self.window.chunk.set(older);
        let cursors = if let Some(older) = older {
            // SAFETY: in the chain, so not freed; headers are only ever shared.
            let older = unsafe { older.as_ref() };
            older.retired_at()
        } else {
            // INVARIANT: 2 — the chain is empty.
            self.oldest.set(None);
            self.home_retired.get()
        };
        let (start, end) = self.bounds();
        let wasted = cursors.1.addr() - cursors.0.addr();
        let mut filled = self.filled.get();
        filled.wasted -= wasted;
        filled.retired -= end.addr() - start.addr() - wasted;
        self.filled.set(filled);
        cursors
    }

    /// # Safety
    ///
    /// The cursors of the mark and `lo` and `hi` are of one chunk; what is between them is *owned*.
    unsafe fn scrub_between(&self, mark: &Mark, lo: *mut u8, hi: *mut u8) {
        if self.config.zeroize {
            // With secrets inside, also what was given back piecemeal.
            // SAFETY: what was free at the mark is all owned now.
            return unsafe { scrub(mark.lo, mark.hi, true) };
        }
        if lo.addr() > mark.lo.addr() {
            // SAFETY: says the caller.
            unsafe { scrub(mark.lo, lo, false) };
        }
        if hi.addr() < mark.hi.addr() {
            // SAFETY: says the caller.
            unsafe { scrub(hi, mark.hi, false) };
        }
    }

    /// Overwrites what is in use in a chunk, as the configuration wants.
    ///
    /// # Safety
    ///
    /// The chunk is not freed, and *owned*; its cursors stand, or stood last, at `lo` and `hi`.
    unsafe fn scrub_chunk(&self, chunk: NonNull<Chunk>, lo: *mut u8, hi: *mut u8) {
        let start = chunk::data(chunk);
        // SAFETY: not freed, says the caller.
        let end = unsafe { chunk::end(chunk) };
        if self.config.zeroize {
            // SAFETY: all of the chunk is owned.
            return unsafe { scrub(start, end, true) };
        }
        // SAFETY: all of the chunk is owned.
        unsafe { scrub(start, lo, false) };
        // SAFETY: all of the chunk is owned.
        unsafe { scrub(hi, end, false) };
    }

    /// Puts a side chunk to the spare ones.
    ///
    /// # Safety
    ///
    /// The chunk is not freed, in no list, and *owned*.
    unsafe fn spare_whole(&self, chunk: NonNull<Chunk>) {
        // SAFETY: not freed, says the caller.
        let end = unsafe { chunk::end(chunk) };
        // SAFETY: owned, says the caller.
        unsafe { scrub(chunk::data(chunk), end, self.config.zeroize) };
        // SAFETY: not freed; headers are only ever shared.
        self.note_idle(unsafe { chunk.as_ref() }.bytes());
        // SAFETY: not freed and in no list, says the caller.
        unsafe { chunk::push(&self.spare_big, chunk) };
    }

    /// Puts a chunk of the chain to the spare ones.
    ///
    /// # Safety
    ///
    /// The chunk is not freed, in no list, and *owned*.
    unsafe fn spare_regular(&self, chunk: NonNull<Chunk>) {
        // SAFETY: not freed, says the caller; headers are only ever shared.
        let bytes = unsafe { chunk.as_ref() }.bytes();
        self.note_idle(bytes);
        let is_big = bytes > self.config.max_chunk;
        let list = if is_big { &self.spare_big } else { &self.spare };
        // SAFETY: not freed and in no list, says the caller.
        unsafe { chunk::push(list, chunk) };
    }

    /// Counts a chunk that leaves the chain or the side.
    fn note_idle(&self, bytes: usize) {
        // INVARIANT: 5.
        self.busy.set(self.busy.get() - bytes);
    }

    /// Frees spare chunks beyond twice what was ever busy, at a scope's end: sizes that never come again
    /// would else add up.
    fn free_excess(&self) {
        let most = self.busiest.get().saturating_mul(2);
        if self.reserved.get() > most {
            self.free_spare(most.saturating_sub(self.busy.get()));
        }
    }

    /// Gives back the newest object that has a chunk of its own, or does nothing if this is not one.
    ///
    /// # Safety
    ///
    /// `start` is of this store, and the object there is not used again.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn give_back_beside(&self, start: NonNull<u8>) {
        let Some(chunk) = self.side.get() else {
            return;
        };
        // SAFETY: in the list, so not freed.
        let end = unsafe { chunk::end(chunk) };
        let range = chunk::data(chunk).addr()..end.addr();
        if !range.contains(&start.addr().get()) {
            return;
        }
        self.note_peak();
        // SAFETY: chunks in lists are not freed.
        unsafe { chunk::pop(&self.side) };
        // SAFETY: not freed; headers are only ever shared.
        self.uncount_side(unsafe { chunk.as_ref() });
        // SAFETY: in no list now; the one object in it is not used again, says the caller.
        unsafe { self.spare_whole(chunk) };
    }

    /// Frees the current chunk, if nothing in it is in use; says whether it did.
    ///
    /// A scope's mark may be in the chunk: so not while one is open.
    pub(super) fn free_empty_current(&self) -> bool {
        let Some(chunk) = self.window.chunk.get() else {
            return false;
        };
        let (start, end) = self.bounds();
        let is_empty = self.window.lo() == start && self.window.hi() == end;
        if !is_empty || self.depth.get() != 0 {
            return false;
        }
        self.note_peak();
        if self.config.zeroize {
            // SAFETY: nothing in the chunk is in use.
            unsafe { scrub(start, end, true) };
        }
        // SAFETY: in the chain, so not freed; headers are only ever shared.
        let older = unsafe { chunk.as_ref() }.next.take();
        let (lo, hi) = self.back_to(older);
        // SAFETY: the cursors of that chunk or buffer when it was left; nothing was given back there since,
        // and nothing handed out.
        unsafe { self.window.open(older, lo, hi) };
        // SAFETY: not freed; headers are only ever shared.
        self.note_idle(unsafe { chunk.as_ref() }.bytes());
        // SAFETY: ours, in no list any more, and nothing in it is in use.
        unsafe { self.free(chunk) };
        true
    }

    /// Gives back all that was allocated, and keeps of the chunks what the policy says.
    ///
    /// # Safety
    ///
    /// Nothing that was allocated is used again.
    #[inline]
    pub(crate) unsafe fn reset(&self) {
        let rests = self.rests.get();
        // Stored before it is known: then it is counted down where it is, and the flags tell.
        self.rests.set(rests.wrapping_sub(1));
        if rests != 0 {
            self.note_fullest();
            let (lo, hi) = self.whole.get();
            // SAFETY: the bounds of the current chunk (invariant 6), of which nothing is used again; the data is aligned
            // to `BASE`.
            unsafe { self.window.set_hi(hi) };
            // SAFETY: as above.
            unsafe { self.window.set_lo(lo) };
            return;
        }
        // SAFETY: the caller's contract is the same.
        unsafe { self.reset_slow() };
    }

    /// Finds out how many resets will have nothing to do but to open the chunk that is there now.
    fn grant_rests(&self) {
        let Some(chunk) = self.window.chunk.get() else {
            return;
        };
        // SAFETY: in the chain, so not freed; headers are only ever shared.
        let is_one = unsafe { chunk.as_ref() }.next.get().is_none() && self.side.get().is_none();
        if !is_one || self.has_home() || self.scrubs() {
            return;
        }
        // SAFETY: as above.
        let end = unsafe { chunk::end(chunk) };
        // INVARIANT: 6 — whatever adds a chunk, or frees one, ends it.
        self.whole.set((chunk::data(chunk), end));
        let config = &self.config;
        let recent = self.peaks.get().recent;
        let rests = (config.retain).rests(self.reserved.get(), recent, config.first_chunk);
        self.rests.set(rests);
        self.granted.set(rests);
    }

    /// Lets the next reset look at everything; still tells how many did not.
    pub(super) fn end_rests(&self) {
        // INVARIANT: 6.
        let rests = self.rests.replace(0);
        self.granted.set(self.granted.get() - rests);
    }

    /// # Safety
    ///
    /// As for [`reset`](Self::reset).
    #[inline(never)]
    unsafe fn reset_slow(&self) {
        // There was none left to count down.
        self.rests.set(0);
        let rested = self.granted.take();
        self.note_peak();
        let mut peaks = self.peaks.get();
        let used = peaks.round;
        peaks.recent = smoothed(peaks.recent, used);
        // As if each of the rounds that were not looked at had used as much as the one that used most.
        for _ in 0..rested {
            if peaks.recent == used {
                break;
            }
            peaks.recent = smoothed(peaks.recent, used);
        }
        peaks.round = 0;
        self.peaks.set(peaks);
        // SAFETY: nothing is used again, says the caller.
        unsafe { self.scrub_all() };
        let was_one = self.side.get().is_none() && self.window.chunk.get() == self.oldest.get();
        if !was_one {
            self.spare_older();
        }
        self.filled.set(Filled::default());
        self.start_over();
        self.apply_policy(used, was_one);
        self.grant_rests();
    }

    /// Moves the side chunks to the spare ones, and the chain but its newest chunk: in one step, if its chunks
    /// belong to the same list.
    fn spare_older(&self) {
        // SAFETY: chunks in lists are not freed.
        while let Some(chunk) = unsafe { chunk::pop(&self.side) } {
            // SAFETY: not freed; headers are only ever shared.
            self.note_idle(unsafe { chunk.as_ref() }.bytes());
            // SAFETY: ours, and now in no list.
            unsafe { chunk::push(&self.spare_big, chunk) };
        }
        let (Some(newest), Some(oldest)) = (self.window.chunk.get(), self.oldest.get()) else {
            return;
        };
        // SAFETY: in the chain, so not freed; headers are only ever shared.
        let newest_header = unsafe { newest.as_ref() };
        let Some(second) = newest_header.next.take() else {
            return;
        };
        // INVARIANT: 2.
        self.oldest.set(Some(newest));
        let is_big = newest_header.bytes() > self.config.max_chunk;
        if self.chain_has_big.replace(is_big) {
            let older = Cell::new(Some(second));
            // SAFETY: chunks in lists are not freed.
            while let Some(chunk) = unsafe { chunk::pop(&older) } {
                // SAFETY: ours, now in no list, and nothing in it is in use.
                unsafe { self.spare_regular(chunk) };
            }
            return;
        }
        // SAFETY: as above.
        unsafe { oldest.as_ref() }.next.set(self.spare.get());
        self.spare.set(Some(second));
        // INVARIANT: 5.
        self.busy.set(newest_header.bytes());
    }

    /// Opens the buffer, or else the chunk that is left in the chain; nothing is in use.
    fn start_over(&self) {
        if !self.has_home() {
            if let Some(chunk) = self.window.chunk.get() {
                self.open_whole(chunk);
            }
            return;
        }
        if let Some(chunk) = self.window.chunk.get() {
            // SAFETY: ours, and taken from the chain by the lines below.
            unsafe { self.spare_regular(chunk) };
        }
        self.oldest.set(None);
        let (lo, hi) = self.home.get();
        // SAFETY: the bounds of the buffer, of which nothing is in use; aligned, as `with_home`
        // was told.
        unsafe { self.window.open(None, lo, hi) };
    }

    fn apply_policy(&self, used: usize, was_one: bool) {
        let config = &self.config;
        if config.retain == Retain::Consolidate {
            if !was_one {
                self.free_beyond(0);
                let bytes = (used + used / 8).saturating_add(HEADER + BELOW);
                let bytes = bytes.checked_next_multiple_of(4096).unwrap_or(bytes);
                self.next_bytes.set(bytes.max(config.first_chunk));
                self.consolidates.set(true);
            }
            return;
        }
        let recent = self.peaks.get().recent;
        let budget = config.retain.budget(recent, config.first_chunk);
        if self.reserved.get() > budget {
            self.free_beyond(budget);
            let next = recent.checked_next_power_of_two().unwrap_or(usize::MAX);
            self.next_bytes
                .set(next.min(config.max_chunk).max(config.first_chunk));
        }
    }

    /// Frees chunks until they have at most `budget` bytes. Nothing is in use.
    fn free_beyond(&self, budget: usize) {
        if let Some(chunk) = self.window.chunk.get() {
            // INVARIANT: 2 — it is the only one of the chain.
            self.oldest.set(None);
            // SAFETY: empty, and at an address that is aligned.
            unsafe { self.window.open(None, NOWHERE, NOWHERE) };
            // SAFETY: ours, now in no list, and nothing in it is in use.
            unsafe { self.spare_regular(chunk) };
        }
        self.free_spare(budget);
    }

    /// Frees spare chunks until they have at most `budget` bytes; of these, larger ones are kept first,
    /// compared by powers of two.
    pub(crate) fn free_spare(&self, budget: usize) -> Reclaimed {
        let lists = [
            (&self.spare_big, &Cell::new(None)),
            (&self.spare, &Cell::new(None)),
        ];
        let mut left = budget;
        for class in (0..usize::BITS).rev() {
            // No chunk of this class or a lower one fits.
            if left < HEADER {
                break;
            }
            if left >> class != 0 {
                for (list, kept) in lists {
                    // SAFETY: chunks in lists are not freed.
                    unsafe { keep_class(list, kept, class, &mut left) };
                }
            }
        }
        let mut freed = Reclaimed::new();
        for (list, kept) in lists {
            // SAFETY: chunks in lists are not freed.
            while let Some(chunk) = unsafe { chunk::pop(list) } {
                // SAFETY: not freed yet; headers are only ever shared.
                let bytes = unsafe { chunk.as_ref() }.bytes();
                // SAFETY: in no list; by invariant 4 nothing in it is in use.
                unsafe { self.free(chunk) };
                freed += Reclaimed::new().with_bytes(bytes).with_items(1);
            }
            list.set(kept.take());
        }
        freed
    }

    /// Frees idle chunks beyond twice what recent rounds used.
    pub(crate) fn free_beyond_recent(&self) -> Reclaimed {
        let wanted = self.peaks.get().recent.saturating_mul(2);
        let busy = self.used() + self.filled.get().wasted + self.window.free();
        self.free_spare(wanted.saturating_sub(busy))
    }

    /// # Safety
    ///
    /// The chunk is ours, in no list, and *owned*.
    unsafe fn free(&self, chunk: NonNull<Chunk>) {
        // SAFETY: the caller's contract is the same.
        let bytes = unsafe { Chunk::free(chunk) };
        // INVARIANT: 3, and 6 — it may have been the current one.
        self.reserved.set(self.reserved.get() - bytes);
        self.end_rests();
    }

    /// Overwrites everything that is in use, as the configuration wants.
    ///
    /// # Safety
    ///
    /// Nothing that was allocated is used again.
    pub(super) unsafe fn scrub_all(&self) {
        if !self.scrubs() {
            return;
        }
        let (mut lo, mut hi) = (self.window.lo(), self.window.hi());
        let mut at = self.window.chunk.get();
        while let Some(chunk) = at {
            // SAFETY: in the chain, so not freed, and owned, says the caller.
            unsafe { self.scrub_chunk(chunk, lo, hi) };
            // SAFETY: as above; headers are only ever shared.
            at = unsafe { chunk.as_ref() }.next.get();
            if let Some(older) = at {
                // SAFETY: in the chain, so not freed; headers are only ever shared.
                let older = unsafe { older.as_ref() };
                (lo, hi) = older.retired_at();
            }
        }
        let mut at = self.side.get();
        while let Some(chunk) = at {
            // SAFETY: in the list, so not freed.
            let end = unsafe { chunk::end(chunk) };
            // SAFETY: owned, says the caller.
            unsafe { scrub(chunk::data(chunk), end, self.config.zeroize) };
            // SAFETY: as above; headers are only ever shared.
            at = unsafe { chunk.as_ref() }.next.get();
        }
        let (start, end) = self.home.get();
        // SAFETY: the buffer is the store's alone, as `with_home` was told, or empty.
        unsafe { scrub(start, end, self.config.zeroize) };
    }
}

/// Whether a chunk came since the scope of this depth began.
///
/// The chunk is in a list.
fn is_since(chunk: NonNull<Chunk>, depth: usize) -> bool {
    // SAFETY: chunks in lists are not freed; headers are only ever shared.
    unsafe { chunk.as_ref() }.depth.get() >= depth
}

/// Moves chunks of `2.pow(class)` bytes and more, and less than twice as many, from a list to another one, as far
/// as `left` suffices for them.
///
/// # Safety
///
/// The chunks of the lists are not freed.
unsafe fn keep_class(list: &Link, kept: &Link, class: u32, left: &mut usize) {
    let passed = Cell::new(None);
    // SAFETY: chunks in lists are not freed, says the caller.
    while let Some(chunk) = unsafe { chunk::pop(list) } {
        // SAFETY: not freed; headers are only ever shared.
        let bytes = unsafe { chunk.as_ref() }.bytes();
        let is_kept = bytes.ilog2() == class && bytes <= *left;
        if is_kept {
            *left -= bytes;
        }
        // SAFETY: not freed, and in no list.
        unsafe { chunk::push(if is_kept { kept } else { &passed }, chunk) };
    }
    list.set(passed.take());
}
