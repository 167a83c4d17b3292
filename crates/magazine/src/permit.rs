//! The right to make rounds.

use core::fmt;

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

/// The right to make rounds, which count as live from now on.
///
/// What is not [kept](Self::keep), because making it failed, is given back when this is dropped.
#[must_use = "a permit that is not kept is given back"]
pub struct Permit<'a, S: Supplier> {
    shared: &'a Shared<S>,
    rounds: usize,
}

impl<'a, S: Supplier> Permit<'a, S> {
    /// For `Shared::permit_many`, which has counted the rounds and their leases.
    pub(crate) fn new(shared: &'a Shared<S>, rounds: usize) -> Self {
        Self { shared, rounds }
    }

    /// How many rounds may be made.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// The rounds exist, all that the permit is for. Each has its lease, until the engine destroys
    /// it or somebody [retires](Shared::retire) it.
    pub fn keep(self) {
        let rounds = self.rounds;
        self.keep_some(rounds);
    }

    /// So many rounds exist; the rest is given back.
    ///
    /// # Panics
    ///
    /// When the permit is for fewer.
    pub fn keep_some(mut self, rounds: usize) {
        assert!(rounds <= self.rounds, "more rounds than were permitted");
        self.shared.core().census.created(rounds);
        self.rounds -= rounds;
    }
}

impl<S: Supplier> Drop for Permit<'_, S> {
    fn drop(&mut self) {
        if self.rounds > 0 {
            self.shared.forgo(self.rounds);
        }
    }
}

impl<S: Supplier> fmt::Debug for Permit<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("rounds", &self.rounds)
            .finish_non_exhaustive()
    }
}
