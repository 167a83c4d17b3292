//! The hash of frozen tables: ours, since what is in a file must mean the same for ever.
//!
//! Sixteen bytes at a time are multiplied with each other, 64 × 64 → 128 bits, and the halves of the product
//! folded together. Each factor has a number from the seed in it: a factor that a key alone could make zero would
//! let anyone write keys that collide under every seed. The length goes in at the end. Written for this purpose, and frozen with it: the version in an image's header names it.
//!
//! It spreads keys that nobody chose against this very seed: whoever knows a seed can make keys that collide under it.
//! Where such keys come, `build` draws a seed; what is looked up later cannot make a chain longer than it is.

#![forbid(unsafe_code)]

/// A seeded hash of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hash64 {
    left: u64,
    right: u64,
}

// Odd numbers with as many ones as zeros, or nearly: the fractions of square roots of primes.
const ROOT_2: u64 = 0x6a09_e667_f3bc_c909;
const ROOT_3: u64 = 0xbb67_ae85_84ca_a73b;
const ROOT_5: u64 = 0x3c6e_f372_fe94_f82b;

impl Hash64 {
    pub(crate) const fn new(seed: u64) -> Self {
        let left = fold(seed ^ ROOT_2, ROOT_5);
        let right = fold(seed.rotate_left(32) ^ ROOT_3, ROOT_2);
        Self { left, right }
    }

    #[inline]
    pub(crate) fn of(&self, bytes: &[u8]) -> u64 {
        let (first, last, state) = match bytes.len() {
            0..=3 => (few(bytes), 0, self.left),
            4..=7 => (word_4(bytes), word_4_back(bytes), self.left),
            8..=16 => (word_8(bytes), word_8_back(bytes), self.left),
            _ => self.long(bytes),
        };
        let mixed = fold(first ^ state, last ^ self.right);
        fold(mixed ^ self.left, (bytes.len() as u64) ^ ROOT_3)
    }

    /// A block of a long key that makes this hash forget what is before it.
    #[cfg(test)]
    pub(super) fn forgetful_block(&self) -> [u8; 32] {
        let mut block = [0; 32];
        block[8..16].copy_from_slice(&self.right.to_le_bytes());
        block[24..].copy_from_slice(&self.left.to_le_bytes());
        block
    }

    /// All but the last 16 bytes go into the state; those are left for the end.
    #[inline(never)]
    fn long(&self, bytes: &[u8]) -> (u64, u64, u64) {
        let mut even = self.left;
        let mut odd = self.right;
        let mut rest = bytes;
        // Two chains, so that their multiplications overlap.
        while rest.len() > 32 {
            let (head, tail) = rest.split_at(32);
            even = fold(word_8(head) ^ even, word_8(&head[8..]) ^ self.right);
            odd = fold(word_8(&head[16..]) ^ odd, word_8(&head[24..]) ^ self.left);
            rest = tail;
        }
        if rest.len() > 16 {
            even = fold(word_8(rest) ^ even, word_8(&rest[8..]) ^ self.right);
        }
        let last = &bytes[bytes.len() - 16..];
        (word_8(last), word_8(&last[8..]), even.rotate_left(23) ^ odd)
    }
}

/// The halves of a product, one over the other.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128) * (b as u128);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    let low = product as u64;
    low ^ (product >> 64) as u64
}

/// Up to three bytes, each in a place of its own.
#[inline]
fn few(bytes: &[u8]) -> u64 {
    match bytes {
        [] => 0,
        [first, .., last] => {
            let middle = bytes[bytes.len() / 2];
            u64::from(*first) | u64::from(middle) << 8 | u64::from(*last) << 16
        }
        [only] => u64::from(*only),
    }
}

#[inline]
fn word_4(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)))
}

#[inline]
fn word_4_back(bytes: &[u8]) -> u64 {
    bytes
        .last_chunk()
        .map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)))
}

#[inline]
fn word_8(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[inline]
fn word_8_back(bytes: &[u8]) -> u64 {
    bytes
        .last_chunk()
        .map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "parts of numbers are wanted"
)]
mod tests {
    use std::collections::HashSet;

    use super::Hash64;

    /// Buckets of as many keys as there are, by the bits that pick a slot and by those of a tag: the sum of squares
    /// of a random function is 2n - 1 on average.
    fn assert_spread(keys: &[Vec<u8>]) {
        let n = keys.len();
        for seed in [0, 1, u64::MAX, 0x1234_5678] {
            let hash = Hash64::new(seed);
            for shift in [0, 16, 32] {
                let mut counts = vec![0_u64; n];
                for key in keys {
                    let part = (hash.of(key) >> shift) as u32;
                    counts[((u64::from(part) * n as u64) >> 32) as usize] += 1;
                }
                let squares: u64 = counts.iter().map(|count| count * count).sum();
                let ratio = squares as f64 / (2.0 * n as f64);
                assert!((0.93..1.07).contains(&ratio), "{ratio} at {shift}, {seed}");
            }
        }
    }

    #[test]
    fn it_spreads_keys_that_are_alike() {
        let n = 20_000_u64;
        let numbered = |format: &dyn Fn(u64) -> Vec<u8>| (0..n).map(format).collect::<Vec<_>>();
        assert_spread(&numbered(&|at| at.to_string().into_bytes()));
        assert_spread(&numbered(&|at| format!("key-{at:08}").into_bytes()));
        assert_spread(&numbered(&|at| at.to_le_bytes().to_vec()));
        assert_spread(&numbered(&|at| at.to_be_bytes().to_vec()));
        assert_spread(&numbered(&|at| (at << 40).to_le_bytes().to_vec()));
        assert_spread(&numbered(&|at| {
            format!("https://example.org/a/long/beginning/{at}/and/end").into_bytes()
        }));
        // One bit in many zeros, or none; and zeros of every length.
        assert_spread(
            &(0..n as usize)
                .map(|at| {
                    let mut bytes = vec![0; 40 + at / 320];
                    bytes[at % 320 / 8] = 1 << (at % 8);
                    bytes
                })
                .collect::<Vec<_>>(),
        );
        assert_spread(&(0..2000).map(|len| vec![0; len]).collect::<Vec<_>>());
        assert_spread(&(0..2000).map(|len| vec![b'a'; len]).collect::<Vec<_>>());
    }

    #[test]
    fn every_bit_of_the_key_turns_half_of_the_hash() {
        for len in [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 64, 65, 100] {
            let mut turned = [0_u32; 64];
            let mut trials = 0;
            for seed in 0..64_u64 {
                let hash = Hash64::new(seed);
                let key: Vec<u8> = (0..len)
                    .map(|at| (at as u64 * 37 + seed * 11) as u8)
                    .collect();
                let before = hash.of(&key);
                for bit in (0..len * 8).step_by(1 + len / 16) {
                    let mut other = key.clone();
                    other[bit / 8] ^= 1 << (bit % 8);
                    let difference = before ^ hash.of(&other);
                    trials += 1;
                    for (at, count) in turned.iter_mut().enumerate() {
                        *count += (difference >> at & 1) as u32;
                    }
                }
            }
            // Five standard deviations of a fair coin.
            let slack = 5.0 * (f64::from(trials) / 4.0).sqrt();
            for (at, count) in turned.iter().enumerate() {
                let off = (f64::from(*count) - f64::from(trials) / 2.0).abs();
                assert!(off < slack, "bit {at}, {len} bytes: {count} of {trials}");
            }
        }
    }

    #[test]
    fn no_two_short_keys_collide() {
        let hash = Hash64::new(7);
        let mut seen = HashSet::new();
        let mut keys = vec![Vec::new()];
        for byte in 0..=255_u8 {
            keys.push(vec![byte]);
            for other in 0..=255_u8 {
                keys.push(vec![byte, other]);
                keys.push(vec![byte, 0, other]);
            }
        }
        keys.sort();
        keys.dedup();
        for key in &keys {
            assert!(seen.insert(hash.of(key)), "{key:?}");
        }
    }

    /// No word of a key makes a factor zero whatever the seed is, as one that equals a constant of ours would.
    #[test]
    fn no_word_makes_keys_collide_under_every_seed() {
        for constant in [super::ROOT_2, super::ROOT_3, super::ROOT_5, 0, u64::MAX] {
            for len in [32, 40, 48, 64, 65, 96] {
                for word in 0..len / 8 {
                    // What it is multiplied with is its neighbour.
                    let other = (word ^ 1) * 8;
                    if other + 8 > len {
                        continue;
                    }
                    let hashes: HashSet<u64> = (0..64_u8)
                        .map(|at| {
                            let mut key = vec![0; len];
                            key[word * 8..word * 8 + 8].copy_from_slice(&constant.to_le_bytes());
                            key[other] = at;
                            Hash64::new(1).of(&key)
                        })
                        .collect();
                    assert_eq!(hashes.len(), 64, "{constant:#x}, word {word} of {len}");
                }
            }
        }
    }

    /// What is in files must be found for ever: these numbers never change within a version of the format.
    #[test]
    fn the_hash_is_what_it_was() {
        let hash = Hash64::new(42);
        let long: Vec<u8> = (0..=255).collect();
        let seen = [
            hash.of(b""),
            hash.of(b"a"),
            hash.of(b"abc"),
            hash.of(b"abcdef"),
            hash.of(b"hello world"),
            hash.of(&long[..16]),
            hash.of(&long[..17]),
            hash.of(&long[..33]),
            hash.of(&long),
        ];
        assert_eq!(seen, PINNED, "{seen:#x?}");
    }

    const PINNED: [u64; 9] = [
        0x3804_dba2_adbd_4965,
        0xb96d_b6fb_9655_6f3f,
        0x9319_16c1_79e6_f0c0,
        0x0555_2a2f_2756_fa6f,
        0xb044_9efb_076e_5303,
        0x3305_2379_8ac9_c421,
        0xbde1_58d7_505e_90a0,
        0xf0d0_a9ce_9d32_8e10,
        0x5c55_9622_8f78_cfb7,
    ];
}
