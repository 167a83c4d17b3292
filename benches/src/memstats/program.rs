//! A program of its own for each allocator, since only a program's global allocator can be watched.
//!
//! ```text
//!   suite ── PROGRAM WORK THREADS SETTING ──► program-…, which installs the allocator
//!     │  "iterations\n" ─────────────────────►  its threads start at a barrier, each with
//!     │  "nanoseconds answer …\n" ◄───────────  a clock of its own
//! ```
//!
//! The programs take turns as other sides do: one that has nothing to do waits for its next line.

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
/// gives is kept until the end.
#[must_use]
pub fn main<G>(set: impl FnOnce(&str) -> Result<G, String>) -> ExitCode {
    let args: Vec<_> = env::args().skip(1).collect();
    match serve(&args, set) {
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

fn serve<G>(args: &[String], set: impl FnOnce(&str) -> Result<G, String>) -> Result<(), Failure> {
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
    let _kept = set(setting).map_err(Failure::usage)?;
    let lost = |error: io::Error| Failure::failed(format!("lost the suite: {error}"));
    with_crew(&[&here], threads, |crew| {
        for line in io::stdin().lock().lines() {
            let iterations = line.map_err(lost)?;
            let iterations = iterations
                .parse()
                .map_err(|_| Failure::failed("a line that is no number"))?;
            let laps = crew
                .turn(0, iterations)
                .map_err(|Panicked| Failure::failed("the work panicked"))?;
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
