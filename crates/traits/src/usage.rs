//! How much memory a component holds, and what for.

use core::fmt;

use crate::human::HumanBytes;
use crate::pad::pad;
use crate::sum::impl_saturating_sum;

/// How much memory a component holds, split by what it is for.
///
/// ```text
/// |<------------------------ reserved_bytes ------------------------>|
/// | in_use_bytes: lent to users | idle_bytes: ready to lend | overhead |
/// ```
///
/// `reserved_bytes` is what the component took from the allocator below it. The rest of it,
/// after the bytes in use and the idle ones, is overhead: headers, padding, tables.
///
/// A concurrent component may count while others allocate, so the three numbers need not be of
/// one instant, and [`overhead_bytes`](Self::overhead_bytes) saturates. Sums saturate too.
///
/// # Examples
///
/// ```
/// use thrifty_traits::Usage;
///
/// let pool = Usage::new()
///     .with_in_use_bytes(3 << 20)
///     .with_idle_bytes(1 << 20)
///     .with_reserved_bytes(5 << 20);
/// let arena = Usage::new().with_in_use_bytes(512).with_reserved_bytes(4096);
/// let total: Usage = [pool, arena].iter().sum();
/// assert_eq!(total.in_use_bytes, (3 << 20) + 512);
/// assert_eq!(pool.to_string(), "3.0 MiB in use, 1.0 MiB idle, 5.0 MiB reserved");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Usage {
    /// Bytes that users hold at present, as they asked for them.
    pub in_use_bytes: usize,
    /// Bytes that nobody uses and that the component keeps for the next request.
    pub idle_bytes: usize,
    /// Bytes taken from the allocator below, whatever they are used for.
    pub reserved_bytes: usize,
}

impl Usage {
    /// Nothing in use, nothing idle, nothing reserved.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Usage;
    ///
    /// assert_eq!(Usage::new(), Usage::default());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            in_use_bytes: 0,
            idle_bytes: 0,
            reserved_bytes: 0,
        }
    }

    /// Sets the bytes in use.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Usage;
    ///
    /// assert_eq!(Usage::new().with_in_use_bytes(5).in_use_bytes, 5);
    /// ```
    #[must_use]
    pub const fn with_in_use_bytes(mut self, bytes: usize) -> Self {
        self.in_use_bytes = bytes;
        self
    }

    /// Sets the idle bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Usage;
    ///
    /// assert_eq!(Usage::new().with_idle_bytes(5).idle_bytes, 5);
    /// ```
    #[must_use]
    pub const fn with_idle_bytes(mut self, bytes: usize) -> Self {
        self.idle_bytes = bytes;
        self
    }

    /// Sets the reserved bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Usage;
    ///
    /// assert_eq!(Usage::new().with_reserved_bytes(5).reserved_bytes, 5);
    /// ```
    #[must_use]
    pub const fn with_reserved_bytes(mut self, bytes: usize) -> Self {
        self.reserved_bytes = bytes;
        self
    }

    /// Reserved bytes that are neither in use nor idle.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Usage;
    ///
    /// let usage = Usage::new()
    ///     .with_in_use_bytes(60)
    ///     .with_idle_bytes(30)
    ///     .with_reserved_bytes(100);
    /// assert_eq!(usage.overhead_bytes(), 10);
    /// ```
    #[must_use]
    pub const fn overhead_bytes(&self) -> usize {
        self.reserved_bytes
            .saturating_sub(self.in_use_bytes)
            .saturating_sub(self.idle_bytes)
    }
}

impl_saturating_sum!(Usage {
    in_use_bytes,
    idle_bytes,
    reserved_bytes
});

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_use = HumanBytes(self.in_use_bytes);
        let idle = HumanBytes(self.idle_bytes);
        let reserved = HumanBytes(self.reserved_bytes);
        pad(
            f,
            format_args!("{in_use} in use, {idle} idle, {reserved} reserved"),
        )
    }
}
