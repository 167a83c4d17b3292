//! Room on the disk: what lanes have built is removed where the rest would not fit beside it.
//!
//! A run of all lanes of `cargo xtask ci` writes some 13 GB. A machine that has less ends in errors that look like
//! many others, a compiler's or a linker's; so a lack is met before it is one, and always named.

use std::{fs, path::Path};

use xshell::{Shell, cmd};

use crate::{job::Job, workspace::Workspace};

/// What the lane that builds most takes, `test`, some 7 GB, and a little more.
const ENOUGH_BYTES: u64 = 8 << 30;

/// What a lane builds into, below `target`, and no lane after it: the directory of its name, but for these.
const OTHERS: &[(&str, &[&str])] = &[("test", &["debug", "test-release"]), ("codegen", &["mir"])];

/// Says how much room there is, if it is little.
pub(crate) fn tell(workspace: &Workspace) {
    if let Some(free) = lack(workspace) {
        println!(
            "room: {} free for {}: what a lane has built will be removed behind it",
            gigabytes(free),
            workspace.target.display()
        );
    }
}

/// Removes what a lane has built, if there is little room.
pub(crate) fn make(workspace: &Workspace, lane: &str) {
    let Some(free) = lack(workspace) else {
        return;
    };
    for directory in built(lane) {
        if fs::remove_dir_all(workspace.target.join(directory)).is_ok() {
            println!("room: {} free: removed target/{directory}", gigabytes(free));
        }
    }
}

fn built(lane: &str) -> Vec<&str> {
    let other = OTHERS.iter().find(|(name, _)| *name == lane);
    other.map_or_else(|| vec![lane], |(_, directories)| directories.to_vec())
}

/// The bytes that are free, if they are few; none where a `CARGO_TARGET_DIR` may hold what other projects have built.
fn lack(workspace: &Workspace) -> Option<u64> {
    if !workspace.target.starts_with(&workspace.root) {
        return None;
    }
    free(&workspace.sh, &workspace.root).filter(|free| *free < ENOUGH_BYTES)
}

/// The bytes that are free where a directory is, if `df` knows.
fn free(sh: &Shell, directory: &Path) -> Option<u64> {
    let output = Job::new(cmd!(sh, "df -Pk {directory}")).output().ok()?;
    available(&String::from_utf8_lossy(&output.stdout))
}

/// Reads what POSIX's `df -Pk` prints: a heading, and a line whose fourth column says how many KiB are available.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().nth(1)?;
    // A device's name may have blanks in it, so the columns are found from the one with the percentage.
    let words: Vec<_> = line.split_whitespace().collect();
    let share = words.iter().position(|word| word.ends_with('%'))?;
    let kibibytes: u64 = words.get(share.checked_sub(1)?)?.parse().ok()?;
    kibibytes.checked_mul(1 << 10)
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_df_prints_is_read() {
        let head = "Filesystem 1024-blocks Used Available Capacity Mounted on";
        for (line, bytes) in [
            (
                "/dev/vda 264212480 86000000 8808038 91% /",
                Some(8_808_038 << 10),
            ),
            ("my disk 100 90 10 90% /a b", Some(10 << 10)),
            ("none - - - - /x", None),
            ("", None),
        ] {
            assert_eq!(available(&format!("{head}\n{line}\n")), bytes, "{line}");
        }
        assert_eq!(available(""), None);
    }

    #[test]
    #[cfg(unix)]
    fn this_disk_has_a_number() {
        let sh = Shell::new().unwrap();
        assert!(free(&sh, Path::new("/")).is_some());
    }

    #[test]
    fn a_lane_builds_into_its_own_directories() {
        assert_eq!(built("asan"), ["asan"]);
        assert_eq!(built("test"), ["debug", "test-release"]);
    }
}
