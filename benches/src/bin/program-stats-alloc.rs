//! A program on `stats_alloc`, for the rows `memstats/sampling-…`.

use std::process::ExitCode;

use thrifty_benches::memstats::program;

#[global_allocator]
static ALLOC: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    program::main(program::nothing, check)
}

fn check((): &()) -> Result<(), String> {
    program::watched(ALLOC.stats().allocations as u64)
}
