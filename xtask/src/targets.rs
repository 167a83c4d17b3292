//! The lane that type-checks the product crates for targets that this machine is not.
//!
//! std for another target comes from the active toolchain if it has it, and is otherwise built from
//! Debian's source of std (see [`debian`]). Without either the target is skipped, and said to be.

use std::path::Path;

use xshell::cmd;

use crate::{
    debian::{self, Toolchain, Want},
    failure::Failure,
    job::{Job, both_streams},
    lanes::Report,
    workspace::{Package, Workspace},
};

/// Targets with std, and what each is there for.
const WITH_STD: &[(&str, &str)] = &[
    ("i686-unknown-linux-gnu", "32-bit pointers"),
    ("aarch64-unknown-linux-gnu", "ARM"),
    ("wasm32-unknown-unknown", "no threads, no clock"),
    ("x86_64-pc-windows-msvc", "Windows' system calls"),
    ("aarch64-apple-darwin", "macOS's system calls"),
];

/// A target without std and without 64-bit atomics.
const BARE: (&str, &str) = ("thumbv7em-none-eabihf", "no std, no 64-bit atomics");

/// Which crates, with which features.
struct Subject<'a> {
    packages: Vec<&'a Package>,
    features: &'static [&'static str],
    /// What `-Zbuild-std` builds.
    std: &'static str,
}

/// Checks what can be checked; skips the rest loudly.
pub(crate) fn lane(workspace: &Workspace) -> Result<Report, Failure> {
    let hosted = Subject {
        packages: workspace.products().filter(|p| !is_macro(p)).collect(),
        features: &[],
        std: "std,panic_abort",
    };
    let bare = Subject {
        packages: workspace.products().filter(|p| claims_no_std(p)).collect(),
        features: &["--no-default-features"],
        std: "core,alloc",
    };
    let mut report = Report::default();
    let mut checked = Vec::new();
    let mut missing = Vec::new();
    for &(triple, why) in WITH_STD {
        if has_std(workspace, triple)? {
            check(workspace, &hosted, &[triple], None)?;
            checked.push(triple);
        } else {
            missing.push((triple, why));
        }
    }
    match debian::toolchain(workspace, Want::NewestWithSource) {
        Ok(toolchain) => {
            let triples: Vec<_> = missing.iter().map(|(triple, _)| *triple).collect();
            if !triples.is_empty() {
                check(workspace, &hosted, &triples, Some(&toolchain))?;
            }
            check(workspace, &bare, &[BARE.0], Some(&toolchain))?;
            checked.extend(triples);
            checked.push(BARE.0);
        }
        Err(no_source) => {
            if has_std(workspace, BARE.0)? {
                check(workspace, &bare, &[BARE.0], None)?;
                checked.push(BARE.0);
            } else {
                missing.push(BARE);
            }
            for (triple, why) in missing {
                report.skip(format!("{triple} ({why}): {no_source}"));
            }
        }
    }
    report.checked = checked.join(" ");
    Ok(report)
}

/// Checks for several targets in one go, since their copies of std build side by side.
fn check(
    workspace: &Workspace,
    subject: &Subject<'_>,
    triples: &[&str],
    from_source: Option<&Toolchain>,
) -> Result<(), Failure> {
    if subject.packages.is_empty() {
        return Err(Failure::failed("no crate to check: the lane is wrong"));
    }
    let sh = &workspace.sh;
    let which = subject.packages.iter().flat_map(|p| ["-p", &p.name]);
    let which: Vec<_> = which.chain(subject.features.iter().copied()).collect();
    let targets: Vec<_> = triples
        .iter()
        .flat_map(|triple| ["--target", triple])
        .collect();
    // Std without the symboliser of its backtraces: the same interface, a quarter less to build.
    let std = [
        format!("-Zbuild-std={}", subject.std),
        "-Zbuild-std-features=".into(),
    ];
    let build_std = from_source.map_or(&[][..], |_| &std);
    let mut job = Job::new(cmd!(
        sh,
        "cargo check --keep-going --lib {which...} {targets...} {build_std...}"
    ))
    .env("CARGO_PROFILE_DEV_DEBUG", "0");
    if let Some(toolchain) = from_source {
        let target = workspace.target.join("targets");
        job = job
            .env("CARGO_TARGET_DIR", workspace.relative(&target))
            .env("RUSTC_BOOTSTRAP", "1")
            // Nothing here is ever linked, so std's machine code would be made for nobody.
            .env("RUSTFLAGS", "-Zno-codegen")
            .env("RUSTC", &toolchain.rustc);
    }
    println!("$ {}", job.shown());
    let shown = job.shown().to_owned();
    let output = job.output()?;
    let text = both_streams(&output);
    if output.status.success() && !warns_of_ours(&text) {
        return Ok(());
    }
    println!("{}", findings(&text));
    let said = if output.status.success() {
        "warnings"
    } else {
        "errors"
    };
    Err(Failure::failed(format!("{said} from: {shown}")))
}

/// Whether a diagnostic points into our crates. Those of std are not ours to mend.
fn warns_of_ours(text: &str) -> bool {
    text.lines().any(|line| {
        line.trim_start()
            .strip_prefix("--> ")
            .is_some_and(|place| place.starts_with("crates/") || place.starts_with("crates\\"))
    })
}

/// The output without the lines that tell of progress.
fn findings(text: &str) -> String {
    let progress = [
        "Compiling ",
        "Checking ",
        "Downloaded ",
        "Downloading ",
        "Updating ",
    ];
    let kept = text.lines().filter(|line| {
        !progress
            .iter()
            .any(|word| line.trim_start().starts_with(word))
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// Whether the active toolchain has std (or at least core) for `triple`.
fn has_std(workspace: &Workspace, triple: &str) -> Result<bool, Failure> {
    let sh = &workspace.sh;
    let output = Job::new(cmd!(sh, "rustc --print target-libdir --target {triple}")).output()?;
    let dir = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(output.status.success() && has_core(Path::new(&dir)))
}

fn has_core(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|files| {
        files
            .flatten()
            .any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
    })
}

fn is_macro(package: &Package) -> bool {
    package
        .targets
        .iter()
        .any(|target| target.kind == "proc-macro")
}

/// Whether the library says of itself that it does without std.
fn claims_no_std(package: &Package) -> bool {
    std::fs::read_to_string(package.dir.join("src/lib.rs"))
        .is_ok_and(|text| text.lines().any(|line| line.trim() == "#![no_std]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_warnings_in_our_crates_count() {
        let ours = "warning: unused import\n  --> crates/memstats/src/os.rs:3:5\n";
        let stds = "warning: unused import\n  --> /t/library/std/src/lib.rs:3:5\n";
        assert!(warns_of_ours(ours));
        assert!(!warns_of_ours(stds));
        assert!(!warns_of_ours(
            "    Checking thrifty-sync v0.1.0 (/work/crates/sync)\n"
        ));
    }

    #[test]
    fn progress_is_left_out_of_what_is_shown() {
        let text = "   Compiling core v0.0.0\nerror: no\n  --> crates/a.rs:1:1\n";
        assert_eq!(findings(text), "error: no\n  --> crates/a.rs:1:1");
    }

    #[test]
    fn a_directory_without_core_is_no_std() {
        assert!(!has_core(Path::new("/no/such/directory")));
    }
}
