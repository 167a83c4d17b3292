//! The lanes that only read the code: rustfmt, clippy, rustdoc.

use std::path::{Path, PathBuf};

use xshell::cmd;

use crate::{
    failure::Failure,
    job::Job,
    lanes::Report,
    workspace::{BENCHES, EVERYTHING_ELSE, Workspace},
};

/// Formatting, of the workspace and of the packages beside it.
pub(crate) fn fmt(workspace: &Workspace) -> Result<Report, Failure> {
    let sh = &workspace.sh;
    Job::new(cmd!(sh, "cargo fmt --all --check")).run()?;
    let mut files = Vec::new();
    rust_files(&workspace.root.join("fixtures"), &mut files);
    let files: Vec<_> = files.iter().map(|file| workspace.relative(file)).collect();
    if !files.is_empty() {
        Job::new(cmd!(sh, "rustfmt --edition 2024 --check {files...}")).run()?;
    }
    Ok(Report::checked("workspace and fixtures"))
}

fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// Warnings: everything with all features, but for rivals in C and C++; then each product crate with
/// each feature alone.
pub(crate) fn clippy(workspace: &Workspace) -> Result<Report, Failure> {
    let sh = &workspace.sh;
    for which in [EVERYTHING_ELSE, BENCHES] {
        Job::new(cmd!(
            sh,
            "cargo clippy {which...} --all-targets -- -D warnings"
        ))
        .run()?;
    }
    let mut combinations = 2;
    for product in workspace.products() {
        let name = &product.name;
        let alone = product.features.iter().filter(|name| *name != "default");
        // No feature at all, then each one by itself.
        for feature in [""].into_iter().chain(alone.map(String::as_str)) {
            combinations += 1;
            Job::new(cmd!(
                sh,
                "cargo clippy -p {name} --lib --no-default-features --features={feature} -- -D warnings"
            ))
            .run()?;
        }
    }
    Ok(Report::checked(format!(
        "{combinations} combinations of features"
    )))
}

/// Documentation, with broken links and bad Markdown as errors.
pub(crate) fn doc(workspace: &Workspace) -> Result<Report, Failure> {
    let sh = &workspace.sh;
    for which in [EVERYTHING_ELSE, BENCHES] {
        Job::new(cmd!(sh, "cargo doc {which...} --no-deps"))
            .env("RUSTDOCFLAGS", "-D warnings")
            .run()?;
    }
    Ok(Report::checked("every crate"))
}
