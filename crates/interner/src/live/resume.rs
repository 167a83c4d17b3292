//! Inserts that begin where a search ended, whatever has happened between the two.

use super::{Body, Bounds, Geometry, Inserted, Live, Query, Searched, Source};

/// Tables of many sizes, with few slots to a segment.
struct Small;

impl Geometry for Small {
    const SEGMENT_BITS: u32 = 3;
    const FIRST_SLOTS: u32 = 4;
    const PAGE_BITS: u32 = 2;
    const FIRST_CHUNK: usize = 64;
    const LAST_CHUNK: usize = 256;
    const FIRST_ENTRIES: usize = 1;
}

const BOUNDS: Bounds = Bounds {
    bytes: usize::MAX,
    symbols: u32::MAX,
    length: usize::MAX,
    shards: 1,
    align: 1,
};

/// So many homes that all searches begin in the same group, for tags of their own.
const ONE: u32 = 1 << 31;

/// A string's hash: where its search begins is one of `homes` places, and one in eight shares its tag with another.
fn query(bytes: &[u8; 4], homes: u32) -> Query<'_> {
    let string = u32::from_le_bytes(*bytes);
    let step = u32::MAX / homes;
    let tag = string % homes * step + string / homes % 8 * (step / 8) + string / 64;
    Query {
        bytes,
        hash: u64::from(tag),
        align: 1,
    }
}

fn insert(live: &Live<Small>, query: &Query<'_>, searched: Searched) -> Inserted {
    live.insert_slow(query, Source::Borrowed, searched)
        .expect("nothing runs out")
}

/// Where a search for a string that is not there ends.
fn search(live: &Live<Small>, query: &Query<'_>) -> Searched {
    live.search(query).expect_err("it was never inserted")
}

/// Numbers below `below`, the same at each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % below
    }
}

#[test]
fn no_string_is_given_two_numbers_however_late_its_insert_comes() {
    for (seed, homes) in (0x9e37_79b9_7f4a_7c15..).zip([1, 2, 3, 7, 50, ONE].repeat(4)) {
        let live = Live::<Small>::new(BOUNDS);
        let mut dice = Dice(seed);
        let strings: Vec<[u8; 4]> = (0..400_u32).map(u32::to_le_bytes).collect();
        let mut numbers = vec![0; strings.len()];
        // Several threads would have searched for the same string, at different times.
        let mut waiting: Vec<(usize, Searched)> = Vec::new();
        for _ in 0..4000 {
            let at = dice.roll(strings.len());
            if numbers[at] == 0 && dice.roll(2) == 0 {
                waiting.push((at, search(&live, &query(&strings[at], homes))));
            }
            if dice.roll(3) == 0 && !waiting.is_empty() {
                let chosen = dice.roll(waiting.len());
                let (late, searched) = waiting.swap_remove(chosen);
                let done = insert(&live, &query(&strings[late], homes), searched);
                assert_eq!(done.new, numbers[late] == 0);
                assert!(done.new || done.number == numbers[late]);
                numbers[late] = done.number;
            }
        }
        let given = numbers.iter().filter(|number| **number != 0).count();
        assert_eq!(live.body().map(Body::count), u32::try_from(given).ok());
        for (string, number) in strings.iter().zip(&numbers) {
            assert_eq!(live.find(&query(string, homes)), *number);
        }
    }
}

#[test]
fn where_a_search_ended_means_nothing_in_another_table() {
    let live = Live::<Small>::new(BOUNDS);
    let strings: Vec<[u8; 4]> = (0..40_u32).map(u32::to_le_bytes).collect();
    for string in &strings[..20] {
        insert(&live, &query(string, ONE), Searched::NOTHING);
    }
    let last = query(&strings[39], ONE);
    let searched = search(&live, &last);
    assert!(searched.group > 2 && searched.steps > 2, "{searched:?}");
    let first = insert(&live, &last, Searched::NOTHING);
    for string in &strings[20..39] {
        insert(&live, &query(string, ONE), Searched::NOTHING);
    }
    assert_ne!(search(&live, &query(&[9; 4], ONE)).table, searched.table);
    let again = insert(&live, &last, searched);
    assert_eq!((again.number, again.new), (first.number, false));
}
