//! A block: the bytes of a buffer behind a header.
//!
//! ```text
//!  base                  Block            bytes, aligned as the pool says
//!   │ padding up to that  │ Header         │                                   │
//!   ▼ alignment           ▼                ▼                                   ▼
//!   ├─────────────────────┼────────────────┼───────────────────────┬───────────┤
//!   │                     │                │ may hold anything     │ zeros     │
//!   └─────────────────────┴────────────────┴───────────────────────┴───────────┘
//!                                          0 ... init ...       dirty     capacity
//! ```
//!
//! # Invariants
//!
//! While a [`Block`] value exists:
//!
//! 1. its pointer is to an initialised header in front of `capacity` bytes, in one allocation that
//!    [`layout`] describes, and its provenance is that of the whole allocation;
//! 2. it is the only value for this block, except between `freeze` and the last drop, when the
//!    values in the views share it and use `&self` only;
//! 3. it has a lease on the engine that `shared` points to, so that this pointer is valid;
//! 4. bytes from `dirty` on that this lease has not written to are zero and initialised;
//! 5. bytes below `init` are initialised, and by this lease: nothing of a former use is there.

use core::{alloc::Layout, ptr::NonNull};

use thrifty_magazine::Shared;
use thrifty_traits::{AllocError, AllocErrorKind};

#[cfg(thrifty_asan)]
use super::asan;
use super::{refs::Refs, supplier::Blocks, wipe};

#[repr(C, align(16))]
struct Header {
    shared: NonNull<Shared<Blocks>>,
    capacity: usize,
    dirty: usize,
    init: usize,
    refs: Refs,
    route: Route,
    /// The logarithm of the alignment.
    align_shift: u8,
}

/// Where a block goes when it comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Into the thread's cache, as it is.
    Plain,
    /// Through a slot, or past a wipe.
    Detour,
    /// Nowhere: it is freed. It is larger than any class, or its pool is gone.
    Unpooled,
}

const HEADER: usize = size_of::<Header>();

/// The bytes that a block of this capacity takes, and how far its bytes are from its start.
/// `None`: there is no such layout.
pub(crate) fn layout(capacity: usize, align: usize) -> Option<Layout> {
    let align = align.max(align_of::<Header>());
    let size = offset(align)?.checked_add(capacity)?;
    Layout::from_size_align(size, align).ok()
}

/// What of a block's bytes is not its header: the capacity, and padding in front for an alignment.
pub(crate) fn behind_header(block_bytes: usize) -> usize {
    block_bytes.saturating_sub(HEADER)
}

fn offset(align: usize) -> Option<usize> {
    HEADER.checked_next_multiple_of(align)
}

/// How the bytes of a new block are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fresh {
    /// Whatever they are.
    Any,
    /// Zeros, which a system that has just mapped them need not write.
    Zeroed,
}

/// A block that is out of the engine, and owned.
#[repr(transparent)]
pub(crate) struct Block(NonNull<Header>);

// SAFETY: a block is owned memory of plain bytes, as in a `Vec<u8>`, allocated from the global
// allocator, which any thread may free to. What its header points to is an engine, which is `Sync`
// and may be used and freed on any thread.
unsafe impl Send for Block {}
// SAFETY: through a shared reference the header and the bytes are only read, but for the count,
// which is an atomic.
unsafe impl Sync for Block {}

impl Block {
    /// Allocates a block for the engine at `shared`.
    ///
    /// # Safety
    ///
    /// The block gets a lease on that engine before it is used, or it is freed.
    pub(crate) unsafe fn allocate(
        shared: NonNull<Shared<Blocks>>,
        capacity: usize,
        align: usize,
        route: Route,
        fresh: Fresh,
    ) -> Result<Self, AllocError> {
        let layout = layout(capacity, align).ok_or(AllocError::overflow(align))?;
        let base = match fresh {
            // SAFETY: the size is not zero: it contains a header.
            Fresh::Any => unsafe { alloc::alloc::alloc(layout) },
            // SAFETY: as above.
            Fresh::Zeroed => unsafe { alloc::alloc::alloc_zeroed(layout) },
        };
        let base = NonNull::new(base)
            .ok_or_else(|| AllocError::for_layout(AllocErrorKind::Backend, layout))?;
        // SAFETY: in bounds: the layout consists of `offset` bytes, which are at least a header,
        // and the capacity.
        let header = unsafe { base.add(layout.size() - capacity - HEADER) }.cast::<Header>();
        // SAFETY: valid and exclusive: the memory is ours alone. Aligned: both the offset of the
        // bytes and the size of a header are multiples of the header's alignment.
        unsafe {
            header.write(Header {
                shared,
                capacity,
                dirty: if fresh == Fresh::Zeroed { 0 } else { capacity },
                init: 0,
                refs: Refs::new(),
                route,
                align_shift: log2(layout.align()),
            });
        }
        // INVARIANT: 1, 4, 5 — just written; 2 — nobody else has the memory; 3 — by the caller.
        Ok(Self(header))
    }

    /// Frees the memory. The lease stays with the caller.
    pub(crate) fn free(self) {
        let capacity = self.capacity();
        let layout = self.layout();
        let to_base = layout.size() - capacity - HEADER;
        // SAFETY: in bounds: by invariant 1 the header lies so far behind the start.
        let base = unsafe { self.0.cast::<u8>().sub(to_base) };
        // SAFETY: owned, by invariant 2; allocated with this layout, by invariant 1.
        unsafe { alloc::alloc::dealloc(base.as_ptr(), layout) };
    }

    /// Gives the block up, to be a round in an engine.
    #[inline]
    pub(crate) fn into_round(self) -> NonNull<()> {
        #[cfg(thrifty_asan)]
        asan::poison(self.bytes(), self.capacity());
        self.0.cast()
    }

    /// Takes a block over from an engine or a slot.
    ///
    /// # Safety
    ///
    /// The pointer is from [`into_round`](Self::into_round), and nobody else has taken it over
    /// since. The block has its lease.
    #[inline]
    pub(crate) unsafe fn from_round(round: NonNull<()>) -> Self {
        let block = Self(round.cast());
        #[cfg(thrifty_asan)]
        asan::unpoison(block.bytes(), block.capacity());
        block
    }

    /// A second value for the same block.
    ///
    /// # Safety
    ///
    /// The first value is not used any more, or both are used by `&self` only until one is all
    /// that is left.
    #[inline]
    pub(crate) unsafe fn second(&self) -> Self {
        Self(self.0)
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: valid, by invariant 1; shared: headers are written through `&mut Block` and, by
        // invariant 2, there is none meanwhile; the count is an atomic.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn header_mut(&mut self) -> &mut Header {
        // SAFETY: valid, by invariant 1; exclusive, by invariant 2.
        unsafe { self.0.as_mut() }
    }

    /// The first of the bytes.
    #[inline]
    pub(crate) fn bytes(&self) -> NonNull<u8> {
        // SAFETY: in bounds: by invariant 1 the bytes follow the header.
        unsafe { self.0.add(1) }.cast()
    }

    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.header().capacity
    }

    #[inline]
    pub(crate) fn refs(&self) -> &Refs {
        &self.header().refs
    }

    /// The engine that the block has a lease on.
    #[inline]
    pub(crate) fn shared(&self) -> NonNull<Shared<Blocks>> {
        self.header().shared
    }

    /// What the block's class knows.
    #[inline]
    pub(crate) fn supplier(&self) -> &Blocks {
        // SAFETY: valid and shared: by invariant 3 the engine is there while this value is, and an
        // engine is only ever used through shared references.
        unsafe { self.header().shared.as_ref() }.supplier()
    }

    #[inline]
    pub(crate) fn route(&self) -> Route {
        self.header().route
    }

    /// What it was allocated with. The engine is not asked: it may be about to go itself.
    fn layout(&self) -> Layout {
        let header = self.header();
        match layout(header.capacity, 1 << header.align_shift) {
            Some(layout) => layout,
            None => unreachable!("the block was allocated with this layout"),
        }
    }

    /// The bytes that freeing it gives back.
    pub(crate) fn size(&self) -> usize {
        self.layout().size()
    }
}

/// What is known about the contents.
impl Block {
    /// How many bytes from the start this lease is known to have initialised.
    #[inline]
    pub(crate) fn init(&self) -> usize {
        self.header().init
    }

    /// Remembers that this lease has initialised the first `len` bytes.
    ///
    /// # Safety
    ///
    /// It has, and `len` is at most the capacity.
    #[inline]
    pub(crate) unsafe fn raise_init(&mut self, len: usize) {
        debug_assert!(len <= self.capacity());
        let header = self.header_mut();
        // INVARIANT: 5 — by the caller.
        header.init = header.init.max(len);
    }

    /// Expects anything from `len` on: somebody may write there, or uninitialise what is there,
    /// without telling.
    #[inline]
    pub(crate) fn expose_from(&mut self, len: usize) {
        let header = self.header_mut();
        // INVARIANT: 4 — nothing is claimed to be zero any more; 5 — it shrinks.
        header.dirty = header.capacity;
        header.init = header.init.min(len);
    }

    /// Makes `from..to` initialised by this lease, where it is not yet: with zeros.
    ///
    /// # Safety
    ///
    /// The first `from` bytes are initialised by this lease, and `to` is at most the capacity.
    pub(crate) unsafe fn show(&mut self, from: usize, to: usize) {
        debug_assert!(to <= self.capacity());
        let from = from.max(self.init());
        let dirty_to = to.min(self.header().dirty);
        if from < dirty_to {
            // SAFETY: in bounds: `dirty_to` is at most `to`, which is at most the capacity.
            let start = unsafe { self.bytes().add(from) };
            // SAFETY: valid: as above; exclusive: by invariant 2 nobody else has the block.
            unsafe { start.write_bytes(0, dirty_to - from) };
        }
        // INVARIANT: 5 — below `from` by the caller and by `init` as it was, up to `dirty_to` by
        // the zeros just written, and beyond that by invariant 4.
        // SAFETY: as above; within the capacity by the caller.
        unsafe { self.raise_init(to) };
    }

    /// Fills the first `len` bytes with zeros, as far as they are not known to be.
    ///
    /// # Safety
    ///
    /// `len` is at most the capacity.
    pub(crate) unsafe fn zero(&mut self, len: usize) {
        self.header_mut().init = 0;
        // SAFETY: no byte is initialised by this lease as far as anybody knows; `len` by the
        // caller.
        unsafe { self.show(0, len) };
    }

    /// Ends the lease's knowledge: what it wrote is what the next one must not see.
    #[inline]
    pub(crate) fn settle(&mut self) {
        let header = self.header_mut();
        // INVARIANT: 4 — all that was written is below the new `dirty`; 5 — nothing is claimed.
        header.dirty = header.dirty.max(header.init);
        header.init = 0;
    }

    /// Overwrites with zeros whatever may have been written, after [`settle`](Self::settle).
    pub(crate) fn wipe(&mut self, is_volatile: bool) {
        let dirty = self.header().dirty;
        let bytes = self.bytes();
        if is_volatile {
            // SAFETY: valid and exclusive: by invariants 1 and 2 these bytes are the block's.
            unsafe { wipe::zero_volatile(bytes, dirty) };
        } else {
            // SAFETY: as above.
            unsafe { bytes.write_bytes(0, dirty) };
        }
        // INVARIANT: 4 — from 0 to `dirty` by the zeros just written, beyond as before.
        self.header_mut().dirty = 0;
    }
}

/// The logarithm of an alignment.
const fn log2(align: usize) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "below 64")]
    {
        align.trailing_zeros() as u8
    }
}
