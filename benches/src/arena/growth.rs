//! Collections that grow: the rows `vec-growth` and `hash-map`.

use core::hint::black_box;

use hashbrown::{DefaultHashBuilder, HashMap};
use thrifty_workloads::rng::mix;

use super::{
    job::{Job, ahead, everyone, level},
    region::{Grow, Region},
};
use crate::suite::Row;

const COUNT: u64 = 1_000;

pub(super) fn rows() -> Vec<Row> {
    let vector = Row::new(
        "arena/vec-growth/1t",
        "a thousand numbers pushed into a vector that nobody said the size of; it can grow in place",
    )
    .operations(COUNT)
    .oracle(|| COUNT + COUNT - 1);
    let map = Row::new(
        "arena/hash-map/1t",
        "a thousand numbers into a map of hashbrown that grows, and read back",
    )
    .operations(COUNT)
    .oracle(|| (0..COUNT).sum());
    vec![
        ahead(everyone(vector, || Pushes)),
        level(everyone(map, || Map(DefaultHashBuilder::default()))),
    ]
}

struct Pushes;

impl<R: Region> Job<R> for Pushes {
    fn run(&self, region: &mut R) -> u64 {
        let mut numbers = region.grow();
        for number in 0..COUNT {
            numbers.push(black_box(number));
        }
        let list = numbers.finish();
        let found = black_box(&*list);
        found.len() as u64 + found[found.len() - 1]
    }
}

/// The hasher is the same for all.
struct Map(DefaultHashBuilder);

impl<R: Region> Job<R> for Map {
    fn run(&self, region: &mut R) -> u64 {
        let mut map = HashMap::with_hasher_in(self.0.clone(), region.allocator());
        for number in 0..COUNT {
            map.insert(mix(number), number);
        }
        let map = black_box(map);
        let read = |number| map.get(&mix(number)).copied().unwrap_or_default();
        (0..COUNT).map(read).fold(0, u64::wrapping_add)
    }
}
