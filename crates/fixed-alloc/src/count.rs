//! How many owners something has: the last one to go may end it.

use thrifty_sync::{acquire_after, atomic::AtomicUsize, ord};

/// More owners than this are refused; so many more can ask at the same time before it wraps.
const MOST: usize = usize::MAX / 2;

/// A count of owners.
pub(crate) struct Count(AtomicUsize);

impl Count {
    /// One owner.
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(1))
    }

    /// One more.
    ///
    /// # Panics
    ///
    /// When there are too many; then there is none more.
    #[inline]
    pub(crate) fn add(&self) {
        // ORDERING(count.add): Relaxed; who adds owns already, which keeps all alive.
        if self.0.fetch_add(1, ord!(count.add, Relaxed)) > MOST {
            self.too_many_cold();
        }
    }

    /// One fewer; true for the last one, which may then end what is owned.
    #[inline]
    pub(crate) fn remove(&self) -> bool {
        // ORDERING(count.remove): Release; pairs with count.last.
        if self.0.fetch_sub(1, ord!(count.remove, Release)) != 1 {
            return false;
        }
        // ORDERING(count.last): Acquire; pairs with count.remove: what other owners did with it
        // happened before its end.
        acquire_after!(count.last, self.0);
        true
    }

    /// Whether the caller is the only owner. What others did before they left has happened then.
    #[inline]
    pub(crate) fn is_only(&self) -> bool {
        // ORDERING(count.only): Acquire; pairs with count.remove, as for the last one.
        self.0.load(ord!(count.only, Acquire)) == 1
    }

    /// How many there are at the moment.
    pub(crate) fn get(&self) -> usize {
        // ORDERING(count.get): Relaxed; a number to look at.
        self.0.load(ord!(count.get, Relaxed))
    }

    #[cold]
    fn too_many_cold(&self) -> ! {
        // ORDERING(count.add): Relaxed; as above, the owner that there is not.
        self.0.fetch_sub(1, ord!(count.add, Relaxed));
        panic!("more owners than half of all numbers");
    }
}

#[cfg(test)]
mod models {
    //! | model | orderings it covers |
    //! |---|---|
    //! | `the_last_owner_sees_what_the_others_did` | `count.remove`, `count.last` |
    //! | `an_only_owner_sees_what_the_others_did` | `count.remove`, `count.only` |

    use thrifty_sync::{UnsafeCell, model::Model, sync::Arc, thread};

    use super::*;

    struct Shared {
        count: Count,
        value: UnsafeCell<u32>,
    }

    // SAFETY: the cell is read by owners, and written by who is the last or the only one.
    unsafe impl Sync for Shared {}
    // SAFETY: a number.
    unsafe impl Send for Shared {}

    fn two_owners() -> (Arc<Shared>, thread::JoinHandle<bool>) {
        let shared = Arc::new(Shared {
            count: Count::new(),
            value: UnsafeCell::new(7),
        });
        shared.count.add();
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || leave(&other));
        (shared, thread)
    }

    /// Reads, and ends the value if it was the last to read it.
    fn leave(shared: &Shared) -> bool {
        // SAFETY: valid and shared: an owner.
        shared.value.with(|value| assert_eq!(unsafe { *value }, 7));
        let last = shared.count.remove();
        if last {
            // SAFETY: valid and exclusive: the last owner.
            shared.value.with_mut(|value| unsafe { *value = 0 });
        }
        last
    }

    #[test]
    fn the_last_owner_sees_what_the_others_did() {
        Model::new("the_last_owner_sees_what_the_others_did")
            .unbounded()
            .check(|| {
                let (shared, thread) = two_owners();
                let here = leave(&shared);
                let there = thread.join().expect("no panic");
                assert!(here != there, "one of them is the last");
            });
    }

    #[test]
    fn an_only_owner_sees_what_the_others_did() {
        Model::new("an_only_owner_sees_what_the_others_did")
            .unbounded()
            .check(|| {
                let (shared, thread) = two_owners();
                if shared.count.is_only() {
                    // SAFETY: valid and exclusive: the only owner.
                    shared.value.with_mut(|value| unsafe { *value = 8 });
                }
                let last = thread.join().expect("no panic");
                assert!(!last && shared.count.get() == 1);
            });
    }
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use core::panic::AssertUnwindSafe;

    use thrifty_testkit::quietly;

    use super::*;

    #[test]
    fn too_many_owners_are_refused() {
        let count = AssertUnwindSafe(Count(AtomicUsize::new(MOST + 1)));
        assert!(quietly(|| count.add()).is_err());
        assert_eq!(count.get(), MOST + 1);
    }
}
