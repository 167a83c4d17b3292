//! What lies at the start of every slab: the way back to its allocator.
//!
//! # Invariants
//!
//! 1. From the time a slab enters the books until it is released, a [`SlabHeader`] lies at its base,
//!    and nobody writes it.

use core::ptr::NonNull;

/// The start of a slab. Counts and free blocks are kept elsewhere, in `books`: slabs are aligned
/// to their size, so that the first lines of all of them compete for the same few places of a
/// processor's cache.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct SlabHeader {
    /// The engine whose supplier the slab is from, untyped: a `Shared<Slabs>`. Valid for whoever
    /// has a block of the slab, which comes with a lease.
    pub(crate) owner: NonNull<()>,
}

/// The header of the slab that a block is from.
///
/// `block` tells the address only. What it may be used for does not matter: it may have become a
/// reference to what lies in the block, or have gone through foreign hands. The header is reached
/// through the provenance that its slab has exposed, as in `lend::wake`.
///
/// # Safety
///
/// `block` is the address of a block that the caller has. `slab_bytes` is that of its slab's shape.
#[inline]
pub(crate) unsafe fn header_of(block: NonNull<u8>, slab_bytes: usize) -> NonNull<SlabHeader> {
    let base = block.addr().get() & !(slab_bytes - 1);
    let header = core::ptr::with_exposed_provenance_mut(base);
    // SAFETY: the base of a slab, which is not null: a block lies behind it, and the base is the
    // multiple of `slab_bytes` before it.
    unsafe { NonNull::new_unchecked(header) }
}
