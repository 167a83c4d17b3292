//! Why there is no profile.
#![forbid(unsafe_code)]

use core::fmt;

/// Why sampling did not start, or a profile could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileError {
    /// [`Alloc`](crate::Alloc) is not the global allocator of this program.
    NotInstalled,
    /// Sampling was never started, so there is nothing to read.
    NotStarted,
    /// Sampling is going on already.
    AlreadyStarted,
    /// The system had no memory for the profiler's tables.
    OutOfMemory,
    /// A setting is out of range; it says which.
    Invalid(&'static str),
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => crate::installed::NotInstalled.fmt(f),
            Self::NotStarted => f.write_str("heap profiling was not started"),
            Self::AlreadyStarted => f.write_str("heap profiling is going on already"),
            Self::OutOfMemory => f.write_str("no memory for the heap profiler's tables"),
            Self::Invalid(what) => write!(f, "heap profiling: {what}"),
        }
    }
}

impl core::error::Error for ProfileError {}

impl From<crate::installed::NotInstalled> for ProfileError {
    fn from(_: crate::installed::NotInstalled) -> Self {
        Self::NotInstalled
    }
}
