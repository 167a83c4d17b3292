//! What a pool decides for all its buffers: classes, alignment, wiping, what is too large.

#![forbid(unsafe_code)]

use super::{classes::Classes, error::BufError};

/// What happens to a request above the largest class.
///
/// Whatever the policy, the classes stay as they are: a request, which may come from a peer whom
/// nobody trusts, never makes the pool keep larger buffers.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{BufferPool, Oversize};
///
/// let pool = BufferPool::builder().oversize(Oversize::Capped(16 << 20)).build()?;
/// assert!(pool.try_get(16 << 20).is_ok());
/// assert!(pool.try_get((16 << 20) + 1).is_err());
/// # Ok::<(), thrifty_pool::BufferPoolError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oversize {
    /// It is allocated for this use and freed afterwards.
    #[default]
    Unpooled,
    /// It is an error.
    Error,
    /// Up to this capacity it is as [`Unpooled`](Self::Unpooled), above it is an error.
    Capped(usize),
}

/// Whether a buffer's bytes are overwritten before others may have the buffer.
///
/// Safe code never sees what a buffer held before, whatever the policy: a buffer is empty when it
/// is lent, and shows only what was written to it since. The policy is about core dumps, debuggers
/// and code with `unsafe`. It covers every byte that may have been written since the last wipe,
/// also when the buffer grows and when it is not pooled.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{BufferPool, Wipe};
///
/// let keys = BufferPool::builder().wipe(Wipe::OnPutVolatile).build()?;
/// let mut key = keys.get(32);
/// key.extend_from_slice(b"correct horse battery staple....");
/// drop(key); // zeroed here
/// # Ok::<(), thrifty_pool::BufferPoolError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wipe {
    /// No.
    #[default]
    Never,
    /// It is filled with zeros when it comes back. The optimiser may leave this out where it can
    /// prove that the memory is freed next.
    OnPut,
    /// It is filled with zeros by volatile writes when it comes back, which the compiler neither
    /// leaves out nor moves behind the release of the memory. A word at a time, so slower than
    /// [`OnPut`](Self::OnPut).
    OnPutVolatile,
}

/// The decisions, copied into every class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) classes: Classes,
    /// What every class holds beyond its size.
    pub(crate) slack: usize,
    /// A power of two.
    pub(crate) align: usize,
    pub(crate) wipe: Wipe,
    pub(crate) oversize: Oversize,
}

impl Rules {
    /// The first class whose buffers hold `capacity` bytes; the number of classes or more if
    /// that is oversize.
    #[inline]
    pub(crate) fn class_for(&self, capacity: usize) -> usize {
        self.classes.class_of(capacity.saturating_sub(self.slack))
    }

    /// The bytes that a buffer of this class holds.
    ///
    /// # Panics
    ///
    /// When there is no such class.
    pub(crate) fn capacity_of(&self, class: usize) -> usize {
        self.classes.sizes()[class] + self.slack
    }

    /// The bytes that a buffer of the largest class holds.
    pub(crate) fn largest(&self) -> usize {
        self.capacity_of(self.classes.count() - 1)
    }

    /// The largest capacity that a buffer can have.
    pub(crate) fn limit(&self) -> usize {
        match self.oversize {
            Oversize::Unpooled => isize::MAX as usize,
            Oversize::Error => self.largest(),
            Oversize::Capped(limit) => limit,
        }
    }

    /// Whether a buffer may be so large.
    pub(crate) fn check_oversize(&self, requested: usize) -> Result<(), BufError> {
        let limit = self.limit();
        // Where nothing forbids it, the allocation says that there is no such layout.
        if requested <= limit || self.oversize == Oversize::Unpooled {
            return Ok(());
        }
        Err(BufError::Oversize { requested, limit })
    }

    /// The capacity for an unpooled buffer that has `capacity` and needs `needed` bytes: at least
    /// twice as much as before, so that appending stays linear.
    pub(crate) fn grown(&self, capacity: usize, needed: usize) -> usize {
        capacity.saturating_mul(2).min(self.limit()).max(needed)
    }
}
