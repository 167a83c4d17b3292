//! What thrifty-memstats adds to a pair of alloc and free, against the bare system allocator.
//!
//! Neither allocator is installed here: both are used as values.

use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    thrifty_benches::cost::cli::main(&args)
}
