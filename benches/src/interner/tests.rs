//! Every side of every row answers as its oracle, on as many threads as the row has.

use super::rows;
use crate::suite::{
    Context,
    rows_tests::{assert_answers, assert_ids_and_ours_first},
};

#[test]
fn every_side_gives_the_answer_of_the_oracle() {
    assert_answers(&rows(&Context::default()));
}

#[test]
fn rows_have_ids_of_their_own_and_ours_first() {
    assert_ids_and_ours_first(&rows(&Context::default()));
}
