//! Systems that this crate cannot ask.
#![forbid(unsafe_code)]

use super::OsMemory;

pub(super) fn memory() -> OsMemory {
    OsMemory::default()
}
