//! A program on the counting allocator with its sampler, for the rows `memstats/sampling-…`.

use std::process::ExitCode;

use thrifty_benches::memstats::program;

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

fn main() -> ExitCode {
    let code = program::main(set);
    match missing() {
        None => code,
        Some(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Samples at that rate; `idle` does not.
fn set(setting: &str) -> Result<(), String> {
    if setting == "idle" {
        return Ok(());
    }
    let rate = setting
        .parse()
        .map_err(|_| format!("'{setting}' is no rate"))?;
    let profiling = thrifty_memstats::profiling().rate(rate).seed(1);
    profiling.start().map_err(|error| error.to_string())
}

/// What is wrong with a profile that has nothing of a program that allocated much.
fn missing() -> Option<String> {
    let profile = thrifty_memstats::heap_profile().ok()?;
    let (counted, samples) = (profile.counted.allocated_bytes, profile.totals().samples);
    let is_due = counted / profile.rate_bytes.max(1) > 100;
    (is_due && samples == 0).then(|| format!("{counted} bytes were allocated, and none sampled"))
}
