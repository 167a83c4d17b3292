//! Of which code, machine and mode a record is: what records in one file have in common.

use std::{env, fs, process::Command, thread};

use serde::{Deserialize, Serialize};
use thrifty_workloads::fingerprint::Fingerprint;

/// Where a figure comes from. Figures of different stamps do not stand in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Stamp {
    /// The commit that was checked out; empty where git does not tell.
    pub commit: String,
    /// A fingerprint of the program that timed: a commit says nothing of changes on top of it, nor of
    /// the features that were built.
    pub build: String,
    /// The architecture, the system, the processor and how many cores.
    pub machine: String,
    /// It was a `--quick` run.
    pub quick: bool,
}

impl Stamp {
    /// That of this program, here and now.
    #[must_use]
    pub fn here(quick: bool) -> Self {
        Self {
            commit: commit(),
            build: build(),
            machine: machine(),
            quick,
        }
    }
}

fn commit() -> String {
    let mut git = Command::new("git");
    git.args(["-C", env!("CARGO_MANIFEST_DIR")]);
    git.args(["rev-parse", "--short=12", "HEAD"]);
    let output = git.output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}

fn build() -> String {
    let program = env::current_exe().and_then(fs::read);
    program.map_or_else(|_| String::new(), |bytes| fingerprint(&bytes))
}

fn fingerprint(bytes: &[u8]) -> String {
    let mut print = Fingerprint::new();
    print.add(bytes);
    format!("{:016x}", print.value())
}

fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor(&text).unwrap_or("unknown processor");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (arch, os) = (env::consts::ARCH, env::consts::OS);
    format!("{arch} {os}, {processor}, {cores} cores")
}

/// The processor's name from Linux' `/proc/cpuinfo`, where it has one.
fn processor(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_one_stamp_per_mode() {
        let stamp = Stamp::here(true);
        assert_eq!(stamp, Stamp::here(true));
        assert_ne!(stamp, Stamp::here(false));
        assert_eq!(stamp.build.len(), 16, "{stamp:?}");
        assert!(stamp.machine.contains(env::consts::ARCH), "{stamp:?}");
        assert_ne!(fingerprint(b"one build"), fingerprint(b"another"));
    }

    #[test]
    fn a_processor_is_found_by_its_name() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nprocessor\t: 1\n";
        assert_eq!(processor(text), Some("Some CPU @ 2 GHz"));
        assert_eq!(processor("processor : 0\n"), None);
    }
}
