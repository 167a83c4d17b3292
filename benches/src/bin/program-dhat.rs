//! A program on `dhat`, which records every event, for the rows `memstats/sampling-…`.

use std::process::ExitCode;

use thrifty_benches::memstats::program;

#[global_allocator]
static ALLOC: dhat::Alloc = dhat::Alloc;

fn main() -> ExitCode {
    program::main(set, check)
}

/// Records, and writes nothing at the end.
fn set(setting: &str) -> Result<dhat::Profiler, String> {
    program::nothing(setting)?;
    Ok(dhat::Profiler::builder().testing().build())
}

fn check(_: &dhat::Profiler) -> Result<(), String> {
    program::watched(dhat::HeapStats::get().total_blocks)
}
