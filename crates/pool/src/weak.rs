//! A handle that does not keep its pool open.

use core::fmt;

use thrifty_magazine::WeakEngine;

use crate::keeper::Keeper;
use crate::make::Make;
use crate::manage::Manage;
use crate::pool::Pool;

/// A handle to a [`Pool`] that does not keep it open, from [`Pool::downgrade`].
///
/// It is a [`Reclaim`](crate::Reclaim), so a limit controller can hold one: after the pool's end
/// there is nothing to report and nothing to give back.
///
/// # Memory
///
/// Keeps the pool's own block, without items.
///
/// # Concurrency
///
/// `Send` and `Sync`. While it does its work it is a handle like others; when all others go in that
/// time, the pool is closed on this thread.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{MemoryUsage, Pool, Pressure, Reclaim};
///
/// let pool = Pool::new(String::new);
/// pool.prefill(3)?;
/// let registered: Box<dyn Reclaim> = Box::new(pool.downgrade());
/// assert_eq!(registered.reclaim(Pressure::High).items, 3);
/// drop(pool);
/// assert_eq!(registered.memory_usage().reserved_bytes, 0);
/// # Ok::<(), thrifty_pool::GetError>(())
/// ```
pub struct WeakPool<T: Send + 'static, M: Manage<Item = T> = Make<T>> {
    engine: WeakEngine<Keeper<M>>,
}

impl<T: Send + 'static, M: Manage<Item = T>> WeakPool<T, M> {
    pub(crate) const fn from_engine(engine: WeakEngine<Keeper<M>>) -> Self {
        Self { engine }
    }

    /// The pool, as long as it has a handle. A guard is none: a pool that only guards are left of is
    /// closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// let weak = pool.downgrade();
    /// assert_eq!(*weak.upgrade().expect("there is `pool`").get(), "");
    /// ```
    #[must_use]
    pub fn upgrade(&self) -> Option<Pool<T, M>> {
        self.engine.upgrade().map(Pool::from_engine)
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> Clone for WeakPool<T, M> {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
        }
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> fmt::Debug for WeakPool<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakPool").finish_non_exhaustive()
    }
}
