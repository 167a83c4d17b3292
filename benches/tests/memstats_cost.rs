//! The program `memstats-cost` from outside.

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_memstats-cost"))
        .args(args)
        .output()
        .expect("it starts")
}

#[test]
fn the_table_has_every_row_and_the_code_says_what_it_says() {
    let output = run(&["--rounds", "3", "--pairs", "2000"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for row in [
        "pair-64b/1t",
        "pair-64b/2t",
        "pair-64b/4t",
        "batch-64-live/1t",
        "batch-64-live/4t",
    ] {
        let line = text
            .lines()
            .find(|line| line.contains(&format!("memstats/{row}")))
            .unwrap();
        assert!(line.contains("PASS") != line.contains("MISS"), "{line}");
    }
    assert_eq!(
        output.status.code(),
        Some(i32::from(text.contains("MISS"))),
        "{text}"
    );
}

#[test]
fn records_are_json_lines() {
    let output = run(&["--rounds", "2", "--pairs", "1000", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 10, "{text}");
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let nanoseconds = |key: &str| record[key].as_f64().unwrap();
        assert!(nanoseconds("min_ns") > 0.0);
        assert!(nanoseconds("min_ns") <= nanoseconds("ns_per_op"));
        assert!(nanoseconds("ns_per_op") <= nanoseconds("max_ns"));
        let workload = record["workload"].as_str().unwrap();
        assert!(
            workload.ends_with(&format!("/{}t", record["threads"])),
            "{line}"
        );
        assert!(
            ["std", "thrifty"].contains(&record["subject"].as_str().unwrap()),
            "{line}"
        );
    }
}

#[test]
fn wrong_arguments_are_one_line_and_code_2() {
    for args in [
        &["--rounds", "0"][..],
        &["--pairs", "x"],
        &["stray"],
        &["--jsno"],
    ] {
        let output = run(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    }
}
