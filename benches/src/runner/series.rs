//! Figures of one subject, one per round.

/// Nanoseconds per operation, round by round.
#[derive(Clone, Debug, Default)]
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
        Self {
            rounds: self
                .rounds
                .iter()
                .zip(&base.rounds)
                .map(|(a, b)| a - b)
                .collect(),
        }
    }
}
