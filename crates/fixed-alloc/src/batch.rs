//! A few blocks on their way between an engine and the slabs, on the stack.

#![forbid(unsafe_code)]

use core::ptr::NonNull;

/// The most blocks that move under one lock: what bounds how long it is held.
pub(crate) const BATCH: usize = 64;

/// Up to [`BATCH`] blocks.
#[derive(Debug)]
pub(crate) struct Batch {
    blocks: [NonNull<()>; BATCH],
    len: usize,
}

impl Batch {
    pub(crate) const fn new() -> Self {
        Self {
            blocks: [NonNull::dangling(); BATCH],
            len: 0,
        }
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.len == BATCH
    }

    /// Adds a block.
    ///
    /// # Panics
    ///
    /// When the batch is full.
    #[inline]
    pub(crate) fn push(&mut self, block: NonNull<()>) {
        self.blocks[self.len] = block;
        self.len += 1;
    }

    /// Takes the block out that came first, if there is one, and the others with it.
    pub(crate) fn split_first(&self) -> Option<(NonNull<()>, &[NonNull<()>])> {
        let (first, others) = self.as_slice().split_first()?;
        Some((*first, others))
    }

    pub(crate) fn as_slice(&self) -> &[NonNull<()>] {
        &self.blocks[..self.len]
    }
}
