//! Every side of every row answers as its oracle.

use super::{
    job::{Job, add},
    plain::Std,
    region::Region,
    rows,
};
use crate::{
    runner::{self, Broken, Effort},
    suite::{
        Row,
        rows_tests::{assert_answers, assert_ids_and_ours_first},
    },
};

#[test]
fn every_side_gives_the_answer_of_the_oracle() {
    assert_answers(&rows());
}

#[test]
fn rows_have_ids_of_their_own_and_ours_first() {
    assert_ids_and_ours_first(&rows());
    for row in rows() {
        assert!(!row.bars().is_empty(), "{} has no bar", row.id());
    }
}

/// Text that is not what it should be is a wrong answer and no fast one.
#[test]
fn a_side_that_copies_wrongly_is_caught() {
    struct Upper;

    impl<R: Region> Job<R> for Upper {
        fn run(&self, region: &mut R) -> u64 {
            super::text::sample(&region.text("TEXT"))
        }
    }

    let row = Row::new("arena/wrong/1t", "").oracle(|| super::text::sample("text"));
    let row = add::<Std, _>(row, "std", || Upper);
    let found = runner::measure(&row, Effort::QUICK, |_| true);
    assert!(matches!(found, Err(Broken::Wrong(_))), "{found:?}");
}
