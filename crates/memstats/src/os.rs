//! What the operating system says of the process.

#[cfg(target_vendor = "apple")]
#[path = "os/apple.rs"]
mod imp;
#[cfg(target_os = "linux")]
#[path = "os/linux.rs"]
mod imp;
#[cfg(not(any(target_os = "linux", target_vendor = "apple", windows)))]
#[path = "os/other.rs"]
mod imp;
#[cfg(windows)]
#[path = "os/windows.rs"]
mod imp;

/// The process's memory as the operating system accounts for it; from [`memory`].
///
/// What a system does not tell is `None`, never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OsMemory {
    /// Bytes in physical memory (RSS; the working set on Windows).
    pub resident_bytes: Option<u64>,
    /// The most that was ever resident.
    pub resident_peak_bytes: Option<u64>,
    /// Resident bytes that no file backs: heap, stacks, written copies. Linux only.
    pub anonymous_bytes: Option<u64>,
    /// Bytes swapped out. Linux only.
    pub swapped_bytes: Option<u64>,
    /// Bytes of address space in use (on Windows: committed).
    pub virtual_bytes: Option<u64>,
}

/// Asks the operating system how much memory the process uses.
///
/// One or two system calls, some ten microseconds on Linux, and no allocation: fit for a sampling
/// loop, not for a hot one. Works without [`Alloc`](crate::Alloc) being installed.
///
/// Linux reads `/proc/self/status`, macOS asks `task_info`, Windows `GetProcessMemoryInfo`; other
/// systems tell nothing here.
///
/// # Examples
///
/// ```
/// let memory = thrifty_memstats::os::memory();
/// if cfg!(target_os = "linux") {
///     assert!(memory.resident_bytes > Some(100_000));
///     assert!(memory.resident_peak_bytes >= memory.resident_bytes);
/// }
/// ```
pub fn memory() -> OsMemory {
    imp::memory()
}

/// The machine's memory; Linux tells it in a file, which the limit reads with others.
#[cfg(all(feature = "limit", not(target_os = "linux"), not(test)))]
pub(crate) fn ram_bytes() -> Option<u64> {
    imp::ram_bytes()
}
