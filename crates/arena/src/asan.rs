//! Tells AddressSanitizer which bytes of a chunk are free, so that it sees a use of one.
//!
//! Under `cfg(thrifty_asan)`, which `cargo xtask verify asan` sets; otherwise both do nothing.

#[cfg(thrifty_asan)]
mod runtime {
    use core::ffi::c_void;

    unsafe extern "C" {
        pub(super) fn __asan_poison_memory_region(address: *const c_void, bytes: usize);
        pub(super) fn __asan_unpoison_memory_region(address: *const c_void, bytes: usize);
    }
}

/// Nobody may touch these bytes until they are [`wake`]d.
#[inline]
pub(crate) fn sleep(start: *mut u8, bytes: usize) {
    #[cfg(thrifty_asan)]
    // SAFETY: takes any range of addresses; only the tool's own shadow memory is written. What is
    // in the range is free, and this crate touches it after `wake` alone.
    unsafe {
        runtime::__asan_poison_memory_region(start.cast_const().cast(), bytes);
    }
    #[cfg(not(thrifty_asan))]
    let _ = (start, bytes);
}

/// Undoes [`sleep`].
#[inline]
pub(crate) fn wake(start: *mut u8, bytes: usize) {
    #[cfg(thrifty_asan)]
    // SAFETY: as in `sleep`; the range is within one chunk, which is allocated.
    unsafe {
        runtime::__asan_unpoison_memory_region(start.cast_const().cast(), bytes);
    }
    #[cfg(not(thrifty_asan))]
    let _ = (start, bytes);
}
