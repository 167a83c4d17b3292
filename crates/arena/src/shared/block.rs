//! One block of a shared arena: its header, who fills it, its end.
//!
//! ```text
//! block (aligned to 16)                                         block + bytes
//! ├──────────────┬────────────────────────────────────────────────────┤
//! │ Block header │ used ►              free                ◄ used     │
//! └──────────────┴──────┴────────────────────────────────────┴────────┘
//!                └ data  lo, or the cursor                    hi      └ end
//! ```
//!
//! A block is filled in one of two ways. *Owned*, by a handle or under the lock: the owner moves both ends and
//! notes them in `free` when it lets go. *Open*, as one of the arena's heads: every thread moves the cursor, and `hi`
//! stays where it is. A block that was opened is never owned again before the arena is reset.

use alloc::alloc::{alloc, dealloc};
use core::{alloc::Layout, cell::Cell, ptr::NonNull};

use thrifty_sync::{UnsafeCell, atomic::AtomicUsize, ord};

use crate::{
    asan,
    kernel::{self, BASE},
    seat,
};

/// The bytes that each block has in front of its data.
pub(super) const HEADER: usize = size_of::<Block>();

const _: () = assert!(HEADER % BASE == 0 && align_of::<Block>() == BASE);

/// What the cursor of an open block moves in multiples of. `AddressSanitizer` marks words of 8 bytes, and
/// two threads cannot mark one at the same time.
pub(super) const UNIT: usize = if cfg!(thrifty_asan) { 8 } else { 1 };

/// The free bytes of a block that somebody owns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) lo: *mut u8,
    pub(super) hi: *mut u8,
}

impl Span {
    /// How many bytes are free.
    pub(super) fn bytes(self) -> usize {
        self.hi.addr() - self.lo.addr()
    }
}

/// The header of a block.
#[repr(C, align(16))]
#[derive(Debug)]
pub(super) struct Block {
    /// While the block is open: the address of its first free byte.
    cursor: AtomicUsize,
    /// Written by the block's owner; read by everybody while it is open.
    free: UnsafeCell<Span>,
    /// The next one in the list of all, or of spare ones. Touched under the lock.
    pub(super) next: Cell<Option<NonNull<Self>>>,
    /// The next one in the list of partly filled ones. Touched under the lock.
    pub(super) next_partial: Cell<Option<NonNull<Self>>>,
    bytes: usize,
    /// Whether it was made for one object, or is larger than blocks become by doubling.
    is_big: bool,
}

impl Block {
    /// A block of `bytes`, at least [`HEADER`]; none if the allocator has none. Its free span is all of it.
    pub(super) fn allocate(bytes: usize, is_big: bool) -> Option<NonNull<Self>> {
        debug_assert!(bytes >= HEADER, "a block has a header");
        let layout = Layout::from_size_align(bytes, BASE).ok()?;
        // SAFETY: the layout is not empty, since there is a header in it.
        let start = unsafe { alloc(layout) };
        let block = NonNull::new(start)?.cast::<Self>();
        let free = Span {
            lo: start.wrapping_add(HEADER),
            hi: start.wrapping_add(bytes),
        };
        let header = Self {
            cursor: AtomicUsize::new(0),
            free: UnsafeCell::new(free),
            next: Cell::new(None),
            next_partial: Cell::new(None),
            bytes,
            is_big,
        };
        // SAFETY: the memory is aligned to `BASE` and has room for a header.
        unsafe { block.write(header) };
        asan::sleep(free.lo, free.bytes());
        Some(block)
    }

    /// Frees a block; says how many bytes it had.
    ///
    /// # Safety
    ///
    /// `block` is from [`Block::allocate`], in no list, and *owned*: nothing in it is used again.
    pub(super) unsafe fn free(block: NonNull<Self>) -> usize {
        // SAFETY: valid, since it is not freed yet; nobody has a reference that lasts.
        let bytes = unsafe { block.as_ref() }.bytes;
        // SAFETY: the header was written by `allocate`, and nobody uses it again.
        unsafe { block.drop_in_place() };
        let start = block.as_ptr().cast::<u8>();
        asan::wake(start, bytes);
        // SAFETY: `allocate` made a layout of the same numbers.
        let layout = unsafe { Layout::from_size_align_unchecked(bytes, BASE) };
        // SAFETY: the memory is from `alloc` with this layout, and owned.
        unsafe { dealloc(start, layout) };
        bytes
    }

    /// Of the whole block, header included.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it waits for large requests, when it is spare.
    pub(super) const fn is_big(&self) -> bool {
        self.is_big
    }

    /// What is free, says the owner who last let go of the block.
    ///
    /// # Safety
    ///
    /// Nobody writes it meanwhile: the caller owns the block, or the block is open.
    #[inline]
    pub(super) unsafe fn span(&self) -> Span {
        // SAFETY: valid; shared, says the caller.
        self.free.with(|free| unsafe { *free })
    }

    /// Notes what is free.
    ///
    /// # Safety
    ///
    /// The caller owns the block, and no pointer that was handed out covers a byte of the span.
    pub(super) unsafe fn set_span(&self, span: Span) {
        // SAFETY: valid; exclusive, since only the owner touches it.
        self.free.with_mut(|free| unsafe { *free = span });
    }

    /// Sets the cursor from which all threads will allocate. The caller then publishes the block.
    ///
    /// # Safety
    ///
    /// The caller owns the block; `span` is as for [`set_span`](Self::set_span).
    pub(super) unsafe fn open(&self, span: Span) {
        // SAFETY: the caller's contract is the same.
        unsafe { self.set_span(span) };
        // ORDERING(arena.cursor): Relaxed; whoever finds the block reads it after arena.see_head.
        self.cursor
            .store(span.lo.addr(), ord!(arena.cursor, Relaxed));
    }

    /// How many bytes of an open block are free. Others may take some meanwhile.
    ///
    /// # Safety
    ///
    /// The block is open.
    pub(super) unsafe fn left(&self) -> usize {
        // SAFETY: open, says the caller.
        let hi = unsafe { self.span() }.hi.addr();
        // ORDERING(arena.cursor): Relaxed; a figure.
        hi - self.cursor.load(ord!(arena.cursor, Relaxed))
    }

    /// Takes bytes of an open block, if there are so many.
    ///
    /// `size` and `align` are those of a valid layout, and `size` is not 0. The bytes are the caller's.
    ///
    /// # Safety
    ///
    /// The block is open, and the caller has seen that it is.
    #[inline]
    pub(super) unsafe fn take(
        block: NonNull<Self>,
        size: usize,
        align: usize,
    ) -> Option<NonNull<u8>> {
        // SAFETY: not freed while it is open; headers are only ever shared.
        let header = unsafe { block.as_ref() };
        // SAFETY: open, says the caller.
        let span = unsafe { header.span() };
        // ORDERING(arena.cursor): Relaxed; the bytes between two values of the cursor belong to whoever
        // moved it from one to the other. They were never anybody else's, since the cursor only
        // rises, and so there is nothing to be ordered after.
        let mut at = header.cursor.load(ord!(arena.cursor, Relaxed));
        loop {
            let placed = kernel::up(at, span.hi.addr(), size, align, UNIT)?;
            // ORDERING(arena.cursor): Relaxed; see above.
            match header.cursor.compare_exchange(
                at,
                placed.cursor,
                ord!(arena.cursor, Relaxed),
                ord!(arena.cursor, Relaxed),
            ) {
                Ok(_) => {
                    let start = span.lo.with_addr(placed.start);
                    asan::wake(start, size);
                    // Not null, since it lies in the block.
                    return NonNull::new(start);
                }
                Err(now) => {
                    seat::move_on();
                    at = now;
                }
            }
        }
    }
}

/// All of a block but its header, with the block's provenance.
///
/// # Safety
///
/// `block` is not freed.
pub(super) unsafe fn whole(block: NonNull<Block>) -> Span {
    let start = block.as_ptr().cast::<u8>();
    // SAFETY: not freed, says the caller; headers are only ever shared.
    let bytes = unsafe { block.as_ref() }.bytes;
    Span {
        lo: start.wrapping_add(HEADER),
        hi: start.wrapping_add(bytes),
    }
}
