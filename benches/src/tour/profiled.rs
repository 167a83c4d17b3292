//! The naive variant with its heap sampled: a profile for `go tool pprof`, and a flame graph.
//!
//! In a child of its own, the program that counts: no run that is timed or counted has a sampler in it.

#[cfg(feature = "profiled")]
mod child;

use core::fmt::Write;
#[cfg(feature = "profiled")]
use std::{ffi::OsString, process::ExitCode};
use std::{path::PathBuf, process::Command};

use serde::{Deserialize, Serialize};

use super::{report::Report, scratch, table, worker};
use crate::failure::Failure;

/// What the child tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Profiled {
    /// Its answer, which must be everyone's answer.
    pub report: Report,
    /// Bytes between two samples, on average.
    pub rate_bytes: u64,
    /// The samples in the profile.
    pub samples: u64,
    /// The naive job's own functions that asked for most bytes, the first one first.
    pub hottest: Vec<Hot>,
    /// The profile and the flame graph, or why they were not written.
    pub files: Result<[PathBuf; 2], String>,
}

/// A function of the naive job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hot {
    /// What it is called.
    pub function: String,
    /// Bytes that it, or what it called elsewhere, asked for.
    pub bytes: u64,
    /// Its share of all bytes, in percent.
    pub percent: u64,
}

/// The argument that makes the counting program sample.
const FLAG: &str = "--profile";
/// What the profile is called in the tour's directory.
#[cfg(feature = "profiled")]
const PROFILE: &str = "tour-naive.pb.gz";
/// What the flame graph is called there.
#[cfg(feature = "profiled")]
const GRAPH: &str = "tour-naive.svg";

/// Whether this process was started to sample.
#[cfg(feature = "profiled")]
#[must_use]
pub fn is_asked_for(args: &[OsString]) -> bool {
    args.first().is_some_and(|arg| arg == FLAG)
}

/// The body of the child: `--profile DIRECTORY FILE…`.
#[cfg(feature = "profiled")]
#[must_use]
pub fn run(args: &[OsString]) -> ExitCode {
    worker::finish(child::profiled(args.get(1..).unwrap_or(&[])))
}

/// Runs the variant in a child that samples.
pub(super) fn ask(files: &[PathBuf]) -> Result<Profiled, Failure> {
    let mut command = Command::new(worker::counting_program()?);
    command.arg(FLAG).arg(scratch::directory()?).args(files);
    worker::ask_for(&mut command, "with its heap sampled")
}

/// What is printed about it.
pub(super) fn render(profiled: &Profiled) -> String {
    let mut text = String::from("\nWhere naive asks for memory\n");
    for Hot {
        function,
        bytes,
        percent,
    } in &profiled.hottest
    {
        let bytes = table::bytes(*bytes);
        let _fits = writeln!(text, "  {percent:>3} %  {bytes:>10}  {function}");
    }
    let (samples, rate) = (profiled.samples, table::bytes(profiled.rate_bytes));
    let _fits = match &profiled.files {
        Ok([profile, graph]) => writeln!(
            text,
            "  By one run in a process of its own, its heap sampled: {samples} samples, one per {rate}, up to where all\n  \
             lines are counted. That profile, with functions and lines, and a flame graph of it lie in\n    \
             {profile}    go tool pprof -top FILE; -sample_index=inuse_space: what is held\n    \
             {graph}    opens in a browser",
            profile = profile.display(),
            graph = graph.display(),
        ),
        Err(why) => writeln!(text, "  No profile was written: {why}"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_says_where_and_what() {
        let mut profiled = Profiled {
            report: Report::default(),
            rate_bytes: 16 << 10,
            samples: 7,
            hottest: vec![Hot {
                function: "mask".into(),
                bytes: 3 << 19,
                percent: 61,
            }],
            files: Ok(["a.pb.gz".into(), "a.svg".into()]),
        };
        let text = render(&profiled);
        for part in [
            "   61 %     1.5 MiB  mask\n",
            "7 samples, one per 16.0 KiB",
            "    a.pb.gz  ",
            "    a.svg  ",
        ] {
            assert!(text.contains(part), "{part:?} in\n{text}");
        }
        profiled.files = Err("the disk is full".into());
        let text = render(&profiled);
        assert!(
            text.ends_with("No profile was written: the disk is full\n"),
            "{text}"
        );
    }
}
