//! Pools in which all threads meet at one place.

use core::ops::{Deref, DerefMut};
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use lockfree_object_pool::{
    LinearObjectPool, LinearOwnedReusable, LinearReusable, MutexObjectPool, MutexReusable,
};
use opool::PoolAllocator;

use super::Cleared;
use crate::pool::{
    keep::{Keep, Own, fresh},
    plain::Made,
};

/// `crossbeam`'s queue with a guard of ours. Borrows.
pub(in crate::pool) struct Queue {
    idle: ArrayQueue<Vec<u8>>,
    made: Made,
}

pub(in crate::pool) struct QueueGuard<'a> {
    vec: Vec<u8>,
    home: &'a Queue,
}

impl Queue {
    pub(in crate::pool) fn new(live: usize) -> Self {
        let idle = ArrayQueue::new(live.max(1));
        while idle.push(fresh()).is_ok() {}
        Self {
            idle,
            made: Made::default(),
        }
    }
}

impl Keep for Queue {
    type Guard<'a> = QueueGuard<'a>;

    #[inline]
    fn get(&self) -> QueueGuard<'_> {
        let vec = self.idle.pop().unwrap_or_else(|| {
            self.made.one();
            fresh()
        });
        QueueGuard { vec, home: self }
    }

    fn created(&self) -> Option<u64> {
        Some(self.made.count())
    }
}

impl Deref for QueueGuard<'_> {
    type Target = Vec<u8>;

    #[inline]
    fn deref(&self) -> &Vec<u8> {
        &self.vec
    }
}

impl DerefMut for QueueGuard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.vec
    }
}

impl Drop for QueueGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        let mut vec = core::mem::take(&mut self.vec);
        vec.clear();
        // A full queue has no room for it: it is freed.
        let _ = self.home.idle.push(vec);
    }
}

/// `object-pool`. Leaves emptying to its users.
pub(in crate::pool) struct ObjectPool {
    pool: object_pool::Pool<Vec<u8>>,
    made: Made,
}

impl ObjectPool {
    pub(in crate::pool) fn new(live: usize) -> Self {
        Self {
            pool: object_pool::Pool::new(live, fresh),
            made: Made::default(),
        }
    }
}

impl Keep for ObjectPool {
    type Guard<'a> = Cleared<object_pool::Reusable<'a, Vec<u8>>>;

    #[inline]
    fn get(&self) -> Self::Guard<'_> {
        Cleared(self.pool.pull(|| {
            self.made.one();
            fresh()
        }))
    }

    fn created(&self) -> Option<u64> {
        Some(self.made.count())
    }
}

/// The same with owned guards.
pub(in crate::pool) struct ObjectPoolOwned {
    pool: Arc<object_pool::Pool<Vec<u8>>>,
    made: Made,
}

impl ObjectPoolOwned {
    pub(in crate::pool) fn new(live: usize) -> Self {
        Self {
            pool: Arc::new(object_pool::Pool::new(live, fresh)),
            made: Made::default(),
        }
    }
}

impl Own for ObjectPoolOwned {
    type Item = Cleared<object_pool::ReusableOwned<Vec<u8>>>;

    #[inline]
    fn own(&self) -> Self::Item {
        Cleared(self.pool.pull_owned(|| {
            self.made.one();
            fresh()
        }))
    }

    fn created(&self) -> Option<u64> {
        Some(self.made.count())
    }
}

/// Empties what it hands out, which is as much work as emptying what comes back.
#[derive(Default)]
pub(in crate::pool) struct Opool {
    made: Arc<Made>,
}

impl PoolAllocator<Vec<u8>> for Opool {
    #[inline]
    fn reset(&self, vec: &mut Vec<u8>) {
        vec.clear();
    }

    #[inline]
    fn allocate(&self) -> Vec<u8> {
        self.made.one();
        fresh()
    }
}

/// `opool` with borrowing guards.
pub(in crate::pool) struct OpoolBorrowed {
    pool: opool::Pool<Opool, Vec<u8>>,
    made: Arc<Made>,
    filled: u64,
}

impl OpoolBorrowed {
    pub(in crate::pool) fn new(live: usize) -> Self {
        let (pool, made) = opool(live);
        let filled = made.count();
        Self { pool, made, filled }
    }
}

fn opool(live: usize) -> (opool::Pool<Opool, Vec<u8>>, Arc<Made>) {
    let made = Arc::new(Made::default());
    let allocator = Opool {
        made: Arc::clone(&made),
    };
    (opool::Pool::new_prefilled(live.max(1), allocator), made)
}

impl Keep for OpoolBorrowed {
    type Guard<'a> = opool::RefGuard<'a, Opool, Vec<u8>>;

    #[inline]
    fn get(&self) -> Self::Guard<'_> {
        self.pool.get()
    }

    fn created(&self) -> Option<u64> {
        Some(self.made.count() - self.filled)
    }
}

/// `opool` with owned guards.
pub(in crate::pool) struct OpoolOwned {
    pool: Arc<opool::Pool<Opool, Vec<u8>>>,
    made: Arc<Made>,
    filled: u64,
}

impl OpoolOwned {
    pub(in crate::pool) fn new(live: usize) -> Self {
        let (pool, made) = opool(live);
        let filled = made.count();
        let pool = Arc::new(pool);
        Self { pool, made, filled }
    }
}

impl Own for OpoolOwned {
    type Item = opool::RcGuard<Opool, Vec<u8>>;

    #[inline]
    fn own(&self) -> Self::Item {
        Arc::clone(&self.pool).get_rc()
    }

    fn created(&self) -> Option<u64> {
        Some(self.made.count() - self.filled)
    }
}

/// `lockfree-object-pool`, linear: pages of 32, made as a whole.
pub(in crate::pool) struct Linear(LinearObjectPool<Vec<u8>>);

impl Linear {
    pub(in crate::pool) fn new(live: usize) -> Self {
        let pool = LinearObjectPool::new(fresh, Vec::clear);
        let all: Vec<_> = (0..live).map(|_| pool.pull()).collect();
        drop(all);
        Self(pool)
    }
}

impl Keep for Linear {
    type Guard<'a> = LinearReusable<'a, Vec<u8>>;

    #[inline]
    fn get(&self) -> Self::Guard<'_> {
        self.0.pull()
    }
}

/// The same with owned guards.
pub(in crate::pool) struct LinearOwned(Arc<LinearObjectPool<Vec<u8>>>);

impl LinearOwned {
    pub(in crate::pool) fn new(live: usize) -> Self {
        Self(Arc::new(Linear::new(live).0))
    }
}

impl Own for LinearOwned {
    type Item = LinearOwnedReusable<Vec<u8>>;

    #[inline]
    fn own(&self) -> Self::Item {
        self.0.pull_owned()
    }
}

/// `lockfree-object-pool`, its variant with a lock.
pub(in crate::pool) struct Locked(MutexObjectPool<Vec<u8>>);

impl Locked {
    pub(in crate::pool) fn new(live: usize) -> Self {
        let pool = MutexObjectPool::new(fresh, Vec::clear);
        let all: Vec<_> = (0..live).map(|_| pool.pull()).collect();
        drop(all);
        Self(pool)
    }
}

impl Keep for Locked {
    type Guard<'a> = MutexReusable<'a, Vec<u8>>;

    #[inline]
    fn get(&self) -> Self::Guard<'_> {
        self.0.pull()
    }
}
