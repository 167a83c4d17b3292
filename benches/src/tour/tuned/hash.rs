//! A small, fast, seeded hasher for byte strings: folded multiplication.
//!
//! The seed comes from std's `RandomState`, so that nobody can prepare a log whose keys
//! collide. It is no cryptographic hash, and a table that lives for one run needs none.

use core::hash::{BuildHasher, Hasher};
use std::hash::RandomState;

/// Makes hashers that share one random seed.
#[derive(Clone)]
pub(super) struct Seeded {
    seed: u64,
}

impl Default for Seeded {
    fn default() -> Self {
        Self {
            seed: RandomState::new().hash_one(0_u64),
        }
    }
}

impl BuildHasher for Seeded {
    type Hasher = Folded;

    #[inline]
    fn build_hasher(&self) -> Folded {
        Folded { state: self.seed }
    }
}

/// The state of one hash.
pub(super) struct Folded {
    state: u64,
}

impl Hasher for Folded {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut state = self.state;
        let mut rest = bytes;
        while rest.len() > 16 {
            state = fold(eight(rest) ^ state, eight(&rest[8..]) ^ SECOND);
            rest = &rest[16..];
        }
        // The last 16 bytes may overlap those before: cheaper than a loop over a tail.
        let (low, high) = match bytes.len() {
            16.. => (
                eight(&bytes[bytes.len() - 16..]),
                eight(&bytes[bytes.len() - 8..]),
            ),
            8.. => (eight(bytes), eight(&bytes[bytes.len() - 8..])),
            4.. => (four(bytes), four(&bytes[bytes.len() - 4..])),
            1.. => {
                let middle = u64::from(bytes[bytes.len() / 2]);
                (
                    u64::from(bytes[0]),
                    middle << 8 | u64::from(bytes[bytes.len() - 1]),
                )
            }
            0 => (0, 0),
        };
        self.state = fold(low ^ state, high ^ SECOND);
    }

    #[inline]
    fn write_usize(&mut self, length: usize) {
        self.state ^= length as u64;
    }

    #[inline]
    fn write_i64(&mut self, number: i64) {
        self.write(&number.to_le_bytes());
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.state
    }
}

/// Both halves of the product: every input bit reaches the high and the low bits of the result.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves are folded into one"
    )]
    let folded = product as u64 ^ (product >> 64) as u64;
    folded
}

#[inline]
fn eight(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[inline]
fn four(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)))
}

/// An odd constant without pattern: the fraction of the golden ratio.
const SECOND: u64 = 0x9E37_79B9_7F4A_7C15;
