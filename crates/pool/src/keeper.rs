//! What an engine keeps for its pool: the manager, and what decides about a return.

use std::borrow::Cow;

use crate::manage::{Manage, Verdict};

/// The manager of a pool with the pool's own settings; one per pool, inside its engine.
pub(crate) struct Keeper<M> {
    pub(crate) manager: M,
    /// Items that weigh more than their size and this are dropped on return. Without the size, so that
    /// there is nothing to compare, and nothing to load, where an item weighs its size alone.
    pub(crate) max_owned: usize,
    /// Whether an item that is dropped by a panic is recycled like others.
    pub(crate) recycles_on_unwind: bool,
    pub(crate) name: Cow<'static, str>,
}

impl<M: Manage> Keeper<M> {
    /// Cleans an item and says whether it may be cached.
    #[inline]
    pub(crate) fn receive(&self, item: &mut M::Item) -> Verdict {
        match self.manager.recycle(item) {
            Verdict::Keep => Verdict::keep_if(self.fits(item)),
            Verdict::Discard => Verdict::Discard,
        }
    }

    /// Whether an item is light enough to be cached.
    #[inline]
    pub(crate) fn fits(&self, item: &M::Item) -> bool {
        self.manager
            .weight(item)
            .saturating_sub(size_of::<M::Item>())
            <= self.max_owned
    }
}
