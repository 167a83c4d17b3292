//! Interleaved comparisons: the sides of a row take turns in one process, threads are timed by
//! their own clocks.
//!
//! ```text
//!   calibrate:  how many iterations make a turn of some milliseconds, for each side; and how
//!               many rounds, from 15 to 101, fit the row's budget
//!   round 0:    A B A' C    thrown away
//!   round 1:    B C A A'    each letter: all threads start at a barrier, each times its own
//!   round 2:    C A' B A    loop and gives its answer, which must be the oracle's; the figure
//!   round 3:    A' A C B    is the mean over the threads, in nanoseconds per operation
//! ```
//!
//! `A'` is a second instance of the first side, the control: what it differs by from `A` is the
//! noise of the machine. Past 5 % the row is measured again, and marked noisy if it stays so; so,
//! too, where the first half of the rounds disagrees with the second about the control, and where
//! a side's own interval reaches further than 15 % from its median.
//!
//! What two sides differ by is taken per round, so that a slow spell of the machine, which hits
//! both, cancels out; the median of these differences comes with a 95 % interval from order
//! statistics. It assumes no shape of their distribution. A spell that lasts many rounds and hits
//! the sides unequally makes rounds resemble each other: they then count as fewer, and the interval
//! is wider. In the synthetic series of `series/tests.rs` (16 to 100 rounds, 600 seeds each) it holds
//! the truth in 96 to 99 of 100 where rounds are independent, and in 91 or more where they are
//! correlated by up to 0.5 or slow five at a time. Where they are slow ten at a time it does in 82 to
//! 85, and would in 64 to 79 if rounds counted in full: still too narrow. Lag 1 alone, the simplest
//! estimate, was tried, and came to 81 there with many rounds.
//!
//! A bar is met when the whole interval keeps to it, missed when the whole interval lies beyond, and
//! open otherwise. It stays open, too, where one of its sides is wide or the control is noisy, and where
//! the row is invalid or has more threads than the machine has cores.

mod calibration;
mod crew;
mod noise;
mod order;
mod outcome;
mod series;

use core::time::Duration;

use self::crew::Crew;
pub(crate) use self::crew::{Lap, Panicked, with_crew};
pub use self::{
    noise::Doubt,
    outcome::{Judgement, Measured, Side, Standing, Verdict},
    series::{Interval, Series},
};
use crate::suite::{Contestant, Row, Subject};

/// How long to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// The fewest rounds to keep, filled up to whole periods of the order in which the sides go;
    /// one more is run before and thrown away.
    pub rounds: u32,
    /// How many times its budget the rounds of a row may take.
    pub stretch: u32,
}

impl Effort {
    /// As few rounds as an interval needs.
    pub const QUICK: Self = Self {
        rounds: 15,
        stretch: 1,
    };

    /// For figures that are quoted.
    pub const FULL: Self = Self {
        rounds: 31,
        stretch: 4,
    };
}

/// After a round: which one it was, from 0, and which is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// This one; 0 again when the row is measured again.
    pub round: u32,
    /// The last one.
    pub last: u32,
}

/// Why a row has no figures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Broken {
    /// Someone asked to stop.
    Stopped,
    /// A side answered wrongly, panicked, or there is nothing to hold it to.
    Wrong(String),
}

/// Long enough that the start of the threads does not show.
const TURN: Duration = Duration::from_millis(5);

/// With more threads than cores a turn spans several slices of the scheduler, or the threads would
/// run one after the other.
const LONG_TURN: Duration = Duration::from_millis(50);

/// More rounds than this make turns longer instead, but for what fills up the last period.
const MOST_ROUNDS: u32 = 101;

/// Measures a row. `step` is called after each round; when it says `false` the row is given up.
///
/// # Errors
///
/// When it is given up, or when a side does not do its work.
pub fn measure(
    row: &Row,
    effort: Effort,
    mut step: impl FnMut(Step) -> bool,
) -> Result<Measured, Broken> {
    let wrong = |what: String| Broken::Wrong(format!("{}: {what}", row.id()));
    let Some(first) = row.contestants().first() else {
        return Err(wrong("has no contestants".to_owned()));
    };
    let expected = row
        .expected()
        .ok_or_else(|| wrong("has no oracle".to_owned()))?;
    let mut made: Vec<_> = row.contestants().iter().map(|side| side.make()).collect();
    made.push(first.make());
    let subjects: Vec<_> = made.iter().map(|subject| &**subject).collect();
    let mut names: Vec<_> = row.contestants().iter().map(|side| side.name()).collect();
    names.push("control");
    with_crew(&subjects, row.id().threads(), |crew| {
        let bench = Bench {
            row,
            crew,
            names: &names,
            expected,
        };
        let budget = row.time_budget() * effort.stretch;
        let plan = bench.plan(budget, effort.rounds)?;
        let (series, noise) = noise::quieter(&names, || bench.rounds(&plan, &mut step))?;
        Ok(outcome::judge(row, series, &plan.iterations, noise))
    })
}

/// A row at work.
struct Bench<'a> {
    row: &'a Row,
    crew: &'a Crew,
    names: &'a [&'a str],
    expected: u64,
}

/// How many turns of which length.
struct Plan {
    /// Kept rounds.
    rounds: u32,
    /// Per side.
    iterations: Vec<u64>,
}

impl Bench<'_> {
    /// Rather many short turns than few long ones: a slow spell of the machine then spoils a
    /// smaller share of them.
    fn plan(&self, budget: Duration, fewest: u32) -> Result<Plan, Broken> {
        let sides = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let longest = budget / (fewest * sides);
        let mut turn = TURN.max(budget / (MOST_ROUNDS * sides)).min(longest);
        if outcome::is_oversubscribed(self.row.id().threads()) {
            turn = turn.max(LONG_TURN);
        }
        let calibrate = |side| {
            let lap = |count| self.laps(side, count).map(|laps| longest_of(&laps));
            calibration::calibrate(turn, lap)
        };
        let calibrated: Result<Vec<_>, Broken> = (0..self.names.len()).map(calibrate).collect();
        let calibrated = calibrated?;
        let round: Duration = calibrated.iter().map(|side| side.elapsed).sum();
        let fit = budget.as_nanos() / round.as_nanos().max(1);
        let fit = u32::try_from(fit).unwrap_or(u32::MAX);
        let rounds = fit.min(MOST_ROUNDS).max(fewest);
        let period = u32::try_from(order::period(self.names.len())).unwrap_or(1);
        Ok(Plan {
            rounds: rounds.next_multiple_of(period),
            iterations: calibrated.iter().map(|side| side.iterations).collect(),
        })
    }

    /// All rounds, one series per side, the control last.
    fn rounds(
        &self,
        plan: &Plan,
        step: &mut impl FnMut(Step) -> bool,
    ) -> Result<Vec<Series>, Broken> {
        let sides = plan.iterations.len();
        let mut series = vec![Series::default(); sides];
        for round in 0..=plan.rounds {
            for side in order::order(round as usize, sides) {
                let count = plan.iterations[side];
                let laps = self.laps(side, count)?;
                let nanoseconds = mean_nanoseconds(&laps);
                let operations = count * self.row.operations_per_iteration();
                if round > 0 {
                    series[side].push(nanoseconds / operations as f64);
                }
            }
            let last = plan.rounds;
            if !step(Step { round, last }) {
                return Err(Broken::Stopped);
            }
        }
        Ok(series)
    }

    /// A turn whose answers are right.
    fn laps(&self, side: usize, iterations: u64) -> Result<Vec<Lap>, Broken> {
        let (id, name) = (self.row.id(), self.names[side]);
        let laps = self
            .crew
            .turn(side, iterations)
            .map_err(|Panicked| Broken::Wrong(format!("{id}: '{name}' panicked")))?;
        let right = self.expected.wrapping_mul(iterations);
        match laps.iter().find(|lap| lap.answer != right) {
            None => Ok(laps),
            Some(Lap { answer, .. }) => Err(Broken::Wrong(format!(
                "{id}: '{name}' answers {answer} to {iterations} iterations; the oracle says {right}"
            ))),
        }
    }
}

/// Makes one side of a row and lets `lead` run turns of it: how many iterations, and what they
/// took, the mean over the threads. One iteration is run before.
///
/// # Panics
///
/// When the side does not answer as the row's oracle.
pub fn turns<R>(
    row: &Row,
    side: &Contestant,
    lead: impl FnOnce(&mut dyn FnMut(u64) -> Duration) -> R,
) -> R {
    let subject = side.make();
    let expected = row.expected();
    with_crew(&[&*subject], row.id().threads(), |crew| {
        let mut turn = |iterations: u64| {
            let laps = crew.turn(0, iterations);
            let laps = laps.unwrap_or_else(|Panicked| panic!("'{}' panicked", side.name()));
            let right = expected.map(|answer| answer.wrapping_mul(iterations));
            let is_right = laps.iter().all(|lap| Some(lap.answer) == right);
            assert!(is_right, "{}: '{}' answers wrongly", row.id(), side.name());
            Duration::from_secs_f64(mean_nanoseconds(&laps) / 1e9)
        };
        turn(1);
        lead(&mut turn)
    })
}

/// How many iterations of a subject take about as long as `length`, answers unseen.
pub(crate) fn iterations_of(
    subject: &dyn Subject,
    threads: usize,
    length: Duration,
) -> Result<u64, Panicked> {
    with_crew(&[subject], threads, |crew| {
        let turn = |count| crew.turn(0, count).map(|laps| longest_of(&laps));
        calibration::calibrate(length, turn).map(|found| found.iterations)
    })
}

fn longest_of(laps: &[Lap]) -> Duration {
    laps.iter().map(|lap| lap.elapsed).max().unwrap_or_default()
}

fn mean_nanoseconds(laps: &[Lap]) -> f64 {
    let total: Duration = laps.iter().map(|lap| lap.elapsed).sum();
    total.as_nanos() as f64 / laps.len() as f64
}

#[cfg(test)]
mod tests;
