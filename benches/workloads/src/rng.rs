//! SplitMix64: small, fast, and fully specified by one 64-bit seed.
//!
//! The generator passes BigCrush, costs three multiplications per draw, and its reference
//! outputs are published, so a test can pin them. It is no source of secrets.

/// A seeded pseudo-random generator (SplitMix64).
///
/// # Examples
///
/// ```
/// use thrifty_workloads::rng::Rng;
///
/// let (mut a, mut b) = (Rng::new(7), Rng::new(7));
/// assert_eq!(a.next_u64(), b.next_u64());
/// assert!(a.below(10) < 10);
/// ```
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// Starts the sequence that belongs to `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }

    /// A number below `bound`, or 0 for a `bound` of 0.
    ///
    /// The multiply-high method: biased by less than `bound / 2^64`, which no workload can see.
    pub const fn below(&mut self, bound: u64) -> u64 {
        let product = self.next_u64() as u128 * bound as u128;
        (product >> 64) as u64
    }

    /// A number in `low..high`.
    ///
    /// # Panics
    ///
    /// When the range is empty.
    pub const fn range(&mut self, low: u64, high: u64) -> u64 {
        assert!(low < high, "an empty range holds no number");
        low + self.below(high - low)
    }

    /// True `numerator` times in `denominator` draws, on average.
    pub const fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }

    /// One element of `items`, each equally likely.
    ///
    /// # Panics
    ///
    /// When `items` is empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index_below(items.len())]
    }

    /// Puts the items into a random order, each equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index_below(last + 1));
        }
    }

    fn index_below(&mut self, bound: usize) -> usize {
        let index = self.below(bound as u64);
        usize::try_from(index).expect("a number below a usize is a usize")
    }
}

/// The finaliser of SplitMix64: a bijection that scatters consecutive numbers.
#[must_use]
pub const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// The odd integer nearest to `2^64 / phi`: consecutive states differ in about half of their
/// bits.
const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;
