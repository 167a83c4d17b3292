//! Which blocks a shared arena has, and which of them somebody may have next. Guarded by the arena's lock.
//!
//! ```text
//! all     ──► every block in use: open, owned, partly filled, full
//! partial ──► those of them that nobody owns, and that have room
//! spare   ──► blocks with nothing in them, kept by a reset
//! ```
//!
//! # Invariants
//!
//! 1. Each block that was allocated and not freed is in exactly one of `all` and `spare`.
//! 2. A block in `partial` is in `all`, is not open, and nobody owns it: taking it out makes one its owner.
//! 3. `reserved` is the sum of the blocks' bytes, and at most the limit.
//! 4. `idle` is what is free in `partial` and `spare`.

use core::ptr::NonNull;

use thrifty_traits::{AllocErrorKind, Reclaimed};

use super::block::{self, Block, HEADER, Span};
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
const WORTH: usize = 64;

/// How many blocks of a list are looked at: it may be long.
const LOOKS: usize = 16;

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
    all: Option<NonNull<Block>>,
    partial: Option<NonNull<Block>>,
    spare: Option<NonNull<Block>>,
    blocks: usize,
    next_bytes: usize,
    pub(super) reserved: usize,
    pub(super) idle: usize,
    /// What is left of blocks that nobody will fill.
    pub(super) wasted: usize,
    /// What recent rounds had in use, see [`smoothed`].
    recent: usize,
}

// SAFETY: the blocks are reached through the books alone, but for an open block and for owned ones, whose
// threads touch nothing in them that is touched here before they are handed back under the lock.
unsafe impl Send for Books {}

impl Books {
    pub(super) const fn new(config: &Config) -> Self {
        Self {
            all: None,
            partial: None,
            spare: None,
            blocks: 0,
            next_bytes: config.first_chunk,
            reserved: 0,
            idle: 0,
            wasted: 0,
            recent: 0,
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
        let is_large = need > config.side_above;
        if let Some(block) = self.take_partial(request) {
            return Ok(block);
        }
        if let Some(block) = self.take_spare(request) {
            return Ok(block);
        }
        let wanted = if is_large { 0 } else { self.next_bytes };
        self.allocate(need, wanted, config, limit)
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
        header.next_partial.set(self.partial);
        self.partial = Some(block);
        self.idle += span.bytes();
    }

    fn take_partial(&mut self, request: Request) -> Option<NonNull<Block>> {
        let mut before: Option<NonNull<Block>> = None;
        let mut at = self.partial;
        for _ in 0..LOOKS {
            let block = at?;
            // SAFETY: in the list, so not freed; headers are only ever shared.
            let header = unsafe { block.as_ref() };
            // SAFETY: nobody owns it (invariant 2), and it is reached under the lock alone.
            let span = unsafe { header.span() };
            at = header.next_partial.get();
            if request.carve(span).is_some() {
                match before {
                    None => self.partial = at,
                    // SAFETY: in the list, so not freed; headers are only ever shared.
                    Some(before) => unsafe { before.as_ref() }.next_partial.set(at),
                }
                // INVARIANT: 4.
                self.idle -= span.bytes();
                return Some(block);
            }
            before = Some(block);
        }
        None
    }

    fn take_spare(&mut self, request: Request) -> Option<NonNull<Block>> {
        let mut before: Option<NonNull<Block>> = None;
        let mut at = self.spare;
        for _ in 0..LOOKS {
            let block = at?;
            // SAFETY: in the list, so not freed; headers are only ever shared.
            let header = unsafe { block.as_ref() };
            // SAFETY: not freed.
            let span = unsafe { block::whole(block) };
            at = header.next.get();
            if request.carve(span).is_some() {
                match before {
                    None => self.spare = at,
                    // SAFETY: in the list, so not freed; headers are only ever shared.
                    Some(before) => unsafe { before.as_ref() }.next.set(at),
                }
                self.idle -= span.bytes();
                self.enter(block);
                return Some(block);
            }
            before = Some(block);
        }
        None
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
        header.next.set(self.all);
        self.all = Some(block);
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
            _ => least.max(wanted.saturating_sub(BELOW)).min(room),
        };
        loop {
            if let Some(block) = Block::allocate(bytes) {
                // INVARIANT: 3.
                self.reserved += bytes;
                self.blocks += 1;
                if wanted != 0 {
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

    /// Frees spare blocks until they have at most `budget` bytes.
    pub(super) fn free_spare(&mut self, budget: usize) -> Reclaimed {
        let mut left = budget;
        let mut freed = Reclaimed::new();
        let mut at = self.spare.take();
        while let Some(block) = at {
            // SAFETY: it was in the list, so it is not freed; headers are only ever shared.
            let header = unsafe { block.as_ref() };
            at = header.next.get();
            let bytes = header.bytes();
            if bytes <= left {
                left -= bytes;
                header.next.set(self.spare);
                self.spare = Some(block);
            } else {
                self.idle -= bytes - HEADER;
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
        self.partial = None;
        let was_one = self.all.is_none_or(|block| {
            // SAFETY: in the list, so not freed; headers are only ever shared.
            unsafe { block.as_ref() }.next.get().is_none()
        });
        while let Some(block) = self.all {
            // SAFETY: in the list, so not freed; headers are only ever shared.
            let header = unsafe { block.as_ref() };
            self.all = header.next.get();
            // SAFETY: not freed.
            let span = unsafe { block::whole(block) };
            // SAFETY: nothing in it is used again, says the caller.
            unsafe { scrub(span.lo, span.hi, config.zeroize) };
            // INVARIANT: 1.
            header.next.set(self.spare);
            self.spare = Some(block);
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
        debug_assert_eq!(self.reserved, 0, "each block is freed once");
    }
}
