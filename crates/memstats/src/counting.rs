//! The wrapper that counts.

use core::alloc::{GlobalAlloc, Layout};
use std::alloc::System;

#[cfg(feature = "profile")]
use crate::sampler::{self, hooks::Moved};
#[cfg(not(feature = "profile"))]
use crate::thread::count_slowly;
use crate::{
    counts::Counts,
    thread::{try_count_alloc, try_count_free, try_count_realloc},
};

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
/// static memory, of which a page per 32 threads is ever touched. The feature `profile` adds 2 MiB of
/// it, untouched before sampling starts.
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

// The slow halves below take over what the fast ones still had to do: hand out the block, or free
// it. The fast ones then end in a jump and keep nothing over a call: no stack frame for a free, one
// register saved for an allocation. They take their arguments in the order in which `__rust_dealloc` and
// `__rust_realloc` get them, the allocator last, so that none changes its register on the way: three instructions
// fewer for a free. They are `extern "C"` because such a function cannot unwind, which spares its caller a landing
// pad and turns a bug in here into an abort, never into undefined behaviour.

/// The address of a local of the caller: where its frame lies on the stack.
#[cfg(feature = "profile")]
macro_rules! mark {
    () => {{
        let local = 0_u8;
        core::ptr::from_ref(core::hint::black_box(&local)).addr()
    }};
}

/// Counts the allocation of `block`, and hands it out.
#[cold]
#[inline(never)]
extern "C" fn slow_alloc(block: *mut u8, bytes: usize) -> *mut u8 {
    #[cfg(feature = "profile")]
    sampler::hooks::allocated(block, bytes as u64, mark!());
    #[cfg(not(feature = "profile"))]
    count_slowly(Counts::alloc(bytes as u64));
    block
}

/// Counts the reallocation that led to `block`, and hands it out.
#[cold]
#[inline(never)]
extern "C" fn slow_realloc(block: *mut u8, old: usize, new: usize, moved: u64) -> *mut u8 {
    #[cfg(feature = "profile")]
    sampler::hooks::reallocated(
        Moved {
            address: block.addr(),
            old: old as u64,
            new: new as u64,
            copied: moved,
        },
        None,
        mark!(),
    );
    #[cfg(not(feature = "profile"))]
    count_slowly(Counts::realloc(old as u64, new as u64, moved));
    block
}

/// Whether a block may be a sample of the heap profile, so that its end is of interest.
#[inline]
#[cfg(feature = "profile")]
fn may_be_sampled(block: *mut u8) -> bool {
    sampler::hooks::may_be_sampled(block)
}

/// There is no heap profile in this build.
#[inline]
#[cfg(not(feature = "profile"))]
const fn may_be_sampled(_block: *mut u8) -> bool {
    false
}

impl<A: GlobalAlloc> Alloc<A> {
    /// Counts a free, and frees.
    ///
    /// # Safety
    ///
    /// That of [`GlobalAlloc::dealloc`], for the layout of that size and alignment.
    #[cold]
    #[inline(never)]
    unsafe extern "C" fn slow_dealloc(
        block: *mut u8,
        bytes: usize,
        align: usize,
        allocator: &Self,
    ) {
        // SAFETY: of a layout, says the caller.
        let layout = unsafe { Layout::from_size_align_unchecked(bytes, align) };
        #[cfg(feature = "profile")]
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`: the block is live and
        // its own.
        unsafe {
            sampler::hooks::freed(block, layout);
        };
        #[cfg(not(feature = "profile"))]
        count_slowly(Counts::free(layout.size() as u64));
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`: the block came from
        // this allocator with this layout, so it came from the inner one with this layout.
        unsafe { allocator.inner.dealloc(block, layout) };
    }

    /// Reallocates a block that may be a sample, and counts.
    ///
    /// # Safety
    ///
    /// That of [`GlobalAlloc::realloc`], for the layout of that size and alignment.
    #[cfg(feature = "profile")]
    #[cold]
    #[inline(never)]
    unsafe extern "C" fn slow_realloc_sampled(
        block: *mut u8,
        bytes: usize,
        align: usize,
        new_bytes: usize,
        allocator: &Self,
    ) -> *mut u8 {
        // SAFETY: of a layout, says the caller.
        let layout = unsafe { Layout::from_size_align_unchecked(bytes, align) };
        let old_address = block.addr();
        let taken = sampler::hooks::take(old_address);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::realloc`; the block came from
        // the inner allocator.
        let new_block = unsafe { allocator.inner.realloc(block, layout, new_bytes) };
        if new_block.is_null() {
            sampler::hooks::put_back(old_address, taken);
            return new_block;
        }
        let (old, new) = (layout.size() as u64, new_bytes as u64);
        let moved = Moved {
            address: new_block.addr(),
            old,
            new,
            copied: if new_block.addr() == old_address {
                0
            } else {
                old.min(new)
            },
        };
        sampler::hooks::reallocated(moved, taken, mark!());
        new_block
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
        if block.is_null() || try_count_alloc(layout.size()) {
            return block;
        }
        slow_alloc(block, layout.size())
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if may_be_sampled(block) || !try_count_free(layout.size()) {
            // SAFETY: the caller keeps the contract, which is the same; the layout comes in its two parts.
            return unsafe { Self::slow_dealloc(block, layout.size(), layout.align(), self) };
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`: the block came from
        // this allocator with this layout, so it came from the inner one with this layout.
        unsafe { self.inner.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc_zeroed`.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        if block.is_null() || try_count_alloc(layout.size()) {
            return block;
        }
        slow_alloc(block, layout.size())
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        #[cfg(feature = "profile")]
        if may_be_sampled(block) {
            // SAFETY: the caller keeps the contract, which is the same.
            return unsafe {
                Self::slow_realloc_sampled(block, layout.size(), layout.align(), new_bytes, self)
            };
        }
        // Kept as a number: the pointer itself is dead once the block has moved.
        let old_address = block.addr();
        // SAFETY: the caller keeps the contract of `GlobalAlloc::realloc`; the block came from
        // the inner allocator, as for `dealloc`.
        let new_block = unsafe { self.inner.realloc(block, layout, new_bytes) };
        let (old, new) = (layout.size() as u64, new_bytes as u64);
        let moved = if new_block.addr() == old_address {
            0
        } else {
            old.min(new)
        };
        if new_block.is_null() || try_count_realloc(Counts::realloc(old, new, moved)) {
            return new_block;
        }
        slow_realloc(new_block, layout.size(), new_bytes, moved)
    }
}
