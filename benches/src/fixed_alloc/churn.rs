//! Random replacement: the rows `fixed-alloc/churn-…`.
//!
//! So many are live; over and over one is taken and put in the place of another, which is freed.

use core::{mem, time::Duration};

use super::{
    blocks::Blocks,
    roster::{Form, bar, everyone, sane, with_classes},
    store::{Raw, Shop, Store},
};
use crate::suite::{Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let few = [
        (1, Some(0.6), "64 live, replaced at random: one magazine"),
        (2, None, "64 live on each of two threads, which share none"),
        (
            4,
            Some(0.7),
            "64 live on each of four threads, which share none",
        ),
    ];
    let many = [
        (
            1,
            Some(0.6),
            "4096 live, replaced at random: more than the first-level cache holds",
        ),
        (4, Some(0.7), "4096 live on each of four threads"),
    ];
    let few = few
        .map(|(threads, most, reason)| row::<64>(&format!("churn-64b/{threads}t"), most, reason));
    let many = many.map(|(threads, most, reason)| {
        row::<4096>(&format!("churn-64b-4096/{threads}t"), most, reason)
    });
    few.into_iter().chain(many).collect()
}

fn row<const LIVE: usize>(name: &str, most: Option<f64>, reason: &'static str) -> Row {
    let row = Row::new(format!("fixed-alloc/{name}"), reason)
        .oracle(|| 1)
        .budget(Duration::from_secs(1));
    let row = with_classes(everyone(row, Replace::<LIVE>), Replace::<LIVE>);
    let row = others::<LIVE>(sane(row));
    match most {
        Some(most) => row.bar(bar(most)),
        None => row,
    }
}

#[cfg(not(feature = "rivals"))]
fn others<const LIVE: usize>(row: Row) -> Row {
    row
}

#[cfg(feature = "rivals")]
fn others<const LIVE: usize>(row: Row) -> Row {
    use super::rivals::{Keyed, Plural, Sharded};

    row.shared("slab", || Churn::<_, LIVE>(Keyed(LIVE + 1)))
        .shared("sharded-slab", || Churn::<_, LIVE>(Sharded::new()))
        .shared("plurality", || Churn::<_, LIVE>(Plural))
}

#[derive(Clone, Copy)]
struct Replace<const LIVE: usize>;

impl<const LIVE: usize> Form for Replace<LIVE> {
    fn subject<B: Blocks>(self, blocks: B) -> impl Subject + 'static {
        Churn::<_, LIVE>(Raw(blocks))
    }
}

/// So many live at once, a power of two.
pub(super) struct Churn<S, const LIVE: usize>(pub(super) S);

impl<S: Shop, const LIVE: usize> Subject for Churn<S, LIVE> {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        let mut store = self.0.store();
        let live = (0..LIVE as u64).map(|number| store.put(number)).collect();
        Box::new(ChurnWorker::<_, LIVE> {
            store,
            live,
            places: Places(thread as u64),
        })
    }
}

struct ChurnWorker<S: Store, const LIVE: usize> {
    store: S,
    /// Each has the number of its place.
    live: Vec<S::Item>,
    places: Places,
}

impl<S: Store, const LIVE: usize> Worker for ChurnWorker<S, LIVE> {
    /// Answers 1 where the one that is replaced still has the number of its place: had two been one,
    /// the later would have written its own.
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            let place = self.places.next::<LIVE>();
            let new = self.store.put(place as u64);
            let old = mem::replace(&mut self.live[place], new);
            // SAFETY: `store` gave it, on this thread.
            let number = unsafe { self.store.take(old) };
            sum = sum.wrapping_add(number.wrapping_sub(place as u64).wrapping_add(1));
        }
        sum
    }
}

impl<S: Store, const LIVE: usize> Drop for ChurnWorker<S, LIVE> {
    fn drop(&mut self) {
        for item in self.live.drain(..) {
            // SAFETY: as in `run`.
            let _ = unsafe { self.store.take(item) };
        }
    }
}

/// Random places, by the cheapest generator whose high bits will do: what it costs is in every side.
pub(super) struct Places(pub(super) u64);

impl Places {
    /// One of so many, which is a power of two.
    #[inline]
    pub(super) const fn next<const LIVE: usize>(&mut self) -> usize {
        const { assert!(LIVE.is_power_of_two() && LIVE <= 1 << 16) };
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 48) as usize & (LIVE - 1)
    }
}
