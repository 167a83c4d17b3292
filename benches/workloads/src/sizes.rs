//! Sizes of blocks, drawn from distributions that say where they come from.
//!
//! No distribution uses `exp` or `ln`: their last bit differs between platforms. Powers of two
//! with a fraction are products of square roots, which IEEE 754 rounds correctly everywhere.

use crate::rng::Rng;

/// A distribution of sizes in bytes.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::{rng::Rng, sizes::Sizes};
///
/// let mut rng = Rng::new(1);
/// let size = Sizes::BUFFERS.sample(&mut rng);
/// assert!((Sizes::BUFFERS.smallest()..=Sizes::BUFFERS.largest()).contains(&size));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// Always the same: what a pool or a slab of one type sees.
    Fixed(u32),
    /// Every size of `low..=high` equally often: no program does this, but nothing hides from it.
    Uniform {
        /// The smallest.
        low: u32,
        /// The largest.
        high: u32,
    },
    /// Every power of two of `2^low..=2^high` equally often: buffers of growing containers.
    PowersOfTwo {
        /// The logarithm of the smallest.
        low: u32,
        /// The logarithm of the largest.
        high: u32,
    },
    /// `median × 2^(σ z)` with a normal `z`, cut to `low..=high`: sizes of messages and files.
    ///
    /// Sizes of files and of web documents have been found to be log-normal in their body
    /// (Downey, *The structural cause of file size distributions*, 2001).
    LogNormal {
        /// Half of the sizes are below.
        median: u32,
        /// The standard deviation σ of the base-2 logarithm, in quarters.
        sigma_quarters: u32,
        /// Smaller ones become this.
        low: u32,
        /// Larger ones become this.
        high: u32,
    },
    /// Groups of sizes, each with a weight; within a group every size is equally likely.
    Mix(&'static [Group]),
}

/// A part of a [`Sizes::Mix`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// How often, relative to the other groups.
    pub weight: u32,
    /// The smallest size.
    pub low: u32,
    /// The largest size.
    pub high: u32,
}

impl Sizes {
    /// Network buffers: median 1 KiB, from 100 bytes to 64 KiB.
    ///
    /// The range is that of request and response bodies behind a typical web service; the law is
    /// the one of [`Sizes::LogNormal`]. Chosen, not measured.
    pub const BUFFERS: Self = Self::LogNormal {
        median: 1_024,
        sigma_quarters: 8,
        low: 100,
        high: 64 << 10,
    };

    /// Nodes of a syntax tree: a handful of `struct` sizes and short strings.
    ///
    /// The sizes are those of enum nodes with one to seven words, as parsers for Rust and
    /// JavaScript have them, with some identifiers between. Chosen, not measured.
    pub const NODES: Self = Self::Mix(&[
        Group::exactly(25, 8),
        Group::exactly(20, 16),
        Group::exactly(20, 24),
        Group::exactly(15, 32),
        Group::exactly(8, 56),
        Group::exactly(2, 200),
        Group::between(10, 8, 24),
    ]);

    /// Requests: 1 to 64 KiB, and one in a thousand of 10 MiB.
    ///
    /// What shows whether memory taken for the one is still held after a thousand others. Chosen,
    /// not measured.
    pub const REQUESTS: Self = Self::Mix(&[
        Group::between(999, 1 << 10, 64 << 10),
        Group::exactly(1, 10 << 20),
    ]);

    /// A server: most blocks are small, most bytes are in few large ones.
    ///
    /// That is the common finding of studies of allocators in data centres (Zhou et al.,
    /// *Characterizing a Memory Allocator at Warehouse Scale*, ASPLOS 2024). The weights are
    /// ours: blocks below 1 KiB are some 97 in 100, blocks above 8 KiB hold half of the bytes.
    pub const SERVER: Self = Self::Mix(&[
        Group::between(600, 8, 64),
        Group::between(250, 65, 256),
        Group::between(120, 257, 1_023),
        Group::between(22, 1_024, 8_192),
        Group::between(7, 8_193, 65_536),
        Group::between(1, 65_537, 131_072),
    ]);

    /// Draws a size.
    ///
    /// # Panics
    ///
    /// When a range is empty, a power of two does not fit, or a mix has no weight.
    #[must_use]
    pub fn sample(&self, rng: &mut Rng) -> u32 {
        match *self {
            Self::Fixed(size) => size,
            Self::Uniform { low, high } => between(low, high, rng),
            Self::PowersOfTwo { low, high } => {
                assert!(high < 32, "a size fits into 32 bits");
                1 << between(low, high, rng)
            }
            Self::LogNormal {
                median,
                sigma_quarters,
                low,
                high,
            } => log_normal(median, sigma_quarters, rng).clamp(low, high),
            Self::Mix(groups) => {
                let group = pick(groups, rng);
                between(group.low, group.high, rng)
            }
        }
    }

    /// No size is below this.
    #[must_use]
    pub fn smallest(&self) -> u32 {
        match *self {
            Self::Fixed(size) => size,
            Self::Uniform { low, .. } | Self::LogNormal { low, .. } => low,
            Self::PowersOfTwo { low, .. } => 1 << low,
            Self::Mix(groups) => groups.iter().map(|group| group.low).min().unwrap_or(0),
        }
    }

    /// No size is above this.
    #[must_use]
    pub fn largest(&self) -> u32 {
        match *self {
            Self::Fixed(size) => size,
            Self::Uniform { high, .. } | Self::LogNormal { high, .. } => high,
            Self::PowersOfTwo { high, .. } => 1 << high,
            Self::Mix(groups) => groups.iter().map(|group| group.high).max().unwrap_or(0),
        }
    }
}

impl Group {
    /// Sizes of `low..=high`.
    #[must_use]
    pub const fn between(weight: u32, low: u32, high: u32) -> Self {
        Self { weight, low, high }
    }

    /// One size.
    #[must_use]
    pub const fn exactly(weight: u32, size: u32) -> Self {
        Self::between(weight, size, size)
    }
}

fn between(low: u32, high: u32, rng: &mut Rng) -> u32 {
    let drawn = rng.range(low.into(), u64::from(high) + 1);
    u32::try_from(drawn).expect("it lies between two of them")
}

fn pick<'a>(groups: &'a [Group], rng: &mut Rng) -> &'a Group {
    let total = groups.iter().map(|group| u64::from(group.weight)).sum();
    let mut left = rng.below(total);
    groups
        .iter()
        .find(|group| {
            let is_it = left < group.weight.into();
            left = left.saturating_sub(group.weight.into());
            is_it
        })
        .expect("a mix has weights")
}

/// `median × 2^(σ z)`, with `z` the sum of twelve uniform numbers less its mean.
///
/// That sum has a variance of 1 and the shape of a normal distribution up to 3 σ; beyond 6 σ
/// there is nothing.
fn log_normal(median: u32, sigma_quarters: u32, rng: &mut Rng) -> u32 {
    let sum: u64 = (0..12).map(|_| rng.below(1 << 16)).sum();
    // 16 binary digits after the point, 18 with the quarters: exact in integers.
    let sum = i64::try_from(sum).expect("twelve numbers below 2^16");
    let log = (sum - (6 << 16)) * i64::from(sigma_quarters);
    let (whole, fraction) = (log >> 18, log & ((1 << 18) - 1));
    let mut size = f64::from(median);
    let mut root = 2.0_f64;
    for bit in (0..18).rev() {
        root = root.sqrt();
        if fraction >> bit & 1 == 1 {
            size *= root;
        }
    }
    // A factor of two is exact, in either direction.
    for _ in 0..whole.unsigned_abs() {
        size *= if whole > 0 { 2.0 } else { 0.5 };
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is too large saturates, and is cut by the caller"
    )]
    let size = size as u32;
    size
}
