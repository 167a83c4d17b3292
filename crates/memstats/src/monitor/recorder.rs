//! A ring of samples.
#![forbid(unsafe_code)]

use core::time::Duration;
use std::collections::TryReserveError;

use thrifty_sync::clock::Instant;

use crate::MemStats;

/// The process's memory at one moment.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use thrifty_memstats::Monitor;
///
/// let monitor = Monitor::every(Duration::from_secs(1)).spawn()?;
/// let first = monitor.samples()[0];
/// assert_eq!(first.live_bytes, None, "this example installs no allocator");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// Since the monitor was started.
    pub at: Duration,
    /// Live bytes; `None` where [`Alloc`](crate::Alloc) is not the global allocator.
    pub live_bytes: Option<u64>,
    /// Resident bytes; `None` where the system does not tell.
    pub resident_bytes: Option<u64>,
    /// Bytes allocated per second since the sample before; `None` for the first.
    pub allocated_bytes_per_second: Option<u64>,
    /// Cycles of trimming so far; 0 without the feature `limit`.
    pub trims: u64,
}

#[derive(Debug)]
pub(super) struct Recorder {
    ring: Vec<Sample>,
    /// Where the oldest is, once the ring is full.
    oldest: usize,
    most: usize,
    start: Instant,
    /// When and at how many allocated bytes the last sample was taken.
    last: Option<(Instant, u64)>,
}

impl Recorder {
    pub(super) fn new(most: usize, start: Instant) -> Result<Self, TryReserveError> {
        let mut ring = Vec::new();
        ring.try_reserve_exact(most)?;
        Ok(Self {
            ring,
            oldest: 0,
            most,
            start,
            last: None,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.ring.len()
    }

    /// Adds a sample; allocates nothing.
    pub(super) fn record(
        &mut self,
        now: Instant,
        stats: Option<&MemStats>,
        resident_bytes: Option<u64>,
        trims: u64,
    ) {
        let sample = Sample {
            at: now.since(self.start),
            live_bytes: stats.map(|stats| stats.live_bytes),
            resident_bytes,
            allocated_bytes_per_second: stats
                .and_then(|stats| self.rate(now, stats.allocated_bytes)),
            trims,
        };
        if self.ring.len() < self.most {
            self.ring.push(sample);
        } else {
            self.ring[self.oldest] = sample;
            self.oldest = (self.oldest + 1) % self.most;
        }
    }

    fn rate(&mut self, now: Instant, allocated: u64) -> Option<u64> {
        let (then, before) = self.last.replace((now, allocated))?;
        let nanos = now.since(then).as_nanos();
        let bytes = u128::from(allocated.saturating_sub(before));
        let rate = (bytes * 1_000_000_000).checked_div(nanos)?;
        Some(u64::try_from(rate).unwrap_or(u64::MAX))
    }

    pub(super) fn oldest_first(&self) -> Vec<Sample> {
        let (newer, older) = self.ring.split_at(self.oldest);
        older.iter().chain(newer).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn the_ring_keeps_the_last_in_order_and_knows_rates() {
        let mut recorder = Recorder::new(3, at(100)).unwrap();
        for second in 0..8 {
            let stats = MemStats {
                live_bytes: second,
                allocated_bytes: 500 * second,
                ..MemStats::default()
            };
            recorder.record(at(100 + second), Some(&stats), None, second / 2);
        }
        let samples = recorder.oldest_first();
        assert_eq!(
            samples.iter().map(|s| s.at.as_secs()).collect::<Vec<_>>(),
            [5, 6, 7]
        );
        assert!(
            samples
                .iter()
                .all(|s| s.allocated_bytes_per_second == Some(500))
        );
        assert_eq!(samples[2].trims, 3);
    }

    #[test]
    fn two_samples_of_one_moment_have_no_rate() {
        let mut recorder = Recorder::new(4, at(5)).unwrap();
        let stats = MemStats::default();
        recorder.record(at(5), Some(&stats), Some(1), 0);
        recorder.record(at(5), Some(&stats), Some(1), 0);
        recorder.record(at(4), Some(&stats), Some(1), 0);
        recorder.record(at(6), None, None, 0);
        let rates: Vec<_> = recorder
            .oldest_first()
            .iter()
            .map(|s| s.allocated_bytes_per_second)
            .collect();
        assert_eq!(rates, [None; 4]);
    }

    #[test]
    fn a_sample_takes_what_the_documentation_says() {
        assert_eq!(size_of::<Sample>(), 72);
    }

    #[test]
    fn a_ring_too_large_for_memory_is_an_error() {
        assert!(Recorder::new(usize::MAX, at(0)).is_err());
    }
}
