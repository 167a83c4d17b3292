//! The wrapper that counts.

use core::alloc::{GlobalAlloc, Layout};
use std::alloc::System;

use crate::thread::{on_alloc, on_free, on_realloc};

/// A [`GlobalAlloc`] that counts what passes through it, around any other.
///
/// All four methods are forwarded, so the inner allocator keeps its lazy zeroing and its in-place
/// growth: `vec![0; 256 << 20]` does not become resident, and a growing `Vec` is not copied more
/// than before. A call that fails counts nothing.
///
/// Counting adds nine plain instructions to an allocation and seven to a free in an x86-64
/// executable: no lock-prefixed instruction, no call. Wrapping one `Alloc` in another counts twice.
///
/// # Memory
///
/// No memory per allocation: no header, no table. The counters are 130 KiB of zero-initialised
/// static memory, of which a page per 32 threads is ever touched.
///
/// # Concurrency
///
/// Wait-free, apart from the inner allocator. Each thread writes counters of its own; when more
/// than 1024 threads live at once, those beyond share 16 sets of counters by atomic additions.
/// Counts are exact once the threads that counted have synchronised with the reader.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let before = thrifty_memstats::read()?;
/// let block = vec![0_u8; 1000];
/// let delta = thrifty_memstats::read()?.since(&before);
/// assert_eq!((delta.allocs, delta.allocated_bytes), (1, 1000));
/// # drop(block);
/// # Ok::<(), thrifty_memstats::NotInstalled>(())
/// ```
///
/// Around another allocator: `Alloc::new(MiMalloc)`, of type `Alloc<MiMalloc>`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alloc<A = System> {
    inner: A,
}

impl Alloc<System> {
    /// Counts around the system's allocator.
    pub const fn system() -> Self {
        Self::new(System)
    }
}

impl<A> Alloc<A> {
    /// Counts around `inner`.
    pub const fn new(inner: A) -> Self {
        Self { inner }
    }

    /// The allocator inside. Blocks that pass through it directly are not counted, and must not be
    /// mixed with counted ones.
    pub const fn inner(&self) -> &A {
        &self.inner
    }
}

// SAFETY: every method passes its arguments on unchanged and returns what the inner allocator
// returned, so whatever that one promises about blocks and layouts holds for this one. The
// counting in between neither unwinds nor allocates, and touches no block.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Alloc<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is the same here.
        let block = unsafe { self.inner.alloc(layout) };
        if !block.is_null() {
            on_alloc(layout.size());
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        on_free(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`: the block came from
        // this allocator with this layout, so it came from the inner one with this layout.
        unsafe { self.inner.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc_zeroed`.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        if !block.is_null() {
            on_alloc(layout.size());
        }
        block
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        // Kept as a number: the pointer itself is dead once the block has moved.
        let old_address = block.addr();
        // SAFETY: the caller keeps the contract of `GlobalAlloc::realloc`; the block came from
        // the inner allocator, as for `dealloc`.
        let new_block = unsafe { self.inner.realloc(block, layout, new_bytes) };
        if !new_block.is_null() {
            on_realloc(layout.size(), new_bytes, new_block.addr() != old_address);
        }
        new_block
    }
}
