//! The part of the suite that counts: every side of every row, with every allocation on the
//! record.

use std::{ffi::OsString, process::ExitCode};

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    thrifty_benches::suite::cli::main_counted(&args)
}
