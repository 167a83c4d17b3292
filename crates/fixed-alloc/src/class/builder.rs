//! The limits of size classes.

use core::fmt;
use core::time::Duration;

use allocator_api2::alloc::Global;
use thrifty_sync::sync::Arc;

use super::alloc::ClassAlloc;
use super::sizes::Class;
use crate::budget::Budget;
use crate::builder::{Builder, ThreadCache};
use crate::clock::Clock;
use crate::error::ConfigError;

/// Makes a [`ClassAlloc`] with limits of its own: those of a [`Builder`], for each class, and one in
/// bytes for all of them together.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use allocator_api2::alloc::Global;
/// use thrifty_fixed_alloc::{ClassAlloc, ThreadCache};
///
/// let classes = ClassAlloc::builder()
///     .max_bytes(64 << 20)
///     .slab_bytes(32 << 10)
///     .spare_slabs(1)
///     .thread_cache(ThreadCache::Rounds(16))
///     .max_thread_caches(8)
///     .decay_interval(Duration::from_secs(1))
///     .name("index")
///     .fallback(Global)
///     .build()?;
/// assert_eq!(*allocator_api2::boxed::Box::new_in(1, &classes), 1);
/// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
/// ```
#[must_use = "a builder makes nothing until `build`"]
pub struct ClassBuilder<A = Global> {
    limits: Builder,
    max_bytes: Option<usize>,
    fallback: A,
}

impl<A> ClassBuilder<A> {
    pub(super) fn new(fallback: A) -> Self {
        let smallest = Class::all().map(Class::block).next();
        Self {
            limits: Builder::new(smallest.unwrap_or(core::alloc::Layout::new::<u128>())),
            max_bytes: None,
            fallback,
        }
    }

    fn with(self, change: impl FnOnce(Builder) -> Builder) -> Self {
        Self {
            limits: change(self.limits),
            ..self
        }
    }

    /// The most bytes that the slabs of all classes take together; no bound by default.
    ///
    /// Where a class would exceed it, the others first give up what they hold and do not use, but for
    /// blocks in the caches of other threads, which cannot be reached. What the fallback allocates is
    /// not counted.
    ///
    /// What gets smaller is not refused: where a block of a smaller class is wanted for it and there is
    /// none, a slab is fetched beyond the limit, and others are refused until as much has gone back.
    pub fn max_bytes(self, bytes: usize) -> Self {
        Self {
            max_bytes: Some(bytes),
            ..self.with(|limits| limits.max_bytes(bytes))
        }
    }

    /// The bytes of a slab, as [`Builder::slab_bytes`]: 64 KiB by default, and each class that is used
    /// has one at least.
    pub fn slab_bytes(self, bytes: usize) -> Self {
        self.with(|limits| limits.slab_bytes(bytes))
    }

    /// How many empty slabs each class keeps, as [`Builder::spare_slabs`].
    pub fn spare_slabs(self, slabs: usize) -> Self {
        self.with(|limits| limits.spare_slabs(slabs))
    }

    /// Checks every free and every block that is taken, as [`Builder::hardened`].
    pub fn hardened(self, hardened: bool) -> Self {
        self.with(|limits| limits.hardened(hardened))
    }

    /// How large the caches are that threads have for each class, as [`Builder::thread_cache`].
    pub fn thread_cache(self, size: ThreadCache) -> Self {
        self.with(|limits| limits.thread_cache(size))
    }

    /// How many threads have caches of their own, as [`Builder::max_thread_caches`].
    pub fn max_thread_caches(self, threads: usize) -> Self {
        self.with(|limits| limits.max_thread_caches(threads))
    }

    /// How long depots keep what they do not need, as [`Builder::decay_interval`].
    pub fn decay_interval(self, interval: Duration) -> Self {
        self.with(|limits| limits.decay_interval(interval))
    }

    /// Where the time for that comes from, if not from the system.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        self.with(|limits| limits.clock(clock))
    }

    /// What messages about bad frees call the allocator. Classes are made in the middle of an
    /// allocation, so this is not a text that would have to be copied.
    pub fn name(self, name: &'static str) -> Self {
        self.with(|limits| limits.name(name))
    }

    /// What large and strictly aligned layouts go to.
    pub fn fallback<B>(self, fallback: B) -> ClassBuilder<B> {
        ClassBuilder {
            limits: self.limits,
            max_bytes: self.max_bytes,
            fallback,
        }
    }

    /// Makes the allocator. No class is made yet.
    ///
    /// # Errors
    ///
    /// A limit makes no sense for one of the classes, or there is no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_fixed_alloc::{ClassAlloc, ConfigError};
    ///
    /// let result = ClassAlloc::builder().max_bytes(1000).build();
    /// assert!(matches!(result, Err(ConfigError::LimitBelowSlab { .. })));
    /// ```
    pub fn build(self) -> Result<ClassAlloc<A>, ConfigError> {
        let mut limits = self.limits;
        if let Some(bytes) = self.max_bytes {
            limits = limits.budget(Budget::try_new(bytes).map_err(ConfigError::Alloc)?);
        }
        for class in Class::all() {
            // Said now, a fault is an error; later it would be a class that never works.
            drop(limits.clone().for_block(class.block()).build()?);
        }
        Ok(ClassAlloc::with_limits(Some(limits), self.fallback))
    }
}

impl<A> fmt::Debug for ClassBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassBuilder")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
