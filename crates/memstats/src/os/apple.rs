//! macOS and its kin: Mach's `task_info`.

use super::OsMemory;

pub(super) fn memory() -> OsMemory {
    let mut info = core::mem::MaybeUninit::<libc::mach_task_basic_info>::uninit();
    let mut words = libc::MACH_TASK_BASIC_INFO_COUNT;
    #[expect(
        deprecated,
        reason = "libc points to another crate for the same symbol"
    )]
    // SAFETY: takes nothing and names the calling task.
    let task = unsafe { libc::mach_task_self() };
    // SAFETY: `info` has room for the `words` 32-bit words that this flavour writes, and both
    // pointers are valid for the call.
    let status = unsafe {
        libc::task_info(
            task,
            libc::MACH_TASK_BASIC_INFO,
            info.as_mut_ptr().cast::<libc::integer_t>(),
            &raw mut words,
        )
    };
    if status != libc::KERN_SUCCESS || words < libc::MACH_TASK_BASIC_INFO_COUNT {
        return OsMemory::default();
    }
    // SAFETY: the call succeeded and wrote the whole structure.
    let info = unsafe { info.assume_init() };
    OsMemory {
        resident_bytes: Some(info.resident_size),
        resident_peak_bytes: Some(info.resident_size_max),
        virtual_bytes: Some(info.virtual_size),
        ..OsMemory::default()
    }
}

#[cfg(all(feature = "limit", not(test)))]
pub(super) fn ram_bytes() -> Option<u64> {
    let mut bytes = 0_u64;
    let mut len = size_of::<u64>();
    // SAFETY: the name is a C string; `bytes` has room for the `len` bytes that are written, both
    // pointers are valid for the call, and nothing is set.
    let status = unsafe {
        libc::sysctlbyname(
            c"hw.memsize".as_ptr(),
            (&raw mut bytes).cast(),
            &raw mut len,
            core::ptr::null_mut(),
            0,
        )
    };
    (status == 0 && len == size_of::<u64>()).then_some(bytes)
}
