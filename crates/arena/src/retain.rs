//! What a reset keeps.

#![forbid(unsafe_code)]

/// What of an arena's memory a reset keeps for later.
///
/// # Examples
///
/// ```
/// use thrifty_arena::{Arena, Retain};
///
/// let mut arena = Arena::builder().retain(Retain::Bytes(16 << 10)).build();
/// arena.alloc_slice_fill(100_000, 0_u8);
/// arena.reset();
/// assert!(arena.stats().reserved_bytes <= 16 << 10);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retain {
    /// Everything. The arena never shrinks by itself; one huge request stays for ever.
    All,
    /// Nothing. An arena that is reset holds no memory.
    Nothing,
    /// At most so many bytes. Larger chunks are kept first, compared by powers of two.
    Bytes(usize),
    /// One chunk that is as large as all that was in use, made when it is first needed. Then one
    /// chunk serves each round. It never shrinks by itself.
    Consolidate,
    /// At most twice what recent rounds had in use, rounded up to a power of two, and a first chunk. That
    /// figure follows a larger round at once, and
    /// falls by an eighth per reset: a round that was out of the ordinary is forgotten after some
    /// twenty.
    #[default]
    AdaptiveDecay,
}

/// What the recent rounds needed: at once up, slowly down.
#[inline]
pub(crate) fn smoothed(before: usize, used: usize) -> usize {
    // Rounded up, so that it comes down to nothing.
    used.max(before - before.div_ceil(8))
}

impl Retain {
    /// How many bytes of chunks a reset keeps at most; `recent` is what [`smoothed`] says.
    pub(crate) fn budget(self, recent: usize, first_chunk: usize) -> usize {
        match self {
            Self::All | Self::Consolidate => usize::MAX,
            Self::Nothing => 0,
            Self::Bytes(bytes) => bytes,
            // What is in use is less than the chunks that it needs: these double, and begin with a small one.
            Self::AdaptiveDecay => {
                let twice = recent.saturating_mul(2);
                let rounded = twice.checked_next_power_of_two().unwrap_or(twice);
                rounded.saturating_add(first_chunk)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_is_forgotten() {
        let mut recent = smoothed(0, 10 << 20);
        assert_eq!(recent, 10 << 20);
        for _ in 0..60 {
            recent = smoothed(recent, 5 << 10);
        }
        assert_eq!(recent, 5 << 10);
        for _ in 0..100 {
            recent = smoothed(recent, 0);
        }
        assert_eq!(recent, 0);
    }
}
