//! Allocators as limit controllers see them.

use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

use crate::fixed::{FixedAlloc, FixedHandle};
use crate::weak::WeakFixedAlloc;

/// In use: the blocks that are lent. Idle: blocks in magazines, and free blocks in slabs.
impl MemoryUsage for FixedAlloc {
    fn memory_usage(&self) -> Usage {
        self.stats().usage()
    }
}

impl Reclaim for FixedAlloc {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.trim(pressure)
    }
}

impl MemoryUsage for FixedHandle {
    fn memory_usage(&self) -> Usage {
        (**self).memory_usage()
    }
}

impl Reclaim for FixedHandle {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.trim(pressure)
    }
}

/// Of the allocator while it has a handle, then nothing.
impl MemoryUsage for WeakFixedAlloc {
    fn memory_usage(&self) -> Usage {
        self.upgrade()
            .map_or(Usage::new(), |blocks| blocks.memory_usage())
    }
}

impl Reclaim for WeakFixedAlloc {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.upgrade()
            .map_or(Reclaimed::new(), |blocks| blocks.trim(pressure))
    }
}
