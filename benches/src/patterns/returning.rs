#![doc = include_str!("../../../docs/patterns/returning.md")]

use super::{Pattern, numbers};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "returning",
            reason: "a function that puts what it returns into a box, called a thousand times",
            input: numbers,
            oracle: |numbers| {
                let digests = numbers
                    .iter()
                    .map(|n| n * 29_791 + n % 128 * 961 + n / 128 * 31 + n * 3);
                digests.fold(0, u64::wrapping_add)
            },
        }
        .two(
            |numbers| sum_boxed(numbers),
            |numbers| sum_by_value(numbers),
        ),
    ]
}

/// Thirty-two bytes: too many for registers, so even the value goes through memory.
struct Reading {
    raw: u64,
    channel: u64,
    level: u64,
    scaled: u64,
}

impl Reading {
    fn of(raw: u64) -> Self {
        Self {
            raw,
            channel: raw & 127,
            level: raw >> 7,
            scaled: raw * 3,
        }
    }

    /// Word by word: loads that are wider than the stores before them would wait for these, on
    /// both sides, and hide what they differ by.
    fn digest(&self) -> u64 {
        [self.channel, self.level, self.scaled]
            .iter()
            .fold(self.raw, |sum, word| {
                sum.wrapping_mul(31).wrapping_add(*word)
            })
    }
}

#[inline(never)]
fn read_boxed(raw: u64) -> Box<Reading> {
    Box::new(Reading::of(raw))
}

#[inline(never)]
fn read(raw: u64) -> Reading {
    Reading::of(raw)
}

#[inline(never)]
fn sum_boxed(numbers: &[u64]) -> u64 {
    let sums = numbers.iter().map(|&raw| opaque(read_boxed(raw)).digest());
    sums.fold(0, u64::wrapping_add)
}

#[inline(never)]
fn sum_by_value(numbers: &[u64]) -> u64 {
    let sums = numbers.iter().map(|&raw| opaque(&read(raw)).digest());
    sums.fold(0, u64::wrapping_add)
}
