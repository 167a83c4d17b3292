//! The handle to a pool of buffers.

use core::fmt;

use thrifty_magazine::{Engine, WeakEngine};
use thrifty_sync::clock::Instant;
use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

use super::{
    block::Fresh,
    buf::PooledBuf,
    builder::BufferPoolBuilder,
    class::Class,
    error::{BufError, BufferPoolError},
    root::Root,
    stats::BufferStats,
};

/// A pool of byte buffers in size classes.
///
/// A clone is another handle to the same pool. When the last one is dropped, the pool is closed:
/// what is idle is freed, and what is out is freed when it comes back.
///
/// # Examples
///
/// ```
/// use std::io::Write;
/// use thrifty_pool::BufferPool;
///
/// let pool = BufferPool::new();
/// let mut buf = pool.get(1000);
/// write!(buf, "{} bottles", 99)?;
/// assert_eq!(&buf[..], b"99 bottles");
///
/// // The bytes become shared, without an allocation, and go back to the pool in the end.
/// let bytes = buf.freeze();
/// let number = bytes.slice(..2);
/// drop(bytes);
/// assert_eq!(&number[..], b"99");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// One for the program, in a `static`:
///
/// ```
/// use std::sync::LazyLock;
/// use thrifty_pool::BufferPool;
///
/// static BUFFERS: LazyLock<BufferPool> = LazyLock::new(BufferPool::new);
/// assert!(BUFFERS.get(100).is_empty());
/// ```
///
/// # Memory
///
/// A buffer takes its capacity and 48 bytes (32 on 32-bit targets), with an alignment above 16
/// also the padding up to it. The pool itself takes, with the default classes, some 30 KiB and 1.5
/// KiB for each processor before the first buffer: it is nothing to make for each connection.
/// Each class below 32 KiB is an engine of its own in a thread's table, which 64 fit into; from nine
/// such pools on that a thread uses in turn, it finds each a little out of line.
///
/// What a pool keeps idle is at most
///
/// - [`max_idle_bytes`](BufferPoolBuilder::max_idle_bytes) in the part that threads share, or three
///   buffers of each class that has no caches, if that is more;
/// - for each thread with a cache, of each class below 32 KiB that it used, two magazines of 64 KiB
///   of buffers, padding included, and no more than 64 of them, and one buffer at hand. With the
///   default classes that is 768 KiB and the headers. Threads beyond
///   [`max_thread_caches`](BufferPoolBuilder::max_thread_caches) share as many such caches as there
///   are processors; where that is 0, what all share is a part of `max_idle_bytes`;
/// - with the feature `thread_local`, for each thread one buffer of each class from 32 KiB on that
///   it got: 2 MiB with the default classes. [`trim`](Self::trim) and [`tick`](Self::tick) reach
///   these from any thread. After a thread's end they pass on to the next new thread.
///
/// What threads share decays, and what is in slots: what nobody wanted for an interval goes back to
/// the allocator when it ends. That somebody has to notice: threads that exchange magazines with the
/// shared part look at the clock now and then, and those that get buffers from 32 KiB on; a thread
/// that its own cache serves does not. So call [`tick`](Self::tick) from a timer.
/// Larger buffers than the largest class are never kept. After the last handle is dropped, what is
/// in the caches of other threads stays there until they end, flush, or use more pools.
///
/// # Concurrency
///
/// `Send` and `Sync`; a buffer may be dropped on any thread. For a class below 32 KiB, to get and
/// to drop a buffer is a few loads and stores to memory of the thread, as long as its magazines are
/// neither empty nor full.
pub struct BufferPool(Engine<Root>);

impl BufferPool {
    /// A pool with the default classes and limits.
    ///
    /// # Panics
    ///
    /// When there is no memory for its tables; [`try_new`](Self::try_new) says so instead.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(thrifty_pool::BufferPool::new().get(10).is_empty());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        match Self::try_new() {
            Ok(pool) => pool,
            Err(error) => panic!("{error}"),
        }
    }

    /// A pool with the default classes and limits, if there is memory for its tables.
    ///
    /// # Errors
    ///
    /// [`BufferPoolError::Alloc`].
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::try_new()?;
    /// assert!(!pool.is_closed());
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn try_new() -> Result<Self, BufferPoolError> {
        Self::builder().build()
    }

    /// Settings for a pool; see there.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::builder().align(64).build()?;
    /// assert_eq!(pool.get(1).as_ptr().align_offset(64), 0);
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn builder() -> BufferPoolBuilder {
        BufferPoolBuilder::new()
    }

    pub(crate) fn from_root(root: Engine<Root>) -> Self {
        Self(root)
    }

    #[inline]
    fn root(&self) -> &Root {
        self.0.supplier()
    }

    /// An empty buffer that has room for so many bytes at least.
    ///
    /// # Panics
    ///
    /// When [`try_get`](Self::try_get) has an error.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::new();
    /// let buf = pool.get(1000);
    /// assert_eq!((buf.len(), buf.capacity()), (0, 1024));
    /// ```
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn get(&self, min_capacity: usize) -> PooledBuf {
        match self.root().take_hit(min_capacity) {
            Some(block) => PooledBuf::new(block),
            None => self.get_slow(min_capacity),
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn get_slow(&self, min_capacity: usize) -> PooledBuf {
        match self.root().take_slow(min_capacity, Fresh::Any) {
            Ok(block) => PooledBuf::new(block),
            Err(error) => refuse(&error),
        }
    }

    /// An empty buffer that has room for so many bytes at least, if it can be had.
    ///
    /// # Errors
    ///
    /// When more is asked for than the [`Oversize`](crate::Oversize) policy serves, when there is
    /// no memory, when the pool is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{BufError, BufferPool};
    ///
    /// let pool = BufferPool::new();
    /// assert!(pool.try_get(0).is_ok());
    /// assert!(matches!(pool.try_get(usize::MAX), Err(BufError::Alloc(_))));
    /// ```
    #[inline]
    pub fn try_get(&self, min_capacity: usize) -> Result<PooledBuf, BufError> {
        if let Some(block) = self.root().take_hit(min_capacity) {
            return Ok(PooledBuf::new(block));
        }
        let block = self.root().take_slow(min_capacity, Fresh::Any)?;
        Ok(PooledBuf::new(block))
    }

    /// A buffer of `len` zeros.
    ///
    /// Only what may hold something else is written to: memory fresh from the system is not, nor
    /// what lies behind everything that was ever written to this buffer.
    ///
    /// # Panics
    ///
    /// When [`try_get_zeroed`](Self::try_get_zeroed) has an error.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::new();
    /// assert_eq!(pool.get_zeroed(3), [0, 0, 0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn get_zeroed(&self, len: usize) -> PooledBuf {
        match self.try_get_zeroed(len) {
            Ok(buf) => buf,
            Err(error) => refuse(&error),
        }
    }

    /// A buffer of `len` zeros, if it can be had.
    ///
    /// # Errors
    ///
    /// As [`try_get`](Self::try_get).
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::new();
    /// assert_eq!(pool.try_get_zeroed(300)?.len(), 300);
    /// # Ok::<(), thrifty_pool::BufError>(())
    /// ```
    pub fn try_get_zeroed(&self, len: usize) -> Result<PooledBuf, BufError> {
        let block = match self.root().take_hit(len) {
            Some(block) => block,
            None => self.root().take_slow(len, Fresh::Zeroed)?,
        };
        Ok(PooledBuf::zeroed(block, len))
    }

    /// Gives idle buffers back to the allocator, and says how much.
    ///
    /// `Low` ends a decay interval: what nobody wanted in it is freed. `Medium` frees what the
    /// depots hold and what is in the slots of threads. `High` also empties the stripes and this
    /// thread's caches; other threads give up a magazine each at their next exchange.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{BufferPool, Pressure};
    ///
    /// let pool = BufferPool::new();
    /// drop(pool.get(100));
    /// assert_eq!(pool.trim(Pressure::High).items, 1);
    /// ```
    pub fn trim(&self, pressure: Pressure) -> Reclaimed {
        let each = self.root().pooled().iter();
        each.map(|class| class.reclaim(pressure)).sum()
    }

    /// Ends a decay interval, if it is over by the pool's clock, and gives back what nobody wanted
    /// in it.
    ///
    /// Threads that exchange magazines with what is shared do this by themselves, at one exchange of
    /// 16, and those that get buffers from 32 KiB on, at one of 64. A thread that its own cache
    /// serves does not look at the clock, which would cost it more than the buffer does. So a class
    /// whose load falls does not decay by itself, be it in use or not: call this from a timer, once
    /// in an interval or more often, or hand the pool to a limit controller, whose
    /// `reclaim(Pressure::Low)` does the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use std::sync::Arc;
    /// use thrifty_pool::{BufferPool, clock::ManualClock};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let pool = BufferPool::builder()
    ///     .clock(clock.clone())
    ///     .decay_interval(Duration::from_secs(10))
    ///     .build()?;
    /// for _ in 0..3 {
    ///     clock.advance(Duration::from_secs(10));
    ///     pool.tick();
    /// }
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn tick(&self) -> Reclaimed {
        match self.0.config().now() {
            Some(now) => self.tick_at(now),
            None => Reclaimed::new(),
        }
    }

    /// As [`tick`](Self::tick), with the time of the caller.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{BufferPool, clock::{Clock, SystemClock}};
    ///
    /// let pool = BufferPool::new();
    /// assert!(pool.tick_at(SystemClock.now()).is_nothing());
    /// ```
    pub fn tick_at(&self, now: Instant) -> Reclaimed {
        let each = self.root().pooled().iter();
        each.map(|class| class.tick(now)).sum()
    }

    /// Moves what this thread's caches hold to where other threads can have it.
    ///
    /// For a thread that goes to sleep, as a worker of a runtime that parks.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::new();
    /// drop(pool.get(100));
    /// pool.flush_thread();
    /// ```
    pub fn flush_thread(&self) {
        for class in self.root().pooled() {
            class.engine().flush_thread();
        }
    }

    /// Frees what is idle, and from now on everything that comes back. Buffers that are out stay
    /// usable, and can still grow; there are no new ones.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{BufError, BufferPool};
    ///
    /// let pool = BufferPool::new();
    /// let mut buf = pool.get(1);
    /// pool.close();
    /// assert_eq!(pool.try_get(1).unwrap_err(), BufError::Closed);
    /// buf.extend_from_slice(&[7; 1000]);
    /// assert_eq!(buf.len(), 1000);
    /// ```
    pub fn close(&self) {
        self.0.close();
        self.root().classes.iter().for_each(Class::close);
    }

    /// Whether the pool is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(!thrifty_pool::BufferPool::new().is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// What the pool is called.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::builder().name("frames").build()?;
    /// assert_eq!(pool.name(), "frames");
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.root().name
    }

    /// What the pool holds and has done, class by class.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::new();
    /// let buf = pool.get(500);
    /// let stats = pool.stats();
    /// assert_eq!((stats.classes()[1].capacity, stats.classes()[1].in_use), (512, 1));
    /// # drop(buf);
    /// ```
    #[must_use]
    pub fn stats(&self) -> BufferStats {
        BufferStats::read(self.root())
    }

    /// A handle that does not keep the pool open.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::BufferPool;
    ///
    /// let pool = BufferPool::new();
    /// let weak = pool.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(pool);
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[must_use]
    pub fn downgrade(&self) -> WeakBufferPool {
        WeakBufferPool(self.0.downgrade())
    }
}

#[cold]
#[track_caller]
pub(crate) fn refuse(error: &BufError) -> ! {
    match error {
        BufError::Alloc(cause) => panic!("{error}: {cause}"),
        _ => panic!("{error}"),
    }
}

impl Clone for BufferPool {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Default for BufferPool {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self.root();
        f.debug_struct("BufferPool")
            .field("name", &root.name)
            .field("classes", &root.rules.classes)
            .finish_non_exhaustive()
    }
}

impl MemoryUsage for BufferPool {
    fn memory_usage(&self) -> Usage {
        self.stats().usage()
    }
}

impl Reclaim for BufferPool {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.trim(pressure)
    }
}

/// A handle to a [`BufferPool`] that does not keep it open, as a limit controller holds it.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{BufferPool, MemoryUsage, Pressure, Reclaim};
///
/// let pool = BufferPool::new();
/// let weak = pool.downgrade();
/// drop(pool.get(100));
/// assert!(weak.memory_usage().idle_bytes >= 256);
/// assert!(weak.reclaim(Pressure::High).bytes >= 256);
/// drop(pool);
/// assert_eq!(weak.memory_usage().reserved_bytes, 0);
/// ```
pub struct WeakBufferPool(WeakEngine<Root>);

impl WeakBufferPool {
    /// A handle that keeps the pool open, if there is one still.
    ///
    /// # Examples
    ///
    /// See [`BufferPool::downgrade`].
    #[must_use]
    pub fn upgrade(&self) -> Option<BufferPool> {
        self.0.upgrade().map(BufferPool)
    }
}

impl Clone for WeakBufferPool {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl fmt::Debug for WeakBufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakBufferPool").finish_non_exhaustive()
    }
}

impl MemoryUsage for WeakBufferPool {
    fn memory_usage(&self) -> Usage {
        self.upgrade()
            .map_or(Usage::new(), |pool| pool.memory_usage())
    }
}

impl Reclaim for WeakBufferPool {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.upgrade()
            .map_or(Reclaimed::new(), |pool| pool.trim(pressure))
    }
}
