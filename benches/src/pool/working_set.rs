//! Many at once: the rows `pool/working-set-…` and `pool/magazine-boundary`.

use core::{hint::black_box, ops::DerefMut as _};

use thrifty_workloads::rng::Rng;

use super::{
    form::{Form, everyone},
    keep::{Held as _, Keep, check},
};
use crate::suite::{Row, Worker};

pub(super) fn rows() -> Vec<Row> {
    let sets = [
        (8, "a handful at once, put back in random order"),
        (
            64,
            "as many at once as a magazine holds, put back in random order",
        ),
        (1024, "many magazines at once, put back in random order"),
    ];
    let sets = sets.map(|(live, reason)| {
        let row = Row::new(format!("pool/working-set-{live}/1t"), reason)
            .operations(live as u64)
            .oracle(move || live as u64);
        everyone(row, Set { live })
    });
    let boundary = Row::new(
        "pool/magazine-boundary/1t",
        "takes and puts back where a magazine ends: one magazine would be exchanged each time",
    )
    .operations(Boundary::OPERATIONS)
    .oracle(|| Boundary::OPERATIONS);
    sets.into_iter()
        .chain([everyone(boundary, Boundary)])
        .collect()
}

/// Takes so many, then puts all of them back, never twice in the same order.
#[derive(Clone, Copy)]
struct Set {
    live: usize,
}

/// How many orders there are, in turns.
const ORDERS: usize = 16;

impl Form for Set {
    fn live(self) -> usize {
        self.live
    }

    fn worker<'a, K: Keep>(self, keep: &'a K, thread: usize) -> Box<dyn Worker + 'a> {
        let mut rng = Rng::new(thread as u64);
        let orders = (0..ORDERS).map(|_| {
            let mut order: Vec<usize> = (0..self.live).collect();
            rng.shuffle(&mut order);
            order
        });
        Box::new(SetWorker {
            keep,
            held: (0..self.live).map(|_| None).collect(),
            orders: orders.collect(),
            turn: 0,
            next: 0,
        })
    }
}

struct SetWorker<'a, K: Keep> {
    keep: &'a K,
    held: Vec<Option<K::Guard<'a>>>,
    orders: Vec<Vec<usize>>,
    turn: usize,
    next: u64,
}

impl<'a, K: Keep> Worker for SetWorker<'a, K> {
    /// Each is read when it goes back, after all were written: two that are one would show.
    fn run(&mut self, iterations: u64) -> u64 {
        let keep: &'a K = self.keep;
        let mut sum = 0_u64;
        for _ in 0..iterations {
            for (index, slot) in self.held.iter_mut().enumerate() {
                let guard = slot.insert(keep.get());
                guard.deref_mut().mark(self.next.wrapping_add(index as u64));
            }
            let order = &self.orders[self.turn % ORDERS];
            for &index in black_box(order) {
                if let Some(guard) = self.held[index].take() {
                    let number = self.next.wrapping_add(index as u64);
                    sum = sum.wrapping_add(check(black_box(&*guard), number));
                }
            }
            self.turn += 1;
            self.next = self.next.wrapping_add(self.held.len() as u64);
        }
        sum
    }
}

/// Holds one less than a magazine, then one less than two, and takes and puts back two there, over
/// and over: each time a magazine runs empty, and each time one runs full.
#[derive(Clone, Copy)]
struct Boundary;

/// What a magazine of ours holds by default. The others have other bounds, or none.
pub(super) const ROUNDS: usize = 64;

impl Boundary {
    /// How often two are taken at each bound.
    const TIMES: usize = 32;

    /// Pairs at the bounds, and a magazine to go from one bound to the other.
    const OPERATIONS: u64 = (2 * 2 * Self::TIMES + ROUNDS) as u64;
}

impl Form for Boundary {
    fn live(self) -> usize {
        2 * ROUNDS + 1
    }

    fn worker<'a, K: Keep>(self, keep: &'a K, _thread: usize) -> Box<dyn Worker + 'a> {
        let mut worker = BoundaryWorker {
            keep,
            held: Vec::with_capacity(2 * ROUNDS + 1),
            next: 0,
        };
        for _ in 0..ROUNDS - 1 {
            worker.take();
        }
        Box::new(worker)
    }
}

struct BoundaryWorker<'a, K: Keep> {
    keep: &'a K,
    /// With the number of each.
    held: Vec<(K::Guard<'a>, u64)>,
    next: u64,
}

impl<'a, K: Keep> BoundaryWorker<'a, K> {
    #[inline]
    fn take(&mut self) {
        let keep: &'a K = self.keep;
        let mut guard = keep.get();
        guard.deref_mut().mark(self.next);
        self.held.push((guard, self.next));
        self.next = self.next.wrapping_add(1);
    }

    #[inline]
    fn put(&mut self) -> u64 {
        self.held
            .pop()
            .map_or(0, |(guard, number)| check(black_box(&*guard), number))
    }

    fn swing(&mut self) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..Boundary::TIMES {
            self.take();
            self.take();
            sum = sum.wrapping_add(self.put()).wrapping_add(self.put());
        }
        sum
    }
}

impl<K: Keep> Worker for BoundaryWorker<'_, K> {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            sum = sum.wrapping_add(self.swing());
            for _ in 0..ROUNDS {
                self.take();
            }
            sum = sum.wrapping_add(self.swing());
            for _ in 0..ROUNDS {
                sum = sum.wrapping_add(self.put());
            }
        }
        sum
    }
}
