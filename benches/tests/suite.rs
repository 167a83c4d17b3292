//! The programs `suite` and `suite-counted` from outside.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// A fresh place for what a test's program writes.
fn place(name: &str) -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    // What was never there need not go.
    let _ = fs::remove_dir_all(&place);
    place
}

fn suite(name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suite"));
    command.args(args).arg("--out").arg(place(name));
    command.stdin(Stdio::null());
    command
}

fn run(name: &str, args: &[&str]) -> Output {
    suite(name, args).output().expect("it starts")
}

fn records(name: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let text = fs::read_to_string(path.join("bench.json")).expect("it was written");
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn times_and_counts_are_joined() {
    let output = run(
        "joined",
        &[
            "--quick",
            "--filter",
            "^memstats/(pair|batch)-.*/1t$",
            "--json",
        ],
    );
    // A debug build may miss a bar.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, records("joined"));
    for (workload, peak) in [
        ("memstats/pair-64b/1t", 64),
        ("memstats/batch-64-live/1t", 4096),
    ] {
        for subject in ["std", "thrifty"] {
            let is_this =
                |line: &&Value| line["workload"] == workload && line["subject"] == subject;
            let line = lines.iter().find(is_this).unwrap();
            assert_eq!(line["bytes_per_op"], 64, "{line}");
            assert_eq!(line["allocs_per_op"], 1, "{line}");
            assert_eq!(line["peak_bytes"], peak, "{line}");
            assert!(line["rounds"].as_u64().unwrap() >= 15, "{line}");
        }
    }
}

#[test]
fn what_is_skipped_is_said_last() {
    let args = ["--quick", "--filter", "^memstats/pair-64b/1t$"];
    let output = run("skipped", &[&args[..], &["--skipped=a rival"]].concat());
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().last(), Some("SKIPPED: a rival"), "{stderr}");
}

#[test]
fn threads_are_counted_together() {
    let program = env!("CARGO_BIN_EXE_suite-counted");
    let output = Command::new(program)
        .args(["--filter", "memstats/batch-64-live/4t"])
        .output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    for line in text.lines() {
        let count: Value = serde_json::from_str(line).unwrap();
        assert_eq!(count["bytes_per_op"], 64.0, "{line}");
        assert_eq!(count["allocs_per_op"], 1.0, "{line}");
        assert_eq!(count["peak_bytes"], 4 * 4096, "{line}");
    }
    assert!(text.lines().count() >= 2, "{text}");
}

#[test]
fn wrong_arguments_are_one_line_and_code_2() {
    for args in [
        &["--filter", "no-such-row"][..],
        &["--filter", "("],
        &["--input", "/no/such/file"],
        &["--profile", "time"],
        &["--qiuck"],
        &["stray"],
    ] {
        let output = run("wrong", args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_was_measured() {
    use std::io::{BufRead, BufReader, Read};

    let mut command = suite(
        "interrupted",
        &["--quick", "--filter", "^memstats/(pair|batch)-"],
    );
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    // Each finished row is a line.
    while !line.contains("[1/5]") {
        line.clear();
        assert!(
            stderr.read_line(&mut line).unwrap() > 0,
            "it ended before its first row"
        );
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(
        rest.contains("of 5 rows were measured, and these are kept"),
        "{rest}"
    );
    let records = records("interrupted");
    assert!(!records.is_empty());
    assert!(
        records
            .iter()
            .all(|record| record["workload"] != "memstats/batch-64-live/4t")
    );
}
