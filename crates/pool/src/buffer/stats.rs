//! What a pool of buffers holds and has done.

#![forbid(unsafe_code)]

use thrifty_traits::Usage;

use super::{class::Class, classes::MAX_CLASSES, root::Root};

/// Figures of a pool of buffers; see [`BufferPool::stats`](crate::BufferPool::stats).
///
/// Each is exact while no other thread uses the pool. While others do, each is as it was at some
/// point during the call, and they need not add up.
///
/// # Examples
///
/// ```
/// use thrifty_pool::BufferPool;
///
/// let pool = BufferPool::new();
/// let large = pool.get(2 << 20);
/// assert_eq!(pool.stats().unpooled, 1);
/// assert!(pool.stats().unpooled_bytes >= 2 << 20);
/// # drop(large);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BufferStats {
    /// Buffers above the largest class that are out.
    pub unpooled: usize,
    /// The bytes of these, headers included. Also those that have outgrown their pool after it was
    /// closed.
    pub unpooled_bytes: usize,
    /// Buffers above the largest class that were made so far.
    pub unpooled_created: u64,
    /// Bookkeeping of the pool itself, in bytes.
    pub overhead_bytes: usize,
    classes: [ClassStats; MAX_CLASSES],
    count: usize,
}

/// Figures of one class; see [`BufferStats::classes`].
///
/// # Examples
///
/// ```
/// let pool = thrifty_pool::BufferPool::new();
/// let class = pool.stats().classes()[0];
/// assert_eq!((class.size, class.capacity, class.idle()), (256, 256, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassStats {
    /// The class's entry in the table.
    pub size: usize,
    /// The bytes that a buffer holds: the size and the slack.
    pub capacity: usize,
    /// The bytes that a buffer takes: capacity, header, padding.
    pub block_bytes: usize,
    /// Buffers that are out.
    pub in_use: usize,
    /// Idle buffers that all threads share.
    pub shared: usize,
    /// Idle buffers in the caches of threads.
    pub cached: usize,
    /// Idle buffers in the slots of threads.
    pub slotted: usize,
    /// Buffers made so far.
    pub created: u64,
    /// Buffers freed so far.
    pub freed: u64,
    /// Buffers freed so far because there was no room for them; they are part of `freed`.
    pub overflowed: u64,
}

impl ClassStats {
    /// Idle buffers, wherever they are.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::new();
    /// drop(pool.get(100));
    /// assert_eq!(pool.stats().classes()[0].idle(), 1);
    /// ```
    #[must_use]
    pub const fn idle(&self) -> usize {
        self.shared + self.cached + self.slotted
    }

    fn read(class: &Class) -> Self {
        let (engine, blocks) = (class.engine(), class.engine().supplier());
        let stats = engine.stats();
        let slotted = blocks.slots.as_ref().map_or(0, |slots| slots.count());
        Self {
            size: blocks.rules.classes.sizes()[blocks.class],
            capacity: blocks.rules.capacity_of(blocks.class),
            block_bytes: blocks.block_bytes,
            // For the engine what is in a slot is out.
            in_use: stats.in_use().saturating_sub(slotted),
            shared: stats.depot + stats.striped,
            cached: stats.cached,
            slotted,
            created: stats.created,
            freed: stats.retired,
            overflowed: stats.overflowed,
        }
    }
}

impl BufferStats {
    /// The classes, from the smallest to the largest.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(thrifty_pool::BufferPool::new().stats().classes().len(), 13);
    /// ```
    #[must_use]
    pub fn classes(&self) -> &[ClassStats] {
        &self.classes[..self.count]
    }

    /// The bytes of all idle buffers, headers included.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::new();
    /// drop(pool.get(100));
    /// assert!(pool.stats().idle_bytes() > 256);
    /// ```
    #[must_use]
    pub fn idle_bytes(&self) -> usize {
        let bytes = |class: &ClassStats| class.idle() * class.block_bytes;
        self.classes().iter().map(bytes).sum()
    }

    /// The bytes that users hold: the capacities of the buffers that are out.
    pub(crate) fn usage(&self) -> Usage {
        let in_use = |class: &ClassStats| class.in_use * class.capacity;
        let in_use = self.classes().iter().map(in_use).sum::<usize>();
        let blocks = |class: &ClassStats| (class.in_use + class.idle()) * class.block_bytes;
        let blocks = self.classes().iter().map(blocks).sum::<usize>();
        Usage::new()
            .with_in_use_bytes(in_use + self.unpooled_bytes)
            .with_idle_bytes(self.idle_bytes())
            .with_reserved_bytes(blocks + self.unpooled_bytes + self.overhead_bytes)
    }

    pub(crate) fn read(root: &Root) -> Self {
        let oversize = root.oversize().engine();
        let unpooled = oversize.stats();
        let mut stats = Self {
            unpooled: unpooled.live,
            unpooled_created: unpooled.created,
            count: root.pooled().len(),
            ..Self::default()
        };
        for (place, class) in stats.classes.iter_mut().zip(root.pooled()) {
            *place = ClassStats::read(class);
        }
        for class in &root.classes {
            stats.unpooled_bytes += class.engine().supplier().unpooled_bytes();
            stats.overhead_bytes += class.engine().stats().overhead_bytes;
        }
        stats
    }
}
