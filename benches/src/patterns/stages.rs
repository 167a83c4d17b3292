#![doc = include_str!("../../../docs/patterns/stages.md")]

use super::{Pattern, numbers};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "stages",
            reason: "three steps over a thousand numbers with a vector after each",
            input: numbers,
            oracle: |numbers| {
                let mut sum = 0_u64;
                for &number in numbers {
                    if is_even(number) && is_wanted(square(number)) {
                        sum = sum.wrapping_add(square(number));
                    }
                }
                sum
            },
        }
        .three(
            |numbers| staged(numbers),
            |numbers| collected_once(numbers),
            |numbers| one_pass(numbers),
        ),
    ]
}

fn is_even(number: u64) -> bool {
    number % 2 == 0
}

fn square(number: u64) -> u64 {
    (number & 0xFFFF) * (number & 0xFFFF)
}

fn is_wanted(square: u64) -> bool {
    square % 16 != 0
}

#[inline(never)]
fn staged(numbers: &[u64]) -> u64 {
    let even: Vec<u64> = numbers.iter().copied().filter(|&n| is_even(n)).collect();
    let squares: Vec<u64> = opaque(&even).iter().map(|&n| square(n)).collect();
    let wanted: Vec<u64> = opaque(&squares)
        .iter()
        .copied()
        .filter(|&n| is_wanted(n))
        .collect();
    opaque(&wanted).iter().copied().fold(0, u64::wrapping_add)
}

/// The vector is there because a caller wants one.
#[inline(never)]
fn collected_once(numbers: &[u64]) -> u64 {
    let wanted: Vec<u64> = squares(numbers).collect();
    opaque(&wanted).iter().copied().fold(0, u64::wrapping_add)
}

#[inline(never)]
fn one_pass(numbers: &[u64]) -> u64 {
    squares(numbers).fold(0, u64::wrapping_add)
}

fn squares(numbers: &[u64]) -> impl Iterator<Item = u64> {
    let even = numbers.iter().copied().filter(|&n| is_even(n));
    even.map(square).filter(|&n| is_wanted(n))
}
