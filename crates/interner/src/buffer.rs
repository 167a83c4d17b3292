//! A block of bytes that is zeroed, aligned for every key, and allowed to fail.
//!
//! All of it is initialised from the start, so that who fills it is safe code. Fresh pages of the system are
//! zero already: a large block costs no pass over it.

use alloc::alloc::{alloc_zeroed, dealloc, realloc};
use core::alloc::Layout;
use core::fmt;
use core::ptr::NonNull;

use crate::InternError;

/// What every block is aligned to: no key asks for more.
pub(crate) const BLOCK_ALIGN: usize = 16;

/// A block of bytes, aligned to [`BLOCK_ALIGN`].
///
/// # Invariants
///
/// 1. `len` is 0 and `start` dangles, aligned; or `start` is a block of this type's own, of `len` bytes with
///    [`BLOCK_ALIGN`], each of them initialised.
pub(crate) struct Buffer {
    start: NonNull<u8>,
    len: usize,
}

impl Buffer {
    /// No bytes, and no allocation.
    pub(crate) const fn new() -> Self {
        // INVARIANT: 1 — nothing, at an aligned address.
        Self {
            start: NonNull::<Aligned>::dangling().cast(),
            len: 0,
        }
    }

    /// That many zeros.
    pub(crate) fn zeroed(len: usize) -> Result<Self, InternError> {
        if len == 0 {
            return Ok(Self::new());
        }
        let refused = InternError::Backend { size_bytes: len };
        let layout = Layout::from_size_align(len, BLOCK_ALIGN).map_err(|_| refused)?;
        // SAFETY: the layout is not empty: `len` is not 0.
        let start = unsafe { alloc_zeroed(layout) };
        let start = NonNull::new(start).ok_or(refused)?;
        // INVARIANT: 1 — the allocator zeroed all of it.
        Ok(Self { start, len })
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// All bytes.
    #[inline]
    pub(crate) const fn bytes(&self) -> &[u8] {
        // SAFETY:
        // - valid: by invariant 1, for as long as `self` is borrowed;
        // - shared: whoever writes borrows `self` exclusively.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// All bytes.
    #[inline]
    pub(crate) const fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY:
        // - valid: by invariant 1, for as long as `self` is borrowed;
        // - exclusive: `self` owns the block and is borrowed exclusively.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// Gives back what is after the first `len` bytes, if the allocator can.
    pub(crate) fn shrink(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        if len == 0 {
            *self = Self::new();
            return;
        }
        // SAFETY: invariant 1: the block is from this type's `alloc_zeroed` or `realloc` with this layout;
        // `len` is not 0, and less than a size that was allowed.
        let start = unsafe { realloc(self.start.as_ptr(), self.layout(), len) };
        if let Some(start) = NonNull::new(start) {
            // INVARIANT: 1 — the first `len` bytes were kept, and the old block is gone.
            self.start = start;
            self.len = len;
        }
    }

    /// Of the block, which is there.
    const fn layout(&self) -> Layout {
        // SAFETY: `zeroed` made a layout of this alignment, and of a size that was no less.
        unsafe { Layout::from_size_align_unchecked(self.len, BLOCK_ALIGN) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: by invariant 1 the block is from this type's allocation with this layout, and *owned*.
            unsafe { dealloc(self.start.as_ptr(), self.layout()) };
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

// SAFETY: the block is owned, as a `Box<[u8]>` owns its own; bytes may go to any thread.
unsafe impl Send for Buffer {}

// SAFETY: `&Buffer` gives out `&[u8]` and nothing else.
unsafe impl Sync for Buffer {}

/// What gives the address of an empty block its alignment.
#[repr(align(16))]
struct Aligned;

const _: () = assert!(align_of::<Aligned>() == BLOCK_ALIGN);

#[cfg(test)]
mod tests {
    use super::{BLOCK_ALIGN, Buffer};

    #[test]
    fn a_block_is_zeroed_aligned_and_shrinks() {
        for len in [0, 1, 17, 4096] {
            let mut buffer = Buffer::zeroed(len).unwrap();
            assert_eq!(buffer.bytes().as_ptr().addr() % BLOCK_ALIGN, 0);
            assert!(buffer.bytes().len() == len && buffer.bytes().iter().all(|byte| *byte == 0));
            buffer.bytes_mut().fill(7);
            buffer.shrink(len / 2);
            assert_eq!(buffer.len(), len / 2);
            assert!(buffer.bytes().iter().all(|byte| *byte == 7));
            buffer.shrink(len);
            assert_eq!(buffer.len(), len / 2);
        }
    }

    #[test]
    fn what_no_allocator_serves_is_refused() {
        assert!(Buffer::zeroed(usize::MAX).is_err());
    }
}
