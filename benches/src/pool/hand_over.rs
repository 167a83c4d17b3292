//! One thread takes, another puts back: the row `pool/producer-consumer/2t`.
//!
//! Everything is handed over on the same preallocated [`ring`]. `floor` sends bare numbers on it: what
//! the ring itself costs, to be subtracted by who wants to know.

use core::{
    hint::black_box,
    ops::{Deref, DerefMut},
};
use std::{
    alloc::System,
    sync::{Mutex, PoisonError},
};

use super::{
    form::live_bytes,
    keep::{Held, Own, check},
    ours::Thrifty,
    plain::Heap,
    ring::{self, Consumer, Producer},
};
use crate::suite::{Figure, Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "pool/producer-consumer/2t",
        "what one thread takes another puts back, on a ring (floor: the ring alone)",
    )
    .oracle(|| 1);
    let row = add(row, "thrifty", || Thrifty::new(LIVE));
    let row = add(row, "floor", || Bare).ours();
    let row = heaps(row);
    vec![others(row)]
}

/// What can be out at once: a full ring, and one in each hand.
const LIVE: usize = ring::CAPACITY + 2;

fn add<O: Own>(row: Row, name: &'static str, make: impl Fn() -> O + 'static) -> Row {
    row.shared(name, move || Handed::new(&make))
}

fn heaps(row: Row) -> Row {
    let row = add(row, "std", || Heap(&System)).counted_as(|| {
        static COUNTED: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
        Handed::new(&|| Heap(&COUNTED))
    });
    #[cfg(feature = "rivals-c")]
    let row = add(row, "mimalloc", || Heap(&mimalloc::MiMalloc)).counted_as(|| {
        static COUNTED: thrifty_memstats::Alloc<mimalloc::MiMalloc> =
            thrifty_memstats::Alloc::new(mimalloc::MiMalloc);
        Handed::new(&|| Heap(&COUNTED))
    });
    row
}

#[cfg(not(feature = "rivals"))]
fn others(row: Row) -> Row {
    row
}

/// Those whose guards own, and those that borrow from a pool that lives as long as the program.
/// `plurality` is not here: its pool is not `Sync`, and it does not recycle. Nor are `ArrayQueue` and
/// `Mutex<Vec>`, whose guards are ours and borrow: with an `Arc` in each they are `opool` and
/// `object-pool`.
#[cfg(feature = "rivals")]
fn others(row: Row) -> Row {
    use super::rivals::{
        LinearOwned, ObjectPoolOwned, OpoolOwned, RegexStatic, ShardedOwned, ZeroStatic,
    };

    let row = add(row, "zeropool", || ZeroStatic);
    let row = add(row, "regex-automata", || RegexStatic);
    let row = add(row, "sharded-slab", || ShardedOwned::new(LIVE));
    let row = add(row, "lockfree-object-pool", || LinearOwned::new(LIVE));
    let row = add(row, "object-pool", || ObjectPoolOwned::new(LIVE));
    add(row, "opool", || OpoolOwned::new(LIVE))
}

/// A keep, and the ends of a ring until the threads have fetched them.
struct Handed<O: Own> {
    keep: O,
    producer: Mutex<Option<Producer<O::Item>>>,
    consumer: Mutex<Option<Consumer<O::Item>>>,
    before: Option<u64>,
}

impl<O: Own> Handed<O> {
    fn new(make: &impl Fn() -> O) -> Self {
        let before = live_bytes();
        let (producer, consumer) = ring::ring();
        Self {
            keep: make(),
            producer: Mutex::new(Some(producer)),
            consumer: Mutex::new(Some(consumer)),
            before,
        }
    }
}

impl<O: Own> Subject for Handed<O> {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        if thread == 0 {
            let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
            Box::new(Produce {
                keep: &self.keep,
                to: producer.take().expect("one thread produces"),
                next: 0,
            })
        } else {
            let mut consumer = self.consumer.lock().unwrap_or_else(PoisonError::into_inner);
            Box::new(Consume::<O> {
                from: consumer.take().expect("one thread consumes"),
                next: 0,
            })
        }
    }

    fn figures(&self) -> Vec<Figure> {
        // This value itself is boxed.
        let own = size_of::<Self>() as u64;
        let held = self.before.zip(live_bytes());
        let held = held.map(|(before, now)| now.saturating_sub(before + own));
        let held = held.map(|bytes| Figure::new("retained_bytes", bytes));
        let created = self.keep.created();
        let created = created.map(|made| Figure::new("created", made));
        created.into_iter().chain(held).collect()
    }
}

struct Produce<'a, O: Own> {
    keep: &'a O,
    to: Producer<O::Item>,
    next: u64,
}

impl<O: Own> Worker for Produce<'_, O> {
    /// Answers 1 for each; whether it was empty shows at the other end.
    fn run(&mut self, iterations: u64) -> u64 {
        let _alarm = self.to.alarm();
        for _ in 0..iterations {
            let mut item = self.keep.own();
            item.deref_mut().mark(self.next);
            self.to.push(item);
            self.next = self.next.wrapping_add(1);
        }
        iterations
    }
}

struct Consume<O: Own> {
    from: Consumer<O::Item>,
    next: u64,
}

impl<O: Own> Worker for Consume<O> {
    fn run(&mut self, iterations: u64) -> u64 {
        let _alarm = self.from.alarm();
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let item = self.from.pop();
            sum = sum.wrapping_add(check(black_box(&*item), self.next));
            self.next = self.next.wrapping_add(1);
        }
        sum
    }
}

/// Gives out bare numbers, which cost nothing.
struct Bare;

struct Number(u64);

/// A number that is its own guard.
struct Itself(Number);

impl Own for Bare {
    type Item = Itself;

    #[inline]
    fn own(&self) -> Itself {
        Itself(Number(0))
    }
}

impl Held for Number {
    #[inline]
    fn mark(&mut self, number: u64) {
        self.0 = number;
    }

    #[inline]
    fn marked(&self) -> u64 {
        self.0
    }
}

impl Deref for Itself {
    type Target = Number;

    #[inline]
    fn deref(&self) -> &Number {
        &self.0
    }
}

impl DerefMut for Itself {
    #[inline]
    fn deref_mut(&mut self) -> &mut Number {
        &mut self.0
    }
}
