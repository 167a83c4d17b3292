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
    /// figure follows a larger round at once, and falls by an eighth per reset: a round that was out of the
    /// ordinary is forgotten after some twenty. While one chunk serves each round, up to eight resets are
    /// not looked at, and are made up for by the next one.
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

    /// How many resets free nothing, whatever is used before them, as long as no more than `reserved` is held. At most
    /// a few, where each of them would forget a little of `recent`.
    pub(crate) fn rests(self, reserved: usize, recent: usize, first_chunk: usize) -> usize {
        const MOST: usize = 8;
        let keeps = |recent| reserved <= self.budget(recent, first_chunk);
        if keeps(0) {
            return usize::MAX;
        }
        let mut left = smoothed(recent, 0);
        let mut rests = 0;
        while rests < MOST && keeps(left) {
            left = smoothed(left, 0);
            rests += 1;
        }
        rests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_rests_no_longer_than_it_would_keep_everything() {
        let retain = Retain::AdaptiveDecay;
        assert_eq!(retain.rests(4080, 100, 4096), usize::MAX);
        assert_eq!(retain.rests(12 << 10, 1 << 20, 4096), 8);
        assert_eq!(retain.rests(16 << 10, 0, 4096), 0);
        // The budget is 20 KiB down to a figure of 4097, and 12 KiB below.
        let rests = retain.rests(16 << 10, 5 << 10, 4096);
        let after = |resets| (0..resets).fold(5 << 10, |recent, _| smoothed(recent, 0));
        let budget = |resets| retain.budget(after(resets), 4096);
        assert!(budget(rests) >= 16 << 10 && budget(rests + 1) < 16 << 10);
        assert_eq!(Retain::Nothing.rests(1, 100, 4096), 0);
        assert_eq!(Retain::Bytes(100).rests(101, 100, 4096), 0);
        assert_eq!(Retain::Bytes(100).rests(100, 0, 4096), usize::MAX);
    }

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
