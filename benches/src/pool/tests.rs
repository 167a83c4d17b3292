//! Every side of every row answers as its oracle, on as many threads as the row has.

use super::rows;
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
}

/// The row that swings around the end of a magazine has to know where that is.
#[test]
fn a_magazine_holds_as_many_as_the_boundary_row_says() {
    let pool = thrifty_pool::Pool::new(super::keep::fresh);
    let all: Vec<_> = (0..1_000).map(|_| pool.get()).collect();
    drop(all);
    let cached = pool.stats().idle_in_caches;
    let rounds = super::working_set::ROUNDS;
    assert!((rounds + 1..=2 * rounds).contains(&cached), "{cached}");
}

/// A dirty object, or one that two have, is a wrong answer and no fast one.
#[test]
fn a_pool_that_does_not_empty_is_caught() {
    use super::{
        form::add,
        get_put::Pairs,
        keep::{Keep, fresh},
    };

    struct Dirty(std::sync::Mutex<Vec<u8>>);

    impl Keep for Dirty {
        type Guard<'a> = std::sync::MutexGuard<'a, Vec<u8>>;

        fn get(&self) -> Self::Guard<'_> {
            self.0.lock().expect("one thread")
        }
    }

    let row = Row::new("pool/dirty/1t", "").oracle(|| 1);
    let row = add(row, Pairs, "dirty", |_| {
        Dirty(std::sync::Mutex::new(fresh()))
    });
    let found = runner::measure(&row, Effort::QUICK, |_| true);
    assert!(matches!(found, Err(Broken::Wrong(_))), "{found:?}");
}
