//! Tells AddressSanitizer that the bytes of idle blocks must not be touched.
//!
//! Without this it sees nothing wrong with a pointer into a buffer that was returned.

use core::{ffi::c_void, ptr::NonNull};

unsafe extern "C" {
    fn __asan_poison_memory_region(start: *const c_void, size: usize);
    fn __asan_unpoison_memory_region(start: *const c_void, size: usize);
}

/// From now on an access to these bytes is reported.
pub(crate) fn poison(start: NonNull<u8>, len: usize) {
    // SAFETY: the runtime is linked into every build that sets the cfg; it only notes the range.
    unsafe { __asan_poison_memory_region(start.as_ptr().cast(), len) };
}

/// From now on these bytes may be used.
pub(crate) fn unpoison(start: NonNull<u8>, len: usize) {
    // SAFETY: as above.
    unsafe { __asan_unpoison_memory_region(start.as_ptr().cast(), len) };
}
