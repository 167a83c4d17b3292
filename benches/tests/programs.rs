//! The programs of the rows `memstats/sampling-…`, spoken to as the suite does, and the suite with them.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use thrifty_benches::memstats::Work;

/// Programs that every build has, and what can be set.
const PROGRAMS: [(&str, &str); 5] = [
    (env!("CARGO_BIN_EXE_program-std"), "-"),
    (env!("CARGO_BIN_EXE_program-counting"), "-"),
    (env!("CARGO_BIN_EXE_program-sampling"), "idle"),
    (env!("CARGO_BIN_EXE_program-sampling"), "65536"),
    (env!("CARGO_BIN_EXE_program-sampling"), "1"),
];

fn program(path: &str, args: &[&str]) -> Command {
    let mut command = Command::new(path);
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn every_program_answers_as_it_must_on_each_thread() {
    for (path, setting) in PROGRAMS {
        for work in Work::ALL {
            let mut child = program(path, &[work.name(), "2", setting]).spawn().unwrap();
            let mut questions = child.stdin.take().unwrap();
            let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
            for iterations in [1, 2] {
                writeln!(questions, "{iterations}").unwrap();
                let line = answers.next().unwrap().unwrap();
                let numbers: Vec<u64> = line
                    .split_whitespace()
                    .map(|word| word.parse().unwrap())
                    .collect();
                let [_, one, _, other] = numbers[..] else {
                    panic!("{line}");
                };
                let right = work.expected().wrapping_mul(iterations);
                assert_eq!([one, other], [right; 2], "{path} {setting} {work:?}");
            }
            drop(questions);
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && stderr.is_empty(),
                "{path} {setting}: {stderr}"
            );
        }
    }
}

#[test]
fn a_program_that_watched_nothing_ends() {
    // One sample in a tebibyte is none.
    let args = ["pairs", "1", "1099511627776"];
    let mut child = program(env!("CARGO_BIN_EXE_program-sampling"), &args)
        .spawn()
        .unwrap();
    let mut questions = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut turns = 0;
    while writeln!(questions, "200000").is_ok() && answers.next().is_some() {
        turns += 1;
        assert!(turns < 1000, "it goes on");
    }
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr, "error: the work was not watched\n");
}

#[test]
fn wrong_arguments_are_one_line_and_code_2() {
    let [std, sampling] = [PROGRAMS[0].0, PROGRAMS[2].0];
    for (path, args) in [
        (std, &[][..]),
        (std, &["pairs", "1"]),
        (std, &["no-such", "1", "-"]),
        (std, &["pairs", "0", "-"]),
        (std, &["pairs", "1", "65536"]),
        (sampling, &["pairs", "1", "-"]),
        (sampling, &["pairs", "1", "0"]),
    ] {
        let Output { status, stderr, .. } = program(path, args).output().unwrap();
        let stderr = String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(2), "{args:?}: {stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    }
}

#[test]
fn the_suite_times_programs_by_their_own_clocks_and_counts_what_they_do() {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("programs");
    let _ = fs::remove_dir_all(&place);
    let output = Command::new(env!("CARGO_BIN_EXE_suite"))
        .args([
            "--quick",
            "--json",
            "--filter",
            "^memstats/exact-pairs/1t$",
            "--out",
        ])
        .arg(&place)
        .output()
        .unwrap();
    // A debug build says nothing about bars; these rows have none.
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |subject: &str| {
        let is_it = |line: &&Value| line["subject"] == subject;
        lines.iter().find(is_it).unwrap_or_else(|| panic!("{text}"))
    };
    let [std, exact] = ["std", "thrifty-exact"].map(of);
    // A stack for each event takes many times what the event takes.
    let [fast, slow] = [std, exact].map(|line| line["ns_per_op"].as_f64().unwrap());
    assert!(fast > 0.0 && slow > 2.0 * fast, "{fast}, {slow}");
    for line in [std, exact] {
        assert_eq!(line["bytes_per_op"], 64.0);
        assert_eq!(line["allocs_per_op"], 1.0);
    }
}

#[test]
fn programs_are_not_profiled_as_if_they_were_here() {
    let output = Command::new(env!("CARGO_BIN_EXE_suite"))
        .args([
            "--profile",
            "instructions",
            "--filter",
            "^memstats/exact-pairs/1t$",
        ])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("programs of their own"), "{stderr}");
}
