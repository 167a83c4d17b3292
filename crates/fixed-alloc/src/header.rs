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
/// The result has the provenance of `block`, so this is for blocks whose pointer was derived from
/// the slab's own and kept as it was, as by a handle of ours. A pointer that went through
/// foreign hands (`Box`, `Allocator::deallocate`) may reach no further than the block.
///
/// # Safety
///
/// `block` points to a block that the caller has, and may be used for the whole slab.
/// `slab_bytes` is that of the slab's shape.
#[expect(dead_code, reason = "for typed slabs")]
#[inline]
pub(crate) unsafe fn header_of(block: NonNull<u8>, slab_bytes: usize) -> NonNull<SlabHeader> {
    let offset = block.addr().get() & (slab_bytes - 1);
    // SAFETY: in bounds: a block lies so far behind the base of its slab, which is a multiple of
    // `slab_bytes`.
    unsafe { block.byte_sub(offset) }.cast()
}
