#![doc = include_str!("../../../docs/patterns/by-value.md")]

use core::array;

use super::{Pattern, Side};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row::<1>("by-value-8b", boxed, in_place, by_value),
        // Copying and allocating take about as long here: that it allocates decides.
        row::<8>("by-value-64b", boxed, by_value, in_place),
        row::<128>("by-value-1kib", by_value, boxed, in_place),
        row::<1_024>("by-value-8kib", by_value, boxed, in_place),
        row::<8_960>("by-value-70kib", by_value, boxed, in_place),
    ]
}

fn row<const WORDS: usize>(
    name: &'static str,
    bad: Side<Input<WORDS>>,
    good: Side<Input<WORDS>>,
    best: Side<Input<WORDS>>,
) -> Row {
    Pattern {
        name,
        reason: "a value that is made, passed through two functions and kept",
        input: Input::new,
        // The first word, the last with its stamp, and the one between them.
        oracle: |input| {
            let (first, last) = (input.seed, input.seed.wrapping_add(WORDS as u64 - 1));
            let middle = input.seed.wrapping_add(WORDS as u64 / 2);
            let stamped = last ^ STAMP ^ STAMP << 1;
            if WORDS == 1 {
                stamped.wrapping_mul(3)
            } else {
                first.wrapping_add(middle).wrapping_add(stamped)
            }
        },
    }
    .three(bad, good, best)
}

/// So many words.
struct Payload<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Payload<WORDS> {
    fn of(seed: u64) -> Self {
        Self(array::from_fn(|offset| seed.wrapping_add(offset as u64)))
    }

    fn fill(&mut self, seed: u64) {
        for (word, offset) in self.0.iter_mut().zip(0..) {
            *word = seed.wrapping_add(offset);
        }
    }

    fn stamp(&mut self, stamp: u64) {
        self.0[WORDS - 1] ^= stamp;
    }

    fn weigh(&self) -> u64 {
        let words = opaque(&self.0);
        words[0]
            .wrapping_add(words[WORDS / 2])
            .wrapping_add(words[WORDS - 1])
    }
}

/// The seed, and where the value ends up, in either form.
struct Input<const WORDS: usize> {
    seed: u64,
    value: Box<Payload<WORDS>>,
    pointer: Option<Box<Payload<WORDS>>>,
}

impl<const WORDS: usize> Input<WORDS> {
    fn new() -> Self {
        Self {
            seed: 12_345,
            value: Box::new(Payload([0; WORDS])),
            pointer: None,
        }
    }
}

#[inline(never)]
fn make<const WORDS: usize>(seed: u64) -> Payload<WORDS> {
    Payload::of(seed)
}

#[inline(never)]
fn stamp<const WORDS: usize>(mut payload: Payload<WORDS>, stamp: u64) -> Payload<WORDS> {
    payload.stamp(stamp);
    payload
}

#[inline(never)]
fn make_boxed<const WORDS: usize>(seed: u64) -> Box<Payload<WORDS>> {
    Box::new(Payload::of(seed))
}

#[inline(never)]
fn stamp_boxed<const WORDS: usize>(
    mut payload: Box<Payload<WORDS>>,
    stamp: u64,
) -> Box<Payload<WORDS>> {
    payload.stamp(stamp);
    payload
}

#[inline(never)]
fn fill_in_place<const WORDS: usize>(payload: &mut Payload<WORDS>, seed: u64) {
    payload.fill(seed);
}

#[inline(never)]
fn stamp_in_place<const WORDS: usize>(payload: &mut Payload<WORDS>, stamp: u64) {
    payload.stamp(stamp);
}

fn by_value<const WORDS: usize>(input: &mut Input<WORDS>) -> u64 {
    *input.value = stamp(stamp(make(input.seed), STAMP), STAMP << 1);
    input.value.weigh()
}

fn boxed<const WORDS: usize>(input: &mut Input<WORDS>) -> u64 {
    let payload = stamp_boxed(stamp_boxed(make_boxed(input.seed), STAMP), STAMP << 1);
    input.pointer.insert(payload).weigh()
}

fn in_place<const WORDS: usize>(input: &mut Input<WORDS>) -> u64 {
    fill_in_place(&mut input.value, input.seed);
    stamp_in_place(&mut input.value, STAMP);
    stamp_in_place(&mut input.value, STAMP << 1);
    input.value.weigh()
}

const STAMP: u64 = 0x0101_0101;
