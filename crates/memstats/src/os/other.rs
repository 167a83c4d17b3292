//! Systems that this crate cannot ask.
#![forbid(unsafe_code)]

use super::OsMemory;

pub(super) fn memory() -> OsMemory {
    OsMemory::default()
}

#[cfg(all(feature = "limit", not(test)))]
pub(super) fn ram_bytes() -> Option<u64> {
    None
}
