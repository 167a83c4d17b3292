#![doc = include_str!("../../../docs/patterns/append.md")]

use super::{Pattern, numbers};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "append-1000",
            reason: "a vector pushed to without capacity (bad), with capacity (good), filled by \
                     index (by-index), and collected (best)",
            input: numbers,
            oracle: |numbers| numbers.iter().fold(0, |sum, n| sum ^ scramble(*n)),
        }
        .four(
            |numbers| xor(&growing(numbers)),
            ("by-index", |numbers| xor(&by_index(numbers))),
            |numbers| xor(&with_capacity(numbers)),
            |numbers| xor(&extended(numbers)),
        ),
    ]
}

#[inline(never)]
fn growing(numbers: &[u64]) -> Vec<u64> {
    let mut scrambled = Vec::new();
    for &number in numbers {
        scrambled.push(scramble(number));
    }
    scrambled
}

#[inline(never)]
fn with_capacity(numbers: &[u64]) -> Vec<u64> {
    let mut scrambled = Vec::with_capacity(numbers.len());
    for &number in numbers {
        scrambled.push(scramble(number));
    }
    scrambled
}

/// Zeroes first, each of which is then overwritten.
#[inline(never)]
fn by_index(numbers: &[u64]) -> Vec<u64> {
    let mut scrambled = vec![0; numbers.len()];
    for (index, &number) in numbers.iter().enumerate() {
        scrambled[index] = scramble(number);
    }
    scrambled
}

#[inline(never)]
fn extended(numbers: &[u64]) -> Vec<u64> {
    numbers.iter().map(|&number| scramble(number)).collect()
}

/// Something to do per number that is not a copy.
fn scramble(number: u64) -> u64 {
    number << 7 ^ number
}

fn xor(numbers: &[u64]) -> u64 {
    opaque(numbers).iter().fold(0, |sum, number| sum ^ number)
}

#[cfg(test)]
mod tests {
    use super::{by_index, extended, growing, with_capacity};

    #[test]
    fn every_side_gives_the_same_numbers() {
        let numbers = super::numbers();
        let expected = growing(&numbers);
        assert_eq!(expected.len(), 1_000);
        assert_eq!(with_capacity(&numbers), expected);
        assert_eq!(by_index(&numbers), expected);
        assert_eq!(extended(&numbers), expected);
    }
}
