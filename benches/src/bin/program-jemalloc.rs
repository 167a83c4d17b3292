//! A program on jemalloc, which samples if its environment says so, for the rows `memstats/sampling-…`.

use std::process::ExitCode;

use thrifty_benches::memstats::program;

#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOC: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    program::main(program::nothing, program::unwatched)
}
