//! The command line of the tour, and the tour from its start to its tables.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use thrifty_workloads::logs::LogSpec;

use super::{
    input::Input,
    limited, profiled, table,
    timing::{self, Plan, agree},
    variant::Variant,
    worker::{self, Told},
};
use crate::failure::{Failure, print};

/// Shows what memory habits cost on a real job: log ingestion.
///
/// The same job is written three times: naively, as people do; tuned with the standard library
/// alone; and that spread over threads that share interners of keys. All read the log, split lines, parse
/// time, host, component, level and message, count by template and make the top tables. Their answers are
/// compared in every round; then you see what each costs in time and memory, and which stage made the
/// difference. A heap profile of the naive run, and a flame graph of it, are left in target/thrifty.
#[derive(Clone, Debug, Parser)]
#[command(name = "tour", bin_name = "cargo xtask tour")]
pub struct Args {
    /// Read these logs instead of a generated one; '-' is standard input
    ///
    /// Any bytes will do. Understood are syslog, OpenSSH, Apache error, web access, HDFS,
    /// Android and HPC lines; others are counted as unparsed.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["lines", "seed"])]
    input: Vec<PathBuf>,

    /// Generate so many lines
    #[arg(long, value_name = "N", default_value_t = LogSpec::MIXED.lines,
          value_parser = clap::value_parser!(u64).range(..=5_000_000))]
    lines: u64,

    /// Generate from this seed
    #[arg(long, value_name = "N", default_value_t = LogSpec::MIXED.seed)]
    seed: u64,

    /// Measure so many rounds [default: 15, fewer if they take more than 18 seconds]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    rounds: Option<u16>,

    /// Take so many MiB at most, read or generated; the result says so if the input was cut
    ///
    /// The naive job holds all of it in memory, several times.
    #[arg(long, value_name = "MIB", default_value_t = 256,
          value_parser = clap::value_parser!(u64).range(1..=16_384))]
    most_mib: u64,

    /// Run the thrifty job once more under this soft memory limit, and print what was trimmed
    ///
    /// Bytes, or with a unit: 4MiB, 75%. The job's pool of chunks is registered, and gives back
    /// what idles when the limit is near.
    #[arg(long, value_name = "BYTES", value_parser = limit_text)]
    limit: Option<String>,
}

/// Accepts what can be understood; the child that obeys it reads it again.
fn limit_text(text: &str) -> Result<String, String> {
    limited::parse(text).map(|_| text.to_owned())
}

/// Runs the tour with the program's arguments, the program's name left out.
#[must_use]
pub fn main(args: &[OsString]) -> ExitCode {
    if worker::is_asked_for(args) {
        return worker::run_resident(args);
    }
    let name = OsString::from("tour");
    let shown = match Args::try_parse_from([&name].into_iter().chain(args)) {
        Ok(args) => run(&args).and_then(|text| print(&text)),
        Err(error) if error.use_stderr() => Err(Failure::from_clap(&error)),
        Err(help) => print(&help.render().to_string()),
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(args: &Args) -> Result<String, Failure> {
    let most_bytes = args.most_mib << 20;
    let input = if args.input.is_empty() {
        let spec = LogSpec::MIXED.with_lines(args.lines).with_seed(args.seed);
        Input::generate(&spec, most_bytes)?
    } else {
        Input::open(&args.input, most_bytes)?
    };
    let plan = Plan {
        rounds: args.rounds.map(usize::from),
    };
    let bar = progress_bar(plan.most_rounds() + 2 + 2 * Variant::ALL.len());
    let timed = timing::measure(input.files(), plan, || bar.inc(1))?;
    let ask_all = |ask: fn(Variant, &[PathBuf]) -> Result<Told, Failure>| {
        Variant::ALL.map(|variant| {
            let told = ask(variant, input.files())?;
            bar.inc(1);
            agree(&timed.report, &told.report)?;
            Ok(told)
        })
    };
    let [naive, tuned, thrifty] = ask_all(worker::ask_resident);
    let resident = [naive?, tuned?, thrifty?].map(|told| told.resident_peak_bytes);
    let [naive, tuned, thrifty] = ask_all(worker::ask_counted);
    let counted = [naive?, tuned?, thrifty?].map(|told| told.counted.unwrap_or_default());
    let profiled = profiled::ask(input.files())?;
    bar.inc(1);
    agree(&timed.report, &profiled.report)?;
    let limited = match &args.limit {
        None => None,
        Some(limit) => {
            let limited = limited::ask(limit, input.files())?;
            agree(&timed.report, &limited.report)?;
            Some(limited)
        }
    };
    bar.finish_and_clear();
    let mut text = table::render(&timed, resident, &counted, input.origin());
    text.push_str(&profiled::render(&profiled));
    if let Some(limited) = &limited {
        text.push_str(&limited::render(limited));
    }
    Ok(text)
}

/// Shown on a terminal only: indicatif draws to standard error, and hides where that is none.
fn progress_bar(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("measuring {wide_bar} {pos}/{len}");
    ProgressBar::new(steps as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
