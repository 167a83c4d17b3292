//! Where the job announces its stages, so that a run can say what each of them cost.

use core::time::Duration;
use std::time::Instant;

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

    /// The stages that may be passes over all lines or steps of one loop.
    pub const OF_A_LINE: [Self; 4] = [Self::Split, Self::Parse, Self::Template, Self::Count];

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
    /// What looks inside of [`Probe::one_loop`].
    type InLoop: Probe;

    /// Runs `work` as part of `stage`.
    fn stage<R>(&mut self, stage: Stage, work: impl FnOnce() -> R) -> R;

    /// Runs a loop over many lines in which all of [`Stage::OF_A_LINE`] are steps.
    fn one_loop<R>(&mut self, work: impl FnOnce(&mut Self::InLoop) -> R) -> R;
}

/// The probe that does not look: nothing is left of it after inlining.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    type InLoop = Self;

    #[inline]
    fn stage<R>(&mut self, _stage: Stage, work: impl FnOnce() -> R) -> R {
        work()
    }

    #[inline]
    fn one_loop<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        work(self)
    }
}

/// The probe of a timed run: a clock around each pass over the lines.
///
/// A step of a loop takes about as long as it takes to look at a clock twice, so inside
/// [`Probe::one_loop`] no one looks: the loop is timed as a whole, and is the same code as
/// without a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    passes: [Duration; Stage::ALL.len()],
    one_loop: Duration,
}

impl Clock {
    /// The time of a stage that is a pass of its own; zero for a step of a loop.
    #[must_use]
    pub const fn pass(&self, stage: Stage) -> Duration {
        self.passes[stage.index()]
    }

    /// The time of [`Stage::OF_A_LINE`] together, be they passes or steps.
    #[must_use]
    pub fn of_lines(&self) -> Duration {
        let passes = Stage::OF_A_LINE.map(|stage| self.pass(stage));
        self.one_loop + passes.iter().sum::<Duration>()
    }

    /// The time of all stages.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.one_loop + self.passes.iter().sum::<Duration>()
    }
}

impl Probe for Clock {
    type InLoop = NoProbe;

    fn stage<R>(&mut self, stage: Stage, work: impl FnOnce() -> R) -> R {
        let begun = Instant::now();
        let result = work();
        self.passes[stage.index()] += begun.elapsed();
        result
    }

    fn one_loop<R>(&mut self, work: impl FnOnce(&mut NoProbe) -> R) -> R {
        let begun = Instant::now();
        let result = work(&mut NoProbe);
        self.one_loop += begun.elapsed();
        result
    }
}
