#![doc = include_str!("../../../docs/patterns/hash-growth.md")]

use std::collections::HashMap;

use super::{Pattern, numbers};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "hash-growth",
            reason: "a map that moves its entries each time it doubles",
            input: || Input {
                numbers: numbers(),
                map: HashMap::new(),
            },
            oracle: |input| {
                let mut keys: Vec<u64> = input.numbers.iter().map(|n| n & KEYS).collect();
                keys.sort_unstable();
                keys.dedup();
                keys.len() as u64
            },
        }
        .three(
            |input| growing(&input.numbers),
            |input| with_capacity(&input.numbers),
            |input| kept(&input.numbers, &mut input.map),
        ),
    ]
}

struct Input {
    numbers: Vec<u64>,
    /// What `kept` clears and fills again.
    map: HashMap<u64, u64>,
}

#[inline(never)]
fn growing(numbers: &[u64]) -> u64 {
    let mut map = HashMap::new();
    count(numbers, &mut map)
}

#[inline(never)]
fn with_capacity(numbers: &[u64]) -> u64 {
    let mut map = HashMap::with_capacity(numbers.len());
    count(numbers, &mut map)
}

#[inline(never)]
fn kept(numbers: &[u64], map: &mut HashMap<u64, u64>) -> u64 {
    map.clear();
    count(numbers, map)
}

fn count(numbers: &[u64], map: &mut HashMap<u64, u64>) -> u64 {
    for number in numbers {
        *map.entry(number & KEYS).or_insert(0) += 1;
    }
    opaque(&*map).len() as u64
}

/// So many different keys that nearly all thousand differ, and a few come twice.
const KEYS: u64 = 0xF_FFFF;
