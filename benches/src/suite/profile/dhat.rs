//! Allocations, by the place that asked.

use core::fmt::Write;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

use crate::failure::Failure;

/// Adds the flags; gives the file that will be written.
pub(super) fn arguments(command: &mut Command, file: PathBuf) -> PathBuf {
    let file = file.with_extension("dhat.json");
    let mut flag = std::ffi::OsString::from("--dhat-out-file=");
    flag.push(&file);
    command.args(["--tool=dhat", "--num-callers=40"]).arg(flag);
    file
}

/// What dhat writes, as far as it is read here.
#[derive(Deserialize)]
struct Written {
    /// One per place.
    pps: Vec<Place>,
    /// The frames that places refer to.
    ftbl: Vec<String>,
}

#[derive(Deserialize)]
struct Place {
    /// Total bytes.
    tb: u64,
    /// Total blocks.
    tbk: u64,
    /// Frames, innermost first.
    fs: Vec<usize>,
}

/// How many places to show.
const TOP: usize = 8;

/// The places that asked for most bytes inside the timed work.
pub(super) fn summary(file: &Path, operations: u64) -> Result<String, Failure> {
    let place = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::failed(format!("cannot read {place}: {error}")))?;
    let written: Written = serde_json::from_str(&text).map_err(|error| {
        Failure::failed(format!("dhat wrote something odd to {place}: {error}"))
    })?;
    let shown = places(written, operations);
    Ok(format!(
        "{shown}  all of it: open {place} in valgrind's dh_view.html\n"
    ))
}

fn places(mut written: Written, operations: u64) -> String {
    let frame = |index: &usize| written.ftbl.get(*index).map_or("", String::as_str);
    // What the program does around the timed work is none of the side's business.
    let is_timed = |place: &Place| place.fs.iter().any(|index| is_edge(frame(index)));
    written.pps.retain(is_timed);
    written
        .pps
        .sort_by_key(|place| core::cmp::Reverse(place.tb));
    let mut text = String::new();
    for place in written.pps.iter().take(TOP) {
        let per = |total: u64| total as f64 / operations as f64;
        let (bytes, blocks) = (per(place.tb), per(place.tbk));
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {bytes:>12.3} B/op {blocks:>10.4} allocs/op");
        let frames = place.fs.iter().map(frame);
        let frames = frames.take_while(|frame| !is_edge(frame));
        for frame in frames.filter(|frame| is_own(frame)).take(3) {
            let _ = writeln!(text, "      {}", without_address(frame));
        }
    }
    if text.is_empty() {
        text.push_str("  nothing was allocated\n");
    }
    text
}

/// The frame under which everything is timed.
fn is_edge(frame: &str) -> bool {
    frame.contains("profile::collected")
}

/// A frame that says something: not the allocator's, not the standard library's.
fn is_own(frame: &str) -> bool {
    let around = [
        "alloc::", "core::", "std::", "malloc", "realloc", "calloc", "__rust",
    ];
    let name = without_address(frame);
    let is_around = around
        .iter()
        .any(|start| name.trim_start_matches('<').starts_with(start));
    !is_around && !name.contains("(library/")
}

/// `0x1234: name (file:line)` without its address.
fn without_address(frame: &str) -> &str {
    frame.split_once(": ").map_or(frame, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_inside_the_timed_work_are_shown_largest_first() {
        let text = r#"{"dhatFileVersion":2,"pps":[
            {"tb":80,"tbk":10,"fs":[0,1,3]},{"tb":999,"tbk":1,"fs":[0,4]},{"tb":640,"tbk":10,"fs":[0,2,3]}],
            "ftbl":["0x1: malloc (v.c:1)","0x2: small (a.rs:1)","0x3: big (a.rs:2)",
                    "0x4: x::profile::collected (c.rs:1)","0x5: main (m.rs:1)"]}"#;
        let shown = places(serde_json::from_str(text).unwrap(), 10);
        let lines: Vec<_> = shown.lines().map(str::trim).collect();
        assert_eq!(lines[0], "64.000 B/op     1.0000 allocs/op");
        assert_eq!(lines[1], "big (a.rs:2)");
        assert!(lines[2].starts_with("8.000 B/op"), "{shown}");
        assert!(
            !shown.contains("malloc") && !shown.contains("main"),
            "{shown}"
        );
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        let written = Written {
            pps: Vec::new(),
            ftbl: Vec::new(),
        };
        assert!(places(written, 1).contains("nothing was allocated"));
    }
}
