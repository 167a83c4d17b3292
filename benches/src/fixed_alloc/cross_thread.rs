//! One thread takes, another frees: the row `fixed-alloc/cross-thread/2t`, on the ring of
//! `pool/producer-consumer/2t`. `floor` sends bare numbers on it: what the ring itself costs.

use std::sync::{Mutex, PoisonError};

use super::{
    blocks::Blocks,
    roster::{Form, everyone},
    store::{Raw, Shop, Store},
};
use crate::{
    pool::ring::{self, Consumer, Producer},
    suite::{Bar, Row, Subject, Worker},
};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "fixed-alloc/cross-thread/2t",
        "what one thread takes another frees, on a ring (floor: the ring alone)",
    )
    .oracle(|| 1);
    let row = everyone(row, HandOver).bar(Bar::Times {
        subject: "thrifty",
        against: &["snmalloc"],
        most: 1.0,
    });
    let row = row.shared("floor", || Handed::new(Numbers)).ours();
    vec![others(row)]
}

#[cfg(not(feature = "rivals"))]
fn others(row: Row) -> Row {
    row
}

#[cfg(feature = "rivals")]
fn others(row: Row) -> Row {
    row.shared(
        "sharded-slab",
        || Handed::new(super::rivals::Sharded::new()),
    )
}

#[derive(Clone, Copy)]
struct HandOver;

impl Form for HandOver {
    fn subject<B: Blocks>(self, blocks: B) -> impl Subject + 'static {
        Handed::new(Raw(blocks))
    }
}

/// A shop, and the ends of a ring until the threads have fetched them.
struct Handed<S: Shop> {
    shop: S,
    producer: Mutex<Option<Producer<S::Item>>>,
    consumer: Mutex<Option<Consumer<S::Item>>>,
}

impl<S: Shop<Item: Send>> Handed<S> {
    fn new(shop: S) -> Self {
        let (producer, consumer) = ring::ring();
        Self {
            shop,
            producer: Mutex::new(Some(producer)),
            consumer: Mutex::new(Some(consumer)),
        }
    }
}

impl<S: Shop<Item: Send>> Subject for Handed<S> {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        let store = self.shop.store();
        if thread == 0 {
            let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
            Box::new(Produce {
                store,
                to: producer.take().expect("one thread produces"),
                next: 0,
            })
        } else {
            let mut consumer = self.consumer.lock().unwrap_or_else(PoisonError::into_inner);
            Box::new(Consume {
                store,
                from: consumer.take().expect("one thread consumes"),
                next: 0,
            })
        }
    }
}

struct Produce<S: Store> {
    store: S,
    to: Producer<S::Item>,
    next: u64,
}

impl<S: Store> Worker for Produce<S> {
    /// Answers 1 for each; whether it was another's shows at the other end.
    fn run(&mut self, iterations: u64) -> u64 {
        let _alarm = self.to.alarm();
        for _ in 0..iterations {
            self.to.push(self.store.put(self.next));
            self.next = self.next.wrapping_add(1);
        }
        iterations
    }
}

struct Consume<S: Store> {
    store: S,
    from: Consumer<S::Item>,
    next: u64,
}

impl<S: Store> Worker for Consume<S> {
    fn run(&mut self, iterations: u64) -> u64 {
        let _alarm = self.from.alarm();
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let item = self.from.pop();
            // SAFETY: the producer's store is of the same shop, one whose items any thread takes.
            let number = unsafe { self.store.take(item) };
            sum = sum.wrapping_add(number.wrapping_sub(self.next).wrapping_add(1));
            self.next = self.next.wrapping_add(1);
        }
        sum
    }
}

/// Gives out bare numbers, which cost nothing.
struct Numbers;

impl Shop for Numbers {
    type Item = u64;
    type Store<'a> = &'a Self;

    fn store(&self) -> &Self {
        self
    }
}

impl Store for &Numbers {
    type Item = u64;

    #[inline]
    fn put(&mut self, number: u64) -> u64 {
        number
    }

    #[inline]
    unsafe fn take(&mut self, item: u64) -> u64 {
        item
    }
}
