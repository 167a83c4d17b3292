//! A handle that does not keep its allocator.

use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};

use thrifty_magazine::WeakEngine;

use crate::fixed::FixedHandle;
use crate::slabs::Slabs;

/// A handle to a [`FixedAlloc`](crate::FixedAlloc) that does not keep it, from
/// [`FixedAlloc::downgrade`](crate::FixedAlloc::downgrade).
///
/// It is a [`Reclaim`](crate::Reclaim), so a limit controller can hold one: after the allocator's end
/// there is nothing to report and nothing to give back.
///
/// # Memory
///
/// Keeps the allocator's own block, without slabs.
///
/// # Concurrency
///
/// `Send` and `Sync`. While it does its work it is a handle like others.
///
/// # Examples
///
/// ```
/// use std::alloc::Layout;
/// use thrifty_fixed_alloc::{FixedAlloc, MemoryUsage, Pressure, Reclaim};
///
/// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
/// drop(blocks.get());
/// let registered: Box<dyn Reclaim> = Box::new(blocks.downgrade());
/// assert_eq!(registered.reclaim(Pressure::High).items, 1);
/// drop(blocks);
/// assert_eq!(registered.memory_usage().reserved_bytes, 0);
/// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct WeakFixedAlloc {
    engine: WeakEngine<Slabs>,
}

impl WeakFixedAlloc {
    pub(crate) const fn from_engine(engine: WeakEngine<Slabs>) -> Self {
        Self { engine }
    }

    /// The allocator, as long as it has a handle. A block is none.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// let weak = blocks.downgrade();
    /// assert_eq!(weak.upgrade().expect("there is `blocks`").block_bytes(), 8);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[must_use]
    pub fn upgrade(&self) -> Option<FixedHandle> {
        self.engine.upgrade().map(FixedHandle::from_engine)
    }
}

// As for the allocator itself.
impl UnwindSafe for WeakFixedAlloc {}
impl RefUnwindSafe for WeakFixedAlloc {}

impl fmt::Debug for WeakFixedAlloc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakFixedAlloc").finish_non_exhaustive()
    }
}
