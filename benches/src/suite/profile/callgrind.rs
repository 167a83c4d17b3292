//! Instructions, by function.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{failure::Failure, suite::Worker};

/// The part that callgrind looks at: it collects inside this function only, which it knows by
/// its name.
#[inline(never)]
pub(super) fn collected(worker: &mut dyn Worker, iterations: u64) -> u64 {
    worker.run(iterations)
}

/// Adds the flags; gives the file that will be written.
pub(super) fn arguments(command: &mut Command, file: PathBuf) -> PathBuf {
    let file = file.with_extension("callgrind");
    let mut flag = std::ffi::OsString::from("--callgrind-out-file=");
    flag.push(&file);
    command.args(["--tool=callgrind", "--collect-atstart=no"]);
    command.arg("--toggle-collect=*callgrind*collected*");
    command.arg(flag);
    file
}

/// The functions that take most of it.
pub(super) fn summary(file: &Path) -> Result<String, Failure> {
    let output = Command::new("callgrind_annotate").arg(file).output();
    let output = output
        .map_err(|error| Failure::failed(format!("cannot start callgrind_annotate: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let top = functions(&text);
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

/// The lines of counts in what callgrind_annotate says, paths cut to their ends.
fn functions(text: &str) -> String {
    let is_count = |line: &&str| {
        let first = line.trim_start().chars().next();
        line.contains('%') && first.is_some_and(|c| c.is_ascii_digit())
    };
    let lines = text.lines().filter(is_count).take(TOP + 1);
    lines
        .flat_map(|line| ["  ", line.trim_start(), "\n"])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::functions;

    #[test]
    fn the_counts_are_found() {
        let text = "--------\nIr\n--------\n1,007 (100.0%)  PROGRAM TOTALS\n\n--------\nIr  file:function\n\
                    --------\n  900 (89.37%)  malloc.c:malloc [/lib/libc.so]\n  107 (10.63%)  a.rs:f\n";
        let shown = functions(text);
        assert_eq!(shown.lines().count(), 3, "{shown}");
        assert!(shown.contains("malloc.c:malloc"), "{shown}");
        assert_eq!(functions("nothing"), "");
    }
}
