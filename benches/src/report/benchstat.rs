//! Lines that Go's `benchstat` reads.
//!
//! One line per round, since benchstat does its own statistics on repeated lines. The side is
//! written `subject=NAME`, which benchstat can put side by side: `benchstat -col /subject`.

use core::fmt::Write;
use std::env::consts::{ARCH, OS};

use super::Finished;

/// The whole file.
#[must_use]
pub fn benchstat(rows: &[Finished]) -> String {
    let (os, arch) = (go_os(OS), go_arch(ARCH));
    let mut text = format!("goos: {os}\ngoarch: {arch}\npkg: thrifty-benches\n");
    for row in rows.iter().filter(|row| row.measured.invalid.is_none()) {
        lines(row, &mut text);
    }
    text
}

fn lines(row: &Finished, text: &mut String) {
    let id = &row.measured.id;
    let (path, threads) = id.as_str().rsplit_once('/').unwrap_or((id.as_str(), ""));
    let threads = threads.trim_end_matches('t');
    for side in &row.measured.sides {
        let name = format!("Benchmark{}/subject={}-{threads}", capital(path), side.name);
        for nanoseconds in side.series.rounds() {
            let operations = side.operations;
            // Writing to a String does not fail.
            let _ = write!(text, "{name} {operations:>12} {nanoseconds:>14.4} ns/op");
            if let Some(count) = row.count(&side.name) {
                let (bytes, allocs) = (count.bytes_per_op, count.allocs_per_op);
                let _ = write!(text, " {bytes:>12} B/op {allocs:>8} allocs/op");
            }
            text.push('\n');
        }
    }
}

/// Go's benchmarks are called `BenchmarkXxx`: a small letter after the prefix is no benchmark.
fn capital(path: &str) -> String {
    let mut letters = path.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn go_os(os: &str) -> &str {
    match os {
        "macos" => "darwin",
        other => other,
    }
}

fn go_arch(arch: &str) -> &str {
    match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}
