//! What an engine keeps for its pool: the manager, and what decides about a return.

use std::borrow::Cow;

use thrifty_magazine::Shared;

use crate::manage::{Manage, Verdict};

/// The manager of a pool with the pool's own settings; one per pool, inside its engine.
pub(crate) struct Keeper<M> {
    pub(crate) manager: M,
    /// Whether an item that is dropped by a panic is recycled like others.
    pub(crate) recycles_on_unwind: bool,
    pub(crate) name: Cow<'static, str>,
}

/// Cleans an item and says whether it may be cached.
#[inline]
pub(crate) fn receive<M: Manage>(engine: &Shared<Keeper<M>>, item: &mut M::Item) -> Verdict {
    match engine.supplier().manager.recycle(item) {
        Verdict::Keep => Verdict::keep_if(fits(engine, item)),
        Verdict::Discard => Verdict::Discard,
    }
}

/// Whether an item is light enough to be cached.
///
/// The engine's word is what an item may own: its limit without its size, so that there is nothing
/// to compare, and nothing to load, where an item weighs its size alone.
#[inline]
pub(crate) fn fits<M: Manage>(engine: &Shared<Keeper<M>>, item: &M::Item) -> bool {
    let weight = engine.supplier().manager.weight(item);
    weight.saturating_sub(size_of::<M::Item>()) <= engine.word()
}
