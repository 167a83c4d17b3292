#![doc = include_str!("../../../docs/patterns/inline.md")]

use super::{Pattern, numbers};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "inline",
            reason: "a vector of pointers to small structs, one block each",
            input: numbers,
            oracle: |numbers| {
                let products = numbers.iter().map(|n| (n & 0xFFFF) * (n >> 16));
                products.fold(0, u64::wrapping_add)
            },
        }
        .two(
            |numbers| sum(opaque(behind_boxes(numbers)).iter().map(|point| &**point)),
            |numbers| sum(opaque(inline(numbers)).iter()),
        ),
    ]
}

struct Point {
    x: u64,
    y: u64,
}

impl Point {
    fn of(number: u64) -> Self {
        Self {
            x: number & 0xFFFF,
            y: number >> 16,
        }
    }
}

#[inline(never)]
#[expect(clippy::vec_box, reason = "this is the bad side")]
fn behind_boxes(numbers: &[u64]) -> Vec<Box<Point>> {
    let points = numbers.iter().map(|&number| Box::new(Point::of(number)));
    points.collect()
}

#[inline(never)]
fn inline(numbers: &[u64]) -> Vec<Point> {
    numbers.iter().map(|&number| Point::of(number)).collect()
}

fn sum<'a>(points: impl Iterator<Item = &'a Point>) -> u64 {
    points
        .map(|point| point.x * point.y)
        .fold(0, u64::wrapping_add)
}
