//! Whether a row's figures can be believed: three looks at its noise, each with its own name.

use core::fmt;

use super::{Broken, Interval, Series};

/// Why a row is noisy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Doubt {
    /// The control's median differs from the first side's by this share, beyond 5 %.
    Control(f64),
    /// A side's own 95 % interval is wider than its median allows.
    Wide {
        /// Whose.
        subject: String,
        /// Half its width, as a share of the median; beyond 15 %.
        share: f64,
    },
    /// The intervals of what the control differed by in the first half of the rounds and in the
    /// second have nothing in common: the median over all is then of neither.
    Drift {
        /// The median share in the first half.
        first: f64,
        /// The median share in the second half.
        second: f64,
    },
}

impl Doubt {
    /// Whether it is a doubt about this side: what the control shows is one about all.
    #[must_use]
    pub fn is_of(&self, side: &str) -> bool {
        match self {
            Self::Control(_) | Self::Drift { .. } => true,
            Self::Wide { subject, .. } => subject == side,
        }
    }

    /// One word, for a table's cell.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Control(_) => "control",
            Self::Wide { .. } => "wide",
            Self::Drift { .. } => "drift",
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(share) => {
                let share = share * 100.0;
                write!(f, "control: it differed from itself by {share:.1} %")
            }
            Self::Wide { subject, share } => {
                let share = share * 100.0;
                write!(f, "wide: '{subject}' is known to ± {share:.0} % only")
            }
            Self::Drift { first, second } => {
                let (first, second) = (first * 100.0, second * 100.0);
                write!(
                    f,
                    "drift: the control was off by {first:+.1} % in the first half of the rounds and by {second:+.1} % \
                     in the second"
                )
            }
        }
    }
}

/// Beyond this share of the first side's time the control calls the machine noisy.
const CONTROL: f64 = 0.05;

/// Beyond this share of the median, half the width of a side's interval makes its nanoseconds no
/// figure to quote: two such sides could be a third apart or the same.
const WIDE: f64 = 0.15;

/// The rounds of a half whose interval holds its median often enough to be compared.
const FEWEST_OF_HALF: usize = 6;

/// What is known of the noise of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Noise {
    /// What the control's median differs by, as a share of the first side's.
    pub(super) share: f64,
    pub(super) doubts: Vec<Doubt>,
}

impl Noise {
    /// Looks at the sides of a row, of which the last is the control of the first.
    fn of(names: &[&str], series: &[Series]) -> Self {
        let [first, .., control] = series else {
            return Self::default();
        };
        let differs = control.minus(first).interval().median.abs();
        let share = differs / first.interval().median;
        let mut doubts = Vec::new();
        if share > CONTROL {
            doubts.push(Doubt::Control(share));
        }
        doubts.extend(drift(&control.over(first)));
        let subjects = &series[..series.len() - 1];
        doubts.extend(
            names
                .iter()
                .zip(subjects)
                .filter_map(|(name, side)| wide(name, side)),
        );
        Self { share, doubts }
    }

    fn is_less_than(&self, other: &Self) -> bool {
        let (own, others) = (self.doubts.len(), other.doubts.len());
        own < others || (own == others && self.share < other.share)
    }
}

fn wide(name: &str, side: &Series) -> Option<Doubt> {
    let Interval { median, low, high } = side.interval();
    let share = (high - low) / 2.0 / median;
    (share > WIDE).then(|| Doubt::Wide {
        subject: name.to_owned(),
        share,
    })
}

/// Looks at the ratios of the control and the first side, round by round.
fn drift(ratios: &Series) -> Option<Doubt> {
    let (first, second) = ratios.halves();
    if first.rounds().len() < FEWEST_OF_HALF {
        return None;
    }
    let (first, second) = (first.interval(), second.interval());
    let is_apart = first.high < second.low || second.high < first.low;
    is_apart.then_some(Doubt::Drift {
        first: first.median - 1.0,
        second: second.median - 1.0,
    })
}

/// Measures once, and again where that is noisy; what had fewer doubts is kept, of equal ones what
/// had the quieter control. The last series is the control of the first.
pub(super) fn quieter(
    names: &[&str],
    mut once: impl FnMut() -> Result<Vec<Series>, Broken>,
) -> Result<(Vec<Series>, Noise), Broken> {
    let first = once()?;
    let noise = Noise::of(names, &first);
    if noise.doubts.is_empty() {
        return Ok((first, noise));
    }
    let second = once()?;
    let again = Noise::of(names, &second);
    Ok(if again.is_less_than(&noise) {
        (second, again)
    } else {
        (first, noise)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: impl IntoIterator<Item = u32>) -> Series {
        values.into_iter().map(f64::from).collect()
    }

    const NAMES: [&str; 3] = ["std", "thrifty", "control"];

    fn words(series: &[Series]) -> Vec<&'static str> {
        let noise = Noise::of(&NAMES, series);
        noise.doubts.iter().map(Doubt::word).collect()
    }

    #[test]
    fn a_noisy_row_is_measured_again_and_the_quieter_one_is_kept() {
        let quiet = || vec![series([100; 7]), series([50; 7]), series([103; 7])];
        let noisy = |control| vec![series([100; 7]), series([60; 7]), series([control; 7])];
        let run = |mut results: Vec<Vec<Series>>| {
            results.reverse();
            let once = || Ok(results.pop().expect("not a third time"));
            let (kept, noise) = quieter(&NAMES, once).unwrap();
            (kept[1].clone(), noise.share, results.len())
        };
        let (kept, noise, left) = run(vec![quiet(), noisy(150)]);
        assert_eq!((kept, left), (series([50; 7]), 1), "once is enough");
        assert!((noise - 0.03).abs() < 1e-9);
        let (kept, noise, left) = run(vec![noisy(150), quiet()]);
        assert_eq!((kept, left), (series([50; 7]), 0));
        assert!((noise - 0.03).abs() < 1e-9);
        let (_, noise, _) = run(vec![noisy(120), noisy(80)]);
        assert!((noise - 0.2).abs() < 1e-9, "noisy both times");
        let (_, noise, _) = run(vec![noisy(150), noisy(90)]);
        assert!((noise - 0.1).abs() < 1e-9, "the quieter of two");
        let stopped = quieter(&NAMES, || Err(Broken::Stopped));
        assert_eq!(stopped.unwrap_err(), Broken::Stopped);
    }

    #[test]
    fn a_side_that_scatters_is_a_doubt_though_its_control_is_quiet() {
        let steady = || series([100; 31]);
        let scattered = |by: u32| series((0..31).map(|round| 100 + by * (round * 7 % 31) / 31));
        assert!(words(&[steady(), scattered(30), steady()]).is_empty());
        let rows = [steady(), scattered(150), steady()];
        assert_eq!(words(&rows), ["wide"]);
        let text = Noise::of(&NAMES, &rows).doubts[0].to_string();
        assert!(text.starts_with("wide: 'thrifty' is known to ± "), "{text}");
        let control = [steady(), steady(), scattered(150)];
        assert_eq!(words(&control), ["control"], "the control is no subject");
    }

    #[test]
    fn a_control_that_moves_is_a_doubt_though_its_median_is_quiet() {
        let steady = || series([1000; 30]);
        let moved = |by: u32| {
            let rounds = 0..30;
            series(rounds.map(|round| 990 + round * 7 % 20 + if round < 15 { 0 } else { by }))
        };
        assert!(words(&[steady(), steady(), moved(0)]).is_empty());
        let rows = [steady(), steady(), moved(40)];
        assert_eq!(words(&rows), ["drift"]);
        let text = Noise::of(&NAMES, &rows).doubts[0].to_string();
        assert!(text.contains("by -0.1 % in the first half"), "{text}");
        assert!(text.contains("by +3.8 % in the second"), "{text}");
        let few = series([1000, 1000, 1000, 1040, 1040, 1040]);
        let base = series([1000; 6]);
        assert!(words(&[base.clone(), base, few]).is_empty());
    }
}
