//! What a sample stands for, in fixed point.
#![forbid(unsafe_code)]

/// Binary places of a weight: 2^-17 is the largest relative error of one, and 2^48 objects fit into a
/// sum of 64 bits.
pub(crate) const PLACES: u32 = 16;
/// The largest rate: its weights still fit.
pub(crate) const MAX_RATE_BYTES: u64 = 1 << 40;

/// How many objects one sample counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Weight(pub(crate) u64);

impl Weight {
    /// One object.
    pub(crate) const ONE: Self = Self(1 << PLACES);

    /// That of a block that was allocated with `bytes` at a rate. One of no bytes, which no allocator is asked for by
    /// who keeps to its contract, counts as one byte.
    pub(crate) fn of(bytes: u64, rate_bytes: u64) -> Self {
        Self::from_probability(probability(bytes.max(1), rate_bytes))
    }

    /// That of a sample which is one with this probability.
    fn from_probability(probability: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and a cast of floats saturates"
        )]
        let places = (Self::ONE.0 as f64 / probability).round() as u64;
        Self(places.max(Self::ONE.0))
    }

    /// That of a sample that grew by `bytes` at a rate.
    pub(crate) fn after_growth(self, bytes: u64, rate_bytes: u64) -> Self {
        let before = Self::ONE.0 as f64 / self.0 as f64;
        let missed = (1.0 - before) * (1.0 - probability(bytes, rate_bytes));
        Self::from_probability(1.0 - missed)
    }

    /// That of a sample which was kept with the probability `kept`.
    pub(crate) fn after_thinning(self, kept: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and a cast of floats saturates"
        )]
        let places = (self.0 as f64 / kept).round() as u64;
        Self(places)
    }

    /// The bytes of so many objects of a size.
    pub(crate) fn bytes(self, size: u64) -> u64 {
        let bytes = (u128::from(self.0) * u128::from(size) + HALF as u128) >> PLACES;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

const HALF: u64 = 1 << (PLACES - 1);

/// Whole objects in a sum of weights.
pub(crate) const fn objects(sum: u64) -> u64 {
    sum.saturating_add(HALF) >> PLACES
}

/// How likely a block of `bytes` is a sample at a rate; rate 1 samples all, rate 0 none.
pub(crate) fn probability(bytes: u64, rate_bytes: u64) -> f64 {
    match rate_bytes {
        0 => 0.0,
        1 => 1.0,
        rate => -(-(bytes as f64) / rate as f64).exp_m1(),
    }
}

/// Numbers that look random: Marsaglia's xorshift with Vigna's multiplier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A stream of its own for each seed; any seed will do.
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Above 0, and up to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Bytes up to the next mark: exponential with the mean `rate_bytes`, rounded up, which makes
    /// the chance of a mark within `s` bytes 1 - exp(-s/R) for every whole `s`.
    pub(crate) fn interval(&mut self, rate_bytes: u64) -> u64 {
        match rate_bytes {
            0 => u64::MAX,
            1 => 0,
            rate => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "not negative, and a cast of floats saturates"
                )]
                let bytes = (-self.unit().ln() * rate as f64).ceil() as u64;
                bytes.max(1)
            }
        }
    }
}

/// Spreads a number over all bits.
pub(crate) const fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_one_over_the_probability() {
        assert_eq!(Weight::of(1, 1), Weight::ONE);
        assert_eq!(Weight::of(0, 1 << 20), Weight::of(1, 1 << 20));
        assert_eq!(Weight::of(u64::MAX, 512 << 10), Weight::ONE);
        let small = Weight::of(64, 512 << 10);
        assert_eq!(objects(small.0), 8193, "R/s + 1/2");
        assert!(small.bytes(64).abs_diff(512 << 10) < 64);
        assert_eq!(Weight::ONE.bytes(u64::MAX), u64::MAX);
        assert!(Weight::of(1, MAX_RATE_BYTES).0 < 1 << 57);
    }

    #[test]
    fn growth_leads_to_the_weight_of_the_new_size() {
        for (first, by) in [(1, 1), (64, 64), (4096, 100_000), (1 << 20, 1 << 20)] {
            let grown = Weight::of(first, 524_288).after_growth(by, 524_288);
            let direct = Weight::of(first + by, 524_288);
            let error = grown.0.abs_diff(direct.0) as f64 / direct.0 as f64;
            assert!(error < 1e-4, "{first} + {by}: {grown:?} {direct:?}");
        }
        assert_eq!(Weight::ONE.after_growth(10, 0), Weight::ONE);
    }

    #[test]
    fn intervals_have_the_mean_of_the_rate() {
        let mut random = Random::new(7);
        let sum: u64 = (0..100_000).map(|_| random.interval(1000)).sum();
        assert!((99_000_000..101_500_000).contains(&sum), "{sum}");
        assert_eq!(random.interval(1), 0);
        assert_eq!(random.interval(0), u64::MAX);
    }
}
