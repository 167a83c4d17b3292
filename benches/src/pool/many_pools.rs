//! Many pools on one thread: the row `pool/many-pools-64/1t`.

use core::{hint::black_box, ops::DerefMut as _};

use super::{
    keep::{Held as _, Keep, check},
    ours::Thrifty,
    plain::MutexVec,
};
use crate::suite::{Row, Subject, Worker};

/// How many.
const POOLS: usize = 64;

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "pool/many-pools-64/1t",
        "64 pools in turns on one thread, beside one pool (thrifty-one): finding this thread's cache",
    )
    .operations(POOLS as u64)
    .oracle(|| POOLS as u64);
    let row = add(row, "thrifty", Thrifty::new);
    let row = row
        .shared("thrifty-one", || Many::one(Thrifty::new(1)))
        .ours();
    let row = add(row, "mutex-vec", MutexVec::new);
    vec![others(row)]
}

fn add<K: Keep>(row: Row, name: &'static str, make: fn(usize) -> K) -> Row {
    row.shared(name, move || Many::new(|| make(1)))
}

#[cfg(not(feature = "rivals"))]
fn others(row: Row) -> Row {
    row
}

#[cfg(feature = "rivals")]
fn others(row: Row) -> Row {
    use super::rivals::{Linear, ObjectPool, OpoolBorrowed, Queue, Regex, Sharded, Zero};

    let row = add(row, "zeropool", Zero::new);
    let row = add(row, "regex-automata", Regex::new);
    let row = add(row, "sharded-slab", Sharded::new);
    let row = add(row, "lockfree-object-pool", Linear::new);
    let row = add(row, "object-pool", ObjectPool::new);
    let row = add(row, "opool", OpoolBorrowed::new);
    add(row, "crossbeam-array-queue", Queue::new)
}

/// Keeps, and in which order they are used: each in turn, or the one there is each time.
struct Many<K> {
    keeps: Vec<K>,
    order: Vec<usize>,
}

impl<K> Many<K> {
    fn new(make: impl Fn() -> K) -> Self {
        Self {
            keeps: (0..POOLS).map(|_| make()).collect(),
            order: (0..POOLS).collect(),
        }
    }

    fn one(keep: K) -> Self {
        Self {
            keeps: vec![keep],
            order: vec![0; POOLS],
        }
    }
}

impl<K: Keep> Subject for Many<K> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(ManyWorker {
            keeps: &self.keeps,
            order: &self.order,
            next: 0,
        })
    }
}

struct ManyWorker<'a, K> {
    keeps: &'a [K],
    order: &'a [usize],
    next: u64,
}

impl<K: Keep> Worker for ManyWorker<'_, K> {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            for &index in black_box(self.order) {
                let mut guard = self.keeps[index].get();
                let held = guard.deref_mut();
                held.mark(self.next);
                sum = sum.wrapping_add(check(black_box(held), self.next));
                self.next = self.next.wrapping_add(1);
            }
        }
        sum
    }
}
