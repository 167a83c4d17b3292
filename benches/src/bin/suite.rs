//! `cargo xtask bench`: the rows of the suite, side by side.
//!
//! This program installs no allocator of its own: what it times is the system's. Counting is
//! done by `suite-counted`, which it starts.

use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    thrifty_benches::suite::cli::main(&args)
}
