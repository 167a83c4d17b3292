//! A program on `pprof-alloc`, sampling at its own rate of 512 KiB, for the rows `memstats/sampling-…`.

use std::process::ExitCode;

use thrifty_benches::memstats::program;

#[global_allocator]
static ALLOC: pprof_alloc::PprofAlloc = pprof_alloc::PprofAlloc::new().with_pprof();

fn main() -> ExitCode {
    program::main(program::nothing, check)
}

fn check((): &()) -> Result<(), String> {
    program::watched(pprof_alloc::snapshot().pprof.alloc_objects)
}
