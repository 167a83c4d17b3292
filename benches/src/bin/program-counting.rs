//! A program on the counting allocator, for the rows `memstats/sampling-…`.

use std::process::ExitCode;

use thrifty_benches::memstats::program;

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

fn main() -> ExitCode {
    program::main(program::nothing, check)
}

fn check((): &()) -> Result<(), String> {
    let read = thrifty_memstats::read().map_err(|error| error.to_string())?;
    program::watched(read.allocated_bytes)
}
