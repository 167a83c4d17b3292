//! `cargo xtask ci`: the lanes that decide whether a change may land.

use core::fmt::Write as _;
use std::{io::Write as _, time::Instant};

use crate::{
    codegen,
    failure::Failure,
    lint,
    loom::{self, LoomArgs},
    msrv, outside, targets,
    test::{self, TestArgs},
    tidy,
    workspace::Workspace,
};

/// Without a lane: all of them, cheap ones first; a failing lane does not keep the others from
/// running. What a machine cannot check is named as skipped, with the reason, and again at the end.
#[derive(Debug, clap::Args)]
#[command(after_help = list())]
pub(crate) struct CiArgs {
    /// Which lanes to run
    #[arg(value_name = "LANE")]
    lanes: Vec<String>,
}

/// One set of checks.
struct Lane {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace) -> Result<Report, Failure>,
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

/// In the order they run.
const LANES: &[Lane] = &[
    Lane {
        name: "fmt",
        about: "rustfmt would change nothing",
        run: lint::fmt,
    },
    Lane {
        name: "tidy",
        about: "what compilers don't check: layering, orderings, comments, READMEs, links",
        run: |workspace| tidy::rules(workspace).map(Report::checked),
    },
    Lane {
        name: "clippy",
        about: "no warning in any target, with all features and with each alone",
        run: lint::clippy,
    },
    Lane {
        name: "doc",
        about: "the documentation builds without a warning",
        run: lint::doc,
    },
    Lane {
        name: "test",
        about: "tests and doctests, with and without debug assertions and default features",
        run: |workspace| {
            test::passes(workspace, &TestArgs::default())
                .map(|tally| Report::checked(tally.to_string()))
        },
    },
    Lane {
        name: "loom",
        about: "every interleaving of the concurrent protocols; no ordering can be weakened unseen",
        run: |workspace| loom::models(workspace, &LoomArgs::teeth()).map(Report::checked),
    },
    Lane {
        name: "codegen",
        about: "the machine code of hot paths: no lock prefix, no stray call, few instructions",
        run: codegen::lane,
    },
    Lane {
        name: "outside",
        about: "packages outside the workspace: panic=abort, a cdylib, two copies, no loom",
        run: outside::lane,
    },
    Lane {
        name: "msrv",
        about: "the product crates build with the oldest supported Rust",
        run: msrv::lane,
    },
    Lane {
        name: "targets",
        about: "32-bit, ARM, wasm32, Windows, macOS and no_std targets type-check",
        run: targets::lane,
    },
];

/// How a lane ended.
struct Ended {
    name: &'static str,
    seconds: f64,
    result: Result<Report, Failure>,
}

/// The lanes' names, for the command line and for the check of the workflow.
pub(crate) fn names() -> Vec<&'static str> {
    LANES.iter().map(|lane| lane.name).collect()
}

fn list() -> String {
    let mut text = String::from("Lanes, in the order they run:");
    for lane in LANES {
        let _ = write!(text, "\n  {:8} {}", lane.name, lane.about);
    }
    text
}

/// Runs the lanes and closes with a table and a line of counts.
pub(crate) fn run(args: &CiArgs) -> Result<(), Failure> {
    let lanes = chosen(&args.lanes)?;
    let workspace = Workspace::load()?;
    // Nothing here is compiled twice: incremental compilation would only cost time and disk.
    workspace.sh.set_var("CARGO_INCREMENTAL", "0");
    let mut ended = Vec::new();
    for lane in lanes {
        println!("\n==== {}: {}", lane.name, lane.about);
        let started = Instant::now();
        let result = (lane.run)(&workspace);
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
    println!("\n{}", table(&ended));
    println!("{}", counts(&ended));
    verdict(&ended)
}

fn chosen(names: &[String]) -> Result<Vec<&'static Lane>, Failure> {
    if names.is_empty() {
        return Ok(LANES.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            LANES.iter().find(|lane| lane.name == name).ok_or_else(|| {
                Failure::usage(format!(
                    "no lane called '{name}'; there are {}",
                    self::names().join(", ")
                ))
            })
        })
        .collect()
}

fn table(ended: &[Ended]) -> String {
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
        let _ = writeln!(text, "{name:8} {word:8} {seconds:6.1} s  {rest}");
        match result {
            Ok(report) => {
                for why in &report.skipped {
                    let _ = writeln!(text, "         not checked: {why}");
                }
            }
            Err(failure) => {
                let _ = writeln!(text, "         {failure}");
                let _ = writeln!(text, "         run it alone: cargo xtask ci {name}");
            }
        }
    }
    let _ = write!(text, "all      {:8} {total:6.1} s", "");
    text
}

/// The closing line, in the form that a reader of logs looks for.
fn counts(ended: &[Ended]) -> String {
    let passed = ended.iter().filter(|lane| has_checked(lane)).count();
    let failed = ended.iter().filter(|lane| lane.result.is_err()).count();
    let skipped = ended.len() - passed - failed;
    format!("ci: {passed} passed, {failed} failed, {skipped} skipped")
}

fn has_checked(lane: &Ended) -> bool {
    matches!(&lane.result, Ok(report) if !report.checked.is_empty())
}

/// A run that checked nothing has not passed.
fn verdict(ended: &[Ended]) -> Result<(), Failure> {
    let failed: Vec<_> = ended
        .iter()
        .filter(|lane| lane.result.is_err())
        .map(|lane| lane.name)
        .collect();
    if !failed.is_empty() {
        let names = failed.join(" ");
        return Err(Failure::failed(format!(
            "failed: {names}; run it alone: cargo xtask ci {names}"
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
        let failure = chosen(&["fmt".into(), "tset".into()]).err().unwrap();
        assert_eq!(failure.code(), 2);
        let text = failure.to_string();
        assert!(
            text.contains("'tset'") && text.contains("fmt, tidy"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
        assert_eq!(chosen(&[]).unwrap().len(), LANES.len());
    }

    #[test]
    fn the_closing_line_counts_lanes() {
        let lanes = [
            ended(Ok(Report::checked("all"))),
            ended(Ok(Report::skipped("no objdump"))),
            ended(Err(Failure::failed("no"))),
        ];
        assert_eq!(counts(&lanes), "ci: 1 passed, 1 failed, 1 skipped");
        let table = table(&lanes);
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
        assert_eq!(verdict(&[good(), skipped()]), Ok(()));
        assert!(verdict(&[skipped()]).is_err());
        assert!(verdict(&[]).is_err());
        assert!(verdict(&[good(), ended(Err(Failure::failed("no")))]).is_err());
    }
}
