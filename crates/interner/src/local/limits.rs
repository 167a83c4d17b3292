//! What an interner may hold.

#![forbid(unsafe_code)]

use crate::InternError;

/// The limits of an interner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) bytes: usize,
    pub(super) symbols: usize,
    /// Of one string, in bytes.
    pub(super) len: usize,
}

impl Limits {
    pub(super) const NONE: Self = Self {
        bytes: usize::MAX,
        symbols: usize::MAX,
        len: usize::MAX,
    };

    /// What may be taken by one that holds so much.
    pub(super) const fn allowance(&self, reserved_bytes: usize) -> Allowance {
        Allowance {
            left_bytes: self.bytes.saturating_sub(reserved_bytes),
            limit_bytes: self.bytes,
        }
    }
}

/// How much may still be taken from the allocator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    left_bytes: usize,
    limit_bytes: usize,
}

impl Allowance {
    /// How many bytes.
    pub(super) const fn left_bytes(&self) -> usize {
        self.left_bytes
    }

    /// Runs `allocate`, which takes so much where it succeeds; refuses where that may not be taken.
    pub(super) fn take<R>(
        &mut self,
        bytes: usize,
        allocate: impl FnOnce() -> Result<R, InternError>,
    ) -> Result<R, InternError> {
        let left = self.left_bytes.checked_sub(bytes);
        let left = left.ok_or(InternError::MemoryLimit {
            limit_bytes: self.limit_bytes,
        })?;
        let made = allocate()?;
        self.left_bytes = left;
        Ok(made)
    }
}
