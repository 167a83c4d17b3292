//! How dear the memory of a reclaimer is.
#![forbid(unsafe_code)]

use core::fmt;

/// How dear the memory of a reclaimer is to make again.
///
/// Reclaimers are asked in the order of what they gave the last time, weighted by four for each
/// step from dear to cheap.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit::Priority;
///
/// assert_eq!(Priority::default(), Priority::Normal);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Priority {
    /// To be asked first: idle buffers, spare objects.
    Cheap,
    /// In between.
    #[default]
    Normal,
    /// To be asked last: computed results, warmed-up caches.
    Costly,
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cheap => "cheap",
            Self::Normal => "normal",
            Self::Costly => "costly",
        })
    }
}
