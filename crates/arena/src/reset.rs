//! `Reset`, for pools of arenas.

#![forbid(unsafe_code)]

use thrifty_traits::Reset;

use crate::{Arena, BufArena, DropArena, MemoryUsage, SendDropArena, SharedArena, TypedArena};

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

/// As the arena's own [`reset`](SharedArena::reset).
impl Reset for SharedArena {
    fn reset(&mut self) {
        Self::reset(self);
    }

    fn retained_bytes(&self) -> usize {
        self.memory_usage().reserved_bytes
    }
}

/// As the arena's own [`reset`](DropArena::reset): panics if a drop does, after all others were run.
impl Reset for DropArena<'_> {
    fn reset(&mut self) {
        Self::reset(self);
    }

    fn retained_bytes(&self) -> usize {
        self.plain().store.reserved()
    }
}

/// As the arena's own [`reset`](SendDropArena::reset): panics if a drop does, after all others were run.
impl Reset for SendDropArena<'_> {
    fn reset(&mut self) {
        Self::reset(self);
    }

    fn retained_bytes(&self) -> usize {
        self.plain().store.reserved()
    }
}
