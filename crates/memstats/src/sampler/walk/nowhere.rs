//! Where stacks are walked by the system's unwinder alone.
#![forbid(unsafe_code)]

use core::convert::Infallible;

/// There is none.
#[derive(Debug)]
pub(super) struct Walker(Infallible);

impl Walker {
    pub(super) const fn new() -> Option<Self> {
        None
    }

    pub(super) const fn bytes(&self) -> usize {
        match self.0 {}
    }

    pub(super) fn walk(&self, _visit: impl FnMut(usize, usize) -> bool) -> Walk {
        match self.0 {}
    }
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// At the outermost frame, or at a frame that was not to be passed.
    Whole { is_new: bool },
    /// Before.
    Short,
}
