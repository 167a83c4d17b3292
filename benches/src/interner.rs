//! Interning: the rows `interner/…`.

mod absent;
mod blocks;
mod data;
mod fill;
mod gate;
mod hash;
mod hit;
mod iterate;
mod life;
mod memory;
mod ours;
mod plain;
mod resolve;
#[cfg(feature = "rivals")]
mod rivals;
mod roster;
mod table;
mod tail;
#[cfg(test)]
mod tests;

use crate::suite::{Context, Row};

/// The rows of the area `interner`.
#[must_use]
pub fn rows(context: &Context) -> Vec<Row> {
    let mut rows = hit::rows(context);
    rows.extend(absent::rows());
    rows.extend(fill::rows());
    rows.extend(resolve::rows());
    rows.extend(iterate::rows());
    rows.extend(life::rows());
    rows.extend(tail::rows());
    rows.extend(memory::rows());
    rows
}
