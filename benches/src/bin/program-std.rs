//! A program on the allocator that every program has, for the rows `memstats/sampling-…`.

use std::process::ExitCode;

use thrifty_benches::memstats::program;

fn main() -> ExitCode {
    program::main(program::nothing, program::unwatched)
}
