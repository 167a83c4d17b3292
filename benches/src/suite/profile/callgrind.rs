//! Instructions, by function.

use core::fmt::Write;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use crate::failure::Failure;

/// Adds the flags; gives the file that will be written.
pub(super) fn arguments(command: &mut Command, file: PathBuf) -> PathBuf {
    let file = file.with_extension("callgrind");
    let mut flag = std::ffi::OsString::from("--callgrind-out-file=");
    flag.push(&file);
    command.args(["--tool=callgrind", "--collect-atstart=no"]);
    command.arg("--toggle-collect=*profile*collected*");
    command.arg(flag);
    file
}

/// The functions that take most of it.
pub(super) fn summary(file: &Path, operations: u64) -> Result<String, Failure> {
    let output = Command::new("callgrind_annotate")
        .arg("--auto=no")
        .arg(file)
        .output();
    let output = output
        .map_err(|error| Failure::failed(format!("cannot start callgrind_annotate: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let top = functions(&text, operations);
    if top.is_empty() {
        let place = file.display();
        return Err(Failure::failed(format!(
            "callgrind collected nothing in {place}"
        )));
    }
    Ok(format!(
        "{top}  all of it: callgrind_annotate {}\n",
        file.display()
    ))
}

/// How many functions to show.
const TOP: usize = 12;

/// The counts in what callgrind_annotate says. It has a line per function and file that was
/// inlined into it; one line per function is what a person asks for.
fn functions(text: &str, operations: u64) -> String {
    let mut total = 0;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (count, place) in text.lines().filter_map(counted) {
        if place == "PROGRAM TOTALS" {
            total = count;
        } else {
            *counts.entry(function(place)).or_default() += count;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
    let mut shown = String::new();
    for (name, count) in counts.into_iter().take(TOP) {
        let share = count as f64 * 100.0 / total.max(1) as f64;
        // Writing to a String does not fail.
        let count = count as f64 / operations as f64;
        let _ = writeln!(
            shown,
            "  {count:>9.1} instructions/op {share:>5.1} %  {name}"
        );
    }
    shown
}

/// `1,234 (56.7%)  what`: the count, and what it is of.
fn counted(line: &str) -> Option<(u64, &str)> {
    let (count, rest) = line.trim_start().split_once(" (")?;
    let count = count.replace(',', "").parse().ok()?;
    let (_, place) = rest.split_once("%)")?;
    Some((count, place.trim()))
}

/// `file:function [object]` without its file and its object.
fn function(place: &str) -> &str {
    let name = place.split_once(':').map_or(place, |(_, name)| name);
    name.rsplit_once(" [").map_or(name, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::functions;

    #[test]
    fn counts_are_added_up_by_function() {
        let text = "--------\nIr\n--------\n2,000 (100.0%)  PROGRAM TOTALS\n\n--------\n\
                    Ir  file:function\n--------\n  900 (45.00%)  malloc.c:malloc [/lib/libc.so]\n  \
                    600 (30.00%)  a.rs:<A as B>::run\n  500 (25.00%)  hint.rs:<A as B>::run [/bin/suite]\n";
        let shown = functions(text, 100);
        let lines: Vec<_> = shown.lines().map(str::trim).collect();
        assert_eq!(
            lines,
            [
                "11.0 instructions/op  55.0 %  <A as B>::run",
                "9.0 instructions/op  45.0 %  malloc"
            ]
        );
        assert_eq!(functions("nothing", 1), "");
    }
}
