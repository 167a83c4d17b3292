//! The protocols of the limit, each as a model named after what it proves.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `a_trigger_that_is_set_is_not_overlooked` | memstats.counted, memstats.watching |
//! | `a_silent_bell_is_heard_by_the_next_look` | memstats.ring, memstats.listen |
//! | `many_threads_wake_the_controller_once` | (the swap) |
//! | `a_reclaimer_is_dropped_once_and_not_called_after` | (the lock) |
//! | `an_interval_that_is_set_is_not_overslept` | memstats.armed, memstats.kicked |

use thrifty_sync::{
    atomic::{AtomicBool, AtomicUsize},
    model::Model,
    ord,
    sync::Arc,
    thread,
};

use crate::{
    alarm::Alarm,
    counts::Counts,
    registry::{Due, FINE_INTERVAL_BYTES, Registry},
    seat::Seat,
};

/// The sum that the controller takes.
fn live(registry: &Registry<1, 1>) -> u64 {
    u64::try_from(registry.read().live_bytes()).unwrap()
}

#[test]
fn a_trigger_that_is_set_is_not_overlooked() {
    Model::new("a_trigger_that_is_set_is_not_overlooked").check(|| {
        let shared = Arc::new((
            Registry::<1, 1>::new(),
            Alarm::new(),
            AtomicBool::new(false),
        ));
        let other = Arc::clone(&shared);
        let allocating = thread::spawn(move || {
            let (registry, alarm, heard) = &*other;
            registry.shard(0).count_shared(Counts::alloc(100));
            if alarm.is_crossed(|| 100) {
                // ORDERING(model.heard): Relaxed; read after the thread is joined.
                heard.store(true, ord!(model.heard, Relaxed));
            }
        });
        let (registry, alarm, heard) = &*shared;
        alarm.set_trigger(Some(50));
        let seen = live(registry) >= 50;
        allocating.join().unwrap();
        assert!(
            seen || heard.load(ord!(model.heard, Relaxed)),
            "neither saw the other: the limit is crossed and nobody knows"
        );
    });
}

#[test]
fn a_silent_bell_is_heard_by_the_next_look() {
    Model::new("a_silent_bell_is_heard_by_the_next_look").check(|| {
        // Rung before, as it is while the controller is at work.
        let shared = Arc::new((
            Registry::<1, 1>::new(),
            Alarm::new(),
            AtomicBool::new(false),
        ));
        let other = Arc::clone(&shared);
        let allocating = thread::spawn(move || {
            let (registry, alarm, unparks) = &*other;
            registry.shard(0).count_shared(Counts::alloc(100));
            if alarm.ring() {
                // ORDERING(model.unparks): Relaxed; read after the thread is joined.
                unparks.store(true, ord!(model.unparks, Relaxed));
            }
        });
        let (registry, alarm, unparks) = &*shared;
        alarm.listen();
        let seen = live(registry) >= 50;
        allocating.join().unwrap();
        assert!(
            seen || unparks.load(ord!(model.unparks, Relaxed)),
            "the controller parks, and nobody will wake it"
        );
    });
}

#[test]
fn many_threads_wake_the_controller_once() {
    Model::new("many_threads_wake_the_controller_once").check(|| {
        let shared = Arc::new((Alarm::new(), AtomicUsize::new(0)));
        shared.0.listen();
        let ring = |shared: &(Alarm, AtomicUsize)| {
            if shared.0.ring() {
                // ORDERING(model.wakes): Relaxed; a count, read after the threads are joined.
                shared.1.fetch_add(1, ord!(model.wakes, Relaxed));
            }
        };
        let threads = [0; 2].map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || ring(&shared))
        });
        ring(&shared);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(
            shared.1.load(ord!(model.wakes, Relaxed)),
            1,
            "a storm of wake-ups, or none"
        );
    });
}

/// A reclaimer that knows whether it was dropped.
struct Thing {
    calls: AtomicUsize,
    drops: Arc<AtomicUsize>,
}

impl Drop for Thing {
    fn drop(&mut self) {
        // ORDERING(model.drops): Relaxed; a count, read after the threads are joined.
        self.drops.fetch_add(1, ord!(model.drops, Relaxed));
    }
}

#[test]
fn a_reclaimer_is_dropped_once_and_not_called_after() {
    Model::new("a_reclaimer_is_dropped_once_and_not_called_after").check(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let thing = Thing {
            calls: AtomicUsize::new(0),
            drops: Arc::clone(&drops),
        };
        let seat = Arc::new(Seat::new(Arc::new(thing)));
        let asked = Arc::clone(&seat);
        let cycle = thread::spawn(move || {
            for _ in 0..2 {
                let Some(thing) = asked.begin() else { return };
                // ORDERING(model.calls): Relaxed; a step of the reclaimer.
                thing.calls.fetch_add(1, ord!(model.calls, Relaxed));
                drop(thing);
                asked.end();
            }
        });
        drop(seat.leave());
        assert!(seat.begin().is_none(), "called after it was unregistered");
        cycle.join().unwrap();
        assert_eq!(drops.load(ord!(model.drops, Relaxed)), 1);
    });
}

#[test]
fn an_interval_that_is_set_is_not_overslept() {
    Model::new("an_interval_that_is_set_is_not_overslept").check(|| {
        let registry = Arc::new(Registry::<1, 1>::new());
        let other = Arc::clone(&registry);
        let thread = thread::spawn(move || {
            let slot = other.claim().unwrap();
            other.arm(slot, 0, Due::NEVER);
        });
        registry.look_every(FINE_INTERVAL_BYTES);
        thread.join().unwrap();
        assert!(
            !registry.slot(0).try_count_alloc(FINE_INTERVAL_BYTES),
            "a thread does not look as often as it should"
        );
    });
}
