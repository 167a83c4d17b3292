//! The block behind a handle: a count, a length, and the bytes of a key.
//!
//! ```text
//!   0       4       8 (16 where keys are aligned to 16)
//!   │ refs  │ len   │ bytes …                          │
//! ```
//!
//! The bytes and the length are written before the first handle exists and never again; the count is all that
//! handles change. It works as that of an `Arc`, except where there are too many: then the block is kept for
//! ever, so that nothing aborts and nothing is freed under somebody's hands.
//!
//! # Invariants
//!
//! 1. A block is from [`Head::make`] and lives until the last of its counts is removed.
//! 2. `len` initialised bytes stand [`offset`] bytes behind the start of the block, within its allocation.

use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::ptr::{self, NonNull};

use thrifty_sync::{UnsafeCell, acquire_after, atomic::AtomicU32, ord};

use crate::error::InternError;

/// The longest key that fits into a block.
pub(crate) const MAX_LEN: usize = {
    let (by_field, by_layout) = (u32::MAX as usize, isize::MAX as usize - 64);
    if by_field < by_layout {
        by_field
    } else {
        by_layout
    }
};

/// From here on a block is kept for ever. So many more handles would have to be made at one instant before
/// the count wrapped.
const MOST: u32 = 1 << 31;

/// What the count of a block that is kept for ever is set to, again and again.
const PINNED: u32 = 3 << 30;

/// The start of a block.
#[repr(C)]
pub(crate) struct Head {
    /// How many handles there are, those in tables among them.
    refs: AtomicU32,
    /// A cell, so that loom sees who reads a block that another thread frees.
    len: UnsafeCell<u32>,
}

/// Where the bytes of a key begin.
pub(crate) const fn offset(align: usize) -> usize {
    size_of::<Head>().next_multiple_of(align)
}

/// How large the block of a key is, and how aligned.
const fn layout(len: usize, align: usize) -> Result<Layout, InternError> {
    let block_align = if align < align_of::<Head>() {
        align_of::<Head>()
    } else {
        align
    };
    if len <= MAX_LEN {
        if let Ok(layout) = Layout::from_size_align(offset(align) + len, block_align) {
            return Ok(layout);
        }
    }
    Err(InternError::TooLong {
        length_bytes: len,
        limit_bytes: MAX_LEN,
    })
}

impl Head {
    /// A block with a copy of `bytes` and one count, which is the caller's.
    pub(crate) fn make(bytes: &[u8], align: usize) -> Result<NonNull<Self>, InternError> {
        let layout = layout(bytes.len(), align)?;
        // SAFETY: the size is that of a head at least, and so not zero.
        let block = unsafe { alloc(layout) };
        #[expect(clippy::cast_ptr_alignment, reason = "`layout` is so aligned")]
        let Some(head) = NonNull::new(block.cast::<Self>()) else {
            return Err(InternError::Backend {
                size_bytes: layout.size(),
            });
        };
        #[expect(clippy::cast_possible_truncation, reason = "at most MAX_LEN")]
        let len = bytes.len() as u32;
        let value = Self {
            refs: AtomicU32::new(1),
            len: UnsafeCell::new(len),
        };
        // SAFETY: valid for writes: the block is new, at least a head large and as aligned.
        unsafe { head.write(value) };
        // SAFETY: `layout` has room for the offset and for what follows it.
        let to = unsafe { block.add(offset(align)) };
        // SAFETY: `bytes` is valid to read, `to` to write for as many by the layout; the block is new, so that
        // they do not overlap. One byte is aligned anywhere.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        // INVARIANT: 1, 2 — all of it is written, and the count is 1.
        Ok(head)
    }

    /// How long the key is.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: valid and shared: it is written before the first handle and by who frees the block.
        self.len.with(|len| unsafe { *len }) as usize
    }

    /// One handle more.
    #[inline]
    pub(crate) fn add(&self) {
        // ORDERING(interner.shared_add): Relaxed; who adds has a handle, which keeps the block.
        if self.refs.fetch_add(1, ord!(interner.shared_add, Relaxed)) >= MOST {
            self.pin_cold();
        }
    }

    /// One handle less; true if it was the last, whose holder has to [`free`](Self::free) the block.
    #[inline]
    pub(crate) fn remove(&self) -> bool {
        // ORDERING(interner.shared_remove): Release; pairs with interner.shared_last.
        let before = self
            .refs
            .fetch_sub(1, ord!(interner.shared_remove, Release));
        if before == 1 {
            // ORDERING(interner.shared_last): Acquire; pairs with interner.shared_remove: what others read from
            // the block they read before it is freed.
            acquire_after!(interner.shared_last, self.refs);
            return true;
        }
        if before > MOST {
            self.pin_cold();
        }
        false
    }

    /// How many handles there are at the moment.
    #[inline]
    pub(crate) fn holders(&self) -> u32 {
        // ORDERING(interner.shared_holders): Relaxed; a number to look at. A table that finds its own handle to
        // be the only one, under the lock through which alone others could get one, still removes it as all do.
        self.refs.load(ord!(interner.shared_holders, Relaxed))
    }

    /// Keeps the block for ever. Who calls this holds a handle, or one is left that will be dropped: until
    /// then the count cannot have come to zero.
    #[cold]
    fn pin_cold(&self) {
        // ORDERING(interner.shared_add): Relaxed; as the additions that it stands for.
        self.refs.store(PINNED, ord!(interner.shared_add, Relaxed));
    }

    /// The bytes of the key.
    ///
    /// # Safety
    ///
    /// `head` is a block made with `align`, and the caller keeps a count of it as long as the bytes are used.
    #[inline]
    pub(crate) unsafe fn bytes<'a>(head: NonNull<Self>, align: usize) -> &'a [u8] {
        // SAFETY: valid and shared while there is a count (invariant 1).
        let len = unsafe { head.as_ref() }.len();
        // SAFETY: within the block (invariant 2).
        let start = unsafe { head.as_ptr().cast::<u8>().add(offset(align)) };
        // SAFETY: valid by invariant 2 for as long as there is a count; shared: nobody writes to them.
        unsafe { core::slice::from_raw_parts(start, len) }
    }

    /// Gives the block back.
    ///
    /// # Safety
    ///
    /// `head` is a block made with `align`, and the caller has removed its last count.
    pub(crate) unsafe fn free(head: NonNull<Self>, align: usize) {
        // SAFETY: valid: its last count went only now; all others' accesses happened before.
        let len = unsafe { head.as_ref() }.len();
        // SAFETY: as above.
        let cell = unsafe { &head.as_ref().len };
        // SAFETY: valid and exclusive: nobody else has a count. The write shows loom the end of the block.
        cell.with_mut(|len| unsafe { *len = 0 });
        // SAFETY: valid, and owned: nobody reads it again. Under loom an atomic has something to drop.
        unsafe { ptr::drop_in_place(head.as_ptr()) };
        if let Ok(layout) = layout(len, align) {
            // SAFETY: allocated with this layout, which was made from the same numbers; owned, by the caller.
            unsafe { dealloc(head.as_ptr().cast(), layout) };
        }
    }
}

#[cfg(all(test, not(thrifty_loom)))]
mod tests {
    use super::*;

    fn with_count(count: u32) -> Head {
        Head {
            refs: AtomicU32::new(count),
            len: UnsafeCell::new(0),
        }
    }

    #[test]
    fn too_many_handles_keep_a_block_for_ever() {
        let head = with_count(MOST - 1);
        head.add();
        assert_eq!(head.holders(), MOST);
        // Exact up to here: one more and one less leave what was.
        assert!(!head.remove());
        head.add();
        head.add();
        assert_eq!(head.holders(), PINNED);
        for _ in 0..10 {
            assert!(!head.remove());
            assert_eq!(head.holders(), PINNED);
            head.add();
            assert_eq!(head.holders(), PINNED);
        }
    }

    #[test]
    fn the_last_of_few_frees() {
        let head = with_count(2);
        assert!(!head.remove());
        assert!(head.remove());
    }

    #[test]
    fn a_length_that_no_field_holds_is_refused() {
        for align in [1, 2, 4, 8, 16] {
            assert!(layout(0, align).is_ok());
            assert_eq!(offset(align) % align, 0);
            for len in [MAX_LEN + 1, usize::MAX] {
                assert!(matches!(
                    layout(len, align),
                    Err(InternError::TooLong { .. })
                ));
            }
        }
        #[cfg(target_pointer_width = "64")]
        assert!(layout(MAX_LEN, 16).is_ok());
    }
}
