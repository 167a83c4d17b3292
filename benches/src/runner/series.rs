//! Figures of one side, one per round.

/// Nanoseconds per operation, round by round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    rounds: Vec<f64>,
}

/// A median with the interval that holds the true one 95 times in 100.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Interval {
    /// The middle of the sample.
    pub median: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Series {
    /// Appends a round.
    pub fn push(&mut self, value: f64) {
        self.rounds.push(value);
    }

    /// The figures, in the order of the rounds.
    #[must_use]
    pub fn rounds(&self) -> &[f64] {
        &self.rounds
    }

    /// The smallest figure.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The largest figure.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.rounds
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// The median and its 95 % interval.
    ///
    /// The interval's ends are order statistics: of `n` rounds that of rank `(n - 1.96 √n) /
    /// 2`, rounded to a whole one, from below and from above. Below six rounds it is the whole
    /// range, which then holds the median less often.
    ///
    /// # Panics
    ///
    /// Without any round.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let mut sorted = self.rounds.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let count = sorted.len();
        assert!(count > 0, "no round, no figure");
        let spread = 1.96 * (count as f64).sqrt();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a rank; below 0 it saturates"
        )]
        let outside = ((count as f64 - spread) / 2.0 - 0.5) as usize;
        let median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
        Interval {
            median,
            low: sorted[outside],
            high: sorted[count - 1 - outside],
        }
    }

    /// Round by round, how much more this series took than `base`.
    #[must_use]
    pub fn minus(&self, base: &Self) -> Self {
        self.with(base, |own, other| own - other)
    }

    /// Round by round, how many times what `base` took.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        self.with(base, |own, other| own / other)
    }

    fn with(&self, other: &Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        let pairs = self.rounds.iter().zip(&other.rounds);
        Self {
            rounds: pairs.map(|(own, other)| combine(*own, *other)).collect(),
        }
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(rounds: I) -> Self {
        Self {
            rounds: rounds.into_iter().collect(),
        }
    }
}
