//! What runs out, with sizes so small that it does.

use super::{Bounds, Geometry, Inserted, Live, Query, Searched, Source};
use crate::InternError;

/// Chunks of a few records, so that their numbers run out.
struct Crumbs;

impl Geometry for Crumbs {
    const SEGMENT_BITS: u32 = 6;
    const FIRST_SLOTS: u32 = 4;
    const PAGE_BITS: u32 = 6;
    const FIRST_CHUNK: usize = 32;
    const LAST_CHUNK: usize = 32;
    const FIRST_ENTRIES: usize = 2;
}

const BOUNDS: Bounds = Bounds {
    bytes: usize::MAX,
    symbols: u32::MAX,
    length: usize::MAX,
    shards: 2,
    align: 1,
};

fn query(bytes: &[u8]) -> Query<'_> {
    let hash = bytes.iter().fold(0_u64, |hash, byte| {
        (hash ^ u64::from(*byte))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
    });
    Query {
        bytes,
        hash,
        align: 1,
    }
}

fn insert(live: &Live<Crumbs>, number: u32) -> Result<Inserted, InternError> {
    live.insert_slow(
        &query(&number.to_le_bytes()),
        Source::Borrowed,
        Searched::NOTHING,
    )
}

#[test]
fn numbers_of_chunks_run_out_without_harm_and_come_back() {
    let mut live = Live::<Crumbs>::new(BOUNDS);
    // Of three quarters of the strings nothing is left but their chunks' numbers, to be found again.
    let mut last = 0;
    let refused = loop {
        match insert(&live, last) {
            Ok(inserted) => assert_eq!(inserted.number, last + 1),
            Err(error) => break error,
        }
        last += 1;
    };
    assert!(
        matches!(refused, InternError::MemoryLimit { .. }),
        "{refused}"
    );
    assert_eq!(live.body().unwrap().count(), last);
    assert_eq!(insert(&live, 0).map(|inserted| inserted.new), Ok(false));
    let hash = |bytes: &[u8]| query(bytes).hash;
    let mark = crate::Mark::of(live.mark().identity, 0, last / 4);
    assert_eq!(live.rollback(mark, hash), Some(last - last / 4));
    for number in last / 4..last / 4 + 100 {
        assert_eq!(
            insert(&live, number).map(|inserted| inserted.number),
            Ok(number + 1)
        );
    }
    for number in 0..last / 4 + 100 {
        assert_eq!(live.find(&query(&number.to_le_bytes())), number + 1);
    }
    assert_eq!(live.find(&query(&last.to_le_bytes())), 0);
}
