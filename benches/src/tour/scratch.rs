//! The tour's own files, in the target directory: logs that it generated, copies that it had to
//! make.
//!
//! A tour removes its copy when it ends, but an interrupt ends it at once. So the next one
//! removes what those before it left.

use core::time::Duration;
use std::{
    env, fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::failure::Failure;

/// `thrifty/` in the target directory that this program was built into, without leftovers.
pub(super) fn directory() -> Result<PathBuf, Failure> {
    let program = env::current_exe()
        .map_err(|error| Failure::failed(format!("cannot find this program's file: {error}")))?;
    // The program is target/release/tour.
    let target = program.ancestors().nth(2).unwrap_or(Path::new("."));
    let directory = target.join("thrifty");
    fs::create_dir_all(&directory).map_err(|error| {
        Failure::failed(format!("cannot make '{}': {error}", directory.display()))
    })?;
    sweep(&directory, SystemTime::now(), is_running);
    Ok(directory)
}

/// The name of a generated log, which stays for the reader; `cut_after_mib` is part of it.
pub(super) fn generated(lines: u64, seed: u64, cut_after_mib: Option<u64>) -> String {
    let cut = cut_after_mib.map_or(String::new(), |mib| format!("-{mib}mib"));
    format!("tour-input-{lines}-{seed}{cut}.log")
}

/// The name that a log bears while process `id` generates it.
pub(super) fn unfinished(lines: u64, seed: u64, id: u32) -> String {
    format!("tour-input-{lines}-{seed}.{id}")
}

/// The name of a copy that process `id` reads.
pub(super) fn spool(id: u32) -> String {
    format!("tour-spool-{id}.log")
}

/// What a name says of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Generated,
    /// Of no use once that process has ended.
    Of(u32),
}

impl Kind {
    /// `None` for whatever is not named exactly as we name things.
    fn from_name(name: &str) -> Option<Self> {
        let number = |text: &str| -> Option<u64> {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse().ok())?
        };
        let process = |text: &str| number(text)?.try_into().ok().map(Self::Of);
        if let Some(rest) = name.strip_prefix("tour-spool-") {
            return process(rest.strip_suffix(".log")?);
        }
        let (spec, extension) = name.strip_prefix("tour-input-")?.split_once('.')?;
        let parts: Vec<&str> = spec.split('-').collect();
        let is_spec = match parts.as_slice() {
            [lines, seed] => number(lines).and(number(seed)).is_some(),
            [lines, seed, cut] if extension == "log" => {
                let cut = cut.strip_suffix("mib").and_then(number);
                number(lines).and(number(seed)).and(cut).is_some()
            }
            _ => false,
        };
        match extension {
            _ if !is_spec => None,
            "log" => Some(Self::Generated),
            _ => process(extension),
        }
    }
}

/// Removes what ended tours left, and all but a few of the generated logs.
///
/// A file that cannot be looked at or removed is left where it is: the tour needs none of this.
fn sweep(directory: &Path, now: SystemTime, is_running: impl Fn(u32) -> Option<bool>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    let mut generated = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(kind) = name.to_str().and_then(Kind::from_name) else {
            continue;
        };
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if !metadata.is_file() {
            continue;
        }
        let modified = metadata.modified().unwrap_or(now);
        // One from the future is new.
        let age = now.duration_since(modified).unwrap_or_default();
        match kind {
            Kind::Generated => generated.push((age, entry.path())),
            Kind::Of(id) => {
                if is_running(id) == Some(false) || age > LONGEST_TOUR {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }
    generated.sort_unstable();
    for (age, path) in generated.iter().skip(KEPT) {
        // A tour beside this one may read a newer one.
        if *age > UNDISTURBED {
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether there is such a process, where the system tells without being called.
fn is_running(id: u32) -> Option<bool> {
    let processes = Path::new("/proc");
    let tells = cfg!(target_os = "linux") && processes.join("self").exists();
    tells.then(|| processes.join(id.to_string()).exists())
}

/// The generated logs that stay, the newest.
const KEPT: usize = 4;

/// The others stay so long all the same.
const UNDISTURBED: Duration = Duration::from_secs(60 * 60);

/// No tour takes so long: a process of that number is another one by now.
const LONGEST_TOUR: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests;
