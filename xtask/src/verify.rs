//! `cargo xtask verify`: the tests under tools that see what compilers, loom and assertions don't.
//!
//! A lane first proves its tool on `fixtures/planted-bugs`: the program without a bug must end
//! well, and each planted bug must end with the tool's own exit code and report. Only then do the
//! crates' tests mean something. Judged is by exit code, since libtest prints `ok` beside a report.

mod tool;

use std::{collections::BTreeSet, path::PathBuf};

use xshell::cmd;

use self::tool::{Ready, Tool};
use crate::{
    artifacts,
    failure::Failure,
    gopprof,
    job::{Job, both_streams},
    lanes::{self, Lane, Report},
    loom::{self, LoomArgs},
    outside,
    tally::Tally,
    workspace::{Package, Workspace},
};

/// Without a lane: all of them. A lane whose tool cannot be had is skipped and says so. Linux on
/// x86-64 only.
#[derive(Debug, clap::Args)]
#[command(after_help = lanes::list(LANES))]
pub(crate) struct VerifyArgs {
    /// Which lanes to run
    #[arg(value_name = "LANE")]
    lanes: Vec<String>,
}

/// In the order they run.
const LANES: &[Lane] = &[
    Lane {
        name: "asan",
        about: "AddressSanitizer and LeakSanitizer: memory used after free, out of bounds, leaked",
        run: asan,
    },
    Lane {
        name: "loom-asan",
        about: "the models under AddressSanitizer: memory freed too early in some interleaving",
        run: |workspace| under(workspace, &tool::LOOM_ASAN, models),
    },
    Lane {
        name: "tsan",
        about: "ThreadSanitizer, std included: races of the code as it ships",
        run: |workspace| under(workspace, &tool::TSAN, crates_tests),
    },
    Lane {
        name: "msan",
        about: "MemorySanitizer, std included: decisions on memory that was never written",
        run: |workspace| under(workspace, &tool::MSAN, crates_tests),
    },
    Lane {
        name: "valgrind",
        about: "valgrind's memcheck: the machine code as it is, without instrumentation",
        run: |workspace| under(workspace, &tool::VALGRIND, crates_tests),
    },
    Lane {
        name: "pprof",
        about: "Go's pprof opens the written heap profiles and finds the right functions",
        run: gopprof::lane,
    },
    Lane {
        name: "deep",
        about: "tests too long for every run: a hundred million keys, half a minute at a memory limit",
        run: deep,
    },
];

/// Tests that are ignored elsewhere because they are long: package and file.
const LONG: &[(&str, &str)] = &[
    ("thrifty-interner", "dedup_deep"),
    ("thrifty-benches", "limit_churn"),
];

/// Runs the lanes and closes with a table and a line of counts.
pub(crate) fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let lanes = lanes::chosen(LANES, &args.lanes)?;
    let workspace = Workspace::load()?;
    lanes::run("verify", &workspace, &lanes)
}

/// The lane that is quick enough for `cargo xtask ci` too.
pub(crate) fn asan(workspace: &Workspace) -> Result<Report, Failure> {
    under(workspace, &tool::ASAN, crates_tests)
}

/// Gets the tool, proves it, and then runs `checks` under it.
fn under(
    workspace: &Workspace,
    tool: &'static Tool,
    checks: fn(&Workspace, &Ready) -> Result<Report, Failure>,
) -> Result<Report, Failure> {
    let ready = match tool.ready(workspace) {
        Ok(ready) => ready,
        Err(why) => return Ok(Report::skipped(format!("{}: {why}", tool.sees))),
    };
    let caught = prove(workspace, &ready)?;
    let mut report = checks(workspace, &ready)?;
    report.checked = format!("{}; planted and caught: {caught}", report.checked);
    Ok(report)
}

/// Requires the tool to see each planted bug, and none where there is none.
fn prove(workspace: &Workspace, ready: &Ready) -> Result<String, Failure> {
    let tool = ready.tool;
    let program = planted_bugs(workspace, ready)?;
    let sh = &workspace.sh;
    let run = |bug: &str| -> Result<(Option<i32>, String), Failure> {
        let runner = tool.runner.split_whitespace();
        let output = ready
            .env(Job::new(cmd!(sh, "env {runner...} {program} {bug}")))
            .output()?;
        Ok((output.status.code(), both_streams(&output)))
    };
    let (code, text) = run(tool.clean)?;
    if code != Some(0) {
        println!("{}", text.trim_end());
        return Err(Failure::failed(format!(
            "a program without a bug ends with {code:?} under {}",
            tool.name
        )));
    }
    for (bug, says) in tool.planted {
        let (code, text) = run(bug)?;
        match caught(code, &text, says) {
            Ok(line) => println!("  planted {bug}: caught ({line})"),
            Err(why) => {
                println!("{}", text.trim_end());
                return Err(Failure::failed(format!(
                    "{} does not see the planted {bug}: {why}",
                    tool.name
                )));
            }
        }
    }
    let bugs: Vec<_> = tool.planted.iter().map(|(bug, _)| *bug).collect();
    Ok(bugs.join(", "))
}

/// The line in which the tool reports a bug, if it ended the program for that bug.
fn caught(code: Option<i32>, text: &str, says: &str) -> Result<String, String> {
    let line = text.lines().find(|line| line.contains(says));
    match (code, line) {
        (Some(tool::EXIT), Some(line)) => {
            let at = line.find(says).unwrap_or_default();
            Ok(line[at..].chars().take(60).collect())
        }
        (Some(0), _) => Err("the program ended well".into()),
        (_, None) => Err(format!("it ended with {code:?} and did not say '{says}'")),
        (_, Some(_)) => Err(format!("it said so, and ended with {code:?}")),
    }
}

/// Builds the program with the bugs as the crates are built for this tool.
fn planted_bugs(workspace: &Workspace, ready: &Ready) -> Result<PathBuf, Failure> {
    let dir = workspace.root.join("fixtures/planted-bugs");
    outside::adopt_lock(workspace, &dir)?;
    let (sh, args, features) = (&workspace.sh, &ready.args, ready.tool.features);
    let job = ready
        .env(Job::new(cmd!(
            sh,
            "cargo build {args...} {features...} --message-format json-render-diagnostics"
        )))
        .dir(&dir);
    println!("$ {}", job.shown());
    artifacts::executables(&job.stdout()?)
        .into_iter()
        .find(|executable| executable.target == "planted-bugs")
        .map(|executable| executable.path)
        .ok_or_else(|| Failure::failed("cargo built no planted-bugs"))
}

/// Runs the tests of the crates that users get, without those that run in the compiler, and of what
/// they test with. What a test skips under a tool, the report repeats.
fn crates_tests(workspace: &Workspace, ready: &Ready) -> Result<Report, Failure> {
    let is_macro = |package: &&Package| package.targets.iter().any(|t| t.kind == "proc-macro");
    let which: Vec<_> = workspace
        .products()
        .filter(|package| !is_macro(package))
        .chain([workspace.package("testkit")?])
        .flat_map(|package| ["-p", &package.name])
        .collect();
    let (sh, args) = (&workspace.sh, &ready.args);
    let mut tally = Tally::default();
    let mut skipped = BTreeSet::new();
    ready
        .env(Job::new(cmd!(
            sh,
            "cargo test {which...} {args...} --all-features --tests --no-fail-fast"
        )))
        .tee(&mut |line| {
            tally.line(line);
            if line.contains("SKIPPED") {
                skipped.insert(line.to_owned());
            }
        })?;
    if tally.passed == 0 {
        return Err(Failure::failed("no test ran"));
    }
    Ok(Report {
        checked: tally.to_string(),
        skipped: skipped.into_iter().collect(),
    })
}

/// Runs the long tests, one package after the other: they watch what the process has resident.
fn deep(workspace: &Workspace) -> Result<Report, Failure> {
    let sh = &workspace.sh;
    let mut tally = Tally::default();
    for (package, file) in LONG {
        let before = tally.passed;
        Job::new(cmd!(
            sh,
            "cargo test -p {package} --profile test-release --test {file} -- --ignored --test-threads 1 --nocapture"
        ))
        .tee(&mut |line| tally.line(line))?;
        if tally.passed == before {
            return Err(Failure::failed(format!(
                "{package}: no long test in {file} ran"
            )));
        }
    }
    Ok(Report::checked(tally.to_string()))
}

/// Runs the models.
fn models(workspace: &Workspace, ready: &Ready) -> Result<Report, Failure> {
    let models = loom::explore(workspace, &LoomArgs::default(), &ready.args, &|job| {
        ready.env(job)
    })?;
    Ok(Report::checked(format!("{} models passed", models.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tools_own_exit_code_with_its_report_is_a_catch() {
        let report = "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n";
        let says = "AddressSanitizer: heap-use-after-free";
        assert_eq!(
            caught(Some(tool::EXIT), report, says).as_deref(),
            Ok("AddressSanitizer: heap-use-after-free on address 0x1")
        );
        for (code, text) in [
            (Some(0), report),
            (Some(101), report),
            (None, report),
            (Some(tool::EXIT), "some other report"),
            (Some(0), "use-after-free: nobody saw it"),
        ] {
            assert!(caught(code, text, says).is_err(), "{code:?} {text}");
        }
    }
}
