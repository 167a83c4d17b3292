//! How long an engine lives: three counts.
//!
//! ```text
//! handles ──> one strong count for all of them ┐
//! rounds outside the depot, one each ──────────┴> strong ──> one weak count for all of them ┐
//! weak handles, seats of threads, one each ─────────────────────────────────────────────────┴> weak
//! ```
//!
//! A round that is lent or lies in a cache carries one strong count, its *lease*. It moves with
//! the round and costs nothing on a hit; the shared number changes once per magazine. Rounds in
//! the depot have none: they are destroyed with the engine.
//!
//! `handles` at 0 closes the engine, `strong` at 0 drops the supplier and what the depot holds,
//! `weak` at 0 frees the memory.

use thrifty_sync::{acquire_after, atomic::AtomicUsize, ord};

/// More handles, weak handles or unused permits than this exist only if somebody forgets them in a
/// loop. Half of what fits is left for rounds, of which memory limits the number.
const MOST: usize = usize::MAX / 2;

/// The counts.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Leases {
    handles: AtomicUsize,
    strong: AtomicUsize,
    weak: AtomicUsize,
}

impl Leases {
    /// One handle.
    pub(crate) fn new() -> Self {
        Self {
            handles: AtomicUsize::new(1),
            strong: AtomicUsize::new(1),
            weak: AtomicUsize::new(1),
        }
    }

    /// Another handle, made from a living one.
    ///
    /// # Panics
    ///
    /// When there are too many; then none is added.
    pub(crate) fn add_handle(&self) {
        add_checked(&self.handles, 1);
    }

    /// Another handle, if there still is one.
    pub(crate) fn upgrade(&self) -> bool {
        let upgraded = self.handles.fetch_update(
            // ORDERING(leases.add): Relaxed; the count is above zero, so its strong count stands
            // until this handle is dropped as well. What the new handle reads was there when the
            // weak handle was made.
            ord!(leases.add, Relaxed),
            ord!(leases.add, Relaxed),
            |handles| (handles > 0 && handles < MOST).then(|| handles + 1),
        );
        upgraded.is_ok()
    }

    /// Drops a handle; true for the last one, which closes the engine and then releases a lease.
    pub(crate) fn drop_handle(&self) -> bool {
        // ORDERING(leases.drop_handle): Release; pairs with leases.last_handle.
        if self.handles.fetch_sub(1, ord!(leases.drop_handle, Release)) != 1 {
            return false;
        }
        // ORDERING(leases.last_handle): Acquire; pairs with leases.drop_handle. What was done
        // through the other handles happened before the end of the lease that they had in common.
        acquire_after!(leases.last_handle, self.handles);
        true
    }

    /// More leases, for rounds that are to be made.
    ///
    /// # Panics
    ///
    /// When there are too many; then none is added.
    pub(crate) fn add_new(&self, rounds: usize) {
        add_checked(&self.strong, rounds);
    }

    /// More leases, for rounds that leave the depot.
    pub(crate) fn add(&self, rounds: usize) {
        // ORDERING(leases.add): Relaxed; whoever adds already has a count that keeps all alive.
        self.strong.fetch_add(rounds, ord!(leases.add, Relaxed));
    }

    /// Ends leases; true if they were the last ones.
    pub(crate) fn release(&self, rounds: usize) -> bool {
        // ORDERING(leases.release): Release; pairs with leases.last.
        if self.strong.fetch_sub(rounds, ord!(leases.release, Release)) != rounds {
            return false;
        }
        // ORDERING(leases.last): Acquire; pairs with leases.release: whatever was done under a
        // lease happened before the supplier is dropped.
        acquire_after!(leases.last, self.strong);
        true
    }

    /// Another weak count.
    ///
    /// # Panics
    ///
    /// When there are too many; then none is added.
    pub(crate) fn add_weak(&self) {
        add_checked(&self.weak, 1);
    }

    /// Ends a weak count; true for the last one, after which nobody may touch the memory.
    pub(crate) fn release_weak(&self) -> bool {
        // ORDERING(leases.release_weak): Release; pairs with leases.last_weak.
        if self.weak.fetch_sub(1, ord!(leases.release_weak, Release)) != 1 {
            return false;
        }
        // ORDERING(leases.last_weak): Acquire; pairs with leases.release_weak: every other use of
        // the memory happened before it is freed.
        acquire_after!(leases.last_weak, self.weak);
        true
    }
}

fn add_checked(count: &AtomicUsize, more: usize) {
    // ORDERING(leases.add): Relaxed; whoever adds already has a count that keeps all alive.
    let before = count.fetch_add(more, ord!(leases.add, Relaxed));
    if before > MOST {
        too_many_cold(count, more);
    }
}

/// As many threads as there are could stand here at once, and the count would still not wrap.
#[cold]
fn too_many_cold(count: &AtomicUsize, more: usize) -> ! {
    // ORDERING(leases.add): Relaxed; see `add_checked`.
    count.fetch_sub(more, ord!(leases.add, Relaxed));
    panic!("more handles or permits than can be counted: are they forgotten in a loop?");
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_is_full_refuses_and_stays() {
        let leases = Leases {
            handles: AtomicUsize::new(MOST + 1),
            strong: AtomicUsize::new(1),
            weak: AtomicUsize::new(1),
        };
        assert!(thrifty_testkit::quietly(|| leases.add_handle()).is_err());
        assert!(!leases.upgrade());
        assert!(!leases.drop_handle());
        assert_eq!(leases.handles.into_inner(), MOST);
    }
}
