//! What size classes say about themselves.

use core::fmt;

use thrifty_traits::Usage;

use crate::stats::Stats;

/// Figures of a [`ClassAlloc`](crate::ClassAlloc): the sums of its classes' [`Stats`].
///
/// What the fallback has allocated is not in them.
///
/// # Examples
///
/// ```
/// use allocator_api2::boxed::Box;
/// use thrifty_fixed_alloc::ClassAlloc;
///
/// let classes = ClassAlloc::new();
/// let boxed = Box::new_in([0_u8; 40], &classes);
/// let stats = classes.stats();
/// assert_eq!((stats.in_use, stats.in_use_bytes, stats.slabs), (1, 48, 1));
/// assert!(stats.to_string().starts_with("1 in use (48 B) in 1 class"));
/// # drop(boxed);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassStats {
    /// Classes that were ever used.
    pub classes: usize,
    /// Blocks that are lent.
    pub in_use: usize,
    /// Bytes of the blocks that are lent.
    pub in_use_bytes: usize,
    /// Bytes of blocks that are idle in magazines or free in slabs.
    pub idle_bytes: usize,
    /// Slabs.
    pub slabs: usize,
    /// Slabs without a block in use or in a magazine.
    pub empty_slabs: usize,
    /// Bytes taken from the global allocator: slabs and bookkeeping.
    pub reserved_bytes: usize,
    /// Bad frees, and blocks written to after their free, that hardened classes have met so far.
    pub faults: u64,
}

impl ClassStats {
    /// The same as the vocabulary of limit controllers has it.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_fixed_alloc::{ClassAlloc, MemoryUsage};
    ///
    /// let classes = ClassAlloc::new();
    /// assert_eq!(classes.stats().usage(), classes.memory_usage());
    /// ```
    #[must_use]
    pub const fn usage(&self) -> Usage {
        Usage::new()
            .with_in_use_bytes(self.in_use_bytes)
            .with_idle_bytes(self.idle_bytes)
            .with_reserved_bytes(self.reserved_bytes)
    }
}

impl FromIterator<Stats> for ClassStats {
    fn from_iter<I: IntoIterator<Item = Stats>>(all: I) -> Self {
        all.into_iter().fold(Self::default(), |sum, stats| Self {
            classes: sum.classes + 1,
            in_use: sum.in_use.saturating_add(stats.in_use),
            in_use_bytes: sum.in_use_bytes.saturating_add(stats.in_use_bytes),
            idle_bytes: sum.idle_bytes.saturating_add(stats.usage().idle_bytes),
            slabs: sum.slabs.saturating_add(stats.slabs),
            empty_slabs: sum.empty_slabs.saturating_add(stats.empty_slabs),
            reserved_bytes: sum.reserved_bytes.saturating_add(stats.reserved_bytes),
            faults: sum.faults.saturating_add(stats.faults),
        })
    }
}

impl fmt::Display for ClassStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            classes,
            in_use,
            in_use_bytes,
            idle_bytes,
            reserved_bytes,
            ..
        } = self;
        let plural = if *classes == 1 { "" } else { "es" };
        write!(
            f,
            "{in_use} in use ({in_use_bytes} B) in {classes} class{plural}, {idle_bytes} B idle; {reserved_bytes} B reserved"
        )
    }
}
