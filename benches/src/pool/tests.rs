//! Every side of every row answers as its oracle, on as many threads as the row has.

use std::collections::BTreeSet;

use super::rows;
use crate::{
    runner::{self, Broken, Effort},
    suite::{Row, Subject},
};

/// A turn of each side, by as many threads as the row has.
fn answers(row: &Row, subject: &dyn Subject) -> Vec<u64> {
    let threads = row.id().threads();
    std::thread::scope(|scope| {
        let run = |thread| {
            scope.spawn(move || {
                let mut worker = subject.worker(thread);
                // State stays from one turn to the next.
                worker.run(1).wrapping_add(worker.run(2))
            })
        };
        let workers: Vec<_> = (0..threads).map(run).collect();
        let told = workers.into_iter().map(|worker| worker.join());
        told.map(|answer| answer.expect("no panic")).collect()
    })
}

#[test]
fn every_side_gives_the_answer_of_the_oracle() {
    for row in rows() {
        let expected = row.expected().expect("every row has an oracle");
        for side in row.contestants() {
            for subject in [side.make(), side.make_counted()] {
                for answer in answers(&row, &*subject) {
                    let place = format!("{} {}", row.id(), side.name());
                    assert_eq!(answer, expected.wrapping_mul(3), "{place}");
                }
            }
        }
    }
}

#[test]
fn rows_have_ids_of_their_own_and_ours_first() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        let first = &row.contestants()[0];
        assert_eq!(first.name(), "thrifty", "{}", row.id());
        assert!(seen.insert(row.id().clone()), "{} twice", row.id());
    }
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
