//! The command line of `suite`, and the suite from its first count to its last line.

mod load;
mod progress;
mod selection;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::{Parser, ValueEnum};

use self::{
    load::Load,
    progress::Progress,
    selection::{Selected, Selection},
};
use super::{Row, profile};
use crate::{
    count::{self, Count},
    failure::{Failure, print},
    report::{self, Finished, Record, Stamp},
    runner::{self, Broken, Effort},
};

/// Compares what the rows of the suite compare: side by side, in interleaved rounds.
///
/// Every answer of every round is held to an oracle. Times come from this program, which installs
/// no allocator; bytes, allocations and peaks from a second one, which counts. Ends with 1 if a
/// row is broken or invalid, or a bar is missed: if the whole 95 % interval lies beyond it.
#[derive(Clone, Debug, Parser)]
#[command(name = "suite", bin_name = "cargo xtask bench")]
pub struct Args {
    #[command(flatten)]
    selection: Selection,

    /// Print one JSON record per line instead of the table
    #[arg(long)]
    json: bool,

    /// Don't time: run each side once under valgrind and show where its instructions or its
    /// allocations come from
    #[arg(long, value_enum, value_name = "WHAT")]
    profile: Option<Profile>,

    /// Where bench.json, bench.txt and profiles go
    #[arg(
        long,
        value_name = "DIR",
        default_value = "target/thrifty",
        overrides_with = "out"
    )]
    out: PathBuf,

    /// What the caller left out, for the last line; what `cargo xtask bench` says
    #[arg(long, hide = true, value_name = "WHAT")]
    skipped: Vec<String>,

    /// Run one side so often and end; what `--profile` starts
    #[arg(long, hide = true, num_args = 3, value_names = ["ID", "SUBJECT", "ITERATIONS"])]
    side: Vec<String>,
}

/// What to profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum Profile {
    /// Instructions by function, with valgrind's callgrind
    Cpu,
    /// Instructions per operation of all sides, with callgrind
    Instructions,
    /// Allocations, with valgrind's dhat
    Heap,
}

/// The command line of `suite-counted`.
#[derive(Clone, Debug, Parser)]
#[command(name = "suite-counted")]
struct CountedArgs {
    #[command(flatten)]
    selection: Selection,
}

/// Runs the suite with the program's arguments, its name left out.
#[must_use]
pub fn main(args: &[OsString]) -> ExitCode {
    parsed::<Args>("suite", args)
        .and_then(|args| args.map_or(Ok(ExitCode::SUCCESS), |args| told(&args)))
        .unwrap_or_else(|failure| failure.report())
}

/// Counts what the rows allocate, in a program whose allocator counts.
#[must_use]
pub fn main_counted(args: &[OsString]) -> ExitCode {
    parsed::<CountedArgs>("suite-counted", args)
        .and_then(|args| {
            args.map_or(Ok(ExitCode::SUCCESS), |args| {
                count::tell(&args.selection.select()?.rows)
            })
        })
        .unwrap_or_else(|failure| failure.report())
}

/// The arguments; `None` if they asked for help, which has then been shown.
fn parsed<A: Parser>(name: &str, args: &[OsString]) -> Result<Option<A>, Failure> {
    let name = OsString::from(name);
    match A::try_parse_from([&name].into_iter().chain(args)) {
        Ok(args) => Ok(Some(args)),
        Err(error) if error.use_stderr() => Err(Failure::from_clap(&error)),
        Err(help) => print(&help.render().to_string()).map(|()| None),
    }
}

/// Runs, and says last what is missing: at the beginning it would have scrolled away.
fn told(args: &Args) -> Result<ExitCode, Failure> {
    let code = run(args)?;
    for what in &args.skipped {
        eprintln!("SKIPPED: {what}");
    }
    Ok(code)
}

fn run(args: &Args) -> Result<ExitCode, Failure> {
    let Selected { rows, unused } = args.selection.select()?;
    if let [id, subject, iterations] = &args.side[..] {
        return profile::one_side(&rows, id, subject, iterations);
    }
    for name in unused {
        eprintln!("note: no row works on a text, so '{name}' is read for nothing");
    }
    if let Some(what) = args.profile {
        return profile::run(&rows, what, &args.out, &args.selection.again());
    }
    let stop = Stop::on_signals()?;
    let effort = if args.selection.quick {
        Effort::QUICK
    } else {
        Effort::FULL
    };
    let mut counts = Vec::new();
    let ended = count::ask(&args.selection.again(), |count| counts.push(count))?;
    let mut run = measure(&rows, &counts, effort, &stop);
    // The signal went to the other program, too, which then did not end well.
    run.broken.extend(ended.filter(|_| !run.is_stopped));
    let stamp = Stamp::here(args.selection.quick);
    save(&run, &stamp, &args.out)?;
    show(&run, &stamp, args)?;
    Ok(ExitCode::from(code(&run)))
}

/// What a run came to.
#[derive(Debug, Default)]
struct Run {
    finished: Vec<Finished>,
    broken: Vec<String>,
    /// How many rows were asked for.
    asked: usize,
    is_stopped: bool,
    load: Load,
}

fn measure(rows: &[Row], counts: &[Count], effort: Effort, stop: &Stop) -> Run {
    let mut run = Run {
        asked: rows.len(),
        ..Run::default()
    };
    let mut progress = Progress::new(rows);
    for row in rows {
        if stop.is_asked() {
            break;
        }
        progress.begin(row);
        run.load.sample();
        let step = |step| {
            progress.step(step);
            !stop.is_asked()
        };
        match runner::measure(row, effort, step) {
            Ok(measured) => run.finished.push(Finished::new(measured, counts)),
            Err(Broken::Wrong(why)) => run.broken.push(why),
            Err(Broken::Stopped) => break,
        }
        progress.end();
    }
    run.is_stopped = stop.is_asked();
    run
}

/// Writes what programs read. Rows that this run did not measure stay in `bench.json`, if they
/// have its stamp; `bench.txt` is of this run alone. A run that measured nothing leaves both.
fn save(run: &Run, stamp: &Stamp, out: &Path) -> Result<(), Failure> {
    if run.finished.is_empty() {
        return Ok(());
    }
    let (records, stale) = Record::merged(before(&out.join("bench.json")), records(run, stamp));
    if stale > 0 {
        eprintln!(
            "note: {stale} records of another build, machine or mode are no longer in bench.json"
        );
    }
    let json = Record::file(&records).map_err(|error| Failure::failed(error.to_string()))?;
    write(out, "bench.json", &json)?;
    write(out, "bench.txt", &report::benchstat(&run.finished))
}

fn records(run: &Run, stamp: &Stamp) -> Vec<Record> {
    let rows = run.finished.iter();
    rows.flat_map(|row| Record::of(row, stamp)).collect()
}

/// What earlier runs left; nothing where there is no file, or none that can be read.
fn before(path: &Path) -> Vec<Record> {
    let Ok(text) = fs::read_to_string(path) else {
        return Vec::new();
    };
    serde_json::from_str(&text).unwrap_or_else(|error| {
        eprintln!("note: {} is replaced as a whole: {error}", path.display());
        Vec::new()
    })
}

/// Prints what was asked for; on standard error, what went wrong.
fn show(run: &Run, stamp: &Stamp, args: &Args) -> Result<(), Failure> {
    if args.json {
        for record in records(run, stamp) {
            let line = serde_json::to_string(&record);
            let line = line.map_err(|error| Failure::failed(error.to_string()))?;
            print(&(line + "\n"))?;
        }
        for row in run.finished.iter().filter(|row| is_bad(row)) {
            eprintln!("invalid, or beyond a bar: {}", row.measured.id);
        }
    } else {
        print(&report::table(&run.finished))?;
        if !run.finished.is_empty() {
            let place = args.out.display();
            print(&format!(
                "\nRecords are in {place}/bench.json, lines for benchstat in {place}/bench.txt\n"
            ))?;
        }
    }
    if let Some(note) = run.load.note() {
        eprintln!("{note}");
    }
    for why in &run.broken {
        eprintln!("BROKEN {why}");
    }
    if run.is_stopped {
        let (done, asked) = (run.finished.len(), run.asked);
        eprintln!("stopped: {done} of {asked} rows were measured, and these are kept");
    }
    Ok(())
}

/// The exit code.
fn code(run: &Run) -> u8 {
    if run.is_stopped {
        STOPPED
    } else {
        u8::from(!run.broken.is_empty() || run.finished.iter().any(is_bad))
    }
}

fn is_bad(row: &Finished) -> bool {
    let bars = &row.measured.verdicts;
    row.measured.invalid.is_some() || bars.iter().any(runner::Verdict::is_missed)
}

/// What a shell says of a program that an interrupt ended.
const STOPPED: u8 = 130;

/// Writes a file whole or not at all.
fn write(dir: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let path = dir.join(name);
    let aside = dir.join(format!("{name}.new"));
    fs::create_dir_all(dir)
        .and_then(|()| fs::write(&aside, text))
        .and_then(|()| fs::rename(&aside, &path))
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
}

/// Whether someone asked to stop: Ctrl-C, or a polite kill.
#[derive(Clone, Debug, Default)]
struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens; a second Ctrl-C ends the program at once.
    fn on_signals() -> Result<Self, Failure> {
        let stop = Self::default();
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(
                signal,
                STOPPED.into(),
                Arc::clone(&stop.0),
            )
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop.0)))
            .map_err(|error| Failure::failed(format!("cannot listen for Ctrl-C: {error}")))?;
        }
        Ok(stop)
    }

    fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
