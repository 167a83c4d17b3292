//! What the subjects of the pool rows have in common: they give something out, and dropping it
//! puts it back.

use core::ops::DerefMut;

/// Gives things out. Dropping one puts it back, empty.
pub(super) trait Keep: Sync + 'static {
    /// What it gives out; it may borrow the keep.
    type Guard<'a>: DerefMut<Target: Held>;

    /// One of them, empty.
    fn get(&self) -> Self::Guard<'_>;

    /// How many it has made since it was itself made, if it can tell.
    fn created(&self) -> Option<u64> {
        None
    }

    /// A unit of time passes; for those that give memory back by and by.
    fn tick(&self) {}
}

/// Gives things out that do not borrow it, so that they can go to another thread.
pub(super) trait Own: Sync + 'static {
    /// What it gives out.
    type Item: DerefMut<Target: Held> + Send + 'static;

    /// One of them, empty.
    fn own(&self) -> Self::Item;

    /// As [`Keep::created`].
    fn created(&self) -> Option<u64> {
        None
    }

    /// As [`Keep::tick`].
    fn tick(&self) {}
}

/// Who owns what it gives out is a keep like the others.
impl<O: Own> Keep for O {
    type Guard<'a> = O::Item;

    #[inline]
    fn get(&self) -> O::Item {
        self.own()
    }

    fn created(&self) -> Option<u64> {
        Own::created(self)
    }

    fn tick(&self) {
        Own::tick(self);
    }
}

/// What can be given out: room for [`ROOM`] bytes, of which the rows use eight.
pub(super) trait Held {
    /// Writes a number into what is empty.
    fn mark(&mut self, number: u64);

    /// The number, if nothing else was ever put in since it was empty.
    fn marked(&self) -> u64;
}

/// The capacity of what is pooled.
pub(super) const ROOM: usize = 1 << 10;

/// What the pools make.
pub(super) fn fresh() -> Vec<u8> {
    Vec::with_capacity(ROOM)
}

impl Held for Vec<u8> {
    #[inline]
    fn mark(&mut self, number: u64) {
        self.extend_from_slice(&number.to_le_bytes());
    }

    /// A vector that did not come back empty is longer.
    #[inline]
    fn marked(&self) -> u64 {
        <[u8; 8]>::try_from(self.as_slice()).map_or(!0, u64::from_le_bytes)
    }
}

/// Answers 1 if what was marked with a number still has it.
#[inline]
pub(super) fn check(held: &(impl Held + ?Sized), number: u64) -> u64 {
    held.marked().wrapping_sub(number).wrapping_add(1)
}
