//! FNV-1a: the hash that pins data and sums up answers.
//!
//! It is short enough to be seen to be right, and the same on every platform. It is no hash for a
//! table.

/// A running FNV-1a hash of 64 bits.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::fingerprint::Fingerprint;
///
/// let mut print = Fingerprint::new();
/// print.add(b"foobar");
/// assert_eq!(print.value(), 0x8594_4171_F739_67E8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The hash of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }

    /// Adds a number as eight bytes, the lowest first.
    pub fn add_u64(&mut self, number: u64) {
        self.add(&number.to_le_bytes());
    }

    /// The hash of what was added so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

const PRIME: u64 = 0x0000_0100_0000_01B3;
