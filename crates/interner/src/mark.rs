//! A point to go back to.

/// A point in the life of an interner to go back to: how many symbols it had.
///
/// From `mark`; `rollback` takes it, and tells marks that are not its own, or whose strings are gone.
///
/// # Examples
///
/// ```
/// use thrifty_interner::LocalInterner;
///
/// let mut names: LocalInterner = LocalInterner::new();
/// let kept = names.intern("kept");
/// let mark = names.mark();
/// names.intern("for this request only");
/// assert_eq!(names.rollback(mark), Ok(1));
/// assert_eq!(names.len(), 1);
/// assert_eq!(names.resolve(kept), "kept");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    count: u32,
    /// Of what.
    pub(crate) identity: u64,
    /// How many times that had been rolled back.
    pub(crate) generation: u64,
}

impl Mark {
    pub(crate) const fn of(identity: u64, generation: u64, count: u32) -> Self {
        Self {
            count,
            identity,
            generation,
        }
    }

    pub(crate) const fn count(self) -> u32 {
        self.count
    }
}
