//! A burst, then nothing: the row `pool/burst-idle/1t`.
//!
//! What counts is not the time alone. Who keeps everything is fast at the next burst and holds the
//! memory of the last one for ever; the figures beside the time say how much, after each of the
//! quiet ticks between two bursts. A tick is a decay interval by a clock that the row winds; in each
//! there is a trickle of single pairs. For who has no such thing it is the trickle alone.

use core::{hint::black_box, ops::DerefMut as _, time::Duration};

use super::{
    form::{Form, add, beside},
    get_put::pairs,
    keep::{Held as _, Keep, check},
    ours::Wound,
};
use crate::suite::{Figure, Row, Worker};

/// What lives at once in a burst.
const LIVE: usize = 4096;

/// Quiet intervals between two bursts, and the pairs in each.
const TICKS: u64 = 3;
const TRICKLE: u64 = 8;

/// Every pair of an iteration.
const OPERATIONS: u64 = LIVE as u64 + TICKS * TRICKLE;

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "pool/burst-idle/1t",
        "4096 at once, then three quiet intervals: what is held meanwhile, and what the next burst costs",
    )
    .operations(OPERATIONS)
    .oracle(|| OPERATIONS)
    .budget(Duration::from_secs(2));
    vec![beside(add(row, Burst, "thrifty", Wound::new), Burst)]
}

#[derive(Clone, Copy)]
struct Burst;

impl Form for Burst {
    fn live(self) -> usize {
        LIVE
    }

    fn worker<'a, K: Keep>(self, keep: &'a K, _thread: usize) -> Box<dyn Worker + 'a> {
        Box::new(BurstWorker {
            keep,
            held: Vec::with_capacity(LIVE),
            next: 0,
        })
    }

    /// Another burst, and what is held after it and after each tick.
    fn figures<K: Keep>(self, keep: &K, retained: &dyn Fn() -> Option<u64>) -> Vec<Figure> {
        let mut worker = BurstWorker {
            keep,
            held: Vec::with_capacity(LIVE),
            next: 0,
        };
        let held_by_worker = (LIVE * size_of::<K::Guard<'_>>()) as u64;
        let mut figures = Vec::new();
        let mut tell = |name| {
            let bytes = retained().map(|bytes| bytes.saturating_sub(held_by_worker));
            figures.extend(bytes.map(|bytes| Figure::new(name, bytes)));
        };
        worker.burst();
        tell("retained_after_burst");
        for name in [
            "retained_after_tick_1",
            "retained_after_tick_2",
            "retained_after_tick_3",
        ] {
            worker.tick();
            tell(name);
        }
        figures
    }
}

struct BurstWorker<'a, K: Keep> {
    keep: &'a K,
    held: Vec<K::Guard<'a>>,
    next: u64,
}

impl<'a, K: Keep> BurstWorker<'a, K> {
    fn burst(&mut self) -> u64 {
        let keep: &'a K = self.keep;
        let first = self.next;
        for _ in 0..LIVE {
            let mut guard = keep.get();
            guard.deref_mut().mark(self.next);
            self.held.push(guard);
            self.next = self.next.wrapping_add(1);
        }
        let numbered = self.held.drain(..).zip(0_u64..);
        numbered.fold(0, |sum, (guard, index)| {
            sum.wrapping_add(check(black_box(&*guard), first.wrapping_add(index)))
        })
    }

    fn tick(&mut self) -> u64 {
        self.keep.tick();
        pairs(self.keep, TRICKLE)
    }
}

impl<K: Keep> Worker for BurstWorker<'_, K> {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            sum = sum.wrapping_add(self.burst());
            for _ in 0..TICKS {
                sum = sum.wrapping_add(self.tick());
            }
        }
        sum
    }
}
