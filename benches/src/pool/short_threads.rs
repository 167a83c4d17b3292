//! Threads that come and go: the row `pool/short-threads/1t`.

use std::thread;

use super::{
    form::{Form, everyone},
    get_put::pairs,
    keep::Keep,
};
use crate::suite::{Row, Worker};

/// Pairs per thread.
const PAIRS: u64 = 8;

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "pool/short-threads/1t",
        "a thread that starts, takes and puts back eight times, and ends (floor: does nothing)",
    )
    .oracle(|| PAIRS);
    let row = everyone(row, Short);
    vec![row.contestant("floor", || Alone).ours()]
}

/// A thread per iteration, one at a time.
#[derive(Clone, Copy)]
struct Short;

impl Form for Short {
    fn live(self) -> usize {
        1
    }

    fn worker<'a, K: Keep>(self, keep: &'a K, _thread: usize) -> Box<dyn Worker + 'a> {
        Box::new(ShortWorker(keep))
    }
}

struct ShortWorker<'a, K>(&'a K);

impl<K: Keep> Worker for ShortWorker<'_, K> {
    fn run(&mut self, iterations: u64) -> u64 {
        (0..iterations).fold(0, |sum, _| {
            let keep = self.0;
            sum.wrapping_add(in_thread(|| pairs(keep, PAIRS)))
        })
    }
}

/// What the threads themselves cost.
struct Alone;

impl Worker for Alone {
    fn run(&mut self, iterations: u64) -> u64 {
        (0..iterations).fold(0, |sum, _| sum.wrapping_add(in_thread(|| PAIRS)))
    }
}

fn in_thread(work: impl FnOnce() -> u64 + Send) -> u64 {
    thread::scope(|scope| scope.spawn(work).join()).expect("it does not panic")
}
