//! The part of the tour that counts: one variant, once, with every allocation on the record, or under a
//! limit, or with its heap sampled.

use std::{ffi::OsString, process::ExitCode};

use thrifty_benches::tour;

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if tour::limited::is_asked_for(&args) {
        return tour::limited::run(&args);
    }
    if tour::profiled::is_asked_for(&args) {
        return tour::profiled::run(&args);
    }
    tour::worker::run_counted(&args)
}
