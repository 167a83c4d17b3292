#![doc = include_str!("../../../docs/patterns/closures.md")]

use super::{Pattern, numbers};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "closures",
            reason: "a closure that is boxed for each of a thousand calls",
            input: || Input {
                key: 0x5DEE_CE66,
                turn: 11,
                numbers: numbers(),
            },
            oracle: |input| {
                let mixed = input.numbers.iter().map(|n| (n ^ 0x5DEE_CE66) * 2_048);
                mixed.fold(0, u64::wrapping_add)
            },
        }
        .three(
            |input| boxed(input),
            |input| by_reference(input),
            |input| generic(input),
        ),
    ]
}

struct Input {
    key: u64,
    turn: u32,
    numbers: Vec<u64>,
}

/// Stands for an interface that wants to own what it calls; out of line, as in another crate.
#[inline(never)]
fn call_boxed(mix: Box<dyn Fn(u64) -> u64>, number: u64) -> u64 {
    mix(number)
}

#[inline(never)]
fn sum_by_reference(numbers: &[u64], mix: &dyn Fn(u64) -> u64) -> u64 {
    let mixed = numbers.iter().map(|&number| mix(number));
    mixed.fold(0, u64::wrapping_add)
}

fn sum_generic(numbers: &[u64], mix: impl Fn(u64) -> u64) -> u64 {
    let mixed = numbers.iter().map(|&number| mix(number));
    mixed.fold(0, u64::wrapping_add)
}

#[inline(never)]
fn boxed(input: &Input) -> u64 {
    let (key, turn) = (input.key, input.turn);
    let mut sum = 0_u64;
    for &number in &input.numbers {
        let mix = Box::new(move |number: u64| (number ^ key).rotate_left(turn));
        sum = sum.wrapping_add(call_boxed(mix, number));
    }
    sum
}

#[inline(never)]
fn by_reference(input: &Input) -> u64 {
    let (key, turn) = (input.key, input.turn);
    let mix = |number: u64| (number ^ key).rotate_left(turn);
    // Opaque, or the compiler makes a copy of the callee for this one closure.
    sum_by_reference(&input.numbers, opaque(&mix))
}

#[inline(never)]
fn generic(input: &Input) -> u64 {
    let (key, turn) = (input.key, input.turn);
    sum_generic(&input.numbers, |number| (number ^ key).rotate_left(turn))
}
