//! A program of its own for each allocator, since only a program's global allocator can be watched.
//!
//! ```text
//!   suite ── PROGRAM WORK THREADS SETTING ──► program-…, which installs the allocator
//!     │  "iterations\n" ─────────────────────►  its threads start at a barrier, each with
//!     │  "nanoseconds answer …\n" ◄───────────  a clock of its own
//! ```
//!
//! A program that was to watch and did not ends, and its row is broken.
//!
//! The programs take turns as other sides do: one that has nothing to do waits for its next line.

use core::time::Duration;
use std::{
    env,
    io::{self, BufRead, Write},
    process::ExitCode,
};

use super::Work;
use crate::{
    failure::Failure,
    runner::{Lap, Panicked, with_crew},
};

/// The body of a program: `WORK THREADS SETTING`. `set` makes of the setting what the allocator needs; what it
/// gives is kept until the end. `check` is called once, when there has been work for [`DUE`], and says what is
/// wrong with what was watched until then: who watched nothing cost nothing.
#[must_use]
pub fn main<G>(
    set: impl FnOnce(&str) -> Result<G, String>,
    check: impl FnOnce(&G) -> Result<(), String>,
) -> ExitCode {
    let args: Vec<_> = env::args().skip(1).collect();
    match serve(&args, set, check) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// For an allocator that has nothing to set.
///
/// # Errors
///
/// When something else than `-` is asked for.
pub fn nothing(setting: &str) -> Result<(), String> {
    match setting {
        "-" => Ok(()),
        other => Err(format!("there is no setting '{other}'")),
    }
}

/// For an allocator that watches nothing.
///
/// # Errors
///
/// None.
pub fn unwatched((): &()) -> Result<(), String> {
    Ok(())
}

/// For what a profiler has of the work so far.
///
/// # Errors
///
/// When it has nothing.
pub fn watched(count: u64) -> Result<(), String> {
    if count == 0 {
        return Err("the work was not watched".to_owned());
    }
    Ok(())
}

/// Each work allocates twenty megabytes meanwhile, where it is optimised: forty samples at 512 KiB.
pub const DUE: Duration = Duration::from_millis(50);

fn serve<G>(
    args: &[String],
    set: impl FnOnce(&str) -> Result<G, String>,
    check: impl FnOnce(&G) -> Result<(), String>,
) -> Result<(), Failure> {
    let [work, threads, setting] = args else {
        return Err(Failure::usage(
            "a part of `cargo xtask bench`, and of no use alone",
        ));
    };
    let work = Work::from_name(work);
    let work = work.ok_or_else(|| Failure::usage("the first argument names a work"))?;
    let threads = threads.parse().ok().filter(|threads| *threads > 0);
    let threads =
        threads.ok_or_else(|| Failure::usage("the second argument is a number of threads"))?;
    let here = work.here();
    let kept = set(setting).map_err(Failure::usage)?;
    let lost = |error: io::Error| Failure::failed(format!("lost the suite: {error}"));
    let mut check = Some(check);
    let mut worked = Duration::ZERO;
    with_crew(&[&here], threads, |crew| {
        for line in io::stdin().lock().lines() {
            let iterations = line.map_err(lost)?;
            let iterations = iterations
                .parse()
                .map_err(|_| Failure::failed("a line that is no number"))?;
            let laps = crew
                .turn(0, iterations)
                .map_err(|Panicked| Failure::failed("the work panicked"))?;
            worked += laps[0].elapsed;
            if let Some(check) = check.take_if(|_| worked >= DUE) {
                check(&kept).map_err(Failure::failed)?;
            }
            tell(&laps).map_err(lost)?;
        }
        Ok(())
    })
}

fn tell(laps: &[Lap]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for Lap { elapsed, answer } in laps {
        write!(out, "{} {answer} ", elapsed.as_nanos())?;
    }
    writeln!(out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_watched_nothing_is_told() {
        assert!(watched(1).is_ok());
        assert!(watched(0).is_err_and(|why| why.contains("not watched")));
    }
}
