//! A point to go back to.

/// A point in the life of an interner to go back to: how many symbols it had.
///
/// From `mark`; `rollback` takes it.
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
/// names.rollback(mark);
/// assert_eq!(names.len(), 1);
/// assert_eq!(names.resolve(kept), "kept");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    count: u32,
}

impl Mark {
    pub(crate) const fn new(count: u32) -> Self {
        Self { count }
    }

    pub(crate) const fn count(self) -> u32 {
        self.count
    }
}
