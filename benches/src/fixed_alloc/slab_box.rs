//! Values in boxes: the row `fixed-alloc/slab-box/1t`, which is the churn of 64 over again.

use super::{
    churn::Churn,
    store::{Boxes, SlabBoxes},
};
use crate::suite::{Bar, Row};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "fixed-alloc/slab-box/1t",
        "64 boxes live, replaced at random: SlabBox beside Box",
    )
    .oracle(|| 1)
    .shared("thrifty", || Churn::<_, 64>(SlabBoxes::new()))
    .shared("std", || Churn::<_, 64>(Boxes))
    .bar(Bar::Times {
        subject: "thrifty",
        against: &["std"],
        most: 0.6,
    });
    vec![others(row)]
}

#[cfg(not(feature = "rivals"))]
fn others(row: Row) -> Row {
    row
}

#[cfg(feature = "rivals")]
fn others(row: Row) -> Row {
    row.shared("plurality", || Churn::<_, 64>(super::rivals::Plural))
}
