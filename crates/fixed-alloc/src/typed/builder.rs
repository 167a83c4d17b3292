//! The limits of a typed slab.

use alloc::borrow::Cow;
use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use thrifty_sync::sync::Arc;

use super::home::block_layout;
use super::slab::Slab;
use crate::builder::{Builder, ThreadCache};
use crate::clock::Clock;
use crate::error::ConfigError;
use crate::fixed::FixedHandle;
use crate::shape::default_slab_bytes;

/// Makes a [`Slab`] with limits of its own: those of a [`Builder`], without the size of slabs, which
/// follows from the type.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use thrifty_fixed_alloc::{Slab, ThreadCache};
///
/// let nodes = Slab::<[u64; 6]>::builder()
///     .name("nodes")
///     .max_bytes(64 << 20)
///     .spare_slabs(4)
///     .thread_cache(ThreadCache::Rounds(32))
///     .max_thread_caches(16)
///     .decay_interval(Duration::from_secs(1))
///     .build()?;
/// assert_eq!(nodes.insert([1; 6])[5], 1);
/// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
/// ```
#[must_use = "a builder makes nothing until `build`"]
pub struct SlabBuilder<T> {
    blocks: Builder,
    makes: PhantomData<fn() -> T>,
}

impl<T> SlabBuilder<T> {
    pub(super) fn new() -> Self {
        Self {
            blocks: Builder::new(block_layout(Layout::new::<T>())),
            makes: PhantomData,
        }
    }

    fn with(self, change: impl FnOnce(Builder) -> Builder) -> Self {
        Self {
            blocks: change(self.blocks),
            ..self
        }
    }

    /// The most bytes that slabs take at a time, as [`Builder::max_bytes`]; at least one slab, which is
    /// 64 KiB, or eight values if those are larger, rounded up to a power of two.
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.with(|blocks| blocks.max_bytes(bytes))
    }

    /// The most blocks that exist at a time, as [`Builder::max_blocks`].
    pub fn max_blocks(self, blocks: usize) -> Self {
        self.with(|builder| builder.max_blocks(blocks))
    }

    /// How many empty slabs are kept, as [`Builder::spare_slabs`].
    pub fn spare_slabs(self, slabs: usize) -> Self {
        self.with(|blocks| blocks.spare_slabs(slabs))
    }

    /// Fills free blocks and checks that nobody has written to them, as [`Builder::hardened`].
    pub fn hardened(self, hardened: bool) -> Self {
        self.with(|blocks| blocks.hardened(hardened))
    }

    /// How large the caches of threads are, as [`Builder::thread_cache`].
    pub fn thread_cache(self, size: ThreadCache) -> Self {
        self.with(|blocks| blocks.thread_cache(size))
    }

    /// How many threads have a cache of their own, as [`Builder::max_thread_caches`].
    pub fn max_thread_caches(self, threads: usize) -> Self {
        self.with(|blocks| blocks.max_thread_caches(threads))
    }

    /// How long the depot keeps what it does not need, as [`Builder::decay_interval`].
    pub fn decay_interval(self, interval: Duration) -> Self {
        self.with(|blocks| blocks.decay_interval(interval))
    }

    /// Where the time for that comes from, if not from the system.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        self.with(|blocks| blocks.clock(clock))
    }

    /// What [`Slab::name`] says.
    pub fn name(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(|blocks| blocks.name(name))
    }

    /// Makes the slab. No memory for values is fetched yet.
    ///
    /// # Errors
    ///
    /// The type is too large, a limit makes no sense, or there is no memory for the slab's own block.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_fixed_alloc::{ConfigError, Slab};
    ///
    /// let result = Slab::<u64>::builder().max_bytes(1000).build();
    /// assert!(matches!(result, Err(ConfigError::LimitBelowSlab { .. })));
    /// ```
    pub fn build(self) -> Result<Slab<T>, ConfigError> {
        // Said, the default no longer gives way to `max_bytes`: boxes rely on it.
        let blocks = match default_slab_bytes(block_layout(Layout::new::<T>())) {
            Some(bytes) => self.blocks.slab_bytes(bytes),
            None => self.blocks,
        };
        let engine = blocks.build_engine()?;
        Ok(Slab::over(FixedHandle::from_engine(engine)))
    }
}

impl<T> fmt::Debug for SlabBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SlabBuilder").field(&self.blocks).finish()
    }
}
