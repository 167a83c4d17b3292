//! What makes a pool smaller: trims, decay, the end.

use thrifty_traits::{Pressure, Reclaimed};

use super::Pool;
use crate::clock::Instant;
use crate::manage::Manage;

impl<T: Send + 'static, M: Manage<Item = T>> Pool<T, M> {
    /// Moves what the calling thread's cache holds to the depot, for the other threads.
    ///
    /// A thread that ends does so by itself. Call it on a thread that will be idle for long.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// drop(pool.get());
    /// pool.flush_thread();
    /// assert_eq!(pool.stats().idle_in_caches, 0);
    /// ```
    pub fn flush_thread(&self) {
        self.engine.flush_thread();
    }

    /// Drops idle items, as many as the pressure asks for.
    ///
    /// [`Pressure::Low`] is one step of decay, [`Pressure::Medium`] empties the depot,
    /// [`Pressure::High`] the stripes and the calling thread's cache as well; the caches of other
    /// threads follow when those next come to the depot. Items on loan are not touched. A panic in an
    /// item's drop ends there, and the others are dropped all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{Pool, Pressure};
    ///
    /// let pool = Pool::new(|| Vec::<u8>::with_capacity(1024));
    /// pool.prefill(10)?;
    /// let freed = pool.trim(Pressure::High);
    /// assert_eq!(freed.items, 10);
    /// assert!(freed.bytes >= 10 * 1024);
    /// # Ok::<(), thrifty_pool::GetError>(())
    /// ```
    pub fn trim(&self, pressure: Pressure) -> Reclaimed {
        self.engine.reclaim(pressure)
    }

    /// Ends a decay interval if it is over by the pool's clock: what the depot has not needed for two
    /// intervals is dropped.
    ///
    /// Threads that exchange magazines with the depot do this by themselves, at one exchange of 16.
    /// A thread that its own cache serves does not look at the clock, which would cost it more than
    /// the item does. So a pool whose load falls does not decay by itself, be it in use or not: call
    /// this from a timer, once in an interval or more often, or hand the pool to a limit
    /// controller, whose `reclaim(Pressure::Low)` does the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use thrifty_pool::{Pool, clock::ManualClock};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let pool = Pool::builder(String::new)
    ///     .clock(clock.clone())
    ///     .decay_interval(Duration::from_secs(10))
    ///     .build()?;
    /// pool.prefill(1000)?;
    /// for _ in 0..3 {
    ///     clock.advance(Duration::from_secs(10));
    ///     pool.tick();
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
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
    /// use thrifty_pool::{Pool, clock::{Clock, SystemClock}};
    ///
    /// let pool = Pool::new(String::new);
    /// assert!(pool.tick_at(SystemClock.now()).is_nothing());
    /// ```
    pub fn tick_at(&self, now: Instant) -> Reclaimed {
        self.engine.tick(now)
    }

    /// Closes the pool, for all handles: drops idle items, lends no more, and drops items as they
    /// come back. Items in the caches of other threads are dropped when those end, flush, or have
    /// begun to use some more pools.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Pool;
    ///
    /// let pool = Pool::new(String::new);
    /// let line = pool.get();
    /// pool.close();
    /// drop(line);
    /// assert_eq!(pool.stats().live, 0);
    /// ```
    pub fn close(&self) {
        self.engine.close();
    }
}
