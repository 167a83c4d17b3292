//! What the controller did, in figures.
#![forbid(unsafe_code)]

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use super::priority::Priority;

/// Why a cycle ran.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit::Reason;
///
/// assert_eq!(Reason::Growth.to_string(), "growth");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Reason {
    /// The soft limit came near.
    #[default]
    Limit,
    /// The live heap had grown by the percentage that was set.
    Growth,
    /// [`trim_now`](super::trim_now) was called.
    Forced,
    /// The control group was waiting for memory; see [`Tuning`](super::Tuning::stall_percent).
    Stall,
}

impl Reason {
    /// Whether there is such a thing as too little; otherwise what comes will do.
    pub(crate) const fn wants_enough(self) -> bool {
        matches!(self, Self::Limit | Self::Stall)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Limit => "limit",
            Self::Growth => "growth",
            Self::Forced => "forced",
            Self::Stall => "stall",
        })
    }
}

/// One cycle of trimming.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit;
/// use thrifty_traits::Pressure;
///
/// let trim = limit::trim_now(Pressure::High)?;
/// assert_eq!(trim.reason, limit::Reason::Forced);
/// println!("{trim}");
/// # Ok::<(), limit::TrimError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Trim {
    /// The cycles before it, and one.
    pub number: u64,
    /// Why it ran.
    pub reason: Reason,
    /// When it began, since the process first asked for the time.
    pub began: Duration,
    /// How long it took. The last 256 of these are Go's `PauseNs`, though nobody is paused.
    pub took: Duration,
    /// Live bytes when it began; `None` where nobody counts.
    pub live_before: Option<u64>,
    /// Live bytes when it ended.
    pub live_after: Option<u64>,
    /// Resident bytes when it began; `None` where the system does not tell.
    pub resident_before: Option<u64>,
    /// Resident bytes when it ended.
    pub resident_after: Option<u64>,
    /// What the reclaimers say they gave back.
    pub reclaimed_bytes: u64,
    /// How many calls of reclaimers there were.
    pub calls: u32,
    /// Whether memory was given back to the system.
    pub released: bool,
    /// Whether both live and resident bytes came down to where they should.
    pub satisfied: bool,
}

impl fmt::Display for Trim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            reason,
            took,
            ..
        } = self;
        write!(f, "trim {number} ({reason}) in {took:.1?}: ")?;
        if let (Some(before), Some(after)) = (self.live_before, self.live_after) {
            write!(f, "live {} -> {}, ", Mib(before), Mib(after))?;
        }
        if let (Some(before), Some(after)) = (self.resident_before, self.resident_after) {
            write!(f, "resident {} -> {}, ", Mib(before), Mib(after))?;
        }
        let calls = self.calls;
        write!(
            f,
            "{} reclaimed by {calls} calls",
            Mib(self.reclaimed_bytes)
        )?;
        if !self.satisfied {
            f.write_str(", not enough")?;
        }
        Ok(())
    }
}

/// Bytes for people.
pub(crate) struct Mib(pub(crate) u64);

impl fmt::Display for Mib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = u128::from(self.0) * 10 / (1 << 20);
        write!(f, "{}.{} MiB", tenths / 10, tenths % 10)
    }
}

/// What one registered reclaimer was asked and gave.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReclaimerStats {
    /// The name it was registered under.
    pub name: Arc<str>,
    /// How dear its memory is to make again.
    pub priority: Priority,
    /// How often it was asked.
    pub calls: u64,
    /// What it says it gave back, in all.
    pub reclaimed_bytes: u64,
    /// The same for the last cycle that asked it, but no more than was freed while it ran.
    pub last_bytes: Option<u64>,
    /// How often it panicked.
    pub panics: u64,
    /// How often it missed the deadline.
    pub late: u64,
    /// The longest call; one that missed the deadline counts with that.
    pub longest: Duration,
    /// Whether it is asked last and at high pressure only, because it gave next to nothing.
    pub demoted: bool,
    /// Whether a call is under way.
    pub busy: bool,
}

/// What the controller is set to and did; from [`stats`](super::stats).
///
/// Who knows Go's `runtime.MemStats` finds the fields on collections here:
///
/// | Go | here |
/// |---|---|
/// | `NextGC` | [`goal_bytes`](Self::goal_bytes) |
/// | `LastGC` | [`last_trims`](Self::last_trims)`.last()` |
/// | `NumGC`, `NumForcedGC` | [`num_trim`](Self::num_trim), [`num_forced`](Self::num_forced) |
/// | `PauseTotalNs`, `PauseNs` | [`trim_total`](Self::trim_total), [`last_trims`](Self::last_trims) |
/// | `GCCPUFraction` | [`trim_time_fraction`](Self::trim_time_fraction) |
/// | `/gc/limiter/last-enabled` | [`limiter_last_enabled`](Self::limiter_last_enabled) |
///
/// # Examples
///
/// ```
/// let stats = thrifty_memstats::limit::stats();
/// assert_eq!((stats.num_trim, stats.goal_bytes), (0, None));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct LimitStats {
    /// The soft limit, if there is one.
    pub soft_limit_bytes: Option<u64>,
    /// The growth that starts a cycle, if set.
    pub percent: Option<u32>,
    /// Live bytes now; `None` where nobody counts.
    pub live_bytes: Option<u64>,
    /// Resident bytes now; `None` where the system does not tell.
    pub resident_bytes: Option<u64>,
    /// Live bytes after the last cycle.
    pub base_bytes: u64,
    /// What is resident beyond the live bytes, after releases to the system; a mean.
    pub nonheap_bytes: u64,
    /// What the live heap is held to; `None` where nothing limits it.
    pub goal_bytes: Option<u64>,
    /// Where the next cycle begins.
    pub trigger_bytes: Option<u64>,
    /// How many cycles there were.
    pub num_trim: u64,
    /// How many of them were [`trim_now`](super::trim_now)'s.
    pub num_forced: u64,
    /// How long all of them took.
    pub trim_total: Duration,
    /// Their share of the time since the controller was first used, between 0 and 1.
    pub trim_time_fraction: f64,
    /// What the reclaimers say they gave back, in all.
    pub reclaimed_bytes: u64,
    /// The number of the last cycle that the time limiter put off or cut short.
    pub limiter_last_enabled: Option<u64>,
    /// How often the limiter engaged.
    pub limiter_enabled: u64,
    /// How often nobody had anything to give though the limit was near.
    pub exhausted: u64,
    /// How often the controller's thread was woken by the allocator.
    pub wakeups: u64,
    /// What was wrong with an environment setting, if something was.
    pub environment_error: Option<String>,
    /// The registered reclaimers, in the order of their registration.
    pub reclaimers: Vec<ReclaimerStats>,
    /// The last 256 cycles, oldest first.
    pub last_trims: Vec<Trim>,
}

impl fmt::Display for LimitStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.soft_limit_bytes {
            Some(limit) => write!(f, "soft limit {}", Mib(limit))?,
            None => f.write_str("no soft limit")?,
        }
        if let Some(percent) = self.percent {
            write!(f, ", a trim per {percent}% of growth")?;
        }
        write!(
            f,
            "; {} trims took {:.1?} ({:.2}% of the time) and gave back {}",
            self.num_trim,
            self.trim_total,
            self.trim_time_fraction * 100.0,
            Mib(self.reclaimed_bytes)
        )
    }
}

/// The last cycles, in a ring that is allocated once.
#[derive(Debug)]
pub(crate) struct Ring {
    trims: Vec<Trim>,
    next: usize,
}

/// Go keeps as many pauses.
const RING: usize = 256;

impl Ring {
    pub(crate) const fn new() -> Self {
        Self {
            trims: Vec::new(),
            next: 0,
        }
    }

    /// Allocates it, unless it is there or cannot be had now.
    pub(crate) fn make(&mut self) -> bool {
        self.trims.capacity() >= RING || self.trims.try_reserve_exact(RING).is_ok()
    }

    /// Adds a cycle; forgotten where there is no memory for the first.
    pub(crate) fn push(&mut self, trim: Trim) {
        if self.trims.len() < RING {
            if self.make() {
                self.trims.push(trim);
            }
            return;
        }
        self.trims[self.next] = trim;
        self.next = (self.next + 1) % RING;
    }

    pub(crate) fn oldest_first(&self) -> Vec<Trim> {
        let (newer, older) = self.trims.split_at(self.next);
        older.iter().chain(newer).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_256_in_order() {
        let mut ring = Ring::new();
        for number in 1..=600 {
            ring.push(Trim {
                number,
                ..Trim::default()
            });
            let kept = ring.oldest_first();
            assert!(kept.len() <= 256);
            assert_eq!(kept.last().unwrap().number, number);
            assert!(
                kept.windows(2)
                    .all(|two| two[0].number + 1 == two[1].number)
            );
        }
        assert_eq!(ring.oldest_first()[0].number, 345);
    }

    #[test]
    fn a_trim_reads_like_a_line_of_a_log() {
        let trim = Trim {
            number: 3,
            took: Duration::from_micros(1500),
            live_before: Some(10 << 20),
            live_after: Some(4 << 20),
            reclaimed_bytes: 6 << 20,
            calls: 2,
            ..Trim::default()
        };
        assert_eq!(
            trim.to_string(),
            "trim 3 (limit) in 1.5ms: live 10.0 MiB -> 4.0 MiB, 6.0 MiB reclaimed by 2 calls, not enough"
        );
    }
}
