//! A handle that does not keep its slab.

use core::fmt;
use core::marker::PhantomData;

use super::slab::Slab;
use crate::weak::WeakFixedAlloc;

/// A handle to a [`Slab`] that does not keep it, from [`Slab::downgrade`].
///
/// It is a [`Reclaim`](crate::Reclaim), so a limit controller can hold one.
///
/// # Memory
///
/// Keeps the slab's own block, without memory for values.
///
/// # Concurrency
///
/// `Send` and `Sync`, as a [`Slab`].
///
/// # Examples
///
/// ```
/// use thrifty_fixed_alloc::{MemoryUsage, Pressure, Reclaim, Slab};
///
/// let numbers = Slab::<u64>::new();
/// drop(numbers.insert(1));
/// let registered: Box<dyn Reclaim> = Box::new(numbers.downgrade());
/// assert_eq!(registered.reclaim(Pressure::High).items, 1);
/// drop(numbers);
/// assert_eq!(registered.memory_usage().reserved_bytes, 0);
/// ```
pub struct WeakSlab<T> {
    pub(super) blocks: WeakFixedAlloc,
    gives: PhantomData<fn() -> T>,
}

impl<T> WeakSlab<T> {
    pub(super) const fn over(blocks: WeakFixedAlloc) -> Self {
        Self {
            blocks,
            gives: PhantomData,
        }
    }

    /// The slab, as long as it has a handle. A box is none.
    ///
    /// # Examples
    ///
    /// [`Slab::downgrade`] has one.
    #[must_use]
    pub fn upgrade(&self) -> Option<Slab<T>> {
        self.blocks.upgrade().map(Slab::over)
    }
}

impl<T> Clone for WeakSlab<T> {
    fn clone(&self) -> Self {
        Self::over(self.blocks.clone())
    }
}

impl<T> fmt::Debug for WeakSlab<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSlab").finish_non_exhaustive()
    }
}
