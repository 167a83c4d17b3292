//! The sampler's protocols between threads, each as a model named after what it proves.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `a_place_used_again_has_its_own_record` | memstats.key_claim, memstats.key_take |
//! | `a_stack_is_one_site` | memstats.site_published, memstats.site_seen, memstats.site_lost |
//! | `a_listed_site_is_whole` | memstats.site_published, memstats.site_listed |
//! | `a_size_class_is_one_bucket` | memstats.bucket_published, memstats.bucket_seen, memstats.bucket_lost |
//! | `a_listed_bucket_is_whole` | memstats.bucket_published, memstats.bucket_listed |
//! | `a_noted_rate_has_its_time` | memstats.rate_noted, memstats.rate_listed |
//! | `in_use_is_never_negative` | memstats.ended_objects, memstats.see_ended_objects, memstats.ended_bytes, memstats.see_ended_bytes |

use thrifty_sync::{model::Model, sync::Arc, thread};

use super::{
    rates::{Began, Widened},
    sites::{OTHER, Room, Sites},
    sums::BucketSums,
    table::{Sample, Table},
    weight::Weight,
};

const ROOM: Room = Room {
    sites: 2,
    frames: 2,
    buckets: 2,
};

fn sample(size: u64) -> Sample {
    Sample {
        weight: Weight::ONE,
        size,
        ..Sample::default()
    }
}

/// One thread ends a sample while another one takes the place for a block of its own.
#[test]
fn a_place_used_again_has_its_own_record() {
    Model::new("a_place_used_again_has_its_own_record").check(|| {
        let table = Arc::new(Table::<1>::new(1).unwrap());
        let place = table.claim(16).unwrap();
        table.fill(&place, &sample(1));
        let other = Arc::clone(&table);
        let thread = thread::spawn(move || {
            if let Some(place) = other.claim(32) {
                other.fill(&place, &sample(2));
                assert_eq!(other.take(32), Some(sample(2)), "it has another's record");
            }
        });
        assert_eq!(table.take(16), Some(sample(1)));
        thread.join().unwrap();
        assert_eq!(table.take(32), None);
    });
}

#[test]
fn a_stack_is_one_site() {
    Model::new("a_stack_is_one_site").check(|| {
        let sites = Arc::new(Sites::new(ROOM).unwrap());
        let other = Arc::clone(&sites);
        let thread = thread::spawn(move || other.find(&[7]));
        let mine = sites.find(&[7]);
        assert_eq!(thread.join().unwrap(), mine, "one stack, two sites");
        assert_ne!(mine, OTHER);
        assert_eq!(sites.stack(mine).collect::<Vec<_>>(), [7]);
    });
}

#[test]
fn a_listed_site_is_whole() {
    Model::new("a_listed_site_is_whole").check(|| {
        let sites = Arc::new(Sites::new(ROOM).unwrap());
        let other = Arc::clone(&sites);
        let thread = thread::spawn(move || {
            for site in other.iter().filter(|site| *site != OTHER) {
                let stack: Vec<_> = other.stack(site).collect();
                assert_eq!(stack, [7], "a site was seen before its stack");
            }
        });
        assert_ne!(sites.find(&[7]), OTHER);
        thread.join().unwrap();
    });
}

#[test]
fn a_size_class_is_one_bucket() {
    Model::new("a_size_class_is_one_bucket").check(|| {
        let sites = Arc::new(Sites::new(ROOM).unwrap());
        let site = sites.find(&[7]);
        let other = Arc::clone(&sites);
        let thread = thread::spawn(move || other.bucket(site, 3, 0));
        let mine = sites.bucket(site, 3, 0);
        assert!(mine.is_some());
        assert_eq!(thread.join().unwrap(), mine, "one class, two buckets");
        assert_eq!(sites.buckets(site).count(), 1);
    });
}

#[test]
fn a_listed_bucket_is_whole() {
    Model::new("a_listed_bucket_is_whole").check(|| {
        let sites = Arc::new(Sites::new(ROOM).unwrap());
        let site = sites.find(&[7]);
        let other = Arc::clone(&sites);
        let thread = thread::spawn(move || {
            for bucket in other.buckets(site) {
                let label = other.bucket_sums(bucket).read().label;
                assert_eq!(label, 9, "a bucket was seen before its key");
            }
        });
        assert!(sites.bucket(site, 3, 9).is_some());
        thread.join().unwrap();
    });
}

#[test]
fn a_noted_rate_has_its_time() {
    let began = |nanos| Began {
        nanos,
        rate_bytes: 1024,
    };
    Model::new("a_noted_rate_has_its_time").check(move || {
        let widened = Arc::new(Widened::<2>::new());
        let other = Arc::clone(&widened);
        let thread = thread::spawn(move || {
            for seen in other.iter() {
                assert_eq!(seen, began(7), "a rate was seen before its time");
            }
        });
        widened.note(began(7));
        thread.join().unwrap();
        assert_eq!(widened.iter().collect::<Vec<_>>(), [began(7)]);
    });
}

#[test]
fn in_use_is_never_negative() {
    Model::new("in_use_is_never_negative").check(|| {
        let sums = Arc::new(BucketSums::default());
        let other = Arc::clone(&sums);
        let thread = thread::spawn(move || {
            let seen = other.read();
            assert!(
                seen.inuse_objects <= seen.alloc_objects,
                "an object was freed before it was allocated"
            );
            assert!(
                seen.inuse_bytes <= seen.alloc_bytes,
                "bytes were freed before they were allocated"
            );
        });
        sums.open(&sample(8));
        sums.close(&sample(8));
        thread.join().unwrap();
    });
}
