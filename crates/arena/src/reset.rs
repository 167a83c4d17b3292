//! `Reset`, for pools of arenas.

#![forbid(unsafe_code)]

use thrifty_traits::Reset;

use crate::{Arena, BufArena, TypedArena};

/// As the arena's own [`reset`](Arena::reset): keeps of the chunks what [`Retain`](crate::Retain) says.
impl<const MIN_ALIGN: usize> Reset for Arena<MIN_ALIGN> {
    #[inline]
    fn reset(&mut self) {
        Self::reset(self);
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.store.reserved()
    }
}

/// As the arena's own [`reset`](BufArena::reset); the buffer does not count.
impl<const MIN_ALIGN: usize> Reset for BufArena<'_, MIN_ALIGN> {
    #[inline]
    fn reset(&mut self) {
        Self::reset(self);
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.store.reserved()
    }
}

/// [Clears](TypedArena::clear) the arena.
impl<T> Reset for TypedArena<T> {
    fn reset(&mut self) {
        self.clear();
    }

    fn retained_bytes(&self) -> usize {
        self.last_block_bytes()
    }
}
