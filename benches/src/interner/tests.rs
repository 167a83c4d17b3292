//! Every side of every row answers as its oracle, on as many threads as the row has.

use super::rows as all_rows;
use crate::suite::{
    Context, Row,
    rows_tests::{assert_answers, assert_ids_and_ours_first},
};

/// Rows and their sides, on corpora that are cut short.
fn rows() -> Vec<Row> {
    let mut rows = all_rows(&Context::default());
    let count = rows.len();
    rows.retain(|row| !row.is_thorough());
    assert!(rows.len() < count, "what is too large for --quick is known");
    rows
}

#[test]
fn every_side_gives_the_answer_of_the_oracle() {
    assert_answers(&rows());
}

#[test]
fn rows_have_ids_of_their_own_and_ours_first() {
    assert_ids_and_ours_first(&rows());
}
