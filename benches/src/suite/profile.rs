//! `--profile`: one side at a time under valgrind, which counts instructions or allocations.

mod callgrind;
mod dhat;
mod instructions;

use core::time::Duration;
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use super::{Row, Worker, cli::Profile, opaque};
use crate::{
    failure::{Failure, print},
    runner::iterations_of,
};

/// What a side works on its own, before valgrind makes it some fifty times slower.
const LENGTH: Duration = Duration::from_millis(20);

/// More sides than this are an oversight: each takes seconds, and nobody reads them all.
const MOST_SIDES: usize = 16;

/// Profiles every side of the rows.
pub(super) fn run(
    rows: &[Row],
    what: Profile,
    out: &Path,
    selection: &[OsString],
) -> Result<ExitCode, Failure> {
    let sides: usize = rows.iter().map(|row| row.contestants().len()).sum();
    if sides > MOST_SIDES && what != Profile::Instructions {
        return Err(Failure::usage(format!(
            "{sides} sides to profile, one by one; --filter leaves up to {MOST_SIDES}"
        )));
    }
    if let Some(row) = rows.iter().find(|row| row.is_elsewhere()) {
        let id = row.id();
        return Err(Failure::usage(format!(
            "the sides of {id} are programs of their own, which --profile does not look into; --filter leaves it out"
        )));
    }
    if !has_valgrind() {
        return Err(Failure::failed(
            "SKIPPED: --profile needs valgrind, which is not installed; nothing was profiled",
        ));
    }
    fs::create_dir_all(out)
        .map_err(|error| Failure::failed(format!("cannot make {}: {error}", out.display())))?;
    for row in rows {
        if what == Profile::Instructions {
            instructions::show(row, out, selection)?;
            continue;
        }
        for side in row.contestants() {
            let (id, name) = (row.id().as_str(), side.name());
            let subject = side.make();
            let iterations = iterations_of(&*subject, row.id().threads(), LENGTH)
                .map_err(|_| Failure::failed(format!("{id}: '{name}' panicked")))?;
            drop(subject);
            let file = out.join(format!("{}-{name}", id.replace('/', "-")));
            let operations = iterations * row.operations_per_iteration();
            let together = operations * row.id().threads() as u64;
            print(&format!(
                "\n{id}, {name}: {operations} operations per thread\n"
            ))?;
            let mut command = Command::new("valgrind");
            let file = match what {
                Profile::Cpu | Profile::Instructions => callgrind::arguments(&mut command, file),
                Profile::Heap => dhat::arguments(&mut command, file),
            };
            command.arg(own_path()?).args(selection);
            command.args(["--side", id, name, &iterations.to_string()]);
            let begun = Instant::now();
            finish(&mut command)?;
            eprintln!("  took {:.1} s", begun.elapsed().as_secs_f64());
            print(&match what {
                Profile::Cpu | Profile::Instructions => callgrind::summary(&file, together)?,
                Profile::Heap => dhat::summary(&file, together)?,
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn has_valgrind() -> bool {
    let mut command = Command::new("valgrind");
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn own_path() -> Result<PathBuf, Failure> {
    env::current_exe()
        .map_err(|error| Failure::failed(format!("cannot find this program's own file: {error}")))
}

fn finish(command: &mut Command) -> Result<(), Failure> {
    let output = command.stdin(Stdio::null()).output();
    let output =
        output.map_err(|error| Failure::failed(format!("cannot start valgrind: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Err(Failure::failed(format!(
        "valgrind ended with {}",
        output.status
    )))
}

/// What valgrind runs: one side, once.
pub(super) fn one_side(
    rows: &[Row],
    id: &str,
    subject: &str,
    iterations: &str,
) -> Result<ExitCode, Failure> {
    let row = rows.iter().find(|row| row.id().as_str() == id);
    let side = row.and_then(|row| {
        let mut sides = row.contestants().iter();
        Some((row, sides.find(|side| side.name() == subject)?))
    });
    let (Some((row, side)), Ok(iterations)) = (side, iterations.parse()) else {
        return Err(Failure::usage(format!(
            "no side '{subject}' in a row '{id}'"
        )));
    };
    let subject = side.make();
    std::thread::scope(|scope| {
        for thread in 0..row.id().threads() {
            let subject = &*subject;
            scope.spawn(move || collected(&mut *subject.worker(thread), iterations));
        }
    });
    Ok(ExitCode::SUCCESS)
}

/// The part that is looked at: valgrind's tools know it by its name.
#[inline(never)]
fn collected(worker: &mut dyn Worker, iterations: u64) -> u64 {
    // Something is left to do after the call, so that this frame stays on the stack.
    opaque(worker.run(iterations))
}
