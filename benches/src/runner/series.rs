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
    /// The interval's ends are order statistics: of `n` independent rounds that of rank `(n - 1.96
    /// √n) / 2`, rounded to a whole one, from below and from above. Where rounds resemble the
    /// ones before them there are fewer independent ones than rounds: the share of rounds below
    /// the true median then varies by a factor `√τ` more, and `1.96 √(n τ)` takes the place of
    /// `1.96 √n`. Below six independent rounds it is the whole range, which then holds the median
    /// less often.
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
        let median = f64::midpoint(sorted[(count - 1) / 2], sorted[count / 2]);
        let spread = 1.96 * (count as f64 * self.rounds_per_independent_one(median)).sqrt();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a rank; below 0 it saturates"
        )]
        let outside = ((count as f64 - spread) / 2.0 - 0.5) as usize;
        Interval {
            median,
            low: sorted[outside],
            high: sorted[count - 1 - outside],
        }
    }

    /// The integrated autocorrelation time τ: so many rounds are worth an independent one, at least
    /// one.
    ///
    /// What decides about an interval of ranks is which rounds lie above the median, so the
    /// autocorrelations are those of the sign alone, and an outlier counts as any other round.
    /// They are summed in pairs of neighbouring lags as long as the pairs stay positive and fall:
    /// C. J. Geyer, *Practical Markov Chain Monte Carlo*, Statistical Science 7 (1992), §3.3. Each is
    /// raised by `1 / n`, which is by how much too small it is for having its mean from the same
    /// `n` rounds.
    fn rounds_per_independent_one(&self, median: f64) -> f64 {
        let sign = |value: &f64| f64::from(i8::from(*value > median) - i8::from(*value < median));
        let signs: Vec<f64> = self.rounds.iter().map(sign).collect();
        let product = |lag: usize| -> f64 {
            let later = signs.iter().skip(lag);
            signs.iter().zip(later).map(|(one, two)| one * two).sum()
        };
        let square = product(0);
        if square == 0.0 {
            return 1.0;
        }
        let bias = 1.0 / signs.len() as f64;
        let correlation = |lag: usize| match lag {
            0 => 1.0,
            _ => product(lag) / square + bias,
        };
        let mut sum = 0.0;
        let mut least = f64::INFINITY;
        for lag in (0..signs.len() / 2).step_by(2) {
            let pair = correlation(lag) + correlation(lag + 1);
            if pair <= 0.0 {
                break;
            }
            least = least.min(pair);
            sum += least;
        }
        (2.0 * sum - 1.0).max(1.0)
    }

    /// The earlier and the later rounds; of an odd number the later ones are one more.
    #[must_use]
    pub fn halves(&self) -> (Self, Self) {
        let (first, second) = self.rounds.split_at(self.rounds.len() / 2);
        let half = |rounds: &[f64]| rounds.iter().copied().collect();
        (half(first), half(second))
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

#[cfg(test)]
mod tests;
