//! Tells AddressSanitizer which values are idle, so that it sees a use of one.
//!
//! Under `cfg(thrifty_asan)`, which `cargo xtask verify asan` sets; otherwise both do nothing.
//! LeakSanitizer skips what is poisoned unless it runs with `use_poisoned=1`, and would then
//! report what an idle value owns.

#[cfg(thrifty_asan)]
mod runtime {
    use core::ffi::c_void;

    unsafe extern "C" {
        pub(super) fn __asan_poison_memory_region(address: *const c_void, bytes: usize);
        pub(super) fn __asan_unpoison_memory_region(address: *const c_void, bytes: usize);
    }
}

/// Nobody may touch this value until it is [`wake`]d.
#[inline]
pub(crate) fn sleep<T>(value: *mut T) {
    #[cfg(thrifty_asan)]
    // SAFETY: takes any range of addresses; only the tool's own shadow memory is written. What is
    // in the range is an idle value, which this crate reads after `wake` alone.
    unsafe {
        runtime::__asan_poison_memory_region(value.cast_const().cast(), size_of::<T>());
    }
    #[cfg(not(thrifty_asan))]
    let _ = value;
}

/// Undoes [`sleep`].
#[inline]
pub(crate) fn wake<T>(value: *mut T) {
    #[cfg(thrifty_asan)]
    // SAFETY: as in `sleep`; the range is within one node, which is allocated.
    unsafe {
        runtime::__asan_unpoison_memory_region(value.cast_const().cast(), size_of::<T>());
    }
    #[cfg(not(thrifty_asan))]
    let _ = value;
}
