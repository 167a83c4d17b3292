//! The door works: what passes through it is seen by loom, and a weakened ordering is caught.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `published_value_is_seen_whole` | door.publish, door.observe |
//! | `last_owner_sees_every_write` | door.drop, door.last |
//! | `a_flag_alone_needs_no_acquire` | none: door.planted is useless on purpose |
#![expect(
    unsafe_code,
    reason = "the protocols under test share cells between threads"
)]

use thrifty_sync::{
    UnsafeCell, acquire_after,
    atomic::{AtomicBool, AtomicUsize},
    model::Model,
    ord,
    sync::Arc,
    thread,
};

/// A value that one thread writes and another reads once a flag is up.
struct Published {
    ready: AtomicBool,
    value: UnsafeCell<u64>,
}

// SAFETY: `value` is written before `ready` is set and read only after it was seen set; the
// models below check that claim.
unsafe impl Sync for Published {}
// SAFETY: a plain number and a flag.
unsafe impl Send for Published {}

impl Published {
    fn publish(&self, value: u64) {
        // SAFETY: valid: the pointer is to our own field; exclusive: `ready` is still false.
        self.value.with_mut(|place| unsafe { *place = value });
        // ORDERING(door.publish): Release; pairs with door.observe, so that who sees the flag
        // sees the value.
        self.ready.store(true, ord!(door.publish, Release));
    }

    fn observe(&self) -> Option<u64> {
        // ORDERING(door.observe): Acquire; pairs with door.publish.
        if !self.ready.load(ord!(door.observe, Acquire)) {
            return None;
        }
        // SAFETY: valid: our own field; shared: it is never written after `ready` was set.
        Some(self.value.with(|place| unsafe { *place }))
    }
}

#[test]
fn published_value_is_seen_whole() {
    Model::new("published_value_is_seen_whole")
        .unbounded()
        .check(|| {
            let cell = Arc::new(Published {
                ready: AtomicBool::new(false),
                value: UnsafeCell::new(0),
            });
            let writer = Arc::clone(&cell);
            let thread = thread::spawn(move || writer.publish(7));
            if let Some(value) = cell.observe() {
                assert_eq!(value, 7, "the flag was up before the value was there");
            }
            thread.join().unwrap();
            assert_eq!(cell.observe(), Some(7));
        });
}

/// A value with two owners; the last one to leave reads what both wrote.
struct Counted {
    owners: AtomicUsize,
    notes: [UnsafeCell<u64>; 2],
}

// SAFETY: each owner writes its own note, and both are read by the last owner only.
unsafe impl Sync for Counted {}
// SAFETY: plain numbers.
unsafe impl Send for Counted {}

impl Counted {
    fn leave(&self, owner: usize) -> Option<u64> {
        // SAFETY: valid: our own field; exclusive: note `owner` belongs to this caller alone.
        self.notes[owner].with_mut(|note| unsafe { *note = 1 });
        // ORDERING(door.drop): Release; pairs with door.last.
        if self.owners.fetch_sub(1, ord!(door.drop, Release)) != 1 {
            return None;
        }
        // ORDERING(door.last): Acquire; pairs with door.drop, so that the last owner sees what
        // the others wrote.
        acquire_after!(door.last, self.owners);
        // SAFETY: valid: our own fields; shared: every owner has left.
        Some(
            self.notes
                .iter()
                .map(|note| note.with(|note| unsafe { *note }))
                .sum(),
        )
    }
}

#[test]
fn last_owner_sees_every_write() {
    Model::new("last_owner_sees_every_write")
        .unbounded()
        .check(|| {
            let value = Arc::new(Counted {
                owners: AtomicUsize::new(2),
                notes: [UnsafeCell::new(0), UnsafeCell::new(0)],
            });
            let other = Arc::clone(&value);
            let thread = thread::spawn(move || other.leave(1));
            let mine = value.leave(0);
            let theirs = thread.join().unwrap();
            assert!(
                mine.is_some() != theirs.is_some(),
                "exactly one owner is the last"
            );
            assert_eq!(
                mine.or(theirs),
                Some(2),
                "a write of another owner was not seen"
            );
        });
}

/// Nothing is read on the strength of this acquire, so no model misses it: `cargo xtask loom`
/// must report it as a survivor, or a report without survivors means nothing.
#[test]
fn a_flag_alone_needs_no_acquire() {
    Model::new("a_flag_alone_needs_no_acquire")
        .unbounded()
        .check(|| {
            let flag = Arc::new(AtomicBool::new(false));
            let other = Arc::clone(&flag);
            let thread = thread::spawn(move || {
                // ORDERING(door.raise): Relaxed; the flag is all that is exchanged.
                other.store(true, ord!(door.raise, Relaxed));
            });
            // ORDERING(door.planted): Acquire; pairs with door.raise in name only, which is the
            // point: this acquire is needless.
            let early = flag.load(ord!(door.planted, Acquire));
            thread.join().unwrap();
            // ORDERING(door.after): Relaxed; `join` has ordered it already.
            let late = flag.load(ord!(door.after, Relaxed));
            assert!(late, "seen early: {early}; and not after the join");
        });
}
