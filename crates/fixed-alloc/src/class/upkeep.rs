//! What makes size classes smaller, and how limit controllers see them.

use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

use super::alloc::ClassAlloc;
use super::handle::ClassHandle;
use crate::clock::Instant;
use crate::fixed::FixedAlloc;

impl<A> ClassAlloc<A> {
    /// Moves what the calling thread's caches hold to the depots, for the other threads.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::ClassAlloc;
    /// let classes = ClassAlloc::new();
    /// drop(allocator_api2::boxed::Box::new_in(1, &classes));
    /// classes.flush_thread();
    /// assert!(classes.class_stats().all(|stats| stats.idle_in_caches == 0));
    /// ```
    pub fn flush_thread(&self) {
        self.used().for_each(FixedAlloc::flush_thread);
    }

    /// Gives slabs back that nobody uses, of every class; see [`FixedAlloc::trim`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{ClassAlloc, Pressure};
    /// let classes = ClassAlloc::new();
    /// drop(allocator_api2::boxed::Box::new_in(1, &classes));
    /// assert_eq!(classes.trim(Pressure::High).items, 1);
    /// assert_eq!(classes.stats().slabs, 0);
    /// ```
    pub fn trim(&self, pressure: Pressure) -> Reclaimed {
        self.used().map(|blocks| blocks.trim(pressure)).sum()
    }

    /// Ends a decay interval of each class if it is over; see [`FixedAlloc::tick`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::ClassAlloc;
    /// assert!(ClassAlloc::new().tick().is_nothing());
    /// ```
    pub fn tick(&self) -> Reclaimed {
        self.used().map(FixedAlloc::tick).sum()
    }

    /// As [`tick`](Self::tick), with the time of the caller.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{ClassAlloc, clock::{Clock, SystemClock}};
    /// assert!(ClassAlloc::new().tick_at(SystemClock.now()).is_nothing());
    /// ```
    pub fn tick_at(&self, now: Instant) -> Reclaimed {
        self.used().map(|blocks| blocks.tick_at(now)).sum()
    }
}

/// Of the classes, without the fallback.
impl<A> MemoryUsage for ClassAlloc<A> {
    fn memory_usage(&self) -> Usage {
        self.stats().usage()
    }
}

impl<A: Send + Sync> Reclaim for ClassAlloc<A> {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.trim(pressure)
    }
}

impl<A> MemoryUsage for ClassHandle<A> {
    fn memory_usage(&self) -> Usage {
        (**self).memory_usage()
    }
}

impl<A: Send + Sync> Reclaim for ClassHandle<A> {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.trim(pressure)
    }
}
