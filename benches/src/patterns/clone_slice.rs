#![doc = include_str!("../../../docs/patterns/clone-slice.md")]

use alloc::sync::Arc;

use super::{Pattern, numbers};
use crate::suite::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "clone-slice",
            reason: "a thousand numbers cloned to be read",
            input: || numbers().into(),
            oracle: |numbers: &Arc<[u64]>| {
                let mut total = 0;
                for &number in &**numbers {
                    total += number;
                }
                total
            },
        }
        .three(
            |numbers| total_owned(numbers.to_vec()),
            |numbers| total_shared(Arc::clone(numbers)),
            |numbers| total(numbers),
        ),
    ]
}

/// Takes a vector although it only reads.
#[inline(never)]
#[expect(clippy::needless_pass_by_value, reason = "this is the bad side")]
fn total_owned(numbers: Vec<u64>) -> u64 {
    total(&numbers)
}

/// Owns a share, as a thread or a task that outlives the caller must.
#[inline(never)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands for another thread"
)]
fn total_shared(numbers: Arc<[u64]>) -> u64 {
    total(&numbers)
}

#[inline(never)]
fn total(numbers: &[u64]) -> u64 {
    numbers.iter().sum()
}
