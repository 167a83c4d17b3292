//! How the controller behaves, where the defaults do not fit.
#![forbid(unsafe_code)]

use core::time::Duration;

/// How the controller behaves; for [`tune`](super::tune).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use thrifty_memstats::limit::Tuning;
///
/// let tuning = Tuning::new().with_time_percent(5).with_deadline(Duration::from_millis(50));
/// assert_eq!(tuning.time_percent, 5);
/// assert_eq!(tuning.max_pause, Tuning::default().max_pause);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tuning {
    /// The share of the time that cycles may take, in percent. 10.
    pub time_percent: u32,
    /// Over how long that share is taken: it may be used up in one go. 2 seconds.
    pub window: Duration,
    /// The least time between two cycles. 5 milliseconds.
    pub min_pause: Duration,
    /// The most time between two cycles while nobody has anything to give; the pause doubles up to
    /// it, and ends when the live heap has grown by a twentieth of the limit. 5 seconds.
    pub max_pause: Duration,
    /// How often what is resident is looked at, which grows without asking the allocator. 250
    /// milliseconds.
    pub poll: Duration,
    /// How long one call of a reclaimer, or a release to the system, may take before the
    /// controller goes on without it. 250 milliseconds.
    pub deadline: Duration,
    /// Below so many live bytes, growth in percent starts no cycle. 4 MiB.
    pub least_growth_goal_bytes: u64,
    /// The share of the time in percent for which some task of the control group waited for memory (of
    /// the machine, where the group does not tell) that starts a cycle as well; while a limit or a
    /// percentage is set, and at each [`poll`](Self::poll). Such a cycle wants a tenth of what is live
    /// and resident, at [`Medium`](thrifty_traits::Pressure::Medium) at most. Linux only; 0 does not look. 0.
    pub stall_percent: u32,
}

impl Tuning {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            time_percent: 10,
            window: Duration::from_secs(2),
            min_pause: Duration::from_millis(5),
            max_pause: Duration::from_secs(5),
            poll: Duration::from_millis(250),
            deadline: Duration::from_millis(250),
            least_growth_goal_bytes: 4 << 20,
            stall_percent: 0,
        }
    }

    /// Sets the share of the time spent waiting for memory that starts a cycle, which is at most 100;
    /// 0 for none.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_memstats::limit::{self, Tuning};
    ///
    /// limit::tune(Tuning::new().with_stall_percent(10));
    /// ```
    #[must_use]
    pub const fn with_stall_percent(mut self, percent: u32) -> Self {
        self.stall_percent = if percent > 100 { 100 } else { percent };
        self
    }

    /// As the setters would have left it: fields can be assigned to.
    pub(crate) const fn brought_into_range(self) -> Self {
        self.with_time_percent(self.time_percent)
            .with_window(self.window)
            .with_pauses(self.min_pause, self.max_pause)
            .with_poll(self.poll)
            .with_stall_percent(self.stall_percent)
    }

    /// Sets the share of time, which is brought between 1 and 100.
    #[must_use]
    pub const fn with_time_percent(mut self, percent: u32) -> Self {
        self.time_percent = if percent == 0 {
            1
        } else if percent > 100 {
            100
        } else {
            percent
        };
        self
    }

    /// Sets the window of the share of time, which is at least 10 milliseconds.
    #[must_use]
    pub const fn with_window(mut self, window: Duration) -> Self {
        const LEAST: Duration = Duration::from_millis(10);
        self.window = if window.as_nanos() < LEAST.as_nanos() {
            LEAST
        } else {
            window
        };
        self
    }

    /// Sets the least and the most time between two cycles; the most is not below the least.
    #[must_use]
    pub const fn with_pauses(mut self, min: Duration, max: Duration) -> Self {
        self.min_pause = min;
        self.max_pause = if max.as_nanos() < min.as_nanos() {
            min
        } else {
            max
        };
        self
    }

    /// Sets how often what is resident is looked at, which is not more than every millisecond.
    #[must_use]
    pub const fn with_poll(mut self, poll: Duration) -> Self {
        const LEAST: Duration = Duration::from_millis(1);
        self.poll = if poll.as_nanos() < LEAST.as_nanos() {
            LEAST
        } else {
            poll
        };
        self
    }

    /// Sets how long the controller waits for one call.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets below what growth in percent starts no cycle.
    #[must_use]
    pub const fn with_least_growth_goal_bytes(mut self, bytes: u64) -> Self {
        self.least_growth_goal_bytes = bytes;
        self
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self::new()
    }
}
