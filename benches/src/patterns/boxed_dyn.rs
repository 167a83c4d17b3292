#![doc = include_str!("../../../docs/patterns/boxed-dyn.md")]

use super::{Pattern, numbers};
use crate::suite::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "boxed-dyn",
            reason: "a trait object made for each of a thousand items",
            input: || (Kind::Scale, numbers()),
            oracle: |(_, numbers)| {
                let scaled = numbers.iter().map(|number| number * 3 + 7);
                scaled.fold(0, u64::wrapping_add)
            },
        }
        .three(
            |(kind, numbers)| per_item(*kind, numbers),
            |(kind, numbers)| per_batch(*kind, numbers),
            |(kind, numbers)| generic(*kind, numbers),
        ),
    ]
}

/// What the configuration says; known only when the program runs.
#[derive(Clone, Copy)]
enum Kind {
    Scale,
    #[cfg_attr(not(test), expect(dead_code, reason = "the rule that is not chosen"))]
    Mask,
}

trait Rule {
    fn apply(&self, number: u64) -> u64;
}

struct Scale {
    factor: u64,
    offset: u64,
}

struct Mask {
    mask: u64,
    flip: u64,
}

impl Scale {
    const RULE: Self = Self {
        factor: 3,
        offset: 7,
    };
}

impl Mask {
    const RULE: Self = Self {
        mask: 0xFF,
        flip: 0x55,
    };
}

impl Rule for Scale {
    fn apply(&self, number: u64) -> u64 {
        number * self.factor + self.offset
    }
}

impl Rule for Mask {
    fn apply(&self, number: u64) -> u64 {
        number & self.mask ^ self.flip
    }
}

/// Out of line, as a factory in another crate is.
#[inline(never)]
fn make(kind: Kind) -> Box<dyn Rule> {
    match kind {
        Kind::Scale => Box::new(Scale::RULE),
        Kind::Mask => Box::new(Mask::RULE),
    }
}

#[inline(never)]
fn per_item(kind: Kind, numbers: &[u64]) -> u64 {
    let ruled = numbers.iter().map(|&number| make(kind).apply(number));
    ruled.fold(0, u64::wrapping_add)
}

#[inline(never)]
fn per_batch(kind: Kind, numbers: &[u64]) -> u64 {
    let rule = make(kind);
    let ruled = numbers.iter().map(|&number| rule.apply(number));
    ruled.fold(0, u64::wrapping_add)
}

#[inline(never)]
fn generic(kind: Kind, numbers: &[u64]) -> u64 {
    fn run(rule: &impl Rule, numbers: &[u64]) -> u64 {
        let ruled = numbers.iter().map(|&number| rule.apply(number));
        ruled.fold(0, u64::wrapping_add)
    }
    match kind {
        Kind::Scale => run(&Scale::RULE, numbers),
        Kind::Mask => run(&Mask::RULE, numbers),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, generic, per_batch, per_item};

    #[test]
    fn the_rule_that_is_not_timed_agrees_too() {
        let numbers = super::numbers();
        let expected: u64 = numbers.iter().map(|number| number & 0xFF ^ 0x55).sum();
        for side in [per_item, per_batch, generic] {
            let answer = side(Kind::Mask, &numbers);
            assert_eq!(answer, expected);
        }
    }
}
