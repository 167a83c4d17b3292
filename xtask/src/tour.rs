//! `cargo xtask tour`: builds the tour and becomes it.

use std::{ffi::OsString, process::Command};

use crate::{failure::Failure, program, workspace::Workspace};

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
    // Every binary of the package, since the tour starts others of them.
    let tour = program::build(&Workspace::load()?, "tour", &["--bins"])?;
    let mut command = Command::new(tour);
    command.args(&args.args);
    // Paths on the command line are relative to where the caller is. Cargo leaves that directory
    // alone, and so do we.
    program::become_it(command)
}
