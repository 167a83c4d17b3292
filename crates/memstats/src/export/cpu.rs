//! Where the processor's time goes, by the `pprof` crate.
#![forbid(unsafe_code)]

use core::{fmt, time::Duration};
use std::{path::Path, time::Instant};

use thrifty_sync::sync::{Condvar, Mutex};

use super::save::{WriteError, try_save};

/// Samples the stacks of the running threads for so long, 100 times for each second of processor time, and
/// writes a profile that `go tool pprof` opens, with names.
///
/// It returns after `duration`; the other threads go on meanwhile. The file appears whole or not at
/// all; see [`save`](crate::save).
///
/// # Concurrency
///
/// One at a time: a second one is refused while the first goes on. The samples are taken in a handler of
/// `SIGPROF`, which interrupts system calls that are not restarted.
///
/// # Errors
///
/// When another CPU profile is being taken, the timer cannot be set, the system is not a Unix, or the
/// file cannot be written, which is tried before anything is sampled.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
///
/// thrifty_memstats::write_cpu_profile("cpu.pb.gz", Duration::from_secs(10))?;
/// # Ok::<(), thrifty_memstats::WriteError>(())
/// ```
pub fn write_cpu_profile<P: AsRef<Path>>(path: P, duration: Duration) -> Result<(), WriteError> {
    try_save(path.as_ref())?;
    let profiling = CpuProfiling::start()?;
    wait(duration);
    profiling.write(path)
}

/// A CPU profile that is being taken, of what runs until [`write`](Self::write). Dropped, it ends without a
/// file.
///
/// # Concurrency
///
/// That of [`write_cpu_profile`].
///
/// # Examples
///
/// ```no_run
/// use thrifty_memstats::CpuProfiling;
///
/// let profiling = CpuProfiling::start()?;
/// let sum: u64 = (0..1_000_000_000).filter(|number| number % 7 == 0).sum();
/// profiling.write("cpu.pb.gz")?;
/// # assert!(sum > 0);
/// # Ok::<(), thrifty_memstats::WriteError>(())
/// ```
#[must_use = "dropped, it leaves no file"]
pub struct CpuProfiling(Guard);

impl fmt::Debug for CpuProfiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuProfiling").finish_non_exhaustive()
    }
}

impl CpuProfiling {
    /// Starts to sample the stacks of all running threads.
    ///
    /// # Errors
    ///
    /// When another CPU profile is being taken, the timer cannot be set, or the system is not a Unix.
    pub fn start() -> Result<Self, WriteError> {
        start().map(Self)
    }

    /// Stops, and writes the profile that `go tool pprof` opens, with names. The file appears whole or not at
    /// all; see [`save`](crate::save).
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write<P: AsRef<Path>>(self, path: P) -> Result<(), WriteError> {
        write(self.0, path.as_ref())
    }
}

/// Waits for something that never comes. Parking would take a wake-up that is the caller's.
fn wait(duration: Duration) {
    let (never, wakes) = (Mutex::new(()), Condvar::new());
    let begun = Instant::now();
    let Ok(mut guard) = never.lock() else { return };
    loop {
        let rest = duration.saturating_sub(begun.elapsed());
        match wakes.wait_timeout(guard, rest) {
            Ok((again, _)) if !rest.is_zero() => guard = again,
            _ => return,
        }
    }
}

#[cfg(not(unix))]
use self::elsewhere::{Guard, start, write};
#[cfg(unix)]
use self::unix::{Guard, start, write};

#[cfg(not(unix))]
mod elsewhere {
    use super::*;

    pub(super) type Guard = core::convert::Infallible;

    pub(super) const fn start() -> Result<Guard, WriteError> {
        Err(WriteError::Cpu("only Unix has the signal that it rests on"))
    }

    pub(super) const fn write(guard: Guard, _path: &Path) -> Result<(), WriteError> {
        match guard {}
    }
}

#[cfg(unix)]
mod unix {
    use alloc::{string::String, vec::Vec};
    use std::{collections::HashMap, time::UNIX_EPOCH};

    use pprof::{ProfilerGuardBuilder, Report, Symbol};

    use super::*;
    use crate::export::{
        clean::clean,
        code::{Code, CodeFrame},
        maps,
        proto::{self, Builder, Profile},
        save::save,
    };

    /// Samples for each second of processor time, as in Go.
    const FREQUENCY: i32 = 100;

    pub(super) type Guard = pprof::ProfilerGuard<'static>;

    pub(super) fn write(guard: Guard, path: &Path) -> Result<(), WriteError> {
        let report = guard
            .report()
            .build()
            .map_err(|_| WriteError::Cpu("the samples could not be read"))?;
        drop(guard);
        let profile = convert(&report);
        save(path, |out| proto::write(&profile, out))
    }

    pub(super) fn start() -> Result<Guard, WriteError> {
        let builder = ProfilerGuardBuilder::default().frequency(FREQUENCY);
        // The unwinder takes locks that these libraries may hold when the signal comes.
        #[cfg(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64",
            target_arch = "loongarch64"
        ))]
        let builder = builder.blocklist(&["libc", "libgcc", "pthread", "vdso"]);
        builder.build().map_err(|error| match error {
            pprof::Error::Running => WriteError::Cpu("another one is being taken"),
            _ => WriteError::Cpu("the timer or its signal could not be set up"),
        })
    }

    fn convert(report: &Report) -> Profile {
        let code = Code {
            modules: maps::modules(),
            ..Code::default()
        };
        let mut builder = Builder::new(&code);
        builder.sample_type("samples", "count");
        builder.sample_type("cpu", "nanoseconds");
        let period = 1_000_000_000 / i64::from(FREQUENCY);
        let mut known = Known::new();
        for (stack, count) in &report.data {
            let frames = stack.frames.iter().filter(|frame| !frame.is_empty());
            let locations: Vec<_> = frames
                .map(|symbols| location(&mut builder, &mut known, symbols))
                .collect();
            if locations.is_empty() {
                continue;
            }
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            let thread = builder.label("thread", &clean(&stack.thread_name_or_id()));
            builder.sample(
                locations,
                Vec::from([count, count.saturating_mul(period)]),
                Vec::from([thread]),
            );
        }
        let mut profile = builder.finish("cpu", "cpu", "nanoseconds", "");
        profile.period = period;
        let timing = &report.timing;
        let begun = timing.start_time.duration_since(UNIX_EPOCH);
        let nanos = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        profile.time_nanos = nanos(begun.unwrap_or_default());
        profile.duration_nanos = nanos(timing.duration);
        profile
    }

    /// Locations by address, and by the names and lines of their functions.
    type Known = HashMap<(u64, Vec<(String, u32)>), u64>;

    /// A location for a frame with its inlined functions. The address is the function's: the crate does
    /// not tell that of the call.
    fn location(builder: &mut Builder<'_>, known: &mut Known, symbols: &[Symbol]) -> u64 {
        let address = symbols[0].addr.map_or(0, |addr| addr.addr() as u64);
        let names = symbols
            .iter()
            .map(|symbol| (symbol.name(), symbol.lineno()));
        let key = (address, names.collect());
        if let Some(id) = known.get(&key) {
            return *id;
        }
        let frames: Vec<_> = symbols
            .iter()
            .map(|symbol| CodeFrame {
                function: symbol.name(),
                file: symbol.filename().into_owned(),
                line: symbol.lineno(),
            })
            .collect();
        let mapping = builder.mapping(address);
        let id = builder.add_location(mapping, address, &frames);
        known.insert(key, id);
        id
    }
}
