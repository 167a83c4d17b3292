//! Where the job announces its stages, so that a counting run can say what each of them cost.

use serde::{Deserialize, Serialize};

/// The stages of the job, in the order in which a line passes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Bytes from the file into memory.
    Read,
    /// Bytes into lines.
    Split,
    /// A line into time, host, component, level and message.
    Parse,
    /// A message into its template.
    Template,
    /// Template, host, component, level and minute into the counters.
    Count,
    /// Counters into sorted tables.
    Tables,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::Split,
        Self::Parse,
        Self::Template,
        Self::Count,
        Self::Tables,
    ];

    /// The position in [`Stage::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name that the tables print.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Split => "split",
            Self::Parse => "parse",
            Self::Template => "template",
            Self::Count => "count",
            Self::Tables => "tables",
        }
    }
}

/// Runs a stage's work, and may look at a meter before and after it.
pub trait Probe {
    /// Runs `work` as part of `stage`.
    fn stage<R>(&mut self, stage: Stage, work: impl FnOnce() -> R) -> R;
}

/// The probe of a timed run: nothing is left of it after inlining.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    #[inline]
    fn stage<R>(&mut self, _stage: Stage, work: impl FnOnce() -> R) -> R {
        work()
    }
}
