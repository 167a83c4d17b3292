//! How many views there are of a frozen buffer.
//!
//! The count lives in the block's header, so freezing allocates nothing. It is 1 also while the block
//! is idle or has an owner who writes, so freezing does not even touch it.

#![forbid(unsafe_code)]

use thrifty_sync::{acquire_after, atomic::AtomicUsize, ord};

/// From here on the count has overflowed: it stays, and the block is leaked.
const PINNED: usize = 1 << (usize::BITS - 1);
/// Where an overflowed count is put back to: so far from either end of its half that all threads
/// of a process in between two steps of theirs cannot move it out.
const PIN: usize = PINNED + (PINNED >> 1);

/// A count of views. The last one to go is told so.
#[derive(Debug)]
pub(crate) struct Refs(AtomicUsize);

impl Refs {
    /// One view, or one owner.
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(1))
    }

    /// A count that stands somewhere, to see it overflow.
    #[cfg(test)]
    fn at(count: usize) -> Self {
        Self(AtomicUsize::new(count))
    }

    /// One more view, made from one that is there.
    #[inline]
    pub(crate) fn add(&self) {
        // ORDERING(pool.view_add): Relaxed; who clones has a view, which carries all there is to
        // see; what the new one sees is ordered by the way it gets to its thread.
        if self.0.fetch_add(1, ord!(pool.view_add, Relaxed)) >= PINNED - 1 {
            self.pin_slow();
        }
    }

    /// One view less. Whether it was the last: the caller then owns the block alone, and sees
    /// everything that other views were used for.
    #[inline]
    #[must_use]
    pub(crate) fn remove(&self) -> bool {
        // A view that is the only one needs no locked instruction: no other thread can make a
        // second one, since it would make it from this one.
        self.is_unique() || self.remove_shared_slow()
    }

    /// One view less of several: out of line, as there is one of these in each place where views
    /// are dropped, and the locked instruction costs more than the call.
    #[cold]
    #[inline(never)]
    fn remove_shared_slow(&self) -> bool {
        // ORDERING(pool.view_drop): Release; pairs with pool.view_last and pool.view_unique, so
        // that the reads of this view are over before the block is written to again.
        let before = self.0.fetch_sub(1, ord!(pool.view_drop, Release));
        if before == 1 {
            // ORDERING(pool.view_last): Acquire; pairs with pool.view_drop of all other views.
            acquire_after!(pool.view_last, self.0);
            // ORDERING(pool.view_rest): Relaxed; the caller owns the block alone from here on.
            self.0.store(1, ord!(pool.view_rest, Relaxed));
            return true;
        }
        if before >= PINNED {
            self.pin_slow();
        }
        false
    }

    /// Whether there is no other view, by the owner of one.
    #[inline]
    pub(crate) fn is_unique(&self) -> bool {
        // ORDERING(pool.view_unique): Acquire; pairs with pool.view_drop: the 1 read here is the
        // work of the last of the others to go, or of a release sequence headed by each of them.
        self.0.load(ord!(pool.view_unique, Acquire)) == 1
    }

    /// An overflowed count stays overflowed, so the block is never returned: a leak, where the
    /// alternatives are a use after free and an abort.
    #[cold]
    fn pin_slow(&self) {
        // ORDERING(pool.view_pin): Relaxed; nobody frees the block any more, so nothing is ordered.
        self.0.store(PIN, ord!(pool.view_pin, Relaxed));
    }
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use thrifty_sync::atomic::Exclusive;

    use super::{PIN, PINNED, Refs};

    #[test]
    fn the_last_view_is_told_so() {
        let refs = Refs::new();
        refs.add();
        refs.add();
        assert_eq!(
            [refs.remove(), refs.remove(), refs.remove()],
            [false, false, true]
        );
        assert!(
            refs.is_unique(),
            "the count is not ready for the next lease"
        );
    }

    #[test]
    fn the_count_is_ready_again_also_after_two_views_raced_to_be_the_last() {
        let refs = Refs::new();
        assert!(
            refs.remove_shared_slow(),
            "as if the other was seen and then went first"
        );
        assert!(refs.is_unique());
    }

    #[test]
    fn an_overflowed_count_never_comes_down() {
        let mut refs = Refs::at(PINNED - 1);
        refs.add();
        assert_eq!(refs.0.read_mut(), PIN);
        for _ in 0..3 {
            assert!(!refs.remove());
            assert!(!refs.is_unique());
        }
        refs.add();
        assert_eq!(refs.0.read_mut(), PIN);
    }
}
