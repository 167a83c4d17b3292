//! Giving what the allocator keeps back to the system.

/// What glibc's `malloc` keeps goes back to the system; it walks all arenas under their locks.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn default_release() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> core::ffi::c_int;
    }
    // SAFETY: the declaration is glibc's; it takes a number, touches unused memory of the
    // allocator only, and may be called by any thread at any time.
    unsafe { malloc_trim(0) };
}

/// What is called when nothing else is set.
pub(crate) const DEFAULT: Option<fn()> = {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        Some(default_release)
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    {
        None
    }
};
