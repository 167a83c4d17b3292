//! Where an engine has its place in every thread's table.
#![forbid(unsafe_code)]

/// Sets of a thread's table.
pub(crate) const SETS: usize = 64;

/// Bytes of a set: two entries of a key and a pointer, padded to what a 64-bit key may need.
pub(crate) const SET_BYTES: usize = 32;

/// A set, as its distance from the first one: what a hit adds to the address of the table.
///
/// # Invariants
///
/// 1. The distance is that of one of the sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set(usize);

impl Set {
    /// The set of this index, modulo their number.
    pub(crate) const fn new(index: usize) -> Self {
        // INVARIANT: 1.
        Self(index % SETS * SET_BYTES)
    }

    /// Its index.
    pub(crate) const fn index(self) -> usize {
        self.0 / SET_BYTES
    }

    /// Its distance from the first set, in bytes.
    #[inline]
    pub(crate) const fn offset_bytes(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_and_distances() {
        for index in 0..SETS {
            let set = Set::new(index);
            assert_eq!(
                (set.index(), set.offset_bytes()),
                (index, index * SET_BYTES)
            );
        }
        assert_eq!(Set::new(SETS), Set::new(0));
    }
}
