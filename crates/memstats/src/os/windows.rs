//! Windows: `GetProcessMemoryInfo`.

use windows_sys::Win32::System::{
    ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS},
    Threading::GetCurrentProcess,
};

use super::OsMemory;

pub(super) fn memory() -> OsMemory {
    #[expect(clippy::cast_possible_truncation, reason = "a structure of 72 bytes")]
    let size = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
    // SAFETY: a structure of integers, for which all bits zero is a value.
    let mut counters: PROCESS_MEMORY_COUNTERS = unsafe { core::mem::zeroed() };
    counters.cb = size;
    // SAFETY: takes nothing; the answer is a constant that needs no closing.
    let process = unsafe { GetCurrentProcess() };
    // SAFETY: the pointer is to a structure of `size` bytes, valid for the call.
    if unsafe { K32GetProcessMemoryInfo(process, &raw mut counters, size) } == 0 {
        return OsMemory::default();
    }
    OsMemory {
        resident_bytes: Some(counters.WorkingSetSize as u64),
        resident_peak_bytes: Some(counters.PeakWorkingSetSize as u64),
        virtual_bytes: Some(counters.PagefileUsage as u64),
        ..OsMemory::default()
    }
}

#[cfg(all(feature = "limit", not(test)))]
pub(super) fn ram_bytes() -> Option<u64> {
    use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};

    // SAFETY: a structure of integers, for which all bits zero is a value.
    let mut status: MEMORYSTATUSEX = unsafe { core::mem::zeroed() };
    #[expect(clippy::cast_possible_truncation, reason = "a structure of 64 bytes")]
    {
        status.dwLength = size_of::<MEMORYSTATUSEX>() as u32;
    }
    // SAFETY: the pointer is to a structure that says its length, valid for the call.
    let done = unsafe { GlobalMemoryStatusEx(&raw mut status) };
    (done != 0).then_some(status.ullTotalPhys)
}
