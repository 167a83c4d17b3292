//! Take one, use it, put it back: the rows `pool/get-put…`.

use core::{hint::black_box, ops::DerefMut as _, time::Duration};

use super::{
    form::{Form, every_variant, everyone},
    keep::{Held as _, Keep, check, fresh},
};
use crate::suite::{Bar, Row, Worker};

/// Pools whose threads all meet at one place.
const SHARED: &[&str] = &[
    "lockfree-object-pool",
    "object-pool",
    "opool",
    "crossbeam-array-queue",
    "mutex-vec",
];

/// Every pool of another crate. The allocators are shown beside them and under no bar: a pool is
/// for what is dearer to make than a block.
const POOLS: &[&str] = &[
    "zeropool",
    "regex-automata",
    "regex-automata-owner",
    "sharded-slab",
    "lockfree-object-pool",
    "object-pool",
    "opool",
    "crossbeam-array-queue",
];

pub(super) fn rows() -> Vec<Row> {
    let least = Bar::Times {
        subject: "thrifty",
        against: POOLS,
        most: 0.5,
    };
    let contended = Bar::Times {
        subject: "thrifty",
        against: SHARED,
        most: 0.1,
    };
    let one = row(
        "get-put/1t",
        "the best case of any pool: always the same object (floor: a vector of the thread's own)",
    );
    let one = every_variant(one, Pairs).bar(least.clone());
    let one = one.contestant("floor", Local::default).ours();
    let one = plural(one);
    let two = row("get-put/2t", "two threads that share a pool and no object");
    let four = row("get-put/4t", "four threads that share a pool and no object");
    let many = row(
        "get-put-oversubscribed/16t",
        "more threads than cores: who holds a lock is not always running",
    );
    vec![
        one,
        everyone(two, Pairs),
        everyone(four, Pairs).bar(least).bar(contended),
        everyone(many, Pairs),
    ]
}

fn row(name: &str, reason: &'static str) -> Row {
    Row::new(format!("pool/{name}"), reason)
        .oracle(|| 1)
        .budget(Duration::from_secs(2))
}

/// One pair per iteration.
#[derive(Clone, Copy)]
pub(super) struct Pairs;

impl Form for Pairs {
    fn live(self) -> usize {
        1
    }

    fn worker<'a, K: Keep>(self, keep: &'a K, _thread: usize) -> Box<dyn Worker + 'a> {
        Box::new(PairWorker { keep, next: 0 })
    }
}

/// So many pairs, without state from one call to the next.
pub(super) fn pairs<K: Keep>(keep: &K, count: u64) -> u64 {
    PairWorker { keep, next: 0 }.run(count)
}

struct PairWorker<'a, K> {
    keep: &'a K,
    next: u64,
}

impl<K: Keep> Worker for PairWorker<'_, K> {
    /// A pair answers 1 if the object was empty and gave back the number that was put into it;
    /// numbers do not repeat.
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let mut guard = self.keep.get();
            let held = guard.deref_mut();
            held.mark(self.next);
            let held = black_box(held);
            sum = sum.wrapping_add(check(held, self.next));
            self.next = self.next.wrapping_add(1);
        }
        sum
    }
}

/// No pool at all, the floor: a vector of the worker's own.
struct Local {
    vec: Vec<u8>,
    next: u64,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            vec: fresh(),
            next: 0,
        }
    }
}

impl Worker for Local {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            self.vec.mark(self.next);
            let held = black_box(&mut self.vec);
            sum = sum.wrapping_add(check(held, self.next));
            held.clear();
            self.next = self.next.wrapping_add(1);
        }
        sum
    }
}

#[cfg(not(feature = "rivals"))]
fn plural(row: Row) -> Row {
    row
}

#[cfg(feature = "rivals")]
fn plural(row: Row) -> Row {
    use super::rivals::Plural;

    struct PluralWorker(Plural, u64);

    impl Worker for PluralWorker {
        fn run(&mut self, iterations: u64) -> u64 {
            let mut sum = 0_u64;
            for _ in 0..iterations {
                let mut guard = self.0.get();
                guard.mark(self.1);
                let held = black_box(&mut *guard);
                sum = sum.wrapping_add(check(held, self.1));
                self.1 = self.1.wrapping_add(1);
            }
            sum
        }
    }

    row.contestant("plurality", || PluralWorker(Plural::new(), 0))
}
