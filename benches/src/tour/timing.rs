//! Interleaved rounds: naive, tuned, thrifty, naive, tuned, thrifty, … in one process.
//!
//! Taking turns lets a slow spell of the machine hit all. The median says what is usual, the
//! minimum what the code costs when nothing disturbs it, and both are shown with the maximum.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    TOP,
    probe::{Clock, Stage},
    report::Report,
    variant::Variant,
};
use crate::failure::Failure;

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// So many rounds, whatever they take; or [`Plan::USUAL_ROUNDS`] within [`Plan::BUDGET`].
    pub rounds: Option<usize>,
}

impl Plan {
    /// Rounds without an explicit number.
    pub const USUAL_ROUNDS: usize = 15;

    /// After this time no round is begun, once [`Plan::FEWEST_ROUNDS`] are done.
    pub const BUDGET: Duration = Duration::from_secs(18);

    /// Below this a median says nothing.
    pub const FEWEST_ROUNDS: usize = 3;

    /// How many rounds there will be at most.
    #[must_use]
    pub fn most_rounds(self) -> usize {
        self.rounds.unwrap_or(Self::USUAL_ROUNDS)
    }

    fn is_over(self, rounds: usize, spent: Duration) -> bool {
        rounds >= self.most_rounds()
            || self.rounds.is_none() && rounds >= Self::FEWEST_ROUNDS && spent >= Self::BUDGET
    }
}

/// What the rounds showed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timed {
    /// The answer that every run of every round gave.
    pub report: Report,
    /// The times of each variant, in the order of [`Variant::ALL`].
    pub times: [Times; Variant::ALL.len()],
}

/// The times of one variant: of the whole job, and of its parts in the same rounds.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Times {
    /// The whole job.
    pub total: Series,
    /// The stages that are passes of their own, in the order of [`Stage::ALL`].
    pub passes: [Series; Stage::ALL.len()],
    /// [`Stage::OF_A_LINE`] together.
    pub of_lines: Series,
    /// What no stage holds: opening files and giving memory back.
    pub rest: Series,
}

impl Times {
    fn push(&mut self, elapsed: Duration, clock: &Clock) {
        self.total.push(elapsed);
        for (stage, series) in Stage::ALL.into_iter().zip(&mut self.passes) {
            series.push(clock.pass(stage));
        }
        self.of_lines.push(clock.of_lines());
        self.rest.push(elapsed.saturating_sub(clock.total()));
    }
}

/// One time per round.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Sorted.
    nanoseconds: Vec<u64>,
}

impl Series {
    fn push(&mut self, elapsed: Duration) {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let at = self
            .nanoseconds
            .partition_point(|&other| other < nanoseconds);
        self.nanoseconds.insert(at, nanoseconds);
    }

    /// How many rounds there were.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.nanoseconds.len()
    }

    /// The shortest, the middle and the longest time, in nanoseconds; zeros without any round.
    #[must_use]
    pub fn min_median_max(&self) -> [u64; 3] {
        let sorted = self.nanoseconds.as_slice();
        let [first, .., last] = sorted else {
            return [sorted.first().copied().unwrap_or(0); 3];
        };
        let middle = [sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]];
        [*first, middle[0].midpoint(middle[1]), *last]
    }

    /// The middle time, in nanoseconds; zero without any round.
    #[must_use]
    pub fn median(&self) -> u64 {
        self.min_median_max()[1]
    }
}

/// Times all variants; `step` is called after each round.
///
/// An untimed first round compares the complete tables, the timed ones their heads.
///
/// # Errors
///
/// When a file cannot be read or two answers differ.
pub fn measure(files: &[PathBuf], plan: Plan, mut step: impl FnMut()) -> Result<Timed, Failure> {
    let (complete, ..) = run(Variant::Naive, files, usize::MAX)?;
    for other in [Variant::Tuned, Variant::Thrifty] {
        let (tables, ..) = run(other, files, usize::MAX)?;
        agree(&complete, &tables)?;
    }
    step();

    let mut times = Variant::ALL.map(|_| Times::default());
    let mut report: Option<Report> = None;
    let begun = Instant::now();
    while !plan.is_over(times[0].total.rounds(), begun.elapsed()) {
        for (variant, times) in Variant::ALL.into_iter().zip(&mut times) {
            let (answer, elapsed, clock) = run(variant, files, TOP)?;
            times.push(elapsed, &clock);
            match &report {
                Some(report) => agree(report, &answer)?,
                None => report = Some(answer),
            }
        }
        step();
    }
    let report = report.ok_or_else(|| Failure::usage("at least one round is needed"))?;
    Ok(Timed { report, times })
}

fn run(
    variant: Variant,
    files: &[PathBuf],
    top: usize,
) -> Result<(Report, Duration, Clock), Failure> {
    let mut clock = Clock::default();
    let begun = Instant::now();
    let report = variant.run(files, top, &mut clock);
    let elapsed = begun.elapsed();
    let report = report.map_err(|error| {
        Failure::failed(format!(
            "{} could not read its input: {error}",
            variant.name()
        ))
    })?;
    Ok((report, elapsed, clock))
}

/// Fails when two answers differ.
///
/// # Errors
///
/// When they do.
pub fn agree(one: &Report, other: &Report) -> Result<(), Failure> {
    if one == other {
        return Ok(());
    }
    let grown = if one.bytes == other.bytes {
        ""
    } else {
        "; the input's size changed meanwhile: copy a log that is being written to, then measure the copy"
    };
    Err(Failure::failed(format!(
        "two runs over the same input gave different answers{grown}"
    )))
}

#[cfg(test)]
mod tests;
