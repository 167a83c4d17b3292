//! What came out of a row, and whether it is good enough.

use std::thread;

use super::{Doubt, Interval, Series, noise::Noise};
use crate::suite::{Bar, Id, Row, Sane};

/// A row's figures.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Measured {
    /// Which row.
    pub id: Id,
    /// Its contestants, in their order.
    pub sides: Vec<Side>,
    /// What the control differed by from the first side, as a share of its time.
    pub noise: f64,
    /// Why the row is noisy, and stayed so when it was measured again; empty if it is not.
    pub doubts: Vec<Doubt>,
    /// The row has more threads than this machine has cores: its threads waited for each other.
    pub is_oversubscribed: bool,
    /// What is wrong with the figures as such; they are then no result.
    pub invalid: Option<String>,
    /// The row's bars, as far as this build has the contestants.
    pub verdicts: Vec<Verdict>,
    /// The bars whose contestants this build has not.
    pub unjudged: Vec<String>,
}

/// One contestant's figures.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Side {
    /// Its name.
    pub name: String,
    /// The contestant that it is a wrapper of.
    pub base: Option<&'static str>,
    /// It is ours, and ought to win.
    pub is_ours: bool,
    /// Operations per thread and round.
    pub operations: u64,
    /// Nanoseconds per operation.
    pub series: Series,
}

/// One bar, held against the figures.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// What was asked, in words.
    pub bar: String,
    /// What was found: a factor, or nanoseconds more.
    pub found: Interval,
    /// What was allowed.
    pub most: f64,
    /// What follows.
    pub judgement: Judgement,
}

/// Whether a bar is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Judgement {
    /// The whole interval keeps to the bar.
    Met,
    /// The whole interval lies beyond the bar.
    Missed,
    /// The interval holds the bar, or the figures decide nothing: those of these sides are noisy, or
    /// those of the row are invalid or of more threads than cores.
    Open,
}

/// Where a side stands beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The whole interval of the ratio is below 1.
    Faster,
    /// The interval holds 1.
    Even,
    /// The whole interval of the ratio is above 1.
    Slower,
}

impl Verdict {
    fn new(bar: String, found: Interval, most: f64) -> Self {
        let judgement = if found.high <= most {
            Judgement::Met
        } else if found.low > most {
            Judgement::Missed
        } else {
            Judgement::Open
        };
        Self {
            bar,
            found,
            most,
            judgement,
        }
    }

    /// Open where the row's noise is of these sides.
    fn unless_doubted(mut self, measured: &Measured, sides: [&Side; 2]) -> Self {
        let is_of = |doubt: &Doubt| sides.iter().any(|side| doubt.is_of(&side.name));
        if measured.doubts.iter().any(is_of) {
            self.judgement = Judgement::Open;
        }
        self
    }

    /// Missed only when the whole interval lies beyond the bar, and the row decides anything.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.judgement == Judgement::Missed
    }
}

impl Measured {
    /// Whether there is any doubt about the figures.
    #[must_use]
    pub fn is_noisy(&self) -> bool {
        !self.doubts.is_empty()
    }

    /// The side with this name.
    #[must_use]
    pub fn side(&self, name: &str) -> Option<&Side> {
        self.sides.iter().find(|side| side.name == name)
    }

    /// The side with the smallest median.
    ///
    /// # Panics
    ///
    /// Without any side, which no measured row is.
    #[must_use]
    pub fn fastest(&self) -> &Side {
        let by_median = |a: &&Side, b: &&Side| {
            let (a, b) = (a.series.interval().median, b.series.interval().median);
            a.total_cmp(&b)
        };
        self.sides.iter().min_by(by_median).expect("a side")
    }
}

impl Side {
    /// Whether one side can win over the other: wrappers of one base among each other and with their
    /// base, and sides that are no wrappers. What a wrapper and a foreign base differ by is mostly
    /// what the bases differ by.
    #[must_use]
    pub fn is_comparable(&self, other: &Self) -> bool {
        let is_base_of = |base: &Self, wrapper: &Self| wrapper.base == Some(base.name.as_str());
        self.base == other.base || is_base_of(self, other) || is_base_of(other, self)
    }

    /// Whether this side is faster than another, taken round by round.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Standing {
        let ratio = self.series.over(&other.series).interval();
        if ratio.high < 1.0 {
            Standing::Faster
        } else if ratio.low > 1.0 {
            Standing::Slower
        } else {
            Standing::Even
        }
    }
}

/// Puts the series together with the row they belong to; the last series is the control.
pub(super) fn judge(
    row: &Row,
    mut series: Vec<Series>,
    iterations: &[u64],
    noise: Noise,
) -> Measured {
    series.pop();
    let sides: Vec<_> = series
        .into_iter()
        .zip(row.contestants())
        .zip(iterations)
        .map(|((series, contestant), iterations)| Side {
            name: contestant.name().to_owned(),
            base: contestant.base(),
            is_ours: contestant.is_ours(),
            operations: iterations * row.operations_per_iteration(),
            series,
        })
        .collect();
    let mut measured = Measured {
        id: row.id().clone(),
        sides,
        noise: noise.share,
        doubts: noise.doubts,
        is_oversubscribed: is_oversubscribed(row.id().threads()),
        invalid: None,
        verdicts: Vec::new(),
        unjudged: Vec::new(),
    };
    measured.invalid = row.sanity().iter().find_map(|sane| insane(sane, &measured));
    for bar in row.bars() {
        match verdict(bar, &measured) {
            Some(verdict) => measured.verdicts.push(verdict),
            None => measured.unjudged.push(words(bar)),
        }
    }
    if measured.is_oversubscribed || measured.invalid.is_some() {
        for verdict in &mut measured.verdicts {
            verdict.judgement = Judgement::Open;
        }
    }
    measured
}

/// Whether threads of a row must wait for each other on this machine.
pub(super) fn is_oversubscribed(threads: usize) -> bool {
    thread::available_parallelism().is_ok_and(|cores| threads > cores.get())
}

/// A bar that cannot be judged, in words.
fn words(bar: &Bar) -> String {
    match bar {
        Bar::Times {
            subject,
            against,
            most,
        } => format!("{subject} / {} ≤ {most}", against.join(" or ")),
        Bar::Extra {
            subject,
            base,
            most,
        } => format!("{subject} − {base} ≤ {most} ns"),
        Bar::Scaling {
            subject,
            alone,
            control,
            control_alone,
            most,
        } => format!("({subject} / {alone}) / ({control} / {control_alone}) ≤ {most}"),
    }
}

fn insane(sane: &Sane, measured: &Measured) -> Option<String> {
    let (subject, base) = (measured.side(sane.subject)?, measured.side(sane.base)?);
    let found = subject.series.over(&base.series).interval();
    (found.low > sane.times).then(|| {
        let (name, base, times, most) = (&subject.name, &base.name, found.median, sane.times);
        format!(
            "'{name}' takes {times:.1} × '{base}', beyond the sane {most} ×: was its C or C++ code built \
             unoptimised, because its profile has debug information? (DESIGN §3.9)"
        )
    })
}

fn verdict(bar: &Bar, measured: &Measured) -> Option<Verdict> {
    match bar {
        Bar::Times {
            subject,
            against,
            most,
        } => {
            let own = measured.side(subject)?;
            let rivals = against.iter().filter_map(|name| measured.side(name));
            let best = rivals.min_by(|a, b| {
                let (a, b) = (a.series.interval().median, b.series.interval().median);
                a.total_cmp(&b)
            })?;
            let bar = format!("{subject} / {} ≤ {most}", best.name);
            let found = own.series.over(&best.series).interval();
            Some(Verdict::new(bar, found, *most).unless_doubted(measured, [own, best]))
        }
        Bar::Extra {
            subject,
            base,
            most,
        } => {
            let (own, base) = (measured.side(subject)?, measured.side(base)?);
            let bar = format!("{subject} − {} ≤ {most} ns", base.name);
            let found = own.series.minus(&base.series).interval();
            Some(Verdict::new(bar, found, *most).unless_doubted(measured, [own, base]))
        }
        Bar::Scaling {
            subject,
            alone,
            control,
            control_alone,
            most,
        } => {
            let (own, alone) = (measured.side(subject)?, measured.side(alone)?);
            let (control, control_alone) = (measured.side(control)?, measured.side(control_alone)?);
            let control_ratio = control.series.over(&control_alone.series);
            let found = own.series.over(&alone.series).over(&control_ratio);
            let verdict = Verdict::new(words(bar), found.interval(), *most);
            let verdict = verdict.unless_doubted(measured, [own, alone]);
            Some(verdict.unless_doubted(measured, [control, control_alone]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::each;

    #[test]
    fn a_side_that_scatters_opens_its_own_bars_and_no_others() {
        let extra = |subject| Bar::Extra {
            subject,
            base: "std",
            most: 1.0,
        };
        let row = ["std", "thrifty", "rival"].into_iter().fold(
            Row::new("test/wide/1t", "one side scatters"),
            |row, name| row.contestant(name, || each(|| 1)),
        );
        let row = row.bar(extra("thrifty")).bar(extra("rival"));
        let judged = |doubts| {
            let series = vec![[10.0; 7].into_iter().collect(); 4];
            let noise = Noise { share: 0.0, doubts };
            let measured = judge(&row, series, &[1; 4], noise);
            let verdicts = measured.verdicts.into_iter();
            verdicts
                .map(|verdict| verdict.judgement)
                .collect::<Vec<_>>()
        };
        let wide = |subject: &str| Doubt::Wide {
            subject: subject.to_owned(),
            share: 0.2,
        };
        let (met, open) = (Judgement::Met, Judgement::Open);
        assert_eq!(judged(vec![]), [met, met]);
        assert_eq!(judged(vec![wide("rival")]), [met, open]);
        assert_eq!(judged(vec![wide("std")]), [open, open]);
        assert_eq!(judged(vec![Doubt::Control(0.1)]), [open, open]);
    }

    #[test]
    fn company_is_held_against_what_it_costs_the_control() {
        let names = ["own", "own-alone", "control", "control-alone"];
        let row = names
            .into_iter()
            .fold(Row::new("test/scaling/1t", ""), |row, name| {
                row.contestant(name, || each(|| 1))
            });
        let row = row.bar(Bar::Scaling {
            subject: "own",
            alone: "own-alone",
            control: "control",
            control_alone: "control-alone",
            most: 1.05,
        });
        let judged = |own: f64| {
            let times = [own, 10.0, 24.0, 20.0, own];
            let series = times.map(|time| [time; 7].into_iter().collect()).into();
            let (share, doubts) = (0.0, Vec::new());
            judge(&row, series, &[1; 5], Noise { share, doubts }).verdicts
        };
        assert_eq!(judged(12.5)[0].judgement, Judgement::Met);
        assert_eq!(judged(13.0)[0].judgement, Judgement::Missed);
        let words = "(own / own-alone) / (control / control-alone) ≤ 1.05";
        assert_eq!(judged(13.0)[0].bar, words);
    }

    fn judged(low: f64, high: f64) -> Judgement {
        let found = Interval {
            median: f64::midpoint(low, high),
            low,
            high,
        };
        Verdict::new(String::new(), found, 1.0).judgement
    }

    #[test]
    fn an_interval_that_holds_the_bar_decides_nothing() {
        assert_eq!(judged(0.2, 0.9), Judgement::Met);
        assert_eq!(
            judged(0.2, 1.0),
            Judgement::Met,
            "the bar itself is allowed"
        );
        assert_eq!(judged(0.9, 1.1), Judgement::Open);
        assert_eq!(judged(1.0, 1.1), Judgement::Open);
        assert_eq!(judged(1.01, 1.1), Judgement::Missed);
    }

    #[test]
    fn more_threads_than_cores_are_told() {
        assert!(!is_oversubscribed(1));
        assert!(is_oversubscribed(usize::MAX));
    }
}
