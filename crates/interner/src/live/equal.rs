//! Comparison of short strings, in line.
//!
//! `==` of two slices calls `memcmp`, which costs more than a comparison of ten bytes. Here the first and last
//! words are compared, which overlap. The classes of lengths are those of the default hasher, so that the branches
//! that have been taken there predict those taken here.

#![forbid(unsafe_code)]

/// Whether two slices of one length are equal. Slices of different lengths are not.
#[inline]
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    match left.len() {
        0 => true,
        1 => left[0] == right[0],
        2..=3 => ends::<2>(left, right),
        4..=8 => ends::<4>(left, right),
        9..=16 => ends::<8>(left, right),
        17..=32 => ends::<16>(left, right),
        _ => left == right,
    }
}

/// The first and the last `N` bytes; between them nothing is left out when the length is at most `2 * N`.
#[inline]
fn ends<const N: usize>(left: &[u8], right: &[u8]) -> bool {
    left.first_chunk::<N>() == right.first_chunk::<N>()
        && left.last_chunk::<N>() == right.last_chunk::<N>()
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn every_length_and_every_difference() {
        for len in 0..80 {
            let left: Vec<u8> = (0..len).collect();
            assert!(equal(&left, &left.clone()));
            assert!(!equal(&left, &[left.as_slice(), b"x"].concat()));
            for at in 0..left.len() {
                let mut right = left.clone();
                right[at] ^= 0x80;
                assert!(!equal(&left, &right), "length {len}, byte {at}");
            }
        }
    }
}
