//! The functions that set the controller, ask it and listen to it.
#![forbid(unsafe_code)]

use core::fmt;

use thrifty_traits::Pressure;

use super::{
    amount::{Limit, LimitError},
    control,
    environment::{self, EnvironmentError, Setting},
    event::{Event, Events},
    hand,
    state::Environment,
    stats::{LimitStats, Trim},
    total::{self, SystemFiles},
    tuning::Tuning,
};
use crate::os;

/// Sets the soft limit for the process, or takes it away with `None`.
///
/// It holds for the greater of the live heap and what is resident; without
/// [`Alloc`](crate::Alloc), for what is resident alone. A share of a control group is looked up
/// again every ten seconds. The first limit starts the controller's thread. Settings of the
/// environment, read at the first use of this module, are overridden.
///
/// # Errors
///
/// When the limit is nothing or more than everything, of something unknown, cannot be measured, or
/// the thread cannot be started. The limit from before then stays.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit::{self, Limit};
///
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// limit::set_soft(Limit::parse("512MiB")?)?;
/// assert_eq!(limit::stats().soft_limit_bytes, Some(512 << 20));
/// limit::set_soft(None)?;
/// assert_eq!(limit::stats().soft_limit_bytes, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn set_soft(limit: impl Into<Option<Limit>>) -> Result<(), LimitError> {
    touch();
    apply(Setting::from(limit.into()), Setting::Unset)
}

/// Starts a cycle whenever the live heap has grown by so many percent since the last, or no more
/// with `None`; Go's `GOGC`.
///
/// Such a cycle asks everybody once, at [`Pressure::Low`]: for what a steady load does not miss.
///
/// # Errors
///
/// When [`Alloc`](crate::Alloc) is not the global allocator, so that nobody knows the live heap; or
/// when the controller's thread cannot be started.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit;
///
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// limit::set_percent(Some(100))?;
/// assert!(limit::stats().goal_bytes >= Some(4 << 20), "small heaps are left alone");
/// # Ok::<(), limit::LimitError>(())
/// ```
pub fn set_percent(percent: Option<u32>) -> Result<(), LimitError> {
    touch();
    apply(Setting::Unset, Setting::from(percent))
}

/// Applies what is set: both, or where one cannot be, none.
fn apply(limit: Setting<Limit>, percent: Setting<u32>) -> Result<(), LimitError> {
    let bytes = match limit {
        Setting::To(limit) => Some(total::resolve(limit, &SystemFiles)?),
        Setting::Off | Setting::Unset => None,
    };
    let live = crate::read().ok().map(|stats| stats.live_bytes);
    let has_percent = matches!(percent, Setting::To(_));
    let resident = || os::memory().resident_bytes;
    if live.is_none() && (has_percent || (bytes.is_some() && resident().is_none())) {
        return Err(LimitError::NothingToMeasure);
    }
    if has_percent || bytes.is_some() {
        control::start()?;
    }
    let mut state = control::state();
    let now = control::now();
    state.used(now);
    match limit {
        Setting::Unset => {}
        Setting::Off => state.set_limit(None, now),
        Setting::To(limit) => state.set_limit(bytes.map(|bytes| (limit, bytes)), now),
    }
    match percent {
        Setting::Unset => {}
        Setting::Off => state.set_percent(None, live),
        Setting::To(percent) => state.set_percent(Some(percent), live),
    }
    control::settings_changed(&state);
    Ok(())
}

/// Changes how the controller behaves. Fields that were assigned to are brought into the range that
/// [`Tuning`]'s setters name.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit::{self, Tuning};
///
/// limit::tune(Tuning::new().with_time_percent(2));
/// ```
pub fn tune(tuning: Tuning) {
    let mut state = control::state();
    state.governor.tune(tuning);
    control::settings_changed(&state);
}

/// Sets how memory that the allocator keeps goes back to the system; `None`: not at all.
///
/// Unless this is called, it is `malloc_trim` with glibc and nothing elsewhere. Other allocators have
/// a call of their own: `mi_collect`, jemalloc's `arena.4096.purge`. It runs as reclaimers do, may be
/// slow, and is called when what is resident is above its target.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit;
///
/// fn purge() {
///     // The allocator's own call stands here.
/// }
/// limit::set_release(Some(purge));
/// ```
pub fn set_release(release: Option<fn()>) {
    control::state().set_release(release);
}

/// Why there was no cycle.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit::TrimError;
///
/// assert_eq!(TrimError::Reentrant.to_string(), "a reclaimer cannot start a trim");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrimError {
    /// It was asked for by a reclaimer, which a cycle is waiting for.
    Reentrant,
}

impl fmt::Display for TrimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reclaimer cannot start a trim")
    }
}

impl core::error::Error for TrimError {}

/// Asks everybody now for all they have at this pressure, and says what came of it.
///
/// Go's `runtime.GC` and, at [`Pressure::High`], `debug.FreeOSMemory`: memory then goes back to the
/// system too. Needs neither a limit nor the controller. Waits for a cycle that is under way.
///
/// # Errors
///
/// When a reclaimer calls it.
///
/// # Examples
///
/// See [`Trim`].
pub fn trim_now(pressure: Pressure) -> Result<Trim, TrimError> {
    if hand::is_inside() {
        return Err(TrimError::Reentrant);
    }
    touch();
    control::trim_now(pressure).ok_or(TrimError::Reentrant)
}

/// Runs a cycle on behalf of the controller, if one is due; `true` if one ran.
///
/// For a program that can outrun the controller: a thread that calls this between two requests or
/// batches does not take up the next while the limit is near and memory can be had, and does not
/// depend on when the controller's thread gets to run. What is due is what the controller would do
/// now: a cycle when the live heap has reached its trigger, and a look at what is resident whenever
/// [`Tuning::poll`] has passed or a setting has changed; nothing while a pause lasts.
///
/// It costs a fence and a sum of some hundred nanoseconds when nothing is due, reading a clock in a
/// pause, one load without a limit; some ten microseconds for a look. A cycle takes what its
/// reclaimers take, and one that another thread runs is waited for: call it where no lock is held that
/// a reclaimer wants. In a reclaimer it does nothing.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit;
///
/// # let requests: [u8; 0] = [];
/// for request in requests {
///     // handle the request
///     limit::assist();
/// }
/// ```
pub fn assist() -> bool {
    control::assist()
}

/// The controller's settings, sums and last cycles.
///
/// # Examples
///
/// See [`LimitStats`].
pub fn stats() -> LimitStats {
    let reading = control::reading();
    let now = control::now();
    control::state().stats(now, reading)
}

/// What happens from now on, for this listener.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit::{self, Event};
/// use thrifty_traits::Pressure;
///
/// let events = limit::subscribe();
/// limit::trim_now(Pressure::Low)?;
/// assert!(matches!(events.try_next(), Some(Event::Trimmed(_))));
/// assert_eq!(events.try_next(), None);
/// # Ok::<(), limit::TrimError>(())
/// ```
pub fn subscribe() -> Events {
    control::state().listeners.subscribe()
}

/// Applies `THRIFTY_MEMORY_LIMIT` (`2GiB`, `75%`, `off`) and `THRIFTY_TRIM_PERCENT` (`100`, `off`).
///
/// The first use of [`register`](super::register), [`set_soft`], [`set_percent`] or [`trim_now`] does
/// it too, before anything else; there an error becomes an [`Event::Environment`] and
/// [`LimitStats::environment_error`]. A variable that is not set, or empty, changes nothing.
///
/// # Errors
///
/// When a variable says nothing that can be understood, or cannot be applied. If the one is wrong,
/// the other is not applied either.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit;
///
/// if let Err(error) = limit::from_env() {
///     eprintln!("{error}");
/// }
/// ```
pub fn from_env() -> Result<(), EnvironmentError> {
    control::state().environment = Environment::Read;
    let (limit, percent) = environment::read(|name| std::env::var_os(name))?;
    apply(limit, percent).map_err(EnvironmentError::Set)
}

/// The first use reads the environment.
pub(crate) fn touch() {
    let mut state = control::state();
    if state.environment == Environment::Read {
        return;
    }
    state.environment = Environment::Read;
    drop(state);
    if let Err(error) = from_env() {
        let text = error.to_string();
        let mut state = control::state();
        state
            .listeners
            .tell(&Event::Environment(text.as_str().into()));
        state.environment_error = Some(text.into());
    }
}
