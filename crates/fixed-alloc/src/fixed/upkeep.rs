//! What makes an allocator smaller: trims and decay.

use thrifty_traits::{Pressure, Reclaimed};

use super::FixedAlloc;
use crate::clock::Instant;

impl FixedAlloc {
    /// Moves what the calling thread's cache holds to the depot, for the other threads.
    ///
    /// A thread that ends does so by itself. Call it on a thread that will be idle for long.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// drop(blocks.get());
    /// blocks.flush_thread();
    /// assert_eq!(blocks.stats().idle_in_caches, 0);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn flush_thread(&self) {
        self.engine.flush_thread();
    }

    /// Gives slabs back that nobody uses, as far as the pressure asks for.
    ///
    /// [`Pressure::Low`] is one step of decay. [`Pressure::Medium`] moves the blocks of the depot into
    /// their slabs and releases every slab that is empty, spares and all. [`Pressure::High`] does so
    /// with the blocks of the stripes and of the calling thread's cache as well; the caches of other
    /// threads follow when those next come to the depot. Blocks that are in use stay where they are,
    /// and so do their slabs.
    ///
    /// The answer counts slabs, and bytes that went back to the global allocator. When several threads
    /// trim at once, each slab is counted by one of them. When no slab is left, the books are given
    /// back as well, uncounted.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use thrifty_fixed_alloc::{FixedAlloc, Pressure};
    ///
    /// let blocks = FixedAlloc::new(Layout::new::<[u8; 1024]>())?;
    /// drop((0..1000).map(|_| blocks.get()).collect::<Vec<_>>());
    /// let freed = blocks.trim(Pressure::High);
    /// assert!(freed.items > 0);
    /// assert_eq!(blocks.stats().slabs, 0);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn trim(&self, pressure: Pressure) -> Reclaimed {
        let slabs = self.engine.supplier();
        let keep = match pressure {
            Pressure::Low => slabs.rules.spare_slabs,
            _ => 0,
        };
        let released = slabs.trim(keep, || {
            // What this says are blocks, which may or may not empty a slab.
            let _ = self.engine.reclaim(pressure);
        });
        self.reclaimed(released)
    }

    /// Ends a decay interval if it is over by the allocator's clock: what the depot has not needed for
    /// two intervals goes back to the slabs, and slabs that are empty then are released but for the
    /// spares.
    ///
    /// Threads that exchange blocks with the depot do this by themselves. Call it now and then if
    /// the allocator may fall idle altogether.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use thrifty_fixed_alloc::{FixedAlloc, clock::ManualClock};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let blocks = FixedAlloc::builder(Layout::new::<[u8; 1024]>()).clock(clock.clone()).build()?;
    /// drop((0..1000).map(|_| blocks.get()).collect::<Vec<_>>());
    /// blocks.flush_thread();
    /// for _ in 0..3 {
    ///     clock.advance(Duration::from_secs(10));
    ///     blocks.tick();
    /// }
    /// assert_eq!(blocks.stats().slabs, 2);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn tick(&self) -> Reclaimed {
        match self.engine.config().now() {
            Some(now) => self.tick_at(now),
            None => Reclaimed::new(),
        }
    }

    /// As [`tick`](Self::tick), with the time of the caller.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// use thrifty_fixed_alloc::{FixedAlloc, clock::{Clock, SystemClock}};
    ///
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// assert!(blocks.tick_at(SystemClock.now()).is_nothing());
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn tick_at(&self, now: Instant) -> Reclaimed {
        let slabs = self.engine.supplier();
        let released = slabs.trim(slabs.rules.spare_slabs, || {
            let _ = self.engine.tick(now);
        });
        self.reclaimed(released)
    }

    /// So many slabs as the vocabulary of limit controllers has them.
    fn reclaimed(&self, slabs: usize) -> Reclaimed {
        let bytes = slabs.saturating_mul(self.engine.supplier().shape.slab.size());
        Reclaimed::new().with_items(slabs).with_bytes(bytes)
    }
}
