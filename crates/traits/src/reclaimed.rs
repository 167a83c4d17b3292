//! What a call to reclaim gave back.

use core::fmt;

use crate::human::HumanBytes;
use crate::pad::pad;
use crate::sum::impl_saturating_sum;

/// What one call to [`Reclaim::reclaim`](crate::Reclaim::reclaim) gave back.
///
/// `bytes` counts what went to the allocator below. Whether that allocator returns it to the
/// operating system is its own affair. Sums saturate.
///
/// # Examples
///
/// ```
/// use thrifty_traits::Reclaimed;
///
/// let mut total = Reclaimed::new();
/// total += Reclaimed::new().with_bytes(4096).with_items(2);
/// total += Reclaimed::new().with_bytes(1024).with_items(1);
/// assert_eq!(total.to_string(), "5.0 KiB in 3 items");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Reclaimed {
    /// Bytes given back to the allocator below.
    pub bytes: usize,
    /// How many things were given back: pooled values, slabs, chunks, table segments.
    pub items: usize,
}

impl Reclaimed {
    /// Nothing was given back.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Reclaimed;
    ///
    /// assert!(Reclaimed::new().is_nothing());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: 0, items: 0 }
    }

    /// Sets the bytes given back.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Reclaimed;
    ///
    /// assert_eq!(Reclaimed::new().with_bytes(5).bytes, 5);
    /// ```
    #[must_use]
    pub const fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the number of things given back.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Reclaimed;
    ///
    /// assert_eq!(Reclaimed::new().with_items(5).items, 5);
    /// ```
    #[must_use]
    pub const fn with_items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// Whether neither a byte nor an item was given back: another call would be no use.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Reclaimed;
    ///
    /// assert!(!Reclaimed::new().with_items(1).is_nothing());
    /// ```
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.bytes == 0 && self.items == 0
    }
}

impl_saturating_sum!(Reclaimed { bytes, items });

impl fmt::Display for Reclaimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.items == 1 { "" } else { "s" };
        let (bytes, items) = (HumanBytes(self.bytes), self.items);
        pad(f, format_args!("{bytes} in {items} item{plural}"))
    }
}
