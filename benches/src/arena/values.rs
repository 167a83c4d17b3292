//! Values, slices and blocks: the rows `alloc-u64`, `alloc-mixed`, `slices`, `reset-small` and
//! `reset-large`.

use core::hint::black_box;

use thrifty_workloads::rng::Rng;

use super::{
    job::{Job, ahead, everyone, level},
    region::{Hold, Region},
};
use crate::suite::Row;

/// What is allocated between two resets.
const COUNT: usize = 1_000;

/// Blocks between two resets of the large row.
const BLOCKS: usize = 100;

pub(super) fn rows() -> Vec<Row> {
    let row = |name: &str, reason| Row::new(format!("arena/{name}/1t"), reason);
    let numbers = row(
        "alloc-u64",
        "the path of a hit: a thousand numbers, and a reset",
    )
    .operations(COUNT as u64)
    .oracle(|| (0..COUNT as u64).sum());
    let mixed = row(
        "alloc-mixed",
        "a thousand values of 1 to 200 bytes, of mixed alignment: what padding costs",
    )
    .operations(COUNT as u64)
    .oracle(|| KINDS as u64 * (0..(COUNT / KINDS) as u64).sum::<u64>());
    let slices = row("slices", "a thousand slices of 1 to 40 numbers")
        .operations(COUNT as u64)
        .oracle(|| {
            Slices::new()
                .0
                .iter()
                .map(|list| list.len() as u64 + list[0])
                .sum()
        });
    let small = row(
        "reset-small",
        "four numbers and four short texts, and a reset: what a round of little costs",
    )
    .oracle(|| 4 * TEXT.len() as u64 + 6);
    let large = row(
        "reset-large",
        "a hundred blocks of 4 KiB, and a reset: what a round of several chunks costs",
    )
    .operations(BLOCKS as u64)
    .oracle(|| (0..BLOCKS as u64).sum());
    vec![
        typed(level(everyone(numbers, || Numbers))),
        level(everyone(mixed, || Mixed)),
        level(everyone(slices, Slices::new)),
        ahead(everyone(small, || Small)),
        ahead(everyone(large, || Large)),
    ]
}

struct Numbers;

impl<R: Region> Job<R> for Numbers {
    fn run(&self, region: &mut R) -> u64 {
        let region = &*region;
        let mut held = R::Hold::with_capacity(COUNT);
        let mut sum = 0_u64;
        for number in 0..COUNT as u64 {
            let slot = region.value(number);
            sum = sum.wrapping_add(*black_box(&*slot));
            held.keep(slot);
        }
        sum
    }
}

/// In a fixed order: with a random one the row would measure how well its jumps are foretold.
struct Mixed;

/// Values per group.
const KINDS: usize = 8;

/// Allocates a value, keeps it, and gives its number back.
#[inline]
fn put<'a, R: Region, T: Copy + 'a>(
    region: &'a R,
    held: &mut R::Hold<R::Own<'a, T>>,
    value: T,
    number: impl FnOnce(&T) -> u64,
) -> u64 {
    let slot = region.value(value);
    let answer = number(black_box(&*slot));
    held.keep(slot);
    answer
}

impl<R: Region> Job<R> for Mixed {
    fn run(&self, region: &mut R) -> u64 {
        let region = &*region;
        let groups = COUNT / KINDS;
        let mut bytes = R::Hold::with_capacity(groups);
        let mut halves = R::Hold::with_capacity(groups);
        let mut words = R::Hold::with_capacity(groups);
        let mut twos = R::Hold::with_capacity(groups);
        let mut threes = R::Hold::with_capacity(groups);
        let mut fours = R::Hold::with_capacity(groups);
        let mut sevens = R::Hold::with_capacity(groups);
        let mut large = R::Hold::with_capacity(groups);
        let mut sum = 0_u64;
        for group in 0..groups as u64 {
            let low = group.to_le_bytes()[0];
            let n = u64::from(low);
            sum += put(region, &mut words, n, |v| *v);
            sum += put(region, &mut bytes, low, |v| u64::from(*v));
            sum += put(region, &mut threes, [n; 3], |v| v[2]);
            sum += put(region, &mut halves, u32::from(low), |v| u64::from(*v));
            sum += put(region, &mut twos, [n; 2], |v| v[1]);
            sum += put(region, &mut large, [n; 25], |v| v[24]);
            sum += put(region, &mut fours, [n; 4], |v| v[3]);
            sum += put(region, &mut sevens, [n; 7], |v| v[6]);
        }
        sum
    }
}

/// What is copied.
struct Slices(Vec<Vec<u64>>);

impl Slices {
    fn new() -> Self {
        let mut rng = Rng::new(7);
        let list = |_| {
            let number = rng.below(1_000);
            (0..rng.range(1, 40)).map(|_| number).collect()
        };
        Self((0..COUNT).map(list).collect())
    }
}

impl<R: Region> Job<R> for Slices {
    fn run(&self, region: &mut R) -> u64 {
        let region = &*region;
        let mut held = R::Hold::with_capacity(self.0.len());
        let mut sum = 0_u64;
        for items in &self.0 {
            let list = region.list(items);
            let found = black_box(&*list);
            sum = sum.wrapping_add(found.len() as u64 + found[found.len() - 1]);
            held.keep(list);
        }
        sum
    }
}

struct Small;

/// Sixteen bytes.
const TEXT: &str = "sixteen letters.";

impl<R: Region> Job<R> for Small {
    fn run(&self, region: &mut R) -> u64 {
        let region = &*region;
        let mut numbers = R::Hold::with_capacity(4);
        let mut texts = R::Hold::with_capacity(4);
        let mut sum = 0_u64;
        for number in 0..4_u64 {
            let slot = region.value(number);
            let text = region.text(black_box(TEXT));
            sum = sum.wrapping_add(*black_box(&*slot) + black_box(&*text).len() as u64);
            numbers.keep(slot);
            texts.keep(text);
        }
        sum
    }
}

struct Large;

impl<R: Region> Job<R> for Large {
    fn run(&self, region: &mut R) -> u64 {
        let region = &*region;
        let mut held = R::Hold::with_capacity(BLOCKS);
        let mut sum = 0_u64;
        for number in 0..BLOCKS as u64 {
            let mut block = region.block();
            let first = block.as_mut_ptr().cast::<u64>();
            // SAFETY: the block's first number, which the block has room for.
            unsafe { first.write(number) };
            // SAFETY: written just now.
            sum = sum.wrapping_add(unsafe { black_box(first).read() });
            held.keep(block);
        }
        sum
    }
}

#[cfg(not(feature = "rivals"))]
fn typed(row: Row) -> Row {
    row
}

/// `typed-arena` has no reset: a new one for each iteration, with room for all.
#[cfg(feature = "rivals")]
fn typed(row: Row) -> Row {
    row.contestant("typed-arena", || {
        crate::suite::each(|| {
            let arena = typed_arena::Arena::with_capacity(COUNT);
            let arena = black_box(&arena);
            let put = |number: u64| *black_box(&*arena.alloc(number));
            (0..COUNT as u64).map(put).fold(0, u64::wrapping_add)
        })
    })
}
