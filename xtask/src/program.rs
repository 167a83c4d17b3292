//! The programs of `thrifty-benches` that commands build and then become.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use xshell::cmd;

use crate::{artifacts, failure::Failure, job::Job, workspace::Workspace};

/// Builds what `selection` says of the package, and finds the binary `name`.
pub(crate) fn build(
    workspace: &Workspace,
    name: &str,
    selection: &[&str],
) -> Result<PathBuf, Failure> {
    let sh = &workspace.sh;
    let usual = format!("release/{name}{}", env::consts::EXE_SUFFIX);
    // The first build takes a while and shows its progress; later ones have nothing to say.
    let quiet = workspace.target.join(usual).exists().then_some("--quiet");
    let messages = Job::new(cmd!(
        sh,
        "cargo build {quiet...} --release -p thrifty-benches {selection...} --message-format json-render-diagnostics"
    ))
    .stdout()?;
    artifacts::executables(&messages)
        .into_iter()
        .find(|executable| executable.target == name)
        .map(|executable| executable.path)
        .ok_or_else(|| Failure::failed(format!("thrifty-benches has no binary called '{name}'")))
}

/// Replaces this process, so that signals and the terminal reach the program itself.
#[cfg(unix)]
pub(crate) fn become_it(mut command: Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;
    clean(&mut command);
    let error = command.exec();
    let program = Path::new(command.get_program()).display();
    Err(Failure::failed(format!(
        "could not start {program}: {error}"
    )))
}

/// Runs the program and ends as it ended.
#[cfg(not(unix))]
pub(crate) fn become_it(mut command: Command) -> Result<(), Failure> {
    clean(&mut command);
    let program = Path::new(command.get_program()).display().to_string();
    let status = command
        .status()
        .map_err(|error| Failure::failed(format!("could not start {program}: {error}")))?;
    // The program has said itself what went wrong.
    std::process::exit(status.code().unwrap_or(1))
}

/// Takes back what `cargo run` told this process about xtask's own package.
fn clean(command: &mut Command) {
    for (key, _) in env::vars_os() {
        let cargo_package = key
            .to_str()
            .is_some_and(|key| key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST"));
        if cargo_package {
            command.env_remove(key);
        }
    }
}
