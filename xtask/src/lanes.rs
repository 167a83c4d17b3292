//! Sets of checks with names: chosen, run one after the other, and summed up in a table.
//!
//! A failing lane does not keep the others from running. What a machine cannot check is named as
//! skipped, with the reason, and again at the end.

use core::fmt::Write as _;
use std::{io::Write as _, time::Instant};

use crate::{failure::Failure, room, workspace::Workspace};

/// One set of checks.
pub(crate) struct Lane {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Workspace) -> Result<Report, Failure>,
}

/// What a lane that did not fail has to say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// What was checked; empty when nothing could be.
    pub(crate) checked: String,
    /// What could not be checked here, and why.
    pub(crate) skipped: Vec<String>,
}

impl Report {
    /// Everything was checked.
    pub(crate) fn checked(what: impl Into<String>) -> Self {
        Self {
            checked: what.into(),
            skipped: Vec::new(),
        }
    }

    /// Nothing could be checked.
    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        let mut report = Self::default();
        report.skip(why);
        report
    }

    /// Notes, at once and for the end, what could not be checked.
    pub(crate) fn skip(&mut self, why: impl Into<String>) {
        let why = why.into();
        println!("SKIPPED: {why}");
        self.skipped.push(why);
    }
}

/// How a lane ended.
struct Ended {
    name: &'static str,
    seconds: f64,
    result: Result<Report, Failure>,
}

/// The lanes' names.
pub(crate) fn names(lanes: &[Lane]) -> Vec<&'static str> {
    lanes.iter().map(|lane| lane.name).collect()
}

/// The lanes for a help text.
pub(crate) fn list(lanes: &[Lane]) -> String {
    let mut text = String::from("Lanes, in the order they run:");
    for lane in lanes {
        let _ = write!(text, "\n  {:9} {}", lane.name, lane.about);
    }
    text
}

/// The lanes called by these names; without a name all of them.
pub(crate) fn chosen(
    lanes: &'static [Lane],
    names: &[String],
) -> Result<Vec<&'static Lane>, Failure> {
    if names.is_empty() {
        return Ok(lanes.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            lanes.iter().find(|lane| lane.name == name).ok_or_else(|| {
                Failure::usage(format!(
                    "no lane called '{name}'; there are {}",
                    self::names(lanes).join(", ")
                ))
            })
        })
        .collect()
}

/// Runs the lanes of `command` and closes with a table and a line of counts.
pub(crate) fn run(
    command: &str,
    workspace: &Workspace,
    lanes: &[&'static Lane],
) -> Result<(), Failure> {
    // Nothing here is compiled twice: incremental compilation would only cost time and disk.
    workspace.sh.set_var("CARGO_INCREMENTAL", "0");
    room::tell(workspace);
    let mut ended = Vec::new();
    for lane in lanes {
        if let Some(Ended { name, .. }) = ended.last() {
            room::make(workspace, name);
        }
        println!("\n==== {}: {}", lane.name, lane.about);
        let started = Instant::now();
        let result = (lane.run)(workspace);
        let seconds = started.elapsed().as_secs_f64();
        if let Err(failure) = &result {
            let _ = std::io::stdout().flush();
            eprintln!("FAILED {}: {failure}", lane.name);
        }
        ended.push(Ended {
            name: lane.name,
            seconds,
            result,
        });
    }
    println!("\n{}", table(command, &ended));
    println!("{}", counts(command, &ended));
    verdict(command, &ended)
}

fn table(command: &str, ended: &[Ended]) -> String {
    let mut text = String::new();
    let mut total = 0.0;
    for Ended {
        name,
        seconds,
        result,
    } in ended
    {
        total += seconds;
        let (word, rest) = match result {
            Ok(report) if report.checked.is_empty() => ("skipped", ""),
            Ok(report) => ("passed", report.checked.as_str()),
            Err(_) => ("FAILED", ""),
        };
        let _ = writeln!(text, "{name:9} {word:8} {seconds:6.1} s  {rest}");
        match result {
            Ok(report) => {
                for why in &report.skipped {
                    let _ = writeln!(text, "          not checked: {why}");
                }
            }
            Err(failure) => {
                let _ = writeln!(text, "          {failure}");
                let _ = writeln!(text, "          run it alone: cargo xtask {command} {name}");
            }
        }
    }
    let _ = write!(text, "all       {:8} {total:6.1} s", "");
    text
}

/// The closing line, in the form that a reader of logs looks for.
fn counts(command: &str, ended: &[Ended]) -> String {
    let passed = ended.iter().filter(|lane| has_checked(lane)).count();
    let failed = ended.iter().filter(|lane| lane.result.is_err()).count();
    let skipped = ended.len() - passed - failed;
    format!("{command}: {passed} passed, {failed} failed, {skipped} skipped")
}

fn has_checked(lane: &Ended) -> bool {
    matches!(&lane.result, Ok(report) if !report.checked.is_empty())
}

/// A run that checked nothing has not passed.
fn verdict(command: &str, ended: &[Ended]) -> Result<(), Failure> {
    let failed: Vec<_> = ended
        .iter()
        .filter(|lane| lane.result.is_err())
        .map(|lane| lane.name)
        .collect();
    if !failed.is_empty() {
        let names = failed.join(" ");
        return Err(Failure::failed(format!(
            "failed: {names}; run it alone: cargo xtask {command} {names}"
        )));
    }
    if ended.iter().any(has_checked) {
        Ok(())
    } else {
        Err(Failure::failed(
            "every lane was skipped: nothing was checked",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(result: Result<Report, Failure>) -> Ended {
        Ended {
            name: "fmt",
            seconds: 1.0,
            result,
        }
    }

    #[test]
    fn an_unknown_lane_is_refused_with_the_list() {
        const LANES: &[Lane] = &[Lane {
            name: "fmt",
            about: "nothing",
            run: |_| Ok(Report::checked("all")),
        }];
        let failure = chosen(LANES, &["fmt".into(), "tset".into()]).err().unwrap();
        assert_eq!(failure.code(), 2);
        let text = failure.to_string();
        assert!(
            text.contains("'tset'") && text.contains("there are fmt"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
        assert_eq!(chosen(LANES, &[]).unwrap().len(), 1);
    }

    #[test]
    fn the_closing_line_counts_lanes() {
        let lanes = [
            ended(Ok(Report::checked("all"))),
            ended(Ok(Report::skipped("no objdump"))),
            ended(Err(Failure::failed("no"))),
        ];
        assert_eq!(counts("ci", &lanes), "ci: 1 passed, 1 failed, 1 skipped");
        let table = table("ci", &lanes);
        assert!(table.contains("not checked: no objdump"), "{table}");
        assert!(
            table.contains("run it alone: cargo xtask ci fmt"),
            "{table}"
        );
    }

    #[test]
    fn only_a_run_that_checked_something_and_failed_nothing_passes() {
        let good = || ended(Ok(Report::checked("all")));
        let skipped = || ended(Ok(Report::skipped("why")));
        assert_eq!(verdict("ci", &[good(), skipped()]), Ok(()));
        assert!(verdict("ci", &[skipped()]).is_err());
        assert!(verdict("ci", &[]).is_err());
        assert!(verdict("ci", &[good(), ended(Err(Failure::failed("no")))]).is_err());
    }
}
