//! The protocols of the concurrent interner, each as a model named after what it proves.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `racing_equal_inserts_give_one_symbol` | interner.body, interner.new_body |
//! | `an_insert_that_begins_where_its_search_ended_gives_one_symbol` | |
//! | `what_is_found_is_seen_whole` | interner.table, interner.slot, interner.insert, interner.publish |
//! | `a_present_string_is_never_missed` | interner.table_again, interner.copy, interner.clear |
//! | `an_absent_string_was_absent` | interner.table_again, interner.publish |
//! | `a_number_leads_to_its_string_or_to_nothing` | interner.name, interner.resolve, interner.directory, interner.new_directory, interner.filled, interner.see_filled |
//! | `the_limit_is_never_exceeded` | |
//! | `a_refused_insert_leaves_no_hole` | |
//!
//! The reader is the spawned thread wherever there is one. Loom remembers one access of each atomic, the last: a
//! spawned writer that loads before it stores hides that the first thread has loaded, and loom then stops after one
//! execution.

use thrifty_sync::{atomic::AtomicUsize, model::Model, ord, sync::Arc, thread};

use super::{Body, Bounds, Geometry, Inserted, Live, Query, Source};
use crate::InternError;

/// Tables of one group, which are full with three strings, and pages of two numbers, the first of one.
struct Tiny;

impl Geometry for Tiny {
    const SEGMENT_BITS: u32 = 2;
    const FIRST_SLOTS: u32 = 4;
    const PAGE_BITS: u32 = 1;
    const FIRST_CHUNK: usize = 128;
    const LAST_CHUNK: usize = 128;
    const FIRST_ENTRIES: usize = 1;
}

const BOUNDS: Bounds = Bounds {
    bytes: usize::MAX,
    symbols: u32::MAX,
    length: usize::MAX,
    shards: 2,
    align: 1,
};

fn tiny(bounds: Bounds) -> Arc<Live<Tiny>> {
    Arc::new(Live::new(bounds))
}

/// A string whose shard is chosen; its tag is small, so that its group is the first.
fn query(bytes: &'static str, shard: u64) -> Query<'static> {
    let tag = u64::from(bytes.as_bytes()[0]);
    Query {
        bytes: bytes.as_bytes(),
        hash: shard << 32 | tag,
        align: 1,
    }
}

/// As `Interner` does it where the first look was no help: a search, and an insert that begins where it ended.
fn try_insert(live: &Live<Tiny>, query: &Query<'_>) -> Result<Inserted, InternError> {
    match live.search(query) {
        Ok(number) => Ok(Inserted { number, new: false }),
        Err(searched) => live.insert_slow(query, Source::Borrowed, searched),
    }
}

fn insert(live: &Live<Tiny>, query: &Query<'_>) -> u32 {
    try_insert(live, query).unwrap().number
}

/// What a number leads to.
fn resolve(live: &Live<Tiny>, number: u32) -> Option<Vec<u8>> {
    let record = live.body()?.resolve(number)?;
    // SAFETY: the interner is alive, and its alignment is 1.
    Some(unsafe { record.bytes(1) }.to_vec())
}

/// Two threads begin an interner with the same string.
#[test]
fn racing_equal_inserts_give_one_symbol() {
    Model::new("racing_equal_inserts_give_one_symbol")
        .preemption_bound(2)
        .check(|| {
            let live = tiny(BOUNDS);
            let other = Arc::clone(&live);
            let work = |live: &Live<Tiny>| {
                let number = insert(live, &query("a", 0));
                assert_eq!(resolve(live, number), Some(b"a".to_vec()));
                number
            };
            let thread = thread::spawn(move || work(&other));
            let mine = work(&live);
            assert_eq!(mine, thread.join().unwrap());
            assert_eq!(live.body().unwrap().count(), 1);
        });
}

/// Two threads insert the same string, whose search passes a full group, and one of them makes the table grow.
#[test]
fn an_insert_that_begins_where_its_search_ended_gives_one_symbol() {
    Model::new("an_insert_that_begins_where_its_search_ended_gives_one_symbol")
        .preemption_bound(2)
        .check(|| {
            let live = tiny(BOUNDS);
            // So that a second number for "x" would be in a page that is there: the short way could give it.
            insert(&live, &query("p", 1));
            for bytes in ["a", "b", "c", "d"] {
                insert(&live, &query(bytes, 0));
            }
            let other = Arc::clone(&live);
            let thread = thread::spawn(move || insert(&other, &query("x", 0)));
            let mine = insert(&live, &query("x", 0));
            for bytes in ["y", "z"] {
                insert(&live, &query(bytes, 0));
            }
            assert_eq!(thread.join().unwrap(), mine);
            assert_eq!(live.find(&query("x", 0)), mine);
            assert_eq!(live.body().unwrap().count(), 8);
        });
}

/// One thread inserts, the other looks, in a shard that has no table yet.
#[test]
fn what_is_found_is_seen_whole() {
    Model::new("what_is_found_is_seen_whole")
        .preemption_bound(3)
        .check(|| {
            let live = tiny(BOUNDS);
            insert(&live, &query("z", 1));
            let other = Arc::clone(&live);
            let thread = thread::spawn(move || {
                let found = other.find(&query("a", 0));
                if found != 0 {
                    assert_eq!(resolve(&other, found), Some(b"a".to_vec()));
                }
                found
            });
            let number = insert(&live, &query("a", 0));
            let found = thread.join().unwrap();
            assert!(found == 0 || found == number);
        });
}

/// One shard grows, and then the other grows into the segment that the first has left, while a thread looks for a
/// string that is there all the time.
#[test]
fn a_present_string_is_never_missed() {
    Model::new("a_present_string_is_never_missed")
        .preemption_bound(2)
        .check(|| {
            let live = tiny(BOUNDS);
            let present = insert(&live, &query("a", 0));
            for (bytes, shard) in [("b", 0), ("c", 0), ("p", 1), ("q", 1), ("r", 1)] {
                insert(&live, &query(bytes, shard));
            }
            let other = Arc::clone(&live);
            let thread = thread::spawn(move || other.find(&query("a", 0)));
            insert(&live, &query("d", 0));
            insert(&live, &query("s", 1));
            assert_eq!(thread.join().unwrap(), present);
            for (bytes, shard) in [("b", 0), ("d", 0), ("p", 1), ("s", 1)] {
                assert_ne!(live.find(&query(bytes, shard)), 0, "{bytes}");
            }
        });
}

/// One thread inserts two strings, the second into a table that has grown. Who sees the second sees the first.
#[test]
fn an_absent_string_was_absent() {
    Model::new("an_absent_string_was_absent")
        .preemption_bound(3)
        .check(|| {
            let live = tiny(BOUNDS);
            for bytes in ["a", "b"] {
                insert(&live, &query(bytes, 0));
            }
            let other = Arc::clone(&live);
            let thread = thread::spawn(move || {
                if other.find(&query("d", 0)) != 0 {
                    assert_ne!(other.find(&query("c", 0)), 0);
                }
            });
            insert(&live, &query("c", 0));
            insert(&live, &query("d", 0));
            thread.join().unwrap();
        });
}

/// A number is guessed while strings are inserted by two threads in two shards.
#[test]
fn a_number_leads_to_its_string_or_to_nothing() {
    Model::new("a_number_leads_to_its_string_or_to_nothing")
        .preemption_bound(2)
        .check(|| {
            let live = tiny(BOUNDS);
            insert(&live, &query("z", 1));
            let guess = |live: &Live<Tiny>| {
                if let Some(bytes) = resolve(live, 2) {
                    assert!(bytes == b"a" || bytes == b"y");
                }
            };
            let (other, reader) = (Arc::clone(&live), Arc::clone(&live));
            let writer = thread::spawn(move || insert(&other, &query("y", 1)));
            let reader = thread::spawn(move || guess(&reader));
            let mut numbers = [insert(&live, &query("a", 0)), writer.join().unwrap()];
            reader.join().unwrap();
            numbers.sort_unstable();
            assert_eq!(numbers, [2, 3]);
        });
}

/// There is room for one more string, and two threads have one each.
#[test]
fn the_limit_is_never_exceeded() {
    Model::new("the_limit_is_never_exceeded")
        .preemption_bound(2)
        .check(|| {
            // As much as the first string takes in each shard, less a byte.
            let first = |shards: &[u64]| {
                let live = tiny(BOUNDS);
                for shard in shards {
                    insert(&live, &query("z", *shard));
                }
                live.body().unwrap().budget().reserved()
            };
            let limit = first(&[0, 1]) - 1;
            let live = tiny(Bounds {
                bytes: limit,
                ..BOUNDS
            });
            let other = Arc::clone(&live);
            // A body has a limit of its own, so there must be one at any time.
            let bodies = Arc::new(AtomicUsize::new(0));
            let made = Arc::clone(&bodies);
            let attempt = move |live: &Live<Tiny>, shard| {
                if live.body().is_none() {
                    let made = live.make_body_slow(|| {
                        // ORDERING(model.bodies): Relaxed; a count.
                        made.fetch_add(1, ord!(model.bodies, Relaxed));
                        Body::create(live.bounds)
                    });
                    assert!(made.is_ok());
                }
                let outcome = try_insert(live, &query("a", shard));
                if let Ok(body) = live.body_or_new() {
                    assert!(body.budget().reserved() <= limit);
                }
                outcome.is_ok()
            };
            let attempt_of_other = attempt.clone();
            let thread = thread::spawn(move || attempt_of_other(&other, 0));
            let mine = attempt(&live, 1);
            let theirs = thread.join().unwrap();
            assert!(!(mine && theirs), "both fitted");
            // ORDERING(model.bodies): Relaxed; as above.
            assert_eq!(bodies.load(ord!(model.bodies, Relaxed)), 1);
        });
}

/// There is a number for one of two strings. Who is refused leaves no trace.
#[test]
fn a_refused_insert_leaves_no_hole() {
    Model::new("a_refused_insert_leaves_no_hole")
        .preemption_bound(2)
        .check(|| {
            let live = tiny(Bounds {
                symbols: 1,
                ..BOUNDS
            });
            let other = Arc::clone(&live);
            let attempt = |live: &Live<Tiny>, bytes, shard| {
                try_insert(live, &query(bytes, shard)).map(|done| done.number)
            };
            let thread = thread::spawn(move || attempt(&other, "a", 0));
            let mine = attempt(&live, "b", 1);
            let theirs = thread.join().unwrap();
            let full = Err(InternError::SymbolSpace { limit_symbols: 1 });
            assert!((mine == Ok(1) && theirs == full) || (mine == full && theirs == Ok(1)));
            let (there, absent) = if mine.is_ok() {
                (("b", 1), ("a", 0))
            } else {
                (("a", 0), ("b", 1))
            };
            assert_eq!(live.find(&query(there.0, there.1)), 1);
            assert_eq!(live.find(&query(absent.0, absent.1)), 0);
            assert_eq!(resolve(&live, 2), None);
        });
}
