//! How badly memory is needed.

use core::fmt;

/// How badly memory is needed, and so how much a [`Reclaim`](crate::Reclaim) gives back.
///
/// The levels are ordered, and each level gives back at least what the lower ones do. No level
/// touches memory that is in use.
///
/// The set is closed on purpose: an implementation decides about each level, and the compiler
/// reminds it to.
///
/// # Examples
///
/// ```
/// use thrifty_traits::Pressure;
///
/// let used_percent = 92;
/// let pressure = match used_percent {
///     0..80 => None,
///     80..90 => Some(Pressure::Low),
///     90..97 => Some(Pressure::Medium),
///     _ => Some(Pressure::High),
/// };
/// assert!(pressure > Some(Pressure::Low));
/// assert_eq!(Pressure::Medium.to_string(), "medium");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pressure {
    /// Give back idle memory beyond the working set: what the recent load did not touch.
    ///
    /// A steady load does not become slower, because what it reuses stays.
    Low,
    /// Give back idle memory that is cheap to make again, working set included.
    ///
    /// The next requests may allocate. What is expensive to rebuild (a cache of computed
    /// results, a warmed-up table) stays.
    Medium,
    /// Give back everything that is not in use.
    ///
    /// Afterwards the component holds what its users hold, and the bookkeeping for it.
    High,
}

impl Pressure {
    /// Every level, from low to high.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Pressure;
    ///
    /// assert!(Pressure::ALL.is_sorted());
    /// ```
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];
}

impl fmt::Display for Pressure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}
