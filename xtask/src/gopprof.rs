//! The lane that has Go's own tool read the profiles that memstats writes.
//!
//! Go comes from Debian's package, unpacked under `target/debian`; of it, only the tool is run.
//! Names are asked of the profile that has them: Debian's Go 1.19 takes the first byte of a code
//! segment for the beginning of its page, so that names it looks up itself may be wrong in
//! programs that were linked by LLD.

use std::path::{Path, PathBuf};

use xshell::cmd;

use crate::{artifacts, debian, failure::Failure, job::Job, lanes::Report, workspace::Workspace};

/// Which figure of which file has its largest part in which function.
const LARGEST: &[(&str, &str, &str)] = &[
    ("named.pb.gz", "inuse_space", "profiles::load_table"),
    ("named.pb.gz", "alloc_objects", "profiles::parse_lines"),
];

/// What a file shows unless told otherwise.
const SHOWN: &[(&str, &str)] = &[
    ("heap.pb.gz", "Type: inuse_space"),
    ("allocs.pb.gz", "Type: alloc_space"),
    ("named.pb.gz", "Type: inuse_space"),
];

/// Writes profiles by memstats' example and asks the tool what it sees.
pub(crate) fn lane(workspace: &Workspace) -> Result<Report, Failure> {
    let tool = match debian::go_pprof(workspace) {
        Ok(tool) => tool,
        Err(why) => {
            return Ok(Report::skipped(format!(
                "what `go tool pprof` says of written profiles: {why}"
            )));
        }
    };
    let written = write(workspace)?;
    let home = workspace.target.join("pprof-home");
    let sh = &workspace.sh;
    let ask = |args: &[&str], file: &str| -> Result<String, Failure> {
        let file = written.join(file);
        Job::new(cmd!(sh, "{tool} {args...} {file}"))
            .env("PPROF_TMPDIR", &home)
            .text()
    };
    for (file, shown) in SHOWN {
        let said = ask(&["-top", "-symbolize=none"], file)?;
        if !said.lines().any(|line| line == *shown) {
            return Err(Failure::failed(format!(
                "{file} does not show '{shown}': {said}"
            )));
        }
    }
    for (file, figure, function) in LARGEST {
        let index = format!("-sample_index={figure}");
        let said = ask(&["-top", "-cum", &index], file)?;
        let share = share(&said, function);
        if share.is_none_or(|share| share < 90.0) {
            return Err(Failure::failed(format!(
                "{function} has not nine tenths of {figure} in {file}, but {share:?} %: {said}"
            )));
        }
    }
    Ok(Report::checked(format!(
        "{} profiles opened, {} functions found",
        SHOWN.len(),
        LARGEST.len()
    )))
}

/// Builds and runs the example; the directory with its files.
fn write(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let sh = &workspace.sh;
    let job = Job::new(cmd!(
        sh,
        "cargo build --release -p thrifty-memstats --example profiles --features pprof,symbolize,flamegraph --message-format json-render-diagnostics"
    ));
    let program = artifacts::executables(&job.stdout()?)
        .into_iter()
        .find(|executable| executable.target == "profiles")
        .ok_or_else(|| Failure::failed("cargo built no example profiles"))?;
    let directory = workspace.target.join("profiles");
    std::fs::create_dir_all(&directory)
        .map_err(|error| Failure::failed(format!("{}: {error}", directory.display())))?;
    let program: &Path = &program.path;
    Job::new(cmd!(sh, "{program} {directory}")).text()?;
    Ok(directory)
}

/// The cumulated percents of a function in what `-top` prints.
fn share(table: &str, function: &str) -> Option<f64> {
    let line = table
        .lines()
        .find(|line| line.ends_with(&format!(" {function}")))?;
    let mut words = line.split_whitespace();
    words.nth(4)?.strip_suffix('%')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_from_the_table() {
        let table = "      flat  flat%   sum%        cum   cum%
     8.09MB 99.53% 99.53%     8.12MB 99.91%  profiles::load_table
          0     0% 99.53%     8.13MB   100%  main
";
        assert_eq!(share(table, "profiles::load_table"), Some(99.91));
        assert_eq!(share(table, "main"), Some(100.0));
        assert_eq!(share(table, "load_table"), None);
    }
}
