//! The allocator: a handle to an engine over slabs. What lends, takes back and gives up memory is
//! in the submodules.

use core::alloc::Layout;
use core::fmt;
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};

use crate::builder::Builder;
use crate::error::ConfigError;
use crate::lend::Blocks;
use crate::stats::Stats;
use crate::weak::WeakFixedAlloc;

mod batch;
mod raw;
mod safe;
mod upkeep;

/// An allocator of blocks that all have one layout.
///
/// The safe way to a block is [`get`](Self::get), which lends a [`Block`](crate::Block) of bytes.
/// [`try_alloc`](Self::try_alloc) and [`free`](Self::free) are for those who build on raw memory.
/// With the feature `allocator-api2-02`, a `&FixedAlloc` and a [`FixedHandle`] are allocators for
/// `Box`, `Vec` and hash tables.
///
/// # Memory
///
/// Blocks are cut from *slabs*: by default of 64 KiB, or of eight blocks if those are larger, rounded
/// up to a power of two. A slab has a header of 8 bytes, or of one block's alignment if that is more.
/// The books take 60 to 170 bytes per slab and a bit per block, or two in a hardened allocator; they go
/// back when a trim leaves no slab. What is kept though nobody uses it
/// is at most
///
/// | where | how much |
/// |---|---|
/// | slabs without a block in use | `spare_slabs`, 2 by default |
/// | the depot | 4 MiB in at most 256 magazines, and at least 4 magazines |
/// | the caches of threads | (2 magazines and a block) × min(threads, `max_thread_caches`) |
/// | the stripes, for threads beyond | (2 magazines and a block) × processors |
///
/// with magazines of up to 256 blocks or 64 KiB, and of one block if that is larger; and whatever
/// free blocks lie in slabs beside blocks that are in use. An empty slab beyond the spares goes back
/// to the global allocator at once. What the depot has not needed for two decay intervals goes back
/// to the slabs; see [`tick`](Self::tick) and [`trim`](Self::trim).
///
/// When the last handle is gone, what is idle in the depot, the stripes and the cache of the thread
/// that drops it goes back. A block that is idle in the cache of another thread keeps its slab and the
/// allocator's own memory until that thread ends, or has begun to use some more allocators; there is no
/// handle left to tell it to let go. Where threads live for long, have each
/// [flush](Self::flush_thread) its cache before the last handle goes, or have no caches. A block that is
/// lent, or leaked, keeps its slab, and no spare.
///
/// # Concurrency
///
/// `Send` and `Sync`. As long as the calling thread's cache has a block, taking one is a few loads
/// and stores, without a locked instruction, and so is a free while the cache has room, on whatever
/// thread the block was taken. Once per magazine at most, a thread exchanges magazines with the
/// depot, or takes a lock for some hundred nanoseconds to fetch blocks from the slabs or give them
/// back. Only a thread that needs another slab waits for one that is just fetching it.
///
/// An allocator may be used from destructors of thread-locals. The global allocator of the program must
/// not allocate from it: slabs come from there, under a lock. In the child of a `fork` it may be
/// used only if no other thread was using it at that moment.
///
/// # Examples
///
/// ```
/// use std::alloc::Layout;
/// use thrifty_fixed_alloc::FixedAlloc;
///
/// let packets = FixedAlloc::new(Layout::from_size_align(1500, 64)?)?;
/// let mut packet = packets.get();
/// packet[..5].copy_from_slice(b"hello");
/// assert_eq!(packet.len(), 1536);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FixedAlloc {
    engine: Blocks,
}

/// A handle to a [`FixedAlloc`] that can be cloned and kept, from [`FixedAlloc::handle`].
///
/// It gives all that a `&FixedAlloc` does, by `Deref`. The allocator's memory stays as long as there
/// is a handle or a block that is lent, or idle in the cache of another thread; see [`FixedAlloc`].
///
/// # Memory
///
/// One pointer.
///
/// # Concurrency
///
/// As [`FixedAlloc`]. Cloning and dropping a handle changes a shared count: a collection that clones
/// its allocator often is better off with a `&FixedAlloc`.
///
/// # Examples
///
/// ```
/// use std::alloc::Layout;
/// use thrifty_fixed_alloc::FixedAlloc;
///
/// let nodes = FixedAlloc::new(Layout::new::<[u64; 4]>())?.handle();
/// let theirs = nodes.clone();
/// let block = std::thread::spawn(move || theirs.get()).join().unwrap();
/// assert_eq!(nodes.stats().in_use, 1);
/// drop(block);
/// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
/// ```
pub struct FixedHandle(FixedAlloc);

impl FixedAlloc {
    /// An allocator of blocks of this layout, with the default limits.
    ///
    /// # Errors
    ///
    /// The layout is of size zero or too large, or there is no memory for the allocator itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use thrifty_fixed_alloc::FixedAlloc;
    ///
    /// let pages = FixedAlloc::new(Layout::from_size_align(4096, 4096)?)?;
    /// assert_eq!(pages.get().as_ptr().addr() % 4096, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(block: Layout) -> Result<Self, ConfigError> {
        Self::builder(block).build()
    }

    /// A builder for an allocator of blocks of this layout.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use thrifty_fixed_alloc::FixedAlloc;
    ///
    /// let few = FixedAlloc::builder(Layout::new::<u64>()).max_blocks(2).build()?;
    /// let held = [few.get(), few.get()];
    /// assert!(few.try_get().is_err());
    /// # drop(held);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn builder(block: Layout) -> Builder {
        Builder::new(block)
    }

    pub(crate) const fn from_engine(engine: Blocks) -> Self {
        Self { engine }
    }

    /// The layout that the allocator was made for.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let layout = Layout::new::<[u16; 3]>();
    /// assert_eq!(FixedAlloc::new(layout)?.block_layout(), layout);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn block_layout(&self) -> Layout {
        self.engine.supplier().shape.block
    }

    /// The bytes of a block, all of them usable: the layout's size rounded up to its alignment.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::from_size_align(20, 8)?)?;
    /// assert_eq!(blocks.block_bytes(), 24);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn block_bytes(&self) -> usize {
        self.engine.supplier().shape.size
    }

    /// The name that the builder was given; empty without one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let named = FixedAlloc::builder(Layout::new::<u64>()).name("nodes").build()?;
    /// assert_eq!(named.name(), "nodes");
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn name(&self) -> &str {
        &self.engine.supplier().rules.name
    }

    /// What the allocator has done and what it holds.
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
    /// assert_eq!((stats.in_use, stats.slabs, stats.slab_bytes), (1, 1, 1 << 16));
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn stats(&self) -> Stats {
        Stats::of(&self.engine)
    }

    /// A handle to this allocator that can be cloned and kept.
    ///
    /// # Examples
    ///
    /// [`FixedHandle`] has one.
    #[must_use]
    pub fn handle(&self) -> FixedHandle {
        FixedHandle::from_engine(self.engine.clone())
    }

    /// A handle that does not keep the allocator: what a registry or a limit controller holds.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use thrifty_fixed_alloc::FixedAlloc;
    ///
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// let weak = blocks.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(blocks);
    /// assert!(weak.upgrade().is_none());
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[must_use]
    pub fn downgrade(&self) -> WeakFixedAlloc {
        WeakFixedAlloc::from_engine(self.engine.downgrade())
    }
}

impl FixedHandle {
    pub(crate) const fn from_engine(engine: Blocks) -> Self {
        Self(FixedAlloc::from_engine(engine))
    }
}

impl Deref for FixedHandle {
    type Target = FixedAlloc;

    #[inline]
    fn deref(&self) -> &FixedAlloc {
        &self.0
    }
}

impl Clone for FixedHandle {
    fn clone(&self) -> Self {
        self.0.handle()
    }
}

impl fmt::Debug for FixedAlloc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedAlloc")
            .field("name", &self.name())
            .field("block", &self.block_layout())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FixedHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FixedHandle").field(&self.0).finish()
    }
}

// The only user code that runs inside an allocator is its clock, at a time when nothing is half done:
// no panic leaves one in between.
impl UnwindSafe for FixedAlloc {}
impl RefUnwindSafe for FixedAlloc {}
