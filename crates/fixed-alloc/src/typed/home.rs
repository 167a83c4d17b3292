//! The way back from a value to its slab.
//!
//! ```text
//! base, a multiple of `slab_bytes(layout)`
//! │
//! ▼                       ┌── SlabBox<T>: this pointer and nothing else
//! ┌────────┬───┬───────┬──▼────┬───────┬──
//! │ header │   │ value │ value │ free  │
//! └───┬────┴───┴───────┴───────┴───────┴──
//!     └─owner─> the engine
//! ```
//!
//! How large slabs are follows from the layout of the value alone: for a `T` it is a constant, for a
//! `dyn Trait` the vtable tells. So the size of typed slabs is not for a builder to choose.

use core::alloc::Layout;
use core::ptr::NonNull;

use thrifty_magazine::Shared;

use crate::header::header_of;
use crate::lend;
use crate::shape::default_slab_bytes;
use crate::slabs::Slabs;

/// A block whose value is gone, or was never there. Dropped, it goes back.
///
/// # Invariants
///
/// 1. `block` is a block of a typed slab, with its lease, and nobody else has it.
/// 2. `slab_bytes` is that of its slab.
pub(super) struct Home {
    block: NonNull<u8>,
    slab_bytes: usize,
}

impl Home {
    /// The home of a value.
    ///
    /// # Safety
    ///
    /// `value` lies in a block of a typed slab that was made for its layout. Once this is dropped,
    /// the caller has given up the block and its lease.
    #[inline]
    pub(super) unsafe fn of<T: ?Sized>(value: NonNull<T>) -> Self {
        // SAFETY: valid: the caller's promise; only its layout is looked at.
        let layout = Layout::for_value(unsafe { value.as_ref() });
        // INVARIANT: 1, 2 — the caller's promise.
        Self {
            block: value.cast(),
            slab_bytes: slab_bytes(layout),
        }
    }
}

impl Drop for Home {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: invariants 1 and 2.
        let header = unsafe { header_of(self.block, self.slab_bytes) };
        // SAFETY: valid and shared: a header lies there as long as a block is lent, and nobody
        // writes it.
        let owner = unsafe { header.as_ref() }.owner.cast::<Shared<Slabs>>();
        // SAFETY: invariant 1; nothing is used afterwards.
        unsafe { lend::give(owner, self.block) };
    }
}

/// What a block for values of this layout has to be good for.
///
/// A value of no bytes gets a block all the same: limits and counts then hold for it as for others,
/// and it has an address by which it finds its slab.
pub(super) const fn block_layout(value: Layout) -> Layout {
    if value.size() > 0 {
        return value;
    }
    match Layout::from_size_align(1, value.align()) {
        Ok(layout) => layout.pad_to_align(),
        Err(_) => value,
    }
}

/// The size of slabs for values of this layout.
#[inline]
pub(super) const fn slab_bytes(value: Layout) -> usize {
    match default_slab_bytes(block_layout(value)) {
        Some(bytes) => bytes,
        None => panic!("no slab has a block for this, so there is no such value"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_no_bytes_has_a_block_of_its_alignment() {
        let of = |size, align| {
            let layout = block_layout(Layout::from_size_align(size, align).expect("a layout"));
            (layout.size(), layout.align())
        };
        assert_eq!(of(0, 1), (1, 1));
        assert_eq!(of(0, 64), (64, 64));
        assert_eq!(of(24, 8), (24, 8));
    }

    #[test]
    fn slabs_are_as_large_as_the_default_of_their_blocks() {
        for (size, align) in [(0, 1), (0, 1 << 20), (1, 1), (4096, 4096), (1 << 20, 1)] {
            let layout = Layout::from_size_align(size, align).expect("a layout");
            let default = default_slab_bytes(block_layout(layout));
            assert_eq!(Some(slab_bytes(layout)), default);
        }
    }
}
