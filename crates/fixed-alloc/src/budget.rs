//! A limit in bytes that several slab layers have in common.

use core::fmt;

use thrifty_sync::{atomic::AtomicUsize, ord};
use thrifty_traits::AllocError;

use crate::counted::Counted;

/// A share in a limit; without one there is no limit.
#[derive(Clone, Default)]
pub(crate) struct Budget(Option<Counted<Left>>);

struct Left {
    limit: usize,
    /// More than `limit` after an [`overdraw`](Budget::overdraw).
    taken: AtomicUsize,
}

impl Budget {
    /// A limit to share.
    pub(crate) fn try_new(bytes: usize) -> Result<Self, AllocError> {
        let left = Left {
            limit: bytes,
            taken: AtomicUsize::new(0),
        };
        Ok(Self(Some(Counted::try_new(left)?)))
    }

    /// Without a limit.
    pub(crate) const fn unlimited() -> Self {
        Self(None)
    }

    /// Takes so many bytes, if they are left.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let Some(left) = &self.0 else {
            return true;
        };
        // ORDERING(budget.left): Relaxed; the number is all there is to it: nothing is read on the
        // strength of it, and each change is one step.
        let (set, fetch) = (ord!(budget.left, Relaxed), ord!(budget.left, Relaxed));
        let more = |taken: usize| taken.checked_add(bytes).filter(|&all| all <= left.limit);
        left.taken.fetch_update(set, fetch, more).is_ok()
    }

    /// Takes so many bytes, be they left or not.
    pub(crate) fn overdraw(&self, bytes: usize) {
        if let Some(left) = &self.0 {
            // ORDERING(budget.left): Relaxed; see `take`.
            left.taken.fetch_add(bytes, ord!(budget.left, Relaxed));
        }
    }

    /// Gives so many bytes back.
    pub(crate) fn give(&self, bytes: usize) {
        if let Some(left) = &self.0 {
            // ORDERING(budget.left): Relaxed; see `take`.
            left.taken.fetch_sub(bytes, ord!(budget.left, Relaxed));
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDERING(budget.left): Relaxed; a number to look at.
        let taken = |left: &Counted<Left>| left.taken.load(ord!(budget.left, Relaxed));
        f.debug_tuple("Budget")
            .field(&self.0.as_ref().map(taken))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_met_exactly() {
        let budget = Budget::try_new(10).expect("there is memory");
        let other = budget.clone();
        assert!(budget.take(6) && !other.take(5) && other.take(4) && !budget.take(1));
        other.give(6);
        assert!(budget.take(6));
        other.overdraw(5);
        other.give(4);
        assert!(!budget.take(1), "one too many is still out");
        other.give(2);
        assert!(budget.take(1) && !budget.take(1));
        assert!(Budget::unlimited().take(usize::MAX));
    }
}
