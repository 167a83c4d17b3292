//! Counts by magnitude.
#![forbid(unsafe_code)]

/// Magnitudes that a [`Histogram`] tells apart.
pub(crate) const MAGNITUDES: usize = 48;

/// Objects by the magnitude of some figure: a size, an age.
///
/// Bucket 0 holds the figure 0, bucket `k` the figures from 2^(k-1) up to 2^k, and the last one all
/// that are larger. The counts are estimates, like [`Site::alloc_objects`](crate::Site::alloc_objects).
///
/// # Examples
///
/// ```
/// use thrifty_memstats::Histogram;
///
/// assert_eq!(Histogram::bucket_of(0), 0);
/// assert_eq!(Histogram::bucket_of(5), 3);
/// assert_eq!(Histogram::range_of(3), (4, 7));
/// assert_eq!(Histogram::default().total(), 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram(pub [u64; MAGNITUDES]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; MAGNITUDES])
    }
}

impl Histogram {
    /// The bucket that a figure falls into.
    pub const fn bucket_of(figure: u64) -> usize {
        let bits = (u64::BITS - figure.leading_zeros()) as usize;
        if bits < MAGNITUDES {
            bits
        } else {
            MAGNITUDES - 1
        }
    }

    /// The smallest and the largest figure of a bucket.
    pub const fn range_of(bucket: usize) -> (u64, u64) {
        if bucket == 0 {
            return (0, 0);
        }
        let lowest = 1
            << (if bucket < MAGNITUDES {
                bucket
            } else {
                MAGNITUDES - 1
            } - 1);
        if bucket + 1 < MAGNITUDES {
            (lowest, lowest * 2 - 1)
        } else {
            (lowest, u64::MAX)
        }
    }

    /// All objects.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, each| sum.saturating_add(*each))
    }

    /// The largest figure of the bucket that holds the object at `share` (0 to 1) of all, counted
    /// from the smallest figure; `None` when there are no objects.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let total = self.total();
        let wanted = (total as f64 * share.clamp(0.0, 1.0)).ceil().max(1.0);
        let mut seen = 0_u64;
        self.0.iter().enumerate().find_map(|(bucket, count)| {
            seen = seen.saturating_add(*count);
            (*count > 0 && seen as f64 >= wanted).then(|| Self::range_of(bucket).1)
        })
    }

    /// What was added since an `older` state; never below zero.
    #[must_use]
    pub fn since(&self, older: &Self) -> Self {
        Self(core::array::from_fn(|bucket| {
            self.0[bucket].saturating_sub(older.0[bucket])
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_lies_in_the_range_of_its_bucket() {
        for figure in (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]) {
            let (lowest, highest) = Histogram::range_of(Histogram::bucket_of(figure));
            assert!((lowest..=highest).contains(&figure), "{figure}");
        }
        assert_eq!(Histogram::range_of(99), Histogram::range_of(MAGNITUDES - 1));
    }

    #[test]
    fn quantiles_count_from_below() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        histogram.0[3] = 9;
        histogram.0[10] = 1;
        assert_eq!(histogram.quantile(0.0), Some(7));
        assert_eq!(histogram.quantile(0.9), Some(7));
        assert_eq!(histogram.quantile(0.91), Some(1023));
        assert_eq!(histogram.quantile(1.0), Some(1023));
    }
}
