//! What makes a typed slab smaller, and how limit controllers see it.

use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

use super::slab::Slab;
use super::weak::WeakSlab;
use crate::clock::Instant;

impl<T> Slab<T> {
    /// Moves the blocks that the calling thread's cache holds to the depot, for the other threads.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::Slab;
    /// let numbers = Slab::new();
    /// drop(numbers.insert(1));
    /// numbers.flush_thread();
    /// assert_eq!(numbers.stats().idle_in_caches, 0);
    /// ```
    pub fn flush_thread(&self) {
        self.blocks.flush_thread();
    }

    /// Gives memory back that no value lies in, as far as the pressure asks for; see
    /// [`FixedAlloc::trim`](crate::FixedAlloc::trim).
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Pressure, Slab};
    /// let pages = Slab::new();
    /// drop((0..100).map(|_| pages.insert([0_u8; 4096])).collect::<Vec<_>>());
    /// assert!(pages.trim(Pressure::High).bytes > 0);
    /// assert_eq!(pages.stats().slabs, 0);
    /// ```
    pub fn trim(&self, pressure: Pressure) -> Reclaimed {
        self.blocks.trim(pressure)
    }

    /// Ends a decay interval if it is over by the slab's clock; see
    /// [`FixedAlloc::tick`](crate::FixedAlloc::tick).
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::Slab;
    /// let numbers: Slab<u64> = Slab::new();
    /// assert!(numbers.tick().is_nothing());
    /// ```
    pub fn tick(&self) -> Reclaimed {
        self.blocks.tick()
    }

    /// As [`tick`](Self::tick), with the time of the caller.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, clock::{Clock, SystemClock}};
    /// let numbers: Slab<u64> = Slab::new();
    /// assert!(numbers.tick_at(SystemClock.now()).is_nothing());
    /// ```
    pub fn tick_at(&self, now: Instant) -> Reclaimed {
        self.blocks.tick_at(now)
    }
}

impl<T> MemoryUsage for Slab<T> {
    fn memory_usage(&self) -> Usage {
        self.blocks.memory_usage()
    }
}

impl<T> Reclaim for Slab<T> {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.trim(pressure)
    }
}

/// Of the slab while it has a handle, then nothing.
impl<T> MemoryUsage for WeakSlab<T> {
    fn memory_usage(&self) -> Usage {
        self.blocks.memory_usage()
    }
}

impl<T> Reclaim for WeakSlab<T> {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.blocks.reclaim(pressure)
    }
}
