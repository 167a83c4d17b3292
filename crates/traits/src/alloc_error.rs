//! Why an allocation failed.

use core::alloc::Layout;
use core::fmt;

use crate::pad::pad;

/// Why an allocation failed, and what was asked for.
///
/// The error owns no heap, so that it can be made when there is none left.
///
/// # Examples
///
/// ```
/// use core::alloc::Layout;
/// use thrifty_traits::{AllocError, AllocErrorKind};
///
/// let error = AllocError::for_layout(AllocErrorKind::Limit, Layout::new::<[u64; 8]>());
/// assert_eq!((error.size, error.align), (64, 8));
/// assert_eq!(error.to_string(), "cannot allocate 64 bytes aligned to 8: the limit is reached");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllocError {
    /// Why it failed.
    pub kind: AllocErrorKind,
    /// The bytes that were asked for; `usize::MAX` when that number itself overflowed.
    pub size: usize,
    /// The alignment that was asked for, in bytes.
    pub align: usize,
}

// Small enough to be returned in registers and in the error half of a `Result` at no cost.
const _: () = assert!(size_of::<AllocError>() == 3 * size_of::<usize>());

/// The reasons for which an allocation fails.
///
/// # Examples
///
/// ```
/// use thrifty_traits::AllocErrorKind;
///
/// /// Whether freeing something and asking again may help.
/// fn worth_a_retry(kind: AllocErrorKind) -> bool {
///     !matches!(kind, AllocErrorKind::Overflow | AllocErrorKind::Align)
/// }
/// assert!(worth_a_retry(AllocErrorKind::Exhausted));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AllocErrorKind {
    /// The size, with its padding, is more than `isize::MAX` bytes. No allocator can serve it.
    Overflow,
    /// The alignment is larger than this allocator serves.
    Align,
    /// The allocation would exceed a limit that the user has set.
    Limit,
    /// The memory of an allocator that does not grow is used up.
    Exhausted,
    /// The allocator below refused: as a rule, the system is out of memory.
    Backend,
}

impl AllocError {
    /// An error for `size` bytes aligned to `align`.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::{AllocError, AllocErrorKind};
    ///
    /// const FULL: AllocError = AllocError::new(AllocErrorKind::Exhausted, 32, 8);
    /// assert_eq!(FULL.kind, AllocErrorKind::Exhausted);
    /// ```
    #[must_use]
    pub const fn new(kind: AllocErrorKind, size: usize, align: usize) -> Self {
        Self { kind, size, align }
    }

    /// An error for a request that has a layout.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::alloc::Layout;
    /// use thrifty_traits::{AllocError, AllocErrorKind};
    ///
    /// let error = AllocError::for_layout(AllocErrorKind::Backend, Layout::new::<u16>());
    /// assert_eq!((error.size, error.align), (2, 2));
    /// ```
    #[must_use]
    pub const fn for_layout(kind: AllocErrorKind, layout: Layout) -> Self {
        Self::new(kind, layout.size(), layout.align())
    }

    /// An error for a request whose size cannot be expressed.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::AllocError;
    ///
    /// let error = AllocError::overflow(8);
    /// assert_eq!(error.to_string(), "cannot allocate: the size overflows");
    /// ```
    #[must_use]
    pub const fn overflow(align: usize) -> Self {
        Self::new(AllocErrorKind::Overflow, usize::MAX, align)
    }
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, size, align } = self;
        if *kind == AllocErrorKind::Overflow {
            return pad(f, format_args!("cannot allocate: {kind}"));
        }
        let plural = if *size == 1 { "" } else { "s" };
        pad(
            f,
            format_args!("cannot allocate {size} byte{plural} aligned to {align}: {kind}"),
        )
    }
}

impl fmt::Display for AllocErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Overflow => "the size overflows",
            Self::Align => "the alignment is not supported",
            Self::Limit => "the limit is reached",
            Self::Exhausted => "the allocator is full",
            Self::Backend => "the allocator below is out of memory",
        })
    }
}

impl core::error::Error for AllocError {}
