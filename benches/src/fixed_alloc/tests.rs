//! Every side of every row answers as its oracle, on as many threads as the row has.

use super::rows;
use crate::suite::{
    Row,
    rows_tests::{assert_answers, assert_ids_and_ours_first},
};

#[test]
fn every_side_gives_the_answer_of_the_oracle() {
    assert_answers(&rows());
}

#[test]
fn rows_have_ids_of_their_own_and_ours_first() {
    assert_ids_and_ours_first(&rows());
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
