//! What a run leaves behind: a table for people, `bench.json` for programs, `bench.txt` for
//! benchstat.

mod benchstat;
mod record;
mod stamp;
mod table;
#[cfg(test)]
mod tests;

pub use self::{benchstat::benchstat, record::Record, stamp::Stamp, table::table};
use crate::{count::Count, runner::Measured};

/// A finished row: its times and its counts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished {
    /// The times.
    pub measured: Measured,
    /// The counts of its sides, as far as they are known.
    pub counts: Vec<Count>,
}

impl Finished {
    /// Puts times and counts together; counts of other rows are left out.
    #[must_use]
    pub fn new(measured: Measured, counts: &[Count]) -> Self {
        let own = counts
            .iter()
            .filter(|count| count.workload == measured.id.as_str());
        Self {
            counts: own.cloned().collect(),
            measured,
        }
    }

    /// What a side allocates.
    #[must_use]
    pub fn count(&self, subject: &str) -> Option<&Count> {
        self.counts.iter().find(|count| count.subject == subject)
    }
}
