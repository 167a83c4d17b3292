#![doc = include_str!("../../../docs/patterns/process-data.md")]

use core::fmt::Write as _;

use thrifty_pool::Pool;

use super::{Pattern, numbers, sample};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "process-data",
            reason: "a scratch buffer per call, beside one from a pool and one that the caller lends",
            input: || Input {
                numbers: numbers(),
                texts: Pool::new(|| String::with_capacity(ROOM)),
                text: String::with_capacity(ROOM),
            },
            oracle: |input| {
                let texts = input.numbers.iter().zip(0_u32..);
                texts.fold(0, |sum: u64, (number, index)| {
                    let text = ["item ", &index.to_string(), ": ", &number.to_string()].concat();
                    sum.wrapping_add(sample(&text))
                })
            },
        }
        .three(
            |input| sum(&input.numbers, fresh),
            |input| {
                let texts = &input.texts;
                sum(&input.numbers, |index, number| pooled(index, number, texts))
            },
            |input| {
                let text = &mut input.text;
                sum(&input.numbers, |index, number| lent(index, number, text))
            },
        ),
    ]
}

struct Input {
    numbers: Vec<u64>,
    texts: Pool<String>,
    /// What the caller of `lent` keeps.
    text: String,
}

/// Enough for every text.
const ROOM: usize = 64;

fn sum(numbers: &[u64], mut process: impl FnMut(u32, u64) -> u64) -> u64 {
    let numbered = numbers.iter().zip(0_u32..);
    numbered.fold(0, |sum, (&number, index)| {
        sum.wrapping_add(process(index, number))
    })
}

#[inline(never)]
fn fresh(index: u32, number: u64) -> u64 {
    let mut text = String::with_capacity(ROOM);
    describe(index, number, &mut text)
}

#[inline(never)]
fn pooled(index: u32, number: u64, texts: &Pool<String>) -> u64 {
    describe(index, number, &mut texts.get())
}

#[inline(never)]
fn lent(index: u32, number: u64, text: &mut String) -> u64 {
    text.clear();
    describe(index, number, text)
}

fn describe(index: u32, number: u64, text: &mut String) -> u64 {
    write!(text, "item {index}: {number}").expect("a String takes every character");
    sample(opaque(text))
}
