//! A program on the counting allocator with its sampler, for the rows `memstats/sampling-…`.

use std::process::ExitCode;

use thrifty_benches::memstats::program;

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

fn main() -> ExitCode {
    program::main(set, check)
}

/// Samples at that rate and says so; `idle` does not.
fn set(setting: &str) -> Result<bool, String> {
    if setting == "idle" {
        return Ok(false);
    }
    let rate = setting
        .parse()
        .map_err(|_| format!("'{setting}' is no rate"))?;
    let profiling = thrifty_memstats::profiling().rate(rate).seed(1);
    profiling.start().map_err(|error| error.to_string())?;
    Ok(true)
}

fn check(is_sampling: &bool) -> Result<(), String> {
    match thrifty_memstats::heap_profile() {
        Ok(profile) => program::watched(profile.totals().samples),
        Err(_) if !is_sampling => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
