//! Tells AddressSanitizer which blocks are idle, so that it sees a use of one.
//!
//! Under `cfg(thrifty_asan)`, which `cargo xtask verify asan` sets; otherwise both do nothing.

use core::ptr::NonNull;

#[cfg(thrifty_asan)]
mod runtime {
    use core::ffi::c_void;

    unsafe extern "C" {
        pub(super) fn __asan_poison_memory_region(address: *const c_void, bytes: usize);
        pub(super) fn __asan_unpoison_memory_region(address: *const c_void, bytes: usize);
    }
}

/// Nobody may touch these bytes until they are [woken](wake).
#[inline]
pub(crate) fn sleep(start: NonNull<u8>, bytes: usize) {
    #[cfg(thrifty_asan)]
    // SAFETY: takes any range of addresses; only the tool's own shadow memory is written.
    unsafe {
        runtime::__asan_poison_memory_region(start.as_ptr().cast(), bytes);
    }
    #[cfg(not(thrifty_asan))]
    let _ = (start, bytes);
}

/// Undoes [`sleep`].
#[inline]
pub(crate) fn wake(start: NonNull<u8>, bytes: usize) {
    #[cfg(thrifty_asan)]
    // SAFETY: as in `sleep`.
    unsafe {
        runtime::__asan_unpoison_memory_region(start.as_ptr().cast(), bytes);
    }
    #[cfg(not(thrifty_asan))]
    let _ = (start, bytes);
}
