//! The protocols of cached handles, each as a model named after what it proves.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `the_last_handle_frees_after_the_others_have_read` | interner.shared_remove, interner.shared_last |
//! | `drops_and_a_lookup_share_one_block` | interner.shared_remove, interner.shared_last |
//! | `an_evicted_key_lives_as_long_as_its_handles` | interner.shared_remove, interner.shared_last |
//! | `racing_inserts_share_one_block` | |
//!
//! A block that is freed is written to, and so loom sees who still reads it; that it is freed at all, and not
//! twice, is what AddressSanitizer sees when the models run under it.

use thrifty_sync::{model::Model, sync::Arc, thread};
use thrifty_traits::Pressure;

use super::Dedup;
use crate::shared::Shared;

/// One shard, without a limit that matters.
fn roomy() -> Arc<Dedup> {
    Arc::new(Dedup::builder(1 << 20).shards(1).build())
}

/// One shard, in which keys of twenty bytes push each other out.
fn tight() -> Arc<Dedup> {
    let least = (0..)
        .map(|step| 256 + 16 * step)
        .find(|bytes| {
            let cache: Dedup = Dedup::builder(*bytes).shards(1).build();
            let _ = cache.dedup(FIRST);
            cache.len() == 1
        })
        .expect("some limit has room for one key");
    Arc::new(Dedup::builder(least).shards(1).build())
}

const FIRST: &str = "the first of the two";
const SECOND: &str = "another that fits in";

#[test]
fn the_last_handle_frees_after_the_others_have_read() {
    Model::new("the_last_handle_frees_after_the_others_have_read")
        .unbounded()
        .check(|| {
            let here: Shared<str> = Shared::from(FIRST);
            let there = here.clone();
            let thread = thread::spawn(move || assert_eq!(*there, *FIRST));
            assert_eq!(*here, *FIRST);
            drop(here);
            thread.join().unwrap();
        });
}

/// Two drop their handles and a trim drops the cache's, while a lookup finds it, or makes another.
#[test]
fn drops_and_a_lookup_share_one_block() {
    Model::new("drops_and_a_lookup_share_one_block")
        .unbounded()
        .check(|| {
            let cache = roomy();
            let held = cache.dedup(FIRST);
            let (looks, trims) = (Arc::clone(&cache), Arc::clone(&cache));
            let dropped = held.clone();
            let a = thread::spawn(move || {
                drop(dropped);
                trims.trim(Pressure::Medium).items
            });
            let b = thread::spawn(move || {
                let found = looks.dedup(FIRST);
                assert_eq!(*found, *FIRST);
                found
            });
            assert_eq!(*held, *FIRST);
            drop(held);
            let trimmed = a.join().unwrap();
            let found = b.join().unwrap();
            // What is still cached is what the lookup got.
            let cached = cache.get(FIRST);
            assert!(cached.is_some() || trimmed == 1);
            if let Some(cached) = &cached {
                assert!(Shared::ptr_eq(cached, &found));
            }
            assert_eq!(
                Shared::holders(&found),
                1 + 2 * usize::from(cached.is_some())
            );
        });
}

/// One key pushes the other out while that is looked up; whoever has a handle reads its key.
#[test]
fn an_evicted_key_lives_as_long_as_its_handles() {
    Model::new("an_evicted_key_lives_as_long_as_its_handles")
        .unbounded()
        .check(|| {
            let cache = tight();
            drop(cache.dedup(FIRST));
            let other = Arc::clone(&cache);
            let thread = thread::spawn(move || assert_eq!(*other.dedup(SECOND), *SECOND));
            if let Some(found) = cache.get(FIRST) {
                assert_eq!(*found, *FIRST);
            }
            thread.join().unwrap();
            assert_eq!(cache.len(), 1);
            assert_eq!(cache.stats().evictions, 1);
        });
}

#[test]
fn racing_inserts_share_one_block() {
    Model::new("racing_inserts_share_one_block")
        .unbounded()
        .check(|| {
            let cache = roomy();
            let other = Arc::clone(&cache);
            let thread = thread::spawn(move || other.dedup(FIRST));
            let here = cache.dedup(FIRST);
            let there = thread.join().unwrap();
            assert!(Shared::ptr_eq(&here, &there));
            assert_eq!((cache.len(), Shared::holders(&here)), (1, 3));
        });
}
