//! What an allocator says about itself.

use core::fmt;

use thrifty_traits::Usage;

use crate::lend::Blocks;

/// Figures of a [`FixedAlloc`](crate::FixedAlloc).
///
/// Each is exact while no other thread uses the allocator. While others do, each is as it was at
/// some point during the call, and they need not add up.
///
/// # Examples
///
/// ```
/// use std::alloc::Layout;
/// use thrifty_fixed_alloc::FixedAlloc;
///
/// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
/// let block = blocks.get();
/// let stats = blocks.stats();
/// assert_eq!((stats.in_use, stats.in_use_bytes), (1, 8));
/// assert!(stats.to_string().starts_with("1 in use in 1 slab"));
/// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Blocks that are lent.
    pub in_use: usize,
    /// Blocks that are idle in magazines: in the depot, caches and stripes.
    pub idle: usize,
    /// Idle blocks in the caches of threads.
    pub idle_in_caches: usize,
    /// Idle blocks in the depot.
    pub idle_in_depot: usize,
    /// Blocks that are free in slabs.
    pub free: usize,
    /// Slabs.
    pub slabs: usize,
    /// Slabs without a block in use or in a magazine.
    pub empty_slabs: usize,
    /// Bytes of a block.
    pub block_bytes: usize,
    /// Bytes of the blocks that are lent.
    pub in_use_bytes: usize,
    /// Bytes from one slab to the next, which is what `max_bytes` counts. What is asked of the global
    /// allocator may be a little less.
    pub slab_bytes: usize,
    /// Bytes taken from the global allocator: slabs and bookkeeping.
    pub reserved_bytes: usize,
    /// Slabs fetched so far.
    pub slabs_fetched: u64,
    /// Slabs released so far.
    pub slabs_released: u64,
    /// Bad frees, and blocks written to after their free, that a hardened allocator has met so far.
    pub faults: u64,
}

impl Stats {
    pub(crate) fn of(engine: &Blocks) -> Self {
        let (stats, slabs) = (engine.stats(), engine.supplier());
        let (figures, shape) = (slabs.figures(), &slabs.shape);
        let blocks = figures.slabs.saturating_mul(shape.blocks as usize);
        let slab_total = figures.slabs.saturating_mul(shape.slab.size());
        Self {
            in_use: stats.in_use(),
            idle: stats.idle(),
            idle_in_caches: stats.cached,
            idle_in_depot: stats.depot,
            free: blocks.saturating_sub(figures.used),
            slabs: figures.slabs,
            empty_slabs: figures.empty,
            block_bytes: shape.size,
            in_use_bytes: stats.in_use().saturating_mul(shape.size),
            slab_bytes: shape.slab_bytes,
            reserved_bytes: slab_total
                .saturating_add(figures.book_bytes)
                .saturating_add(stats.overhead_bytes),
            slabs_fetched: figures.entered,
            slabs_released: figures.removed,
            faults: figures.faults,
        }
    }

    /// The same as the vocabulary of limit controllers has it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// use thrifty_fixed_alloc::{FixedAlloc, MemoryUsage};
    ///
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// let _block = blocks.get();
    /// assert_eq!(blocks.stats().usage(), blocks.memory_usage());
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn usage(&self) -> Usage {
        let idle = self.idle.saturating_add(self.free);
        Usage::new()
            .with_in_use_bytes(self.in_use_bytes)
            .with_idle_bytes(idle.saturating_mul(self.block_bytes))
            .with_reserved_bytes(self.reserved_bytes)
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            in_use,
            slabs,
            idle,
            free,
            reserved_bytes,
            ..
        } = self;
        let plural = if *slabs == 1 { "" } else { "s" };
        write!(
            f,
            "{in_use} in use in {slabs} slab{plural}, {idle} idle, {free} free; {reserved_bytes} B reserved"
        )
    }
}
