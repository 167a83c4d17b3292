//! The protocols between threads, each as a model named after what it proves.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `a_slot_passes_on_with_its_counts` | memstats.claim, memstats.release |
//! | `live_bytes_are_never_negative` | memstats.freed_bytes, memstats.frees, memstats.sum_freed_bytes, memstats.sum_frees |
//! | `live_bytes_are_never_negative_through_a_shard` | memstats.shared_freed_bytes, memstats.shared_frees |
//! | `a_peak_is_never_above_the_truth` | memstats.allocated, memstats.between |
//! | `a_peak_is_never_above_the_truth_of_a_shard` | memstats.shared_allocated |
//! | `the_slow_path_keeps_both_bounds` | memstats.slow_allocated, memstats.slow_freed_bytes, memstats.slow_frees |
//! | `a_resize_is_never_seen_as_two_blocks` | memstats.grown, memstats.shrunk |
//! | `a_kick_is_never_lost` | memstats.armed, memstats.kicked |
//! | `a_new_rate_is_never_overslept` | memstats.armed, memstats.kicked |
//! | `a_late_scan_raises_no_newer_mark` | (the packed word) |

#[cfg(feature = "limit")]
mod limit;

use thrifty_sync::{atomic::AtomicBool, hint, model::Model, ord, sync::Arc, thread};

use crate::{
    counts::Counts,
    registry::{Due, FINE_INTERVAL_BYTES, Registry},
    slot::Slot,
    watermark::Watermarks,
};

/// A block on its way from the thread that allocated it to the one that frees it.
#[derive(Default)]
struct Channel(AtomicBool);

impl Channel {
    fn send(&self) {
        // ORDERING(model.send): Release; pairs with model.receive, like any way to pass a block.
        self.0.store(true, ord!(model.send, Release));
    }

    fn receive(&self) {
        // ORDERING(model.receive): Acquire; pairs with model.send.
        while !self.0.load(ord!(model.receive, Acquire)) {
            hint::spin_loop();
        }
    }
}

#[test]
fn a_slot_passes_on_with_its_counts() {
    Model::new("a_slot_passes_on_with_its_counts").check(|| {
        let registry = Arc::new(Registry::<1, 1>::new());
        let work = |registry: &Registry<1, 1>| {
            let slot = registry.claim();
            match slot {
                Some(slot) => slot.count(Counts::alloc(8)),
                None => registry.shard(0).count_shared(Counts::alloc(8)),
            }
            if let Some(slot) = slot {
                slot.release();
            }
        };
        let other = Arc::clone(&registry);
        let thread = thread::spawn(move || work(&other));
        work(&registry);
        thread.join().unwrap();
        assert_eq!(
            registry.read(),
            Counts::alloc(8).plus(Counts::alloc(8)),
            "a count was lost"
        );
    });
}

#[test]
fn live_bytes_are_never_negative() {
    Model::new("live_bytes_are_never_negative")
        .preemption_bound(2)
        .check(|| {
            let registry = Arc::new(Registry::<2, 1>::new());
            let channel = Arc::new(Channel::default());
            let (r, c) = (Arc::clone(&registry), Arc::clone(&channel));
            let producer = thread::spawn(move || {
                let slot = r.claim().unwrap();
                slot.arm(1000);
                assert!(slot.try_count_alloc(8));
                c.send();
            });
            let r = Arc::clone(&registry);
            let consumer = thread::spawn(move || {
                channel.receive();
                let slot = r.claim().unwrap();
                slot.arm(1000);
                assert!(slot.try_count_free(8));
            });
            let scan = registry.scan();
            let seen = scan.allocated.plus(scan.freed_before);
            assert!(
                seen.live_bytes() >= 0,
                "a free was seen before its allocation"
            );
            assert!(
                seen.live_blocks() >= 0,
                "a freed block was seen before it was allocated"
            );
            producer.join().unwrap();
            consumer.join().unwrap();
            assert_eq!(registry.read(), Counts::alloc(8).plus(Counts::free(8)));
        });
}

#[test]
fn live_bytes_are_never_negative_through_a_shard() {
    Model::new("live_bytes_are_never_negative_through_a_shard").check(|| {
        let registry = Arc::new(Registry::<1, 1>::new());
        let other = Arc::clone(&registry);
        let thread = thread::spawn(move || {
            let slot = other.claim().unwrap();
            slot.arm(1000);
            assert!(slot.try_count_alloc(8));
            other.shard(0).count_shared(Counts::free(8));
        });
        let scan = registry.scan();
        let seen = scan.allocated.plus(scan.freed_before);
        assert!(
            seen.live_bytes() >= 0,
            "a free was seen before its allocation"
        );
        assert!(
            seen.live_blocks() >= 0,
            "a freed block was seen before it was allocated"
        );
        thread.join().unwrap();
    });
}

#[test]
fn a_peak_is_never_above_the_truth() {
    Model::new("a_peak_is_never_above_the_truth").check(|| {
        let registry = Arc::new(Registry::<1, 1>::new());
        let other = Arc::clone(&registry);
        let thread = thread::spawn(move || {
            let slot = other.claim().unwrap();
            slot.arm(1000);
            assert!(slot.try_count_alloc(16));
            assert!(slot.try_count_free(16));
            assert!(slot.try_count_alloc(16));
        });
        registry.observe();
        assert!(
            registry.peak_bytes() <= 16,
            "two blocks were never live at once"
        );
        thread.join().unwrap();
        registry.observe();
        assert_eq!(registry.peak_bytes(), 16);
    });
}

#[test]
fn a_peak_is_never_above_the_truth_of_a_shard() {
    Model::new("a_peak_is_never_above_the_truth_of_a_shard")
        .preemption_bound(2)
        .check(|| {
            let registry = Arc::new(Registry::<1, 1>::new());
            let other = Arc::clone(&registry);
            let thread = thread::spawn(move || {
                let shard = other.shard(0);
                shard.count_shared(Counts::alloc(16));
                shard.count_shared(Counts::free(16));
                shard.count_shared(Counts::alloc(16));
            });
            registry.observe();
            assert!(
                registry.peak_bytes() <= 16,
                "two blocks were never live at once"
            );
            thread.join().unwrap();
        });
}

#[test]
fn the_slow_path_keeps_both_bounds() {
    Model::new("the_slow_path_keeps_both_bounds")
        .preemption_bound(2)
        .check(|| {
            let registry = Arc::new(Registry::<1, 1>::new());
            let other = Arc::clone(&registry);
            let thread = thread::spawn(move || {
                let slot = other.claim().unwrap();
                slot.count(Counts::alloc(16));
                slot.count(Counts::free(16));
                slot.count(Counts::alloc(16));
            });
            let scan = registry.scan();
            let seen = scan.allocated.plus(scan.freed_before);
            assert!(
                seen.live_bytes() >= 0,
                "a free was seen before its allocation"
            );
            assert!(
                seen.live_blocks() >= 0,
                "a freed block was seen before it was allocated"
            );
            assert!(
                registry.peak_bytes() <= 16,
                "two blocks were never live at once"
            );
            thread.join().unwrap();
        });
}

#[test]
fn a_resize_is_never_seen_as_two_blocks() {
    Model::new("a_resize_is_never_seen_as_two_blocks").check(|| {
        let registry = Arc::new(Registry::<1, 1>::new());
        let other = Arc::clone(&registry);
        let thread = thread::spawn(move || {
            let slot = other.claim().unwrap();
            slot.arm(1000);
            assert!(slot.try_count_alloc(16));
            assert!(slot.try_count_realloc(Counts::realloc(16, 8, 0)));
            assert!(slot.try_count_realloc(Counts::realloc(8, 24, 0)));
        });
        let scan = registry.scan();
        let seen = scan.allocated.plus(scan.freed_before);
        assert!(
            seen.live_bytes() >= 0,
            "a block shrank before it was allocated"
        );
        assert!(
            registry.peak_bytes() <= 24,
            "the old and the new size were never live at once"
        );
        thread.join().unwrap();
        let end = registry.read();
        assert_eq!(
            (
                end.live_bytes(),
                end.requested_bytes(),
                end.returned_bytes()
            ),
            (24, 48, 24)
        );
    });
}

#[test]
fn a_kick_is_never_lost() {
    Model::new("a_kick_is_never_lost").check(|| {
        let registry = Arc::new(Registry::<1, 1>::new());
        let other = Arc::clone(&registry);
        let thread = thread::spawn(move || {
            let slot = other.claim().unwrap();
            other.arm(slot, 0, Due::NEVER);
        });
        let scope = registry.open();
        thread.join().unwrap();
        let slot: &Slot = registry.slot(0);
        assert!(
            !slot.try_count_alloc(FINE_INTERVAL_BYTES),
            "a thread overslept the opening of a process scope"
        );
        registry.end(&scope);
    });
}

#[test]
fn a_new_rate_is_never_overslept() {
    Model::new("a_new_rate_is_never_overslept").check(|| {
        let registry = Arc::new(Registry::<1, 1>::new());
        let other = Arc::clone(&registry);
        let thread = thread::spawn(move || {
            let slot = other.claim().unwrap();
            other.arm(slot, 0, Due::NEVER);
        });
        registry.set_rate_bytes(512);
        thread.join().unwrap();
        assert!(
            !registry.slot(0).try_count_alloc(8),
            "a thread overslept the start of sampling"
        );
    });
}

#[test]
fn a_late_scan_raises_no_newer_mark() {
    Model::new("a_late_scan_raises_no_newer_mark")
        .unbounded()
        .check(|| {
            let marks = Arc::new(Watermarks::<1>::new());
            let old = marks.claim(16).unwrap();
            let seen = marks.see();
            let scanner = Arc::clone(&marks);
            let thread = thread::spawn(move || scanner.raise(seen, 1 << 20));
            marks.release(old);
            let new = marks.claim(32).unwrap();
            assert_eq!(
                marks.read(new),
                32,
                "the mark of a closed scope went to another"
            );
            thread.join().unwrap();
            assert_eq!(
                marks.read(new),
                32,
                "the mark of a closed scope went to another"
            );
        });
}
