//! What holds for the rows of every area: each side answers as the oracle, on as many threads as the
//! row has, and ours comes first.

use std::collections::BTreeSet;

use super::{Row, Subject};

/// Two turns of a side, by as many threads as the row has.
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

/// Every side, timed or counted, answers as its row's oracle.
pub(crate) fn assert_answers(rows: &[Row]) {
    for row in rows {
        let expected = row.expected().expect("every row has an oracle");
        for side in row.contestants() {
            for subject in [side.make(), side.make_counted()] {
                for answer in answers(row, &*subject) {
                    let place = format!("{} {}", row.id(), side.name());
                    assert_eq!(answer, expected.wrapping_mul(3), "{place}");
                }
            }
        }
    }
}

/// No id stands twice, and the first side of each row is ours.
pub(crate) fn assert_ids_and_ours_first(rows: &[Row]) {
    let mut seen = BTreeSet::new();
    for row in rows {
        let first = &row.contestants()[0];
        assert_eq!(first.name(), "thrifty", "{}", row.id());
        assert!(seen.insert(row.id().clone()), "{} twice", row.id());
    }
}
