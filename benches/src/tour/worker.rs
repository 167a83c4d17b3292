//! Child processes: one variant, once, in a process of its own.
//!
//! Peak memory belongs to a process, so each variant gets a fresh one; and counting needs a
//! global allocator that the timed process must not have. There are two kinds of child, which
//! speak the same protocol: the tour itself, with nothing in the way of the system allocator,
//! tells its resident memory; `tour-counted`, which has the counting allocator, tells what was
//! allocated.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    TOP,
    probe::{NoProbe, Probe, Stage},
    report::Report,
    variant::Variant,
};
use crate::failure::{Failure, print};

/// What a child tells: one line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Told {
    /// Its answer, which must be everyone's answer.
    pub report: Report,
    /// The most memory that was ever resident, where the system tells. With the counting
    /// allocator it says nothing about the variant and is left out.
    pub resident_peak_bytes: Option<u64>,
    /// What was allocated, if the child counts.
    pub counted: Option<Counted>,
}

/// What the job allocated from its start to its report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counted {
    /// The whole job.
    pub total: Cost,
    /// How far the live bytes rose.
    pub peak_bytes: u64,
    /// Each stage, in the order of [`Stage::ALL`].
    pub stages: [Cost; Stage::ALL.len()],
}

/// Allocations and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cost {
    /// Calls that asked for memory: allocations and reallocations.
    pub alloc_calls: u64,
    /// Bytes asked for; a reallocation counts with its new size.
    pub allocated_bytes: u64,
}

/// The argument that turns the tour into a child.
const WORKER_FLAG: &str = "--worker";

/// Whether this process was started as a child; its arguments then go to [`run_resident`].
#[must_use]
pub fn is_asked_for(args: &[OsString]) -> bool {
    args.first().is_some_and(|arg| arg == WORKER_FLAG)
}

/// The body of a child that tells its resident memory: `--worker VARIANT FILE…`.
#[must_use]
pub fn run_resident(args: &[OsString]) -> ExitCode {
    finish(
        arguments(args.get(1..).unwrap_or(&[])).and_then(|(variant, files)| {
            let report = job(variant, &files, &mut NoProbe)?;
            let resident_peak_bytes = thrifty_memstats::os::memory().resident_peak_bytes;
            Ok(Told {
                report,
                resident_peak_bytes,
                counted: None,
            })
        }),
    )
}

/// The body of a child that counts: `VARIANT FILE…`, in a program whose global allocator
/// counts.
#[must_use]
pub fn run_counted(args: &[OsString]) -> ExitCode {
    finish(arguments(args).and_then(|(variant, files)| {
        let mut probe = CountingProbe::default();
        let work = || job(variant, &files, &mut probe);
        // What several threads allocate is known to some KiB per thread where its peak is concerned.
        let (report, delta) = match variant {
            Variant::Naive | Variant::Tuned => thrifty_memstats::measure(work),
            Variant::Thrifty => thrifty_memstats::measure_process(work),
        };
        let delta = delta.map_err(|error| Failure::failed(error.to_string()))?;
        let total = Cost {
            alloc_calls: delta.alloc_calls(),
            allocated_bytes: delta.allocated_bytes,
        };
        let counted = Counted {
            total,
            peak_bytes: delta.peak_bytes,
            stages: probe.stages,
        };
        Ok(Told {
            report: report?,
            resident_peak_bytes: None,
            counted: Some(counted),
        })
    }))
}

fn arguments(args: &[OsString]) -> Result<(Variant, Vec<PathBuf>), Failure> {
    let [variant, files @ ..] = args else {
        return Err(Failure::usage(
            "a part of `cargo xtask tour`, and of no use alone",
        ));
    };
    let variant = variant
        .to_str()
        .and_then(Variant::from_name)
        .ok_or_else(|| {
            Failure::usage("a part of `cargo xtask tour`: the first argument names a variant")
        })?;
    if files.is_empty() {
        return Err(Failure::usage(
            "a part of `cargo xtask tour`: files must follow the variant",
        ));
    }
    Ok((variant, files.iter().map(PathBuf::from).collect()))
}

fn job<P: Probe>(variant: Variant, files: &[PathBuf], probe: &mut P) -> Result<Report, Failure> {
    variant.run(files, TOP, probe).map_err(|error| {
        Failure::failed(format!(
            "{} could not read its input: {error}",
            variant.name()
        ))
    })
}

/// Prints what a child tells, as one line of JSON.
pub(super) fn finish<T: Serialize>(told: Result<T, Failure>) -> ExitCode {
    let line = told.and_then(|told| {
        serde_json::to_string(&told).map_err(|error| Failure::failed(error.to_string()))
    });
    match line.and_then(|line| print(&(line + "\n"))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Reads the thread's counters around each stage.
#[derive(Default)]
struct CountingProbe {
    stages: [Cost; Stage::ALL.len()],
}

impl Probe for CountingProbe {
    type InLoop = Self;

    fn one_loop<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        work(self)
    }

    fn stage<R>(&mut self, stage: Stage, work: impl FnOnce() -> R) -> R {
        let before = thrifty_memstats::thread();
        let result = work();
        let after = thrifty_memstats::thread();
        // Where nothing counts, `measure` fails and the stages are never shown.
        if let (Ok(before), Ok(after)) = (before, after) {
            let cost = &mut self.stages[stage.index()];
            cost.alloc_calls += after.alloc_calls() - before.alloc_calls();
            cost.allocated_bytes += after.allocated_bytes - before.allocated_bytes;
        }
        result
    }
}

/// Starts a child that tells its resident memory.
///
/// # Errors
///
/// When it cannot be started, fails, or says something else.
pub fn ask_resident(variant: Variant, files: &[PathBuf]) -> Result<Told, Failure> {
    let mut command = Command::new(own_path()?);
    ask(command.arg(WORKER_FLAG), variant, files)
}

/// Starts a child that counts: the program `tour-counted` beside this one.
///
/// # Errors
///
/// As for [`ask_resident`].
pub fn ask_counted(variant: Variant, files: &[PathBuf]) -> Result<Told, Failure> {
    ask(&mut Command::new(counting_program()?), variant, files)
}

/// The program with the counting allocator.
pub(super) fn counting_program() -> Result<PathBuf, Failure> {
    let program = own_path()?.with_file_name(format!("tour-counted{}", env::consts::EXE_SUFFIX));
    if !program.exists() {
        let place = program.display();
        return Err(Failure::failed(format!(
            "{place} is missing: build all programs with `cargo build --release -p thrifty-benches --bins`"
        )));
    }
    Ok(program)
}

fn own_path() -> Result<PathBuf, Failure> {
    env::current_exe()
        .map_err(|error| Failure::failed(format!("cannot find this program's own file: {error}")))
}

fn ask(command: &mut Command, variant: Variant, files: &[PathBuf]) -> Result<Told, Failure> {
    ask_for(command.arg(variant.name()).args(files), variant.name())
}

/// Starts a child and reads what it tells; `what` says which, for errors.
pub(super) fn ask_for<T: DeserializeOwned>(
    command: &mut Command,
    what: &str,
) -> Result<T, Failure> {
    let program = Path::new(command.get_program()).display().to_string();
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::failed(format!("cannot start {program}: {error}")))?;
    if !output.status.success() {
        let status = output.status;
        return Err(Failure::failed(format!(
            "{program} {what} ended with {status}"
        )));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::failed(format!("{program} said something odd: {error}")))
}
