//! Pools that have something for each thread.

use core::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

use regex_automata::util::pool::{Pool, PoolGuard};
use sharded_slab::pool::{OwnedRefMut, RefMut};
use zeropool::ZeroPool;

use super::Cleared;
use crate::pool::{
    buffers::{Freeze, HEADER},
    keep::{Held, Keep, Own, fresh},
    plain::Made,
};

/// `sharded-slab`, whose pages are made as a whole.
pub(in crate::pool) struct Sharded(sharded_slab::Pool<Roomy>);

impl Sharded {
    pub(in crate::pool) fn new(_live: usize) -> Self {
        Self(sharded_slab::Pool::new())
    }
}

/// What it makes by itself, with the room that the others' vectors have.
pub(in crate::pool) struct Roomy(Vec<u8>);

impl Default for Roomy {
    fn default() -> Self {
        Self(fresh())
    }
}

impl sharded_slab::Clear for Roomy {
    #[inline]
    fn clear(&mut self) {
        self.0.clear();
    }
}

/// A guard that gives its key back, too.
pub(in crate::pool) struct ShardedGuard<'a> {
    pool: &'a sharded_slab::Pool<Roomy>,
    vec: Option<RefMut<'a, Roomy>>,
}

impl Keep for Sharded {
    type Guard<'a> = ShardedGuard<'a>;

    #[inline]
    fn get(&self) -> Self::Guard<'_> {
        ShardedGuard {
            pool: &self.0,
            vec: self.0.create(),
        }
    }
}

impl Deref for ShardedGuard<'_> {
    type Target = Vec<u8>;

    #[inline]
    fn deref(&self) -> &Vec<u8> {
        &self.vec.as_ref().expect("the shard has room").0
    }
}

impl DerefMut for ShardedGuard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.vec.as_mut().expect("the shard has room").0
    }
}

impl Drop for ShardedGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(vec) = self.vec.take() {
            let key = vec.key();
            drop(vec);
            self.pool.clear(key);
        }
    }
}

/// The same with owned guards.
pub(in crate::pool) struct ShardedOwned(Arc<sharded_slab::Pool<Roomy>>);

impl ShardedOwned {
    pub(in crate::pool) fn new(_live: usize) -> Self {
        Self(Arc::new(sharded_slab::Pool::new()))
    }
}

/// An owned guard that gives its key back, too.
pub(in crate::pool) struct ShardedItem {
    pool: Arc<sharded_slab::Pool<Roomy>>,
    vec: Option<OwnedRefMut<Roomy>>,
}

impl Own for ShardedOwned {
    type Item = ShardedItem;

    #[inline]
    fn own(&self) -> Self::Item {
        ShardedItem {
            pool: Arc::clone(&self.0),
            vec: Arc::clone(&self.0).create_owned(),
        }
    }
}

impl Deref for ShardedItem {
    type Target = Vec<u8>;

    #[inline]
    fn deref(&self) -> &Vec<u8> {
        &self.vec.as_ref().expect("the shard has room").0
    }
}

impl DerefMut for ShardedItem {
    #[inline]
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.vec.as_mut().expect("the shard has room").0
    }
}

impl Drop for ShardedItem {
    #[inline]
    fn drop(&mut self) {
        if let Some(vec) = self.vec.take() {
            let key = vec.key();
            drop(vec);
            self.pool.clear(key);
        }
    }
}

/// `zeropool`: buffers with a length, of which the first eight bytes are asked for. It zeroes
/// them, which is as much as emptying a vector.
pub(in crate::pool) struct Zero(ZeroPool);

impl Zero {
    pub(in crate::pool) fn new(live: usize) -> Self {
        Self(zeropool(live))
    }
}

/// The pool with caches for so many buffers.
pub(in crate::pool) fn zeropool(live: usize) -> ZeroPool {
    let pool = ZeroPool::new()
        .tls_cache_size(live.max(64))
        .max_buffers_per_class(live.max(64));
    pool.warm(live, 8);
    pool
}

impl Keep for Zero {
    type Guard<'a> = zeropool::Buf<'a>;

    #[inline]
    fn get(&self) -> Self::Guard<'_> {
        self.0.alloc(8)
    }
}

/// The same as a pool that lives as long as the program, whose guards can go to another thread.
pub(in crate::pool) struct ZeroStatic;

impl Own for ZeroStatic {
    type Item = zeropool::Buf<'static>;

    #[inline]
    fn own(&self) -> Self::Item {
        static POOL: LazyLock<ZeroPool> = LazyLock::new(|| zeropool(MOST));
        POOL.alloc(8)
    }
}

/// What the rows of two threads have at once, rounded up.
const MOST: usize = 512;

impl Held for [u8] {
    #[inline]
    fn mark(&mut self, number: u64) {
        self.copy_from_slice(&number.to_le_bytes());
    }

    #[inline]
    fn marked(&self) -> u64 {
        <[u8; 8]>::try_from(self).map_or(!0, u64::from_le_bytes)
    }
}

/// `regex-automata`'s pool, whose first user was another thread, as in a program that used it
/// before it started its workers. That thread alone has a fast path.
pub(in crate::pool) struct Regex {
    pool: Pool<Vec<u8>, Make>,
    made: Arc<Made>,
    filled: u64,
}

type Make = Box<dyn Fn() -> Vec<u8> + Send + Sync>;

impl Regex {
    pub(in crate::pool) fn new(_live: usize) -> Self {
        let mut regex = Self::unowned();
        drop(regex.pool.get());
        regex.filled = regex.made.count();
        regex
    }

    fn unowned() -> Self {
        let made = Arc::new(Made::default());
        let counter = Arc::clone(&made);
        let make: Make = Box::new(move || {
            counter.one();
            fresh()
        });
        Self {
            pool: Pool::new(make),
            made,
            filled: 0,
        }
    }
}

impl Keep for Regex {
    type Guard<'a> = Cleared<PoolGuard<'a, Vec<u8>, Make>>;

    #[inline]
    fn get(&self) -> Self::Guard<'_> {
        Cleared(self.pool.get())
    }

    fn created(&self) -> Option<u64> {
        Some(self.made.count() - self.filled)
    }
}

/// The same, and the worker is the thread that has the fast path, where there is one worker.
pub(in crate::pool) struct RegexOwner(Regex);

impl RegexOwner {
    pub(in crate::pool) fn new(_live: usize) -> Self {
        Self(Regex::unowned())
    }
}

impl Keep for RegexOwner {
    type Guard<'a> = <Regex as Keep>::Guard<'a>;

    #[inline]
    fn get(&self) -> Self::Guard<'_> {
        self.0.get()
    }

    fn created(&self) -> Option<u64> {
        self.0.created()
    }
}

/// The same as a pool that lives as long as the program, whose guards can go to another thread.
pub(in crate::pool) struct RegexStatic;

impl Own for RegexStatic {
    type Item = Cleared<PoolGuard<'static, Vec<u8>, Make>>;

    #[inline]
    fn own(&self) -> Self::Item {
        static POOL: LazyLock<Regex> = LazyLock::new(Regex::unowned);
        POOL.get()
    }
}

/// `zeropool` for buffers of every length, as a pool that lives as long as the program.
pub(in crate::pool) struct ZeroBuffers;

impl Freeze for ZeroBuffers {
    type Frozen = Arc<zeropool::Buf<'static>>;

    #[inline]
    fn freeze(&self, bytes: &[u8], header: [u8; HEADER]) -> Self::Frozen {
        static POOL: LazyLock<ZeroPool> = LazyLock::new(|| ZeroPool::new().tls_cache_size(64));
        let mut buffer = POOL.alloc_uninit(bytes.len()).write_from_slice(bytes);
        buffer[..HEADER].copy_from_slice(&header);
        Arc::new(buffer)
    }

    #[inline]
    fn seen(frozen: &Self::Frozen) -> &[u8] {
        frozen
    }
}
