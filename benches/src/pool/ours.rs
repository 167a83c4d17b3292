//! Our pools as keeps, with their default settings.

use core::time::Duration;
use std::sync::Arc;

use thrifty_pool::{
    Pool, Pooled, StaticPool,
    clock::{Clock, ManualClock},
};

use super::keep::{Own, fresh};

/// A pool of its own, filled beforehand.
pub(super) struct Thrifty {
    pool: Pool<Vec<u8>>,
    filled: u64,
}

impl Thrifty {
    pub(super) fn new(live: usize) -> Self {
        Self::filled(Pool::new(fresh), live)
    }

    fn filled(pool: Pool<Vec<u8>>, live: usize) -> Self {
        pool.prefill(live).expect("there is memory for it");
        // What is left in this thread's cache no worker would find.
        pool.flush_thread();
        let filled = pool.stats().created;
        Self { pool, filled }
    }
}

impl Own for Thrifty {
    type Item = Pooled<Vec<u8>>;

    #[inline]
    fn own(&self) -> Pooled<Vec<u8>> {
        self.pool.get()
    }

    fn created(&self) -> Option<u64> {
        Some(self.pool.stats().created - self.filled)
    }
}

/// A pool whose clock is wound by hand, a decay interval per tick.
pub(super) struct Wound {
    pool: Thrifty,
    clock: Arc<ManualClock>,
}

impl Wound {
    pub(super) fn new(live: usize) -> Self {
        let clock = Arc::new(ManualClock::new());
        let pool = Pool::builder(fresh)
            .clock(Arc::clone(&clock) as Arc<dyn Clock>)
            .decay_interval(INTERVAL)
            .build()
            .expect("the settings are sound");
        Self {
            pool: Thrifty::filled(pool, live),
            clock,
        }
    }
}

impl Own for Wound {
    type Item = Pooled<Vec<u8>>;

    #[inline]
    fn own(&self) -> Pooled<Vec<u8>> {
        self.pool.own()
    }

    fn created(&self) -> Option<u64> {
        self.pool.created()
    }

    fn tick(&self) {
        self.clock.advance(INTERVAL);
        let _ = self.pool.pool.tick();
    }
}

const INTERVAL: Duration = Duration::from_secs(10);

/// A pool that is a `static`, found without a handle.
pub(super) struct StaticThrifty {
    filled: u64,
}

static POOL: StaticPool<Vec<u8>> = StaticPool::new(fresh);

impl StaticThrifty {
    pub(super) fn new(live: usize) -> Self {
        POOL.pool().prefill(live).expect("there is memory for it");
        POOL.pool().flush_thread();
        Self {
            filled: POOL.pool().stats().created,
        }
    }
}

impl Own for StaticThrifty {
    type Item = Pooled<Vec<u8>>;

    #[inline]
    fn own(&self) -> Pooled<Vec<u8>> {
        POOL.get()
    }

    fn created(&self) -> Option<u64> {
        Some(POOL.pool().stats().created - self.filled)
    }
}
