//! Which blocks a shared arena has, and which of them somebody may have next. Guarded by the arena's lock.
//!
//! ```text
//! all       ──► every block in use: open, owned, partly filled, full
//! partial   ──► those of them that nobody owns, and that have room
//! spare     ──► blocks with nothing in them, kept by a reset
//! spare_big ──► … those that are larger than blocks become by doubling, or had one object each
//! ```
//!
//! # Invariants
//!
//! 1. Each block that was allocated and not freed is in exactly one of `all`, `spare` and `spare_big`.
//! 2. A block in `partial` is in `all`, is not open, and nobody owns it: taking it out makes one its owner.
//! 3. `reserved` is the sum of the blocks' bytes, and at most the limit.
//! 4. `idle` is what is free in `partial`, `spare` and `spare_big`.

use core::{mem, ptr::NonNull};

use thrifty_traits::{AllocErrorKind, Reclaimed};

use super::{
    block::{self, Block, HEADER, Span},
    lists::{LOOKS, List, Partial, Whole},
};
use crate::{
    Retain,
    config::{BELOW, Config},
    kernel,
    retain::smoothed,
    scrub::scrub,
};

/// What the low end of an owned block is a multiple of.
pub(super) const MIN: usize = 8;

/// What is left of a block is kept if it is so much.
pub(super) const WORTH: usize = 64;

/// How many blocks are looked at for the best one, where the alternative is to ask for a large block.
const LOOKS_FOR_BIG: usize = 256;

/// What somebody wants room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) size: usize,
    pub(super) align: usize,
    /// What the cursor moves in multiples of.
    pub(super) unit: usize,
}

impl Request {
    /// How many bytes a new block must have for it, beside the header.
    pub(super) fn need(self) -> Result<usize, AllocErrorKind> {
        kernel::need(self.size, self.align, self.unit).ok_or(AllocErrorKind::Overflow)
    }

    /// Takes the bytes from the low end: where they start, and what is left.
    ///
    /// A span that is a request's starts at a multiple of [`MIN`], or of the unit.
    pub(super) fn carve(self, span: Span) -> Option<(*mut u8, Span)> {
        let (lo, hi) = (span.lo.addr(), span.hi.addr());
        let placed = kernel::up(lo, hi, self.size, self.align, self.unit)?;
        let rest = Span {
            lo: span.lo.with_addr(placed.cursor),
            hi: span.hi,
        };
        Some((span.lo.with_addr(placed.start), rest))
    }
}

/// The blocks, and how many bytes they are.
#[derive(Debug)]
pub(super) struct Books {
    all: List<Whole>,
    partial: Partial,
    spare: List<Whole>,
    spare_big: List<Whole>,
    blocks: usize,
    next_bytes: usize,
    /// Whether the next block is the one that is to serve whole rounds.
    consolidates: bool,
    pub(super) reserved: usize,
    pub(super) idle: usize,
    /// What is left of blocks that nobody will fill.
    pub(super) wasted: usize,
    /// What recent rounds had in use, see [`smoothed`].
    recent: usize,
    /// The blocks that were allocated and not freed, in a list that shares nothing with the others.
    #[cfg(test)]
    live: Vec<NonNull<Block>>,
}

// SAFETY: the blocks are reached through the books alone, but for an open block and for owned ones, whose
// threads touch nothing in them that is touched here before they are handed back under the lock.
unsafe impl Send for Books {}

impl Books {
    pub(super) const fn new(config: &Config) -> Self {
        Self {
            all: List::new(),
            partial: Partial::new(),
            spare: List::new(),
            spare_big: List::new(),
            blocks: 0,
            next_bytes: config.first_chunk,
            consolidates: false,
            reserved: 0,
            idle: 0,
            wasted: 0,
            recent: 0,
            #[cfg(test)]
            live: Vec::new(),
        }
    }

    /// A block with room for a request. The caller is its owner.
    ///
    /// A request that is to have a block of its own gets one of the right size, or a spare one.
    pub(super) fn acquire(
        &mut self,
        request: Request,
        config: &Config,
        limit: usize,
    ) -> Result<NonNull<Block>, AllocErrorKind> {
        let need = request.need()?;
        let is_large = self.is_large(need, config);
        if let Some(block) = self.take_partial(request, LOOKS) {
            return Ok(block);
        }
        if let Some(block) = self.take_spare(request, is_large) {
            return Ok(block);
        }
        let wanted = if is_large { 0 } else { self.next_bytes };
        let allocated = self.allocate(need, wanted, config, limit);
        // Before anybody is refused, all are looked at.
        allocated.or_else(|kind| self.take_partial(request, usize::MAX).ok_or(kind))
    }

    /// Whether a request of `need` bytes gets a block of its own.
    fn is_large(&self, need: usize, config: &Config) -> bool {
        // A consolidated block is larger than any other, and is there for all.
        let room = self.next_bytes.saturating_sub(HEADER + BELOW);
        let is_consolidated = self.consolidates && need <= room;
        need > config.side_above && !is_consolidated
    }

    /// Hands a block back, with what is free in it.
    ///
    /// # Safety
    ///
    /// The caller is the block's owner, and is so no more; nobody has a pointer into the span.
    pub(super) unsafe fn put_back(&mut self, block: NonNull<Block>, span: Span) {
        let lo = span.lo.map_addr(|address| kernel::align_up(address, MIN));
        if span.hi.addr().saturating_sub(lo.addr()) < WORTH {
            self.wasted += span.bytes();
            return;
        }
        let span = Span { lo, hi: span.hi };
        // SAFETY: not freed; headers are only ever shared.
        let header = unsafe { block.as_ref() };
        // SAFETY: the caller's contract is the same.
        unsafe { header.set_span(span) };
        // INVARIANT: 2 — nobody owns it from here on; 4.
        // SAFETY: in `all`, so not freed before the lists are cleared; it was owned, so in no list of
        // these, and is so no more.
        unsafe { self.partial.push(block) };
        self.idle += span.bytes();
    }

    /// Takes a block that is partly filled. At most so many of a size are looked at.
    fn take_partial(&mut self, request: Request, looks: usize) -> Option<NonNull<Block>> {
        let block = self.partial.take(request, looks)?;
        // SAFETY: not freed; headers are only ever shared.
        let header = unsafe { block.as_ref() };
        // INVARIANT: 4.
        // SAFETY: just taken, so ours.
        self.idle -= unsafe { header.span() }.bytes();
        Some(block)
    }

    /// Takes a spare block: for a large request the best one, for others the first one that is not big.
    fn take_spare(&mut self, request: Request, is_large: bool) -> Option<NonNull<Block>> {
        let room = |block| {
            // SAFETY: in a list, so not freed.
            let span = unsafe { block::whole(block) };
            request.carve(span).map(|_| span.bytes())
        };
        let near = request.size / 64;
        let waste = |block| {
            let waste = room(block)? - request.size;
            Some(if waste <= near { 0 } else { waste })
        };
        let first = |block| room(block).map(|_| 0);
        let found = if is_large {
            let big = self.spare_big.take(LOOKS_FOR_BIG, waste);
            big.or_else(|| self.spare.take(LOOKS, first))
        } else {
            let regular = self.spare.take(LOOKS, first);
            regular.or_else(|| self.spare_big.take(LOOKS_FOR_BIG, waste))
        };
        let block = found?;
        // INVARIANT: 4.
        // SAFETY: not freed.
        self.idle -= unsafe { block::whole(block) }.bytes();
        self.enter(block);
        Some(block)
    }

    /// Puts a block that is in no list, and has nothing in it, to those in use.
    fn enter(&mut self, block: NonNull<Block>) {
        // SAFETY: not freed; headers are only ever shared.
        let header = unsafe { block.as_ref() };
        // SAFETY: not freed.
        let span = unsafe { block::whole(block) };
        // SAFETY: in no list, so ours; nothing in it is in use.
        unsafe { header.set_span(span) };
        // INVARIANT: 1.
        // SAFETY: in no list; those in `all` are freed after a reset took them out.
        unsafe { self.all.push(block) };
    }

    /// Puts a block that is in no list, and has nothing in it, to the spare ones.
    fn add_spare(&mut self, block: NonNull<Block>) {
        // SAFETY: not freed; headers are only ever shared.
        let is_big = unsafe { block.as_ref() }.is_big();
        let list = if is_big {
            &mut self.spare_big
        } else {
            &mut self.spare
        };
        // INVARIANT: 1.
        // SAFETY: in no list; spare ones are freed after they were taken out.
        unsafe { list.push(block) };
    }

    /// A new block with room for `need` bytes, as close to `wanted` bytes as limit and allocator permit.
    fn allocate(
        &mut self,
        need: usize,
        wanted: usize,
        config: &Config,
        limit: usize,
    ) -> Result<NonNull<Block>, AllocErrorKind> {
        let least = need.checked_add(HEADER).ok_or(AllocErrorKind::Overflow)?;
        if limit.saturating_sub(self.reserved) < least {
            self.free_spare(0);
        }
        let room = limit.saturating_sub(self.reserved);
        if room < least {
            return Err(AllocErrorKind::Limit);
        }
        let mut bytes = match wanted {
            0 => least,
            _ => generous(least, wanted, config).min(room),
        };
        loop {
            let is_big = wanted == 0 || bytes > config.max_chunk;
            if let Some(block) = Block::allocate(bytes, is_big) {
                // INVARIANT: 3.
                self.reserved += bytes;
                self.blocks += 1;
                #[cfg(test)]
                self.live.push(block);
                if wanted != 0 {
                    self.consolidates = false;
                    let next = wanted.saturating_mul(2).min(config.max_chunk);
                    self.next_bytes = next.max(config.first_chunk);
                }
                self.enter(block);
                return Ok(block);
            }
            // The last attempt is for exactly what is needed, and with all idle memory given back.
            if bytes == least && self.free_spare(0).is_nothing() {
                return Err(AllocErrorKind::Backend);
            }
            bytes = (bytes / 2).max(least);
        }
    }

    /// Frees spare blocks until they have at most `budget` bytes; of these, larger ones are kept first,
    /// compared by powers of two.
    pub(super) fn free_spare(&mut self, budget: usize) -> Reclaimed {
        let mut left = budget;
        let mut lists = [
            mem::replace(&mut self.spare, List::new()),
            mem::replace(&mut self.spare_big, List::new()),
        ];
        let mut kept = [List::new(), List::new()];
        for class in (0..usize::BITS).rev() {
            // No block of this class or a lower one fits.
            if left < HEADER {
                break;
            }
            if left >> class != 0 {
                for (list, kept) in lists.iter_mut().zip(&mut kept) {
                    keep_class(list, kept, class, &mut left);
                }
            }
        }
        [self.spare, self.spare_big] = kept;
        let mut freed = Reclaimed::new();
        for list in &mut lists {
            while let Some(block) = list.pop() {
                // SAFETY: not freed; headers are only ever shared.
                self.idle -= unsafe { block.as_ref() }.bytes() - HEADER;
                // SAFETY: in no list, and nothing in a spare block is in use.
                freed += unsafe { self.free(block) };
            }
        }
        freed
    }

    /// # Safety
    ///
    /// The block is ours, in no list, and *owned*.
    unsafe fn free(&mut self, block: NonNull<Block>) -> Reclaimed {
        #[cfg(test)]
        {
            let at = self.live.iter().position(|live| *live == block);
            self.live
                .remove(at.expect("a block is freed that is not allocated"));
        }
        // SAFETY: the caller's contract is the same.
        let bytes = unsafe { Block::free(block) };
        // INVARIANT: 3.
        self.reserved -= bytes;
        self.blocks -= 1;
        Reclaimed::new().with_bytes(bytes).with_items(1)
    }

    /// What blocks have beside their headers.
    pub(super) const fn capacity(&self) -> usize {
        self.reserved - self.blocks * HEADER
    }

    /// Frees spare blocks beyond twice what recent rounds used.
    pub(super) fn free_beyond_recent(&mut self, used: usize) -> Reclaimed {
        let wanted = self.recent.saturating_mul(2);
        self.free_spare(wanted.saturating_sub(used))
    }

    /// Empties all blocks, and keeps of them what the policy says. `used` bytes were in use.
    ///
    /// # Safety
    ///
    /// Nothing that was allocated is used again, nobody owns a block, and none is open.
    pub(super) unsafe fn reset(&mut self, used: usize, config: &Config) {
        self.recent = smoothed(self.recent, used);
        self.partial.clear();
        let was_one = self.all.is_one_at_most();
        while let Some(block) = self.all.pop() {
            // SAFETY: not freed.
            let span = unsafe { block::whole(block) };
            // SAFETY: nothing in it is used again, says the caller.
            unsafe { scrub(span.lo, span.hi, config.zeroize) };
            self.add_spare(block);
        }
        // INVARIANT: 4.
        self.idle = self.capacity();
        self.wasted = 0;
        if config.retain == Retain::Consolidate {
            if !was_one {
                self.free_spare(0);
                let bytes = (used + used / 8).saturating_add(HEADER + BELOW);
                let bytes = bytes.checked_next_multiple_of(4096).unwrap_or(bytes);
                self.next_bytes = bytes.max(config.first_chunk);
                self.consolidates = true;
            }
            return;
        }
        let budget = config.retain.budget(self.recent, config.first_chunk);
        if self.reserved > budget {
            self.free_spare(budget);
            let next = self.recent.checked_next_power_of_two();
            let next = next.unwrap_or(usize::MAX).min(config.max_chunk);
            self.next_bytes = next.max(config.first_chunk);
        }
    }

    /// Frees everything.
    ///
    /// # Safety
    ///
    /// As for [`reset`](Self::reset), and no block is asked for again.
    pub(super) unsafe fn end(&mut self, config: &Config) {
        let config = Config {
            retain: Retain::Nothing,
            ..*config
        };
        // SAFETY: the caller's contract is the same.
        unsafe { self.reset(0, &config) };
        debug_assert_eq!(self.reserved, 0, "each block is freed");
        #[cfg(test)]
        assert!(self.live.is_empty(), "each block is freed");
    }
}

/// The size of a block that is to serve more than one request.
fn generous(least: usize, wanted: usize, config: &Config) -> usize {
    let doubled = least
        .saturating_add(BELOW)
        .checked_next_power_of_two()
        .unwrap_or(0)
        .min(config.max_chunk);
    least.max(wanted.max(doubled).saturating_sub(BELOW))
}

/// Moves blocks of `2.pow(class)` bytes and more, and less than twice as many, from a list to another one, as
/// far as `left` suffices for them.
fn keep_class(list: &mut List<Whole>, kept: &mut List<Whole>, class: u32, left: &mut usize) {
    let mut passed = List::new();
    while let Some(block) = list.pop() {
        // SAFETY: not freed; headers are only ever shared.
        let bytes = unsafe { block.as_ref() }.bytes();
        let is_kept = bytes.ilog2() == class && bytes <= *left;
        if is_kept {
            *left -= bytes;
        }
        let to = if is_kept { &mut *kept } else { &mut passed };
        // SAFETY: in no list; spare ones are freed after they were taken out.
        unsafe { to.push(block) };
    }
    *list = passed;
}
