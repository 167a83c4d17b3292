//! Time that a test can hold still.
//!
//! Whatever decays, ticks or expires takes a [`Clock`]. Production code passes [`SystemClock`],
//! a test passes a [`ManualClock`] and never sleeps, and a target without a clock (wasm32 in a
//! browser, a microcontroller) passes a closure over what it has.

use core::time::Duration;

use crate::{atomic::AtomicU64, const_unless_loom, ord};

/// A point in time: nanoseconds since some start that the clock chose.
///
/// # Memory
///
/// 8 bytes; 584 years until it saturates.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use thrifty_sync::clock::Instant;
///
/// let start = Instant::from_nanos(5);
/// let later = start + Duration::from_nanos(7);
/// assert_eq!(later.since(start), Duration::from_nanos(7));
/// assert_eq!(start.since(later), Duration::ZERO);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The point `nanos` nanoseconds after the clock's start.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's start.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time that passed since `earlier`; zero if `earlier` is later, as it may be when two
    /// threads read the clock.
    #[inline]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl core::ops::Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the end of time.
    #[inline]
    fn add(self, after: Duration) -> Self {
        Self(self.0.saturating_add(nanos(after)))
    }
}

const fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > u64::MAX as u128 {
        u64::MAX
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "compared on the line above"
        )]
        {
            nanos as u64
        }
    }
}

/// Where time comes from.
///
/// References, `Box` and `Arc` to a clock are clocks; [`FnClock`] makes one of a closure.
///
/// # Examples
///
/// ```
/// use thrifty_sync::clock::{Clock, FnClock, Instant};
///
/// let stopped = FnClock(|| Instant::from_nanos(42));
/// assert_eq!(stopped.now().as_nanos(), 42);
/// ```
pub trait Clock: Send + Sync {
    /// The current time. A clock should not go backwards; who reads it must survive one that does.
    fn now(&self) -> Instant;
}

impl<C: Clock + ?Sized> Clock for &C {
    #[inline]
    fn now(&self) -> Instant {
        (**self).now()
    }
}

#[cfg(feature = "std")]
impl<C: Clock + ?Sized> Clock for alloc::boxed::Box<C> {
    #[inline]
    fn now(&self) -> Instant {
        (**self).now()
    }
}

#[cfg(feature = "std")]
impl<C: Clock + ?Sized> Clock for alloc::sync::Arc<C> {
    #[inline]
    fn now(&self) -> Instant {
        (**self).now()
    }
}

/// A closure as a clock, for targets that have a timer of their own.
#[derive(Debug, Clone, Copy)]
pub struct FnClock<F>(pub F);

impl<F: Fn() -> Instant + Send + Sync> Clock for FnClock<F> {
    #[inline]
    fn now(&self) -> Instant {
        (self.0)()
    }
}

/// The operating system's monotonic clock, counted from its first use in the process.
///
/// Absent without the feature `std`, and on `wasm32-unknown-unknown`, whose std has no clock and
/// panics when asked for one.
///
/// # Examples
///
/// ```
/// use thrifty_sync::clock::{Clock, SystemClock};
///
/// let start = SystemClock.now();
/// assert!(SystemClock.now() >= start);
/// ```
#[cfg(all(
    feature = "std",
    not(all(target_family = "wasm", target_os = "unknown"))
))]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(all(
    feature = "std",
    not(all(target_family = "wasm", target_os = "unknown"))
))]
impl Clock for SystemClock {
    fn now(&self) -> Instant {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        Instant(nanos(START.get_or_init(std::time::Instant::now).elapsed()))
    }
}

/// A clock that moves when it is told to.
///
/// # Concurrency
///
/// Wait-free where 64-bit atomics are native. A thread that is told of an `advance` by other
/// means sees it; the clock itself orders nothing else.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use thrifty_sync::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().since(start), Duration::from_secs(60));
/// ```
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    const_unless_loom! {
        /// A clock at its start.
        pub const fn new() -> Self {
            Self(AtomicU64::new(0))
        }
    }

    /// Moves the clock forward; it wraps after 584 years of advances.
    pub fn advance(&self, by: Duration) {
        // ORDERING(clock.advance): Relaxed; time is a number and publishes nothing.
        self.0.fetch_add(nanos(by), ord!(clock.advance, Relaxed));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        // ORDERING(clock.read): Relaxed; see clock.advance.
        Instant(self.0.load(ord!(clock.read, Relaxed)))
    }
}
