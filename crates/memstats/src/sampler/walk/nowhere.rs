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

    pub(super) fn walk(&self, _at: Registers, _visit: impl FnMut(usize, usize) -> bool) -> Walk {
        match self.0 {}
    }

    pub(super) fn learn(&self, _at: Registers, _visit: impl FnMut(usize, usize) -> bool) -> bool {
        match self.0 {}
    }
}

/// Where a function is, which nobody asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Registers;

pub(super) const fn registers() -> Registers {
    Registers
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(dead_code, reason = "there is no walk to end")]
pub(super) enum Walk {
    /// At the outermost frame, or at a frame that was not to be passed.
    Whole,
    /// Before: at a place in the code of which nothing was learned yet.
    New,
    /// Before.
    Short,
}
