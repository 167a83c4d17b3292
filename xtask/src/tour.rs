//! `cargo xtask tour`: builds the tour and becomes it.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use xshell::cmd;

use crate::{artifacts, failure::Failure, job::Job, workspace::Workspace};

/// The arguments go to the tour as they are, `--help` too: the tour knows them, and says what is
/// wrong with them.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct TourArgs {
    /// What to hand on: `--input FILE…` reads real logs, `--input -` standard input, `--help` tells all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<OsString>,
}

/// Builds, then runs in the caller's directory with the caller's standard input.
pub(crate) fn run(args: &TourArgs) -> Result<(), Failure> {
    let mut command = Command::new(build()?);
    command.args(&args.args);
    // Paths on the command line are relative to where the caller is. Cargo leaves that directory
    // alone, and so do we.
    become_it(command)
}

/// Builds every binary of the package, since the tour starts others of them, and finds the tour.
fn build() -> Result<PathBuf, Failure> {
    let workspace = Workspace::load()?;
    let sh = &workspace.sh;
    let usual = format!("release/tour{}", env::consts::EXE_SUFFIX);
    // The first build takes a while and shows its progress; later ones have nothing to say.
    let quiet = workspace.target.join(usual).exists().then_some("--quiet");
    let messages = Job::new(cmd!(
        sh,
        "cargo build {quiet...} --release -p thrifty-benches --bins --message-format json-render-diagnostics"
    ))
    .stdout()?;
    artifacts::executables(&messages)
        .into_iter()
        .find(|executable| executable.target == "tour")
        .map(|executable| executable.path)
        .ok_or_else(|| Failure::failed("thrifty-benches has no binary called 'tour'"))
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
