//! Pools as limit controllers see them.

use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

use crate::manage::Manage;
use crate::pool::Pool;
use crate::weak::WeakPool;

/// In use: the items on loan, by their size alone. Idle: what is in the depot by weight, and in
/// caches by an estimate.
impl<T: Send + 'static, M: Manage<Item = T>> MemoryUsage for Pool<T, M> {
    fn memory_usage(&self) -> Usage {
        self.stats().usage()
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> Reclaim for Pool<T, M> {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.trim(pressure)
    }
}

/// Of the pool while it has a handle, then nothing.
impl<T: Send + 'static, M: Manage<Item = T>> MemoryUsage for WeakPool<T, M> {
    fn memory_usage(&self) -> Usage {
        self.upgrade()
            .map_or(Usage::new(), |pool| pool.memory_usage())
    }
}

impl<T: Send + 'static, M: Manage<Item = T>> Reclaim for WeakPool<T, M> {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.upgrade()
            .map_or(Reclaimed::new(), |pool| pool.trim(pressure))
    }
}
