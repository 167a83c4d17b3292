//! `cargo xtask bench`: builds the suite with the rivals that this machine can build, and becomes
//! it.

use std::{
    env,
    ffi::OsString,
    process::{Command, Stdio},
};

use crate::{failure::Failure, program, workspace::Workspace};

/// The arguments go to the suite as they are, `--help` too: the suite knows them, and says what is
/// wrong with them.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct BenchArgs {
    /// What to hand on: `--quick`, `--filter RE`, `--input FILE…`, `--json`, `--profile cpu|heap`; `--help` tells all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<OsString>,
}

/// Builds, then runs in the caller's directory; records go below cargo's target directory.
pub(crate) fn run(args: &BenchArgs) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    let features = if has_c_compiler() {
        "rivals,rivals-c"
    } else {
        eprintln!(
            "SKIPPED: rivals written in C or C++, because there is no C compiler ('cc', or what CC names)"
        );
        "rivals"
    };
    // Both programs of the suite: the one that times starts the one that counts.
    let selection = [
        "--bin",
        "suite",
        "--bin",
        "suite-counted",
        "--features",
        features,
    ];
    let mut command = Command::new(program::build(&workspace, "suite", &selection)?);
    // Before the caller's own arguments, of which a second `--out` counts.
    command.arg("--out").arg(workspace.target.join("thrifty"));
    command.args(&args.args);
    program::become_it(command)
}

/// Whether a build script could compile C. Visual C++ is found by other ways than a name, and is
/// there wherever Rust links with it.
fn has_c_compiler() -> bool {
    if cfg!(target_env = "msvc") {
        return true;
    }
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(compiler);
    command.arg("--version");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
