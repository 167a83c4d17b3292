//! The protocols of buffers between threads, each as a model named after what it proves.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `the_last_clone_returns_the_block_once` | pool.view_drop, pool.view_last |
//! | `an_only_view_sees_what_the_others_did` | pool.view_unique, pool.view_drop |
//! | `the_stealable_slot_gives_its_buffer_to_one` | pool.slot_put, pool.slot_take, pool.slot_steal |
//! | `the_stealable_slot_ages_without_losing_its_buffer` | pool.slot_expire, pool.slot_put |
//! | `the_stealable_slot_is_empty_once_closed` | pool.slot_close, pool.slot_put |
//! | `the_stealable_slot_that_appears_late_is_closed` | pool.gate_enter, pool.gate_shut |
//! | `the_stealable_slot_is_taken_over_with_what_is_in_it` | pool.slot_close |

use thrifty_sync::{
    UnsafeCell,
    atomic::{AtomicBool, AtomicUsize},
    model::Model,
    ord,
    sync::Arc,
    thread,
};

use super::{
    refs::Refs,
    slot::{Gate, Slot},
};

/// A buffer whose accesses loom sees, and how often it was given back.
struct Toy {
    refs: Refs,
    bytes: UnsafeCell<u32>,
    returns: AtomicUsize,
}

// SAFETY: `bytes` is written only by who owns the toy alone; the models check that claim.
unsafe impl Sync for Toy {}
// SAFETY: plain numbers.
unsafe impl Send for Toy {}

impl Toy {
    fn new() -> Self {
        Self {
            refs: Refs::new(),
            bytes: UnsafeCell::new(1),
            returns: AtomicUsize::new(0),
        }
    }

    fn read(&self) -> u32 {
        // SAFETY: valid: our own field; shared: the caller has a view, and views only read.
        self.bytes.with(|bytes| unsafe { *bytes })
    }

    fn write(&self, value: u32) {
        // SAFETY: valid: our own field; exclusive: the caller owns the toy alone.
        self.bytes.with_mut(|bytes| unsafe { *bytes = value });
    }

    fn give_back(&self) {
        self.write(0);
        // ORDERING(model.returns): Relaxed; a count that is read after the joins.
        self.returns.fetch_add(1, ord!(model.returns, Relaxed));
    }

    fn returns(&self) -> usize {
        self.returns.load(ord!(model.returns, Relaxed))
    }
}

/// The toy as a slot holds it.
fn pointer(toy: &Arc<Toy>) -> *mut Toy {
    Arc::as_ptr(toy).cast_mut()
}

/// Uses a toy that came out of a slot.
fn reuse(toy: *mut Toy) {
    // SAFETY: valid: each model holds an `Arc` of it until its threads are joined; shared: only
    // its cell is written to.
    let toy = unsafe { &*toy };
    assert_eq!(toy.read(), 2, "the contents came without their writes");
    toy.give_back();
}

#[test]
fn the_last_clone_returns_the_block_once() {
    Model::new("the_last_clone_returns_the_block_once")
        .preemption_bound(2)
        .check(|| {
            let toy = Arc::new(Toy::new());
            let drop_view = |toy: &Toy| {
                assert_eq!(toy.read(), 1, "the block was returned under a view");
                if toy.refs.remove() {
                    toy.give_back();
                }
            };
            toy.refs.add();
            toy.refs.add();
            let threads = [(); 2].map(|()| {
                let toy = Arc::clone(&toy);
                thread::spawn(move || drop_view(&toy))
            });
            drop_view(&toy);
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(toy.returns(), 1);
            assert!(
                toy.refs.is_unique(),
                "the count is not ready for the next lease"
            );
        });
}

#[test]
fn an_only_view_sees_what_the_others_did() {
    Model::new("an_only_view_sees_what_the_others_did").check(|| {
        let toy = Arc::new(Toy::new());
        toy.refs.add();
        let other = Arc::clone(&toy);
        let thread = thread::spawn(move || {
            assert_eq!(other.read(), 1, "the block was written to under a view");
            if other.refs.remove() {
                other.give_back();
            }
        });
        if toy.refs.is_unique() {
            toy.write(5);
            assert!(toy.refs.remove());
            toy.give_back();
        } else if toy.refs.remove() {
            toy.give_back();
        }
        thread.join().unwrap();
        assert_eq!(toy.returns(), 1);
    });
}

#[test]
fn the_stealable_slot_gives_its_buffer_to_one() {
    Model::new("the_stealable_slot_gives_its_buffer_to_one").check(|| {
        let (toy, slot) = (Arc::new(Toy::new()), Arc::new(Slot::new()));
        // The owner puts; a thread that gets the owner's number after it takes.
        let (t, s) = (Arc::clone(&toy), Arc::clone(&slot));
        let owner = thread::spawn(move || {
            t.write(2);
            assert!(s.put(pointer(&t)));
        });
        let s = Arc::clone(&slot);
        let thief = thread::spawn(move || s.steal().map(reuse).is_some());
        let taken = slot.take().map(reuse).is_some();
        owner.join().unwrap();
        let stolen = thief.join().unwrap();
        assert!(!(taken && stolen), "one buffer went to two");
        let left = slot.take().map(reuse).is_some();
        assert!(taken || stolen || left, "a buffer was lost");
        assert_eq!(toy.returns(), 1);
    });
}

#[test]
fn the_stealable_slot_ages_without_losing_its_buffer() {
    Model::new("the_stealable_slot_ages_without_losing_its_buffer").check(|| {
        let (toy, slot) = (Arc::new(Toy::new()), Arc::new(Slot::new()));
        let (t, s) = (Arc::clone(&toy), Arc::clone(&slot));
        let owner = thread::spawn(move || {
            t.write(2);
            assert!(s.put(pointer(&t)));
            s.take().map(reuse).is_some()
        });
        let first = slot.age().map(reuse).is_some();
        let second = slot.age().map(reuse).is_some();
        let taken = owner.join().unwrap();
        let left = slot.take().map(reuse).is_some();
        let found = [first, second, taken, left];
        assert_eq!(found.into_iter().filter(|it| *it).count(), 1);
        assert_eq!(toy.returns(), 1);
    });
}

#[test]
fn the_stealable_slot_is_empty_once_closed() {
    Model::new("the_stealable_slot_is_empty_once_closed").check(|| {
        let (toy, slot) = (Arc::new(Toy::new()), Arc::new(Slot::new()));
        let (t, s) = (Arc::clone(&toy), Arc::clone(&slot));
        let owner = thread::spawn(move || {
            t.write(2);
            if !s.put(pointer(&t)) {
                reuse(pointer(&t));
            }
        });
        let s = Arc::clone(&slot);
        let thief = thread::spawn(move || {
            let _ = s.steal().map(reuse);
        });
        let _ = slot.close().map(reuse);
        owner.join().unwrap();
        thief.join().unwrap();
        assert_eq!(toy.returns(), 1, "a buffer stayed behind in a closed slot");
        assert!(!slot.put(pointer(&toy)), "stealing opened the slot again");
    });
}

#[test]
fn the_stealable_slot_that_appears_late_is_closed() {
    Model::new("the_stealable_slot_that_appears_late_is_closed").check(|| {
        let toy = Arc::new(Toy::new());
        toy.write(2);
        let slot = Arc::new(Slot::new());
        let gate = Arc::new(Gate::new());
        // What `ThreadLocal` has for each of its values.
        let is_present = Arc::new(AtomicBool::new(false));
        let (t, s, g, p) = (
            Arc::clone(&toy),
            Arc::clone(&slot),
            Arc::clone(&gate),
            Arc::clone(&is_present),
        );
        let owner = thread::spawn(move || {
            // ORDERING(model.present): Relaxed; the slot was made before the threads.
            p.store(true, ord!(model.present, Relaxed));
            if !g.admits() {
                assert!(s.close().is_none());
            }
            if !s.put(pointer(&t)) {
                reuse(pointer(&t));
            }
        });
        gate.shut();
        if is_present.load(ord!(model.present, Relaxed)) {
            let _ = slot.close().map(reuse);
        }
        owner.join().unwrap();
        assert_eq!(toy.returns(), 1, "nobody drained the slot");
    });
}

#[test]
fn the_stealable_slot_is_taken_over_with_what_is_in_it() {
    Model::new("the_stealable_slot_is_taken_over_with_what_is_in_it").check(|| {
        let [left, toy] = [(); 2].map(|()| {
            let toy = Arc::new(Toy::new());
            toy.write(2);
            toy
        });
        let (slot, gate) = (Arc::new(Slot::new()), Arc::new(Gate::new()));
        // An ended thread has left a buffer in the slot that a new one gets with its number.
        assert!(slot.put(pointer(&left)));
        let (t, s, g) = (Arc::clone(&toy), Arc::clone(&slot), Arc::clone(&gate));
        let owner = thread::spawn(move || {
            if !g.admits() {
                let _ = s.close().map(reuse);
            }
            if !s.put(pointer(&t)) {
                reuse(pointer(&t));
            }
        });
        gate.shut();
        let _ = slot.close().map(reuse);
        owner.join().unwrap();
        assert_eq!((left.returns(), toy.returns()), (1, 1));
    });
}
