//! Allocators of blocks of 64 bytes: ours, and the general ones as values.

use core::{
    alloc::{GlobalAlloc, Layout},
    mem::MaybeUninit,
    ptr::NonNull,
};
use std::alloc::handle_alloc_error;

use allocator_api2::alloc::Allocator as _;
use thrifty_fixed_alloc::{ClassAlloc, FixedAlloc, Pressure};

/// The layout of every block.
pub(super) const LAYOUT: Layout = match Layout::from_size_align(64, 8) {
    Ok(layout) => layout,
    Err(_) => panic!("64 bytes are a layout"),
};

/// Lends blocks of [`LAYOUT`].
pub(super) trait Blocks: Sync + 'static {
    /// A block, not initialised. The program ends where there is none.
    fn alloc(&self) -> NonNull<u8>;

    /// # Safety
    ///
    /// The block came from [`alloc`](Self::alloc) or [`alloc_all`](Self::alloc_all) of this value, and
    /// nobody uses it any more.
    unsafe fn free(&self, block: NonNull<u8>);

    /// A block for each place.
    #[inline]
    fn alloc_all(&self, places: &mut [MaybeUninit<NonNull<u8>>]) {
        for place in places {
            place.write(self.alloc());
        }
    }

    /// # Safety
    ///
    /// Each is as [`free`](Self::free) wants it, and none is there twice.
    #[inline]
    unsafe fn free_all(&self, blocks: &[NonNull<u8>]) {
        for &block in blocks {
            // SAFETY: the caller's promise for each.
            unsafe { self.free(block) };
        }
    }

    /// Gives memory back, where it has a way to say so.
    fn trim(&self) {}

    /// Bytes taken from below, where it can tell.
    fn reserved_bytes(&self) -> Option<u64> {
        None
    }
}

/// Ours, with its default settings.
pub(super) struct Ours(FixedAlloc);

impl Ours {
    pub(super) fn new() -> Self {
        Self(FixedAlloc::new(LAYOUT).expect("the layout is sound"))
    }
}

impl Blocks for Ours {
    #[inline]
    fn alloc(&self) -> NonNull<u8> {
        match self.0.try_alloc() {
            Ok(block) => block.cast(),
            Err(_) => handle_alloc_error(LAYOUT),
        }
    }

    #[inline]
    unsafe fn free(&self, block: NonNull<u8>) {
        // SAFETY: passed on.
        unsafe { self.0.free(block) };
    }

    #[inline]
    fn alloc_all(&self, places: &mut [MaybeUninit<NonNull<u8>>]) {
        if self.0.try_alloc_batch(places) < places.len() {
            handle_alloc_error(LAYOUT);
        }
    }

    #[inline]
    unsafe fn free_all(&self, blocks: &[NonNull<u8>]) {
        // SAFETY: passed on.
        unsafe { self.0.free_batch(blocks) };
    }

    fn trim(&self) {
        let _ = self.0.trim(Pressure::High);
    }

    fn reserved_bytes(&self) -> Option<u64> {
        Some(self.0.stats().reserved_bytes as u64)
    }
}

/// Ours with size classes, with its default settings, asked for a layout of 64 bytes.
pub(super) struct Classes(ClassAlloc);

impl Classes {
    pub(super) fn new() -> Self {
        Self(ClassAlloc::new())
    }
}

impl Blocks for Classes {
    #[inline]
    fn alloc(&self) -> NonNull<u8> {
        match (&self.0).allocate(LAYOUT) {
            Ok(block) => block.cast(),
            Err(_) => handle_alloc_error(LAYOUT),
        }
    }

    #[inline]
    unsafe fn free(&self, block: NonNull<u8>) {
        // SAFETY: the caller's promise; every block here has this layout.
        unsafe { (&self.0).deallocate(block, LAYOUT) };
    }
}

/// A general allocator.
pub(super) struct Heap<A: 'static>(pub(super) &'static A);

impl<A: GlobalAlloc + Sync> Blocks for Heap<A> {
    #[inline]
    fn alloc(&self) -> NonNull<u8> {
        // SAFETY: the layout's size is not zero.
        let start = unsafe { self.0.alloc(LAYOUT) };
        NonNull::new(start).unwrap_or_else(|| handle_alloc_error(LAYOUT))
    }

    #[inline]
    unsafe fn free(&self, block: NonNull<u8>) {
        // SAFETY: the caller's promise; every block here has this layout.
        unsafe { self.0.dealloc(block.as_ptr(), LAYOUT) };
    }
}
