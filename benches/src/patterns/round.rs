#![doc = include_str!("../../../docs/patterns/round.md")]

use thrifty_arena::{Arena, ArenaVec};

use super::{COUNT, Pattern, numbers};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "round-1000",
            reason: "a thousand records of 1 KiB that all die together: boxes, one buffer, an arena",
            input: || Input {
                numbers: numbers(),
                bytes: Vec::with_capacity(COUNT * SIZE),
                arena: Arena::with_capacity(COUNT * (SIZE + size_of::<&[u8]>())),
            },
            oracle: |input| {
                let last = |number: &u64| SIZE as u64 + (number & 0xff);
                input.numbers.iter().map(last).sum()
            },
        }
        .three(boxes, buffer, arena),
    ]
}

struct Input {
    numbers: Vec<u64>,
    /// What `good` keeps from one round to the next.
    bytes: Vec<u8>,
    /// What `best` keeps.
    arena: Arena,
}

/// The bytes of a record.
const SIZE: usize = 1_024;

fn boxes(input: &mut Input) -> u64 {
    let mut records = Vec::with_capacity(input.numbers.len());
    for &number in &input.numbers {
        records.push(vec![low(number); SIZE].into_boxed_slice());
    }
    opaque(&records).iter().map(|record| ends(record)).sum()
}

fn buffer(input: &mut Input) -> u64 {
    input.bytes.clear();
    for &number in &input.numbers {
        let end = input.bytes.len() + SIZE;
        input.bytes.resize(end, low(number));
    }
    opaque(&input.bytes).chunks_exact(SIZE).map(ends).sum()
}

fn arena(input: &mut Input) -> u64 {
    let arena = &input.arena;
    let mut records = ArenaVec::with_capacity_in(input.numbers.len(), arena);
    for &number in &input.numbers {
        records.push(&*arena.alloc_slice_fill(SIZE, low(number)));
    }
    let records = records.into_slice();
    let sum = opaque(&*records).iter().map(|record| ends(record)).sum();
    input.arena.reset();
    sum
}

fn ends(record: &[u8]) -> u64 {
    let last = record.last().copied().unwrap_or_default();
    record.len() as u64 + u64::from(last)
}

fn low(number: u64) -> u8 {
    number.to_le_bytes()[0]
}
