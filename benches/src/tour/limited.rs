//! The thrifty variant under a soft limit, and what was trimmed for it.
//!
//! In a child of its own, the program that counts: the limit is held to the live heap, and a process
//! has one.

use core::fmt::Write;
use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, ExitCode},
};

use serde::{Deserialize, Serialize};
use thrifty_memstats::limit::{self, Limit, Priority};

use super::{TOP, probe::NoProbe, report::Report, thrifty, worker};
use crate::failure::Failure;

/// What the child tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limited {
    /// Its answer, which must be everyone's answer.
    pub report: Report,
    /// The limit in bytes, however it was said.
    pub limit_bytes: u64,
    /// The most that was live.
    pub peak_bytes: u64,
    /// The most that was resident, where the system tells.
    pub resident_peak_bytes: Option<u64>,
    /// The sums, as a line of text.
    pub summary: String,
    /// The last trims, a line of text each.
    pub trims: Vec<String>,
    /// How often there was nothing to give.
    pub exhausted: u64,
}

/// The argument that makes the counting program run under a limit.
const FLAG: &str = "--limit";
/// How many trims are shown.
const SHOWN: usize = 12;

/// Whether this process was started to run under a limit.
#[must_use]
pub fn is_asked_for(args: &[OsString]) -> bool {
    args.first().is_some_and(|arg| arg == FLAG)
}

/// The body of the child: `--limit LIMIT FILE…`.
#[must_use]
pub fn run(args: &[OsString]) -> ExitCode {
    worker::finish(limited(args.get(1..).unwrap_or(&[])))
}

fn limited(args: &[OsString]) -> Result<Limited, Failure> {
    let [limit, files @ ..] = args else {
        return Err(Failure::usage("a part of `cargo xtask tour`"));
    };
    let limit = parse(&limit.to_string_lossy()).map_err(Failure::usage)?;
    limit::set_soft(limit).map_err(|error| Failure::failed(error.to_string()))?;
    let files: Vec<_> = files.iter().map(PathBuf::from).collect();
    let report = thrifty::run_with(&files, TOP, &mut NoProbe, |chunks| {
        limit::register("chunks", Priority::Cheap, chunks.downgrade())
    })
    .map_err(|error| Failure::failed(format!("could not read the input: {error}")))?;
    let stats = limit::stats();
    let read = thrifty_memstats::read().map_err(|error| Failure::failed(error.to_string()))?;
    let trims = stats.last_trims.iter().rev().take(SHOWN).rev();
    Ok(Limited {
        report,
        limit_bytes: stats.soft_limit_bytes.unwrap_or(0),
        peak_bytes: read.peak_bytes,
        resident_peak_bytes: thrifty_memstats::os::memory().resident_peak_bytes,
        summary: stats.to_string(),
        trims: trims.map(ToString::to_string).collect(),
        exhausted: stats.exhausted,
    })
}

/// A limit as the command line says it; the error is for people.
pub(super) fn parse(text: &str) -> Result<Limit, String> {
    Limit::parse(text).map_err(|error| error.to_string())
}

/// Runs the variant in a child under the limit, which [`parse`] has understood.
pub(super) fn ask(limit: &str, files: &[PathBuf]) -> Result<Limited, Failure> {
    let mut command = Command::new(worker::counting_program()?);
    command.arg(FLAG).arg(limit).args(files);
    worker::ask_for(&mut command, "under a limit")
}

/// What is printed about it.
pub(super) fn render(limited: &Limited) -> String {
    let mib = |bytes| bytes as f64 / f64::from(1 << 20);
    let mut text = format!(
        "\nThrifty under a soft limit, with its pool of chunks registered\n  {}\n  at most {:.1} MiB live",
        limited.summary,
        mib(limited.peak_bytes)
    );
    if let Some(resident) = limited.resident_peak_bytes {
        let _fits = write!(text, ", {:.1} MiB resident", mib(resident));
    }
    if limited.trims.is_empty() {
        text.push_str(if is_near(limited) {
            "; the limit was near between two looks only, and nothing was trimmed"
        } else {
            "; the limit was never near, so nothing was trimmed"
        });
    }
    if limited.exhausted > 0 {
        text.push_str(
            "\n  At some time nobody had anything to give: what remained was in use, and the limit, \
             a soft one, was exceeded.",
        );
    }
    text.push('\n');
    for trim in &limited.trims {
        let _fits = writeln!(text, "  {trim}");
    }
    text
}

/// Whether a tenth of the limit was all that was left at some time.
fn is_near(limited: &Limited) -> bool {
    let most = limited
        .peak_bytes
        .max(limited.resident_peak_bytes.unwrap_or(0));
    most >= limited.limit_bytes - limited.limit_bytes / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_says_what_happened() {
        let mut limited = Limited {
            report: Report::default(),
            limit_bytes: 4 << 20,
            peak_bytes: 3 << 19,
            resident_peak_bytes: None,
            summary: "soft limit 4.0 MiB; 1 trims".into(),
            trims: Vec::new(),
            exhausted: 0,
        };
        assert!(render(&limited).contains("at most 1.5 MiB live; the limit was never near"));
        limited.resident_peak_bytes = Some(5 << 20);
        let text = render(&limited);
        assert!(
            text.contains("live, 5.0 MiB resident; the limit was near between"),
            "{text}"
        );
        (limited.resident_peak_bytes, limited.peak_bytes) = (Some(1), 15 << 18);
        assert!(render(&limited).contains("the limit was near between"));
        limited.trims.push("trim 1 (limit)".into());
        limited.exhausted = 1;
        let text = render(&limited);
        assert!(text.contains("nobody had anything to give"), "{text}");
        assert!(text.ends_with("\n  trim 1 (limit)\n"), "{text}");
    }
}
