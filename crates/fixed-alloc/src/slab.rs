//! A slab's memory, as a value: who has it releases it.

use core::alloc::Layout;
use core::ptr::NonNull;

/// The memory of a slab. Not freed by itself: it goes back to the [`Backing`] it is from.
#[derive(Debug)]
#[must_use = "a slab that is dropped is leaked"]
pub(crate) struct Slab(NonNull<u8>);

// SAFETY: a slab owns its memory, which is bound to no thread.
unsafe impl Send for Slab {}

impl Slab {
    /// Where it begins.
    #[inline]
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.0
    }

    /// The address where it begins.
    pub(crate) fn address(&self) -> usize {
        self.0.addr().get()
    }
}

/// Where slabs come from.
///
/// # Safety
///
/// What [`allocate`](Self::allocate) answers with is a block of that layout that nobody else has,
/// until it is released.
pub(crate) unsafe trait Backing {
    /// Memory for a slab, or nothing. The layout is not of size zero.
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>>;

    /// Takes it back.
    ///
    /// # Safety
    ///
    /// `slab` is from `allocate` with this layout, and nobody uses it any more.
    unsafe fn release(&self, slab: NonNull<u8>, layout: Layout);

    /// As [`allocate`](Self::allocate), owned.
    fn slab(&self, layout: Layout) -> Option<Slab> {
        self.allocate(layout).map(Slab)
    }

    /// As [`release`](Self::release), of what is owned.
    ///
    /// # Safety
    ///
    /// `slab` is from [`slab`](Self::slab) of this backing with this layout, and nobody uses a block
    /// of it.
    unsafe fn release_slab(&self, slab: Slab, layout: Layout) {
        // SAFETY: passed on; the slab is owned, so this happens once.
        unsafe { self.release(slab.0, layout) };
    }
}

/// The program's global allocator.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Global;

// SAFETY: the global allocator's own contract.
unsafe impl Backing for Global {
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the layout is not of size zero.
        NonNull::new(unsafe { alloc::alloc::alloc(layout) })
    }

    unsafe fn release(&self, slab: NonNull<u8>, layout: Layout) {
        // SAFETY: passed on from the caller.
        unsafe { alloc::alloc::dealloc(slab.as_ptr(), layout) };
    }
}
