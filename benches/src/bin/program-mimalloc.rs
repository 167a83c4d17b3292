//! A program on mimalloc, for the rows `memstats/sampling-…`.

use std::process::ExitCode;

use thrifty_benches::memstats::program;

#[global_allocator]
static ALLOC: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    program::main(program::nothing, program::unwatched)
}
