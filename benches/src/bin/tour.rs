//! `cargo xtask tour`: what memory habits cost, on a real job.
//!
//! This program installs no allocator of its own: what it times is the system's. Counting is
//! done by `tour-counted`, which it starts.

use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    thrifty_benches::tour::cli::main(&args)
}
