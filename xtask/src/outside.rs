//! The lane that meets the crates as their users do: from packages outside this workspace.
//!
//! `fixtures/` holds the packages with code of their own; the others are written to
//! `target/outside` on each run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use xshell::cmd;

use crate::{
    artifacts,
    failure::Failure,
    job::{Job, both_streams},
    lanes::Report,
    workspace::Workspace,
};

/// Runs every check; one that needs what the platform lacks is skipped.
pub(crate) fn lane(workspace: &Workspace) -> Result<Report, Failure> {
    let mut report = Report::checked("panic=abort, two copies refused, no loom for users");
    aborting(workspace)?;
    if cfg!(unix) {
        cdylib(workspace)?;
        report.checked.push_str(", a cdylib");
    } else {
        report.skip("a cdylib: its host opens it with dlopen");
    }
    two_copies(workspace)?;
    no_loom(workspace)?;
    Ok(report)
}

/// Gives a package outside the lock file of the workspace to start from, so that users and tests
/// meet the same versions.
pub(crate) fn adopt_lock(workspace: &Workspace, dir: &Path) -> Result<(), Failure> {
    fs::copy(workspace.root.join("Cargo.lock"), dir.join("Cargo.lock"))
        .map(|_| ())
        .map_err(cannot)
}

/// Builds a fixture and returns cargo's messages.
pub(crate) fn build(
    workspace: &Workspace,
    fixture: &str,
    flags: &[&str],
) -> Result<String, Failure> {
    let dir = workspace.root.join("fixtures").join(fixture);
    adopt_lock(workspace, &dir)?;
    let sh = &workspace.sh;
    let job = Job::new(cmd!(
        sh,
        "cargo build {flags...} --message-format json-render-diagnostics"
    ))
    .env("CARGO_TARGET_DIR", target(workspace))
    .dir(&dir);
    println!("$ {}", job.shown());
    job.stdout()
}

fn target(workspace: &Workspace) -> PathBuf {
    workspace.target.join("outside")
}

/// A program with `panic = "abort"` counts, and its own assertions hold.
fn aborting(workspace: &Workspace) -> Result<(), Failure> {
    for flags in [&[][..], &["--release"]] {
        let program = program(workspace, "global-alloc", flags)?;
        let sh = &workspace.sh;
        let said = Job::new(cmd!(sh, "{program}")).text()?;
        expect(&said, "counted exactly", "the program that aborts")?;
    }
    Ok(())
}

/// A shared library counts inside a host that does not.
fn cdylib(workspace: &Workspace) -> Result<(), Failure> {
    let messages = build(workspace, "plugin", &[])?;
    let plugin = artifacts::shared_library(&messages, "plugin")
        .ok_or_else(|| Failure::failed("cargo built no shared library 'plugin'"))?;
    let host = program(workspace, "plugin-host", &[])?;
    let sh = &workspace.sh;
    let said = Job::new(cmd!(sh, "{host} {plugin}")).text()?;
    expect(&said, "counted exactly", "the host of the cdylib")
}

fn program(workspace: &Workspace, fixture: &str, flags: &[&str]) -> Result<PathBuf, Failure> {
    artifacts::executables(&build(workspace, fixture, flags)?)
        .into_iter()
        .find(|executable| executable.target == fixture)
        .map(|executable| executable.path)
        .ok_or_else(|| Failure::failed(format!("cargo built no program '{fixture}'")))
}

fn expect(said: &str, word: &str, who: &str) -> Result<(), Failure> {
    if said.contains(word) {
        println!("  {}", said.trim());
        Ok(())
    } else {
        println!("{}", said.trim_end());
        Err(Failure::failed(format!("{who} did not say '{word}'")))
    }
}

/// Cargo refuses two versions of memstats in one program, because each would count for itself; and
/// it is the key `links` that does it, since without that key the same pair is accepted.
fn two_copies(workspace: &Workspace) -> Result<(), Failure> {
    let crates = workspace.root.join("crates");
    let copy = target(workspace).join("second-copy");
    let _ = fs::remove_dir_all(&copy);
    copy_dir(&crates, &copy.join("crates")).map_err(cannot)?;
    let version = workspace.package("memstats")?.version.clone();
    let root = read(&workspace.root.join("Cargo.toml"))?;
    write(
        &copy.join("Cargo.toml"),
        &second_workspace(&root, &version)?,
    )?;
    let user = user(
        workspace,
        "two-copies",
        &format!(
            "one = {{ package = \"thrifty-memstats\", path = {:?} }}\n\
             two = {{ package = \"thrifty-memstats\", path = {:?} }}\n",
            crates.join("memstats"),
            copy.join("crates/memstats")
        ),
    )?;
    let sh = &workspace.sh;
    let resolve = || {
        Job::new(cmd!(sh, "cargo generate-lockfile"))
            .dir(&user)
            .output()
    };
    let refused = resolve()?;
    let text = both_streams(&refused);
    if refused.status.success() || !text.contains("links") {
        println!("{}", text.trim_end());
        return Err(Failure::failed(
            "two copies of memstats in one program are not refused by `links`",
        ));
    }
    let manifest = copy.join("crates/memstats/Cargo.toml");
    let unlinked: String = read(&manifest)?
        .lines()
        .filter(|line| !line.starts_with("links"))
        .flat_map(|line| [line, "\n"])
        .collect();
    write(&manifest, &unlinked)?;
    let accepted = resolve()?;
    if !accepted.status.success() {
        println!("{}", both_streams(&accepted).trim_end());
        return Err(Failure::failed(
            "two copies of memstats are refused for another reason than `links`",
        ));
    }
    println!("  a second thrifty-memstats is refused by `links`");
    Ok(())
}

/// The root manifest with the product crates as its only members, at another version.
fn second_workspace(root: &str, version: &str) -> Result<String, Failure> {
    let mut inside = false;
    let mut text = String::new();
    for line in root.lines() {
        inside |= line.starts_with("members = [");
        if !inside {
            text.push_str(&line.replace(&format!("\"{version}\""), "\"99.0.0\""));
            text.push('\n');
        } else if line.starts_with(']') {
            inside = false;
            text.push_str("members = [\"crates/*\"]\n");
        }
    }
    if text.contains("crates/*") && text.contains("99.0.0") {
        Ok(text)
    } else {
        Err(Failure::failed(
            "the root Cargo.toml has no `members = [` list or no version to replace",
        ))
    }
}

/// A user's lock file names loom only if the user asks for it, so nobody builds it by accident.
fn no_loom(workspace: &Workspace) -> Result<(), Failure> {
    let all: Vec<_> = workspace
        .products()
        .map(|product| format!("{} = {{ path = {:?} }}\n", product.name, product.dir))
        .collect();
    let plain = user(workspace, "plain-user", &all.concat())?;
    let names = locked(workspace, &plain)?;
    if names.contains("\"loom\"") {
        return Err(Failure::failed("loom is in a plain user's Cargo.lock"));
    }
    let sh = &workspace.sh;
    Job::new(cmd!(sh, "cargo check --quiet"))
        .env("CARGO_TARGET_DIR", target(workspace))
        .dir(&plain)
        .run()?;
    let sync = &workspace.package("sync")?.dir;
    let asking = user(
        workspace,
        "loom-user",
        &format!("thrifty-sync = {{ path = {sync:?}, features = [\"loom\"] }}\n"),
    )?;
    if !locked(workspace, &asking)?.contains("\"loom\"") {
        return Err(Failure::failed(
            "loom is not even in the Cargo.lock of who asks for it: the check sees nothing",
        ));
    }
    println!("  no loom in a plain user's Cargo.lock");
    Ok(())
}

/// The package names in the lock file that cargo writes for `dir`.
fn locked(workspace: &Workspace, dir: &Path) -> Result<String, Failure> {
    let sh = &workspace.sh;
    Job::new(cmd!(sh, "cargo generate-lockfile"))
        .dir(dir)
        .text()?;
    let names = read(&dir.join("Cargo.lock"))?;
    let names = names.lines().filter(|line| line.starts_with("name = "));
    Ok(names.collect::<Vec<_>>().join("\n"))
}

/// Writes a package that depends on `dependencies` and nothing else.
fn user(workspace: &Workspace, name: &str, dependencies: &str) -> Result<PathBuf, Failure> {
    let dir = target(workspace).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(dir.join("src")).map_err(cannot)?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n{dependencies}"
    );
    write(&dir.join("Cargo.toml"), &manifest)?;
    write(&dir.join("src/lib.rs"), "")?;
    Ok(dir)
}

fn copy_dir(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::failed(format!("could not read {}: {error}", path.display())))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text)
        .map_err(|error| Failure::failed(format!("could not write {}: {error}", path.display())))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn cannot(error: std::io::Error) -> Failure {
    Failure::failed(format!("could not lay out a package: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_workspace_has_other_members_and_another_version() {
        let root = "[workspace]\nmembers = [\n  \"a\",\n  \"xtask\",\n]\n\n\
            [workspace.package]\nversion = \"0.1.0\"\n";
        let second = second_workspace(root, "0.1.0").unwrap();
        assert!(!second.contains("xtask"), "{second}");
        assert!(second.contains("members = [\"crates/*\"]"), "{second}");
        assert!(second.contains("version = \"99.0.0\""), "{second}");
        assert!(second_workspace("[workspace]\n", "0.1.0").is_err());
    }

    #[test]
    fn a_program_that_does_not_say_so_has_not_counted() {
        assert!(expect("counted exactly\n", "counted exactly", "x").is_ok());
        assert!(expect("", "counted exactly", "x").is_err());
    }
}
