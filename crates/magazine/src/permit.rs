//! The right to make a round.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use crate::{engine::Shared, supplier::Supplier};

/// Why no round may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The engine is closed.
    Closed,
    /// As many rounds exist as may: [`Config::max_live`](crate::Config::max_live).
    Exhausted,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Closed => "it is closed",
            Self::Exhausted => "as many exist as may",
        })
    }
}

impl core::error::Error for Refused {}

/// The right to make one round, which counts as live from now on.
///
/// Dropped without [`keep`](Self::keep), because making it failed, it is given back.
#[must_use = "a permit that is not kept is given back"]
pub struct Permit<'a, S: Supplier>(&'a Shared<S>);

impl<'a, S: Supplier> Permit<'a, S> {
    /// For `Shared::permit`, which has counted the round and its lease.
    pub(crate) fn new(shared: &'a Shared<S>) -> Self {
        Self(shared)
    }

    /// The round exists. It has its lease, until the engine destroys it or somebody
    /// [retires](Shared::retire) it.
    pub fn keep(self) {
        let permit = ManuallyDrop::new(self);
        permit.0.core().census.created();
    }
}

impl<S: Supplier> Drop for Permit<'_, S> {
    fn drop(&mut self) {
        // SAFETY: the permit's own lease. The engine outlives it, since the handle that the permit
        // borrows from has one too.
        unsafe { Shared::retire(NonNull::from(self.0), 1) };
    }
}

impl<S: Supplier> fmt::Debug for Permit<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
