//! Interleaved rounds: naive, tuned, naive, tuned, … in one process.
//!
//! Taking turns lets a slow spell of the machine hit both. The median says what is usual, the
//! minimum what the code costs when nothing disturbs it, and both are shown with the maximum.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{TOP, probe::NoProbe, report::Report, variant::Variant};
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
    /// One series per variant, in the order of [`Variant::ALL`].
    pub series: [Series; 2],
}

/// The times of one variant.
#[derive(Clone, Debug, Default)]
pub struct Series {
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
        let [first, .., last] = self.nanoseconds.as_slice() else {
            return [self.nanoseconds.first().copied().unwrap_or(0); 3];
        };
        [*first, self.nanoseconds[self.nanoseconds.len() / 2], *last]
    }
}

/// Times both variants; `step` is called after each round.
///
/// An untimed first round compares the complete tables, the timed ones their heads.
///
/// # Errors
///
/// When a file cannot be read or two answers differ.
pub fn measure(files: &[PathBuf], plan: Plan, mut step: impl FnMut()) -> Result<Timed, Failure> {
    let complete = run(Variant::Naive, files, usize::MAX)?.0;
    let (tuned, _) = run(Variant::Tuned, files, usize::MAX)?;
    agree(&complete, &tuned)?;
    step();

    let mut series = [Series::default(), Series::default()];
    let mut report: Option<Report> = None;
    let begun = Instant::now();
    while !plan.is_over(series[0].rounds(), begun.elapsed()) {
        for (variant, series) in Variant::ALL.into_iter().zip(&mut series) {
            let (answer, elapsed) = run(variant, files, TOP)?;
            series.push(elapsed);
            match &report {
                Some(report) => agree(report, &answer)?,
                None => report = Some(answer),
            }
        }
        step();
    }
    let report = report.ok_or_else(|| Failure::usage("at least one round is needed"))?;
    Ok(Timed { report, series })
}

fn run(variant: Variant, files: &[PathBuf], top: usize) -> Result<(Report, Duration), Failure> {
    let begun = Instant::now();
    let report = variant.run(files, top, &mut NoProbe);
    let elapsed = begun.elapsed();
    let report = report.map_err(|error| {
        Failure::failed(format!(
            "{} could not read its input: {error}",
            variant.name()
        ))
    })?;
    Ok((report, elapsed))
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
