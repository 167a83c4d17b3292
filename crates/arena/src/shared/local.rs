//! A handle: one thread's way into a shared arena.

use core::{cell::Cell, fmt, ptr::NonNull};

use thrifty_traits::{AllocError, AllocErrorKind, Rejected};

use super::{
    SharedArena,
    block::{Block, Span},
    books::{MIN, Request},
    methods::{Take, allocating},
};
use crate::{
    seat::seat,
    window::{NOWHERE, Window},
};

/// A handle to a [`SharedArena`] that allocates without atomics.
///
/// It owns a block at a time. What it allocates lives as long as the arena is shared, and so may outlive the
/// handle.
///
/// # Memory
///
/// Nothing before the first allocation, then one block. When the handle is dropped, the block is the next
/// handle's to go on with. Strings and small integers are packed without gaps, as in an
/// [`Arena`](crate::Arena).
///
/// # Concurrency
///
/// `Send`, not `Sync`: it may move to another thread, but serves one at a time.
///
/// # Examples
///
/// ```
/// use thrifty_arena::SharedArena;
///
/// let arena = SharedArena::new();
/// let local = arena.local();
/// let words: Vec<&str> = "to be or not".split(' ').map(|word| &*local.alloc_str(word)).collect();
/// drop(local);
/// assert_eq!(words, ["to", "be", "or", "not"]);
/// ```
pub struct LocalArena<'s> {
    /// The free bytes of `block`, or none. Its chunk stays none.
    window: Window,
    block: Cell<Option<NonNull<Block>>>,
    arena: &'s SharedArena,
}

// SAFETY: the block is owned by this handle, whichever thread has it, and the arena is `Sync`.
unsafe impl Send for LocalArena<'_> {}

impl<'s> LocalArena<'s> {
    pub(super) const fn new(arena: &'s SharedArena) -> Self {
        Self {
            window: Window::empty(),
            block: Cell::new(None),
            arena,
        }
    }

    /// The arena that this is a handle to.
    #[must_use]
    pub const fn arena(&self) -> &'s SharedArena {
        self.arena
    }

    /// Takes memory from the handle's own block, if there is room.
    #[inline]
    fn hit(&self, size: usize, align: usize) -> Option<NonNull<u8>> {
        if align < MIN {
            self.window.down(size, align)
        } else {
            self.window.up(size, align, MIN)
        }
    }

    #[cold]
    #[inline(never)]
    fn take_slow(&self, size: usize, align: usize) -> Result<NonNull<u8>, AllocError> {
        let error = |kind| AllocError::new(kind, size, align);
        let unit = if align < MIN { 1 } else { MIN };
        let request = Request { size, align, unit };
        let need = request.need().map_err(error)?;
        if size == 0 || need > self.arena.config.side_above {
            return self.arena.take_slow(seat(), size, align);
        }
        // SAFETY: the block is the handle's, and what the window has is free.
        let exchanged = unsafe { self.arena.exchange(request, self.owned()) };
        let Ok((block, span)) = exchanged else {
            // What is open may have room yet.
            return self.arena.take_slow(seat(), size, align);
        };
        self.block.set(Some(block));
        // SAFETY: the span is free, of one block, and starts at a multiple of `MIN`.
        unsafe { self.window.open(None, span.lo, span.hi) };
        let taken = self.hit(size, align);
        debug_assert!(taken.is_some(), "a block that was acquired has no room");
        taken.ok_or(error(AllocErrorKind::Exhausted))
    }

    fn owned(&self) -> Option<(NonNull<Block>, Span)> {
        let (lo, hi) = (self.window.lo(), self.window.hi());
        self.block.get().map(|block| (block, Span { lo, hi }))
    }
}

allocating! {
    impl ['s] LocalArena<'s>, 's, "let shared = thrifty_arena::SharedArena::new();\nlet arena = shared.local();"
}

impl<'s> Take<'s> for &LocalArena<'s> {
    #[inline]
    fn take(self, size: usize, align: usize) -> Result<NonNull<u8>, AllocError> {
        // What has no size moves no cursor, not even to an address that is aligned.
        let start = if size == 0 {
            None
        } else {
            self.hit(size, align)
        };
        match start {
            Some(start) => Ok(start),
            None => self.take_slow(size, align),
        }
    }
}

impl Drop for LocalArena<'_> {
    fn drop(&mut self) {
        if let Some((block, span)) = self.owned() {
            // SAFETY: the block is the handle's, which ends, and what the window has is free.
            unsafe { self.arena.put_back(block, span) };
            // SAFETY: empty, and at an address that is aligned.
            unsafe { self.window.open(None, NOWHERE, NOWHERE) };
        }
    }
}

impl fmt::Debug for LocalArena<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalArena")
            .field("free_bytes", &self.window.free())
            .finish_non_exhaustive()
    }
}
