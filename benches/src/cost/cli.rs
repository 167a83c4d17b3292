//! The command line of `memstats-cost`.

use std::{ffi::OsString, process::ExitCode, thread};

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use indicatif::ProgressBar;

use super::{ROWS, Row, measure};
use crate::{
    failure::{Failure, print},
    runner::{Effort, Interval, Series},
};

/// Measures what thrifty-memstats adds to a pair of alloc and free.
///
/// The system allocator, the same one wrapped, and again the system allocator take turns. Ends
/// with code 1 if a bar is missed: if the whole 95 % interval of the difference lies beyond it.
#[derive(Clone, Debug, Parser)]
#[command(name = "memstats-cost")]
pub struct Args {
    /// Keep so many rounds
    #[arg(long, value_name = "N", default_value_t = 31,
          value_parser = clap::value_parser!(u16).range(1..=1_000))]
    rounds: u16,

    /// Allocate and free so often per thread and turn
    #[arg(long, value_name = "N", default_value_t = 512_000,
          value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pairs: u64,

    /// Print one JSON record per line instead of the table
    #[arg(long)]
    json: bool,
}

/// Runs the comparison with the program's arguments, its name left out.
#[must_use]
pub fn main(args: &[OsString]) -> ExitCode {
    let name = OsString::from("memstats-cost");
    let shown = match Args::try_parse_from([&name].into_iter().chain(args)) {
        Ok(args) => run(&args),
        Err(error) if error.use_stderr() => Err(Failure::from_clap(&error)),
        Err(help) => print(&help.render().to_string()).map(|()| ExitCode::SUCCESS),
    };
    shown.unwrap_or_else(|failure| failure.report())
}

fn run(args: &Args) -> Result<ExitCode, Failure> {
    let bar = ProgressBar::new(ROWS as u64);
    let effort = Effort {
        rounds: args.rounds.into(),
        operations: args.pairs,
    };
    let rows = measure(effort, || bar.inc(1));
    bar.finish_and_clear();
    if args.json {
        let records: Result<Vec<String>, _> = rows
            .iter()
            .flat_map(Row::records)
            .map(|record| serde_json::to_string(&record))
            .collect();
        let records = records.map_err(|error| Failure::failed(error.to_string()))?;
        print(&(records.join("\n") + "\n"))?;
    } else {
        print(&render(&rows, args))?;
    }
    let is_missed = rows.iter().any(Row::is_missed);
    Ok(if is_missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn render(rows: &[Row], args: &Args) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header([
        "workload",
        "system ns",
        "wrapped ns",
        "wrapper adds [95 %]",
        "system against itself",
        "bar",
        "",
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in rows {
        let verdict = match (row.is_missed(), row.is_noisy) {
            (true, false) => "MISS",
            (true, true) => "MISS, noisy",
            (false, false) => "PASS",
            (false, true) => "PASS, noisy",
        };
        table.add_row([
            row.workload.clone(),
            spread(&row.system),
            spread(&row.wrapped),
            interval(row.extra),
            interval(row.control),
            format!("≤ {:.1}", row.bar_ns),
            verdict.to_owned(),
        ]);
    }
    let Args { rounds, pairs, .. } = args;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{table}\n\
         Nanoseconds per pair of alloc and free, 64 bytes: median (min to max) of {rounds} rounds of {pairs} pairs\n\
         per thread, taken in turns; threads timed by their own clocks, on {cores} cores.\n"
    )
}

fn spread(series: &Series) -> String {
    format!(
        "{:.2} ({:.2} to {:.2})",
        series.interval().median,
        series.min(),
        series.max()
    )
}

fn interval(interval: Interval) -> String {
    let Interval {
        median, low, high, ..
    } = interval;
    format!("{median:+.2} [{low:+.2}, {high:+.2}]")
}
