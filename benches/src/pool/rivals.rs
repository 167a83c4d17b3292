//! Pools of other crates, each with the settings that suit it best: room for all that a row has
//! live, filled beforehand where that can be done.
//!
//! Guards that borrow are the cheaper ones where a crate has both kinds; ours owns. `-owned` is
//! then the other kind. `zeropool` and `regex-automata` have borrowing guards only.

mod cached;
mod contended;
mod plural;

use core::ops::{Deref, DerefMut};

pub(super) use self::{
    cached::{
        Regex, RegexOwner, RegexStatic, Sharded, ShardedOwned, Zero, ZeroBuffers, ZeroStatic,
    },
    contended::{
        Linear, LinearOwned, Locked, ObjectPool, ObjectPoolOwned, OpoolBorrowed, OpoolOwned, Queue,
    },
    plural::Plural,
};

/// A guard that empties its vector before the pool gets it back, for pools that leave that to
/// their users.
pub(super) struct Cleared<G: DerefMut<Target = Vec<u8>>>(pub(super) G);

impl<G: DerefMut<Target = Vec<u8>>> Deref for Cleared<G> {
    type Target = Vec<u8>;

    #[inline]
    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl<G: DerefMut<Target = Vec<u8>>> DerefMut for Cleared<G> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl<G: DerefMut<Target = Vec<u8>>> Drop for Cleared<G> {
    #[inline]
    fn drop(&mut self) {
        self.0.clear();
    }
}
