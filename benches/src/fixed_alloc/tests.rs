//! Every side of every row answers as its oracle, on as many threads as the row has.

use std::collections::BTreeSet;

use super::rows;
use crate::suite::{Row, Subject};

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

/// An allocator that lends a block twice is a wrong answer and no fast one.
#[test]
fn a_block_that_two_have_is_caught() {
    use core::{
        ptr::NonNull,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::{
        blocks::{Blocks, Heap},
        churn::Churn,
        store::Raw,
    };
    use crate::runner::{self, Broken, Effort};

    /// Two blocks, in turns, for everybody.
    struct Twice([NonNull<u8>; 2], AtomicUsize);

    // SAFETY: one thread uses it.
    unsafe impl Sync for Twice {}

    impl Blocks for Twice {
        fn alloc(&self) -> NonNull<u8> {
            self.0[self.1.fetch_add(1, Ordering::Relaxed) % 2]
        }

        unsafe fn free(&self, _block: NonNull<u8>) {}
    }

    let row = Row::new("fixed-alloc/twice/1t", "").oracle(|| 1);
    let row = row.shared("twice", || {
        let blocks = [(); 2].map(|()| Heap(&std::alloc::System).alloc());
        Churn::<_, 64>(Raw(Twice(blocks, AtomicUsize::new(0))))
    });
    let found = runner::measure(&row, Effort::QUICK, |_| true);
    assert!(matches!(found, Err(Broken::Wrong(_))), "{found:?}");
}
