//! Zipf-distributed ranks, computed without `powf`.
//!
//! Rank `k` (from 1) is drawn with weight `1 / k^s`. The exponent `s` is given in quarters,
//! because `k^(1/2)` and `k^(1/4)` come from square roots, which IEEE 754 rounds correctly on
//! every platform, while `powf` differs in its last bit from one libm to the next and would
//! change the data.

use crate::rng::Rng;

/// A sampler of ranks `0..len`, rank 0 the most frequent.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::{rng::Rng, zipf::Zipf};
///
/// let hosts = Zipf::new(100, Zipf::CLASSIC);
/// assert!(hosts.sample(&mut Rng::new(1)) < 100);
/// ```
///
/// # Memory
///
/// Eight bytes per rank, allocated once; a draw allocates nothing.
#[derive(Clone, Debug)]
pub struct Zipf {
    /// `cumulative[k]` is the sum of the weights of ranks `0..=k`.
    cumulative: Box<[u64]>,
}

impl Zipf {
    /// The exponent 1, in quarters: the classic law of word frequencies.
    pub const CLASSIC: u32 = 4;

    /// Prepares ranks `0..len` with the exponent `quarters / 4`.
    ///
    /// # Panics
    ///
    /// When `len` is 0 or above 2^20, which would let the sum of weights lose its precision.
    #[must_use]
    pub fn new(len: usize, quarters: u32) -> Self {
        assert!(
            (1..=1 << 20).contains(&len),
            "a Zipf law needs 1 to 2^20 ranks"
        );
        let mut sum = 0;
        let cumulative = (1..=len as u64)
            .map(|rank| {
                sum += weight(rank, quarters);
                sum
            })
            .collect();
        Self { cumulative }
    }

    /// Draws a rank.
    #[must_use]
    pub fn sample(&self, rng: &mut Rng) -> usize {
        let total = self.cumulative[self.cumulative.len() - 1];
        let target = rng.below(total);
        self.cumulative.partition_point(|&sum| sum <= target)
    }
}

/// The weight of `rank` (from 1), scaled to an integer; never 0, so that every rank can be
/// drawn.
fn weight(rank: u64, quarters: u32) -> u64 {
    // Ranks stay below 2^20: exact in an f64.
    let rank = rank as f64;
    let mut power = 1.0;
    for _ in 0..quarters / 4 {
        power *= rank;
    }
    let root = rank.sqrt();
    if quarters % 4 >= 2 {
        power *= root;
    }
    if quarters % 2 == 1 {
        power *= root.sqrt();
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most 2^40; the fraction is meant to go"
    )]
    let scaled = (SCALE / power) as u64;
    scaled.max(1)
}

/// The weight of rank 1. With 2^20 ranks the sum stays below 2^60.
const SCALE: f64 = (1u64 << 40) as f64;
