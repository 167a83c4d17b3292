//! What the sides of a row allocate: counted once, exactly, in a binary that times nothing.
//!
//! ```text
//!   suite          no allocator installed: times        starts    suite-counted, whose global
//!     rows ──► figures by (id, subject) ◄──── JSON lines ───────    allocator counts
//! ```

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    io::{BufRead, BufReader},
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Command, ExitCode, Stdio},
    sync::Barrier,
    thread,
};

use serde::{Deserialize, Serialize};
use thrifty_memstats::{Delta, NotInstalled, measure, measure_process};

use crate::{
    failure::{Failure, print},
    suite::{Row, Subject},
};

/// What one side of a row allocates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Count {
    /// The row's id.
    pub workload: String,
    /// The side.
    pub subject: String,
    /// Bytes asked for per operation, the mean over all threads.
    pub bytes_per_op: f64,
    /// Allocations and reallocations per operation.
    pub allocs_per_op: f64,
    /// How far the live bytes rose above their level before the first operation: exact for one
    /// thread, an upper bound for several.
    pub peak_bytes: u64,
    /// What the side told of itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, u64>,
}

/// Iterations that are counted, after as many that are not: what is filled on first use is no cost
/// of the operation, and what is refilled every so often is.
fn iterations(row: &Row) -> u64 {
    (OPERATIONS / row.operations_per_iteration().max(1)).max(8)
}

/// Operations to count at least: past the size of a cache that is refilled as a whole.
const OPERATIONS: u64 = 1024;

/// Counts every side of a row.
///
/// # Errors
///
/// When the program's allocator does not count, or a side does not answer as the oracle.
pub fn count(row: &Row) -> Result<Vec<Count>, Failure> {
    let wrong = |what: String| Failure::failed(format!("{}: {what}", row.id()));
    let expected = row
        .expected()
        .ok_or_else(|| wrong("has no oracle".to_owned()))?;
    let threads = row.id().threads();
    let iterations = iterations(row);
    let mut counts = Vec::new();
    for side in row.contestants() {
        let name = side.name();
        let subject = side.make_counted();
        let (answers, spent) = match threads {
            1 => alone(&*subject, iterations),
            _ => together(&*subject, threads, iterations),
        }
        .map_err(|error| wrong(error.to_string()))?;
        let right = Some(expected.wrapping_mul(iterations));
        if answers.iter().any(|answer| *answer != right) {
            return Err(wrong(format!("'{name}' answers wrongly")));
        }
        // Before anything about it is written down, which takes memory itself.
        let figures = figures(&*subject);
        let operations = (iterations * row.operations_per_iteration() * threads as u64) as f64;
        counts.push(Count {
            workload: row.id().to_string(),
            subject: name.to_owned(),
            bytes_per_op: spent.bytes as f64 / operations,
            allocs_per_op: spent.calls as f64 / operations,
            peak_bytes: spent.peak_bytes,
            figures,
        });
    }
    Ok(counts)
}

fn figures(subject: &dyn Subject) -> BTreeMap<String, u64> {
    let figures = subject.figures().into_iter();
    figures
        .map(|figure| (figure.name.to_owned(), figure.value))
        .collect()
}

/// What the threads of a side allocated together.
///
/// Not what the process did: a harness that runs this as a test may still be busy with its own affairs.
#[derive(Clone, Copy, Debug)]
struct Spent {
    bytes: u64,
    calls: u64,
    peak_bytes: u64,
}

impl From<&Delta> for Spent {
    fn from(delta: &Delta) -> Self {
        Self {
            bytes: delta.allocated_bytes,
            calls: delta.alloc_calls(),
            peak_bytes: delta.peak_bytes,
        }
    }
}

/// Each thread's answer, and what all of them allocated.
type Counted = Result<(Vec<Option<u64>>, Spent), NotInstalled>;

/// One thread, whose own scope knows its peak exactly.
fn alone(subject: &dyn Subject, iterations: u64) -> Counted {
    let mut worker = subject.worker(0);
    let _warm = worker.run(iterations);
    let (answer, delta) = measure(|| worker.run(iterations));
    Ok((vec![Some(answer)], Spent::from(&delta?)))
}

/// Threads that have started before the count begins and end after it.
fn together(subject: &dyn Subject, threads: usize, iterations: u64) -> Counted {
    let edge = Barrier::new(threads + 1);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let edge = &edge;
                scope.spawn(move || {
                    // Also where the work panics: the others wait at every edge.
                    let mut ready = caught(|| {
                        let mut worker = subject.worker(thread);
                        let _warm = worker.run(iterations);
                        worker
                    });
                    edge.wait();
                    edge.wait();
                    let (answer, own) = measure(|| {
                        let worker = ready.as_mut()?;
                        caught(|| worker.run(iterations))
                    });
                    edge.wait();
                    edge.wait();
                    (answer, own.map(|own| Spent::from(&own)))
                })
            })
            .collect();
        edge.wait();
        let ((), delta) = measure_process(|| {
            edge.wait();
            edge.wait();
        });
        edge.wait();
        let of_process = delta?.peak_bytes;
        let (mut answers, mut spent) = (Vec::new(), Vec::new());
        for worker in workers {
            let (answer, own) = worker.join().expect("what may panic is caught");
            answers.push(answer);
            spent.push(own?);
        }
        let peaks: Vec<_> = spent.iter().map(|own| own.peak_bytes).collect();
        let spent = Spent {
            bytes: spent.iter().map(|own| own.bytes).sum(),
            calls: spent.iter().map(|own| own.calls).sum(),
            peak_bytes: peak(of_process, &peaks),
        };
        Ok((answers, spent))
    })
}

/// The most that can have been live at once.
///
/// The process scope's peak lags by up to 4 KiB per thread, so it would be another one in each
/// run. The threads' own peaks are exact; their sum is a bound from above, since they need not come
/// at the same moment, and far too high where one thread frees what another allocated.
fn peak(of_process: u64, of_threads: &[u64]) -> u64 {
    let lag = 4096 * of_threads.len() as u64;
    of_threads.iter().sum::<u64>().min(of_process + lag)
}

/// What `work` gives; `None` if it panics, of which standard error then tells.
fn caught<R>(work: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// The body of `suite-counted`: a line of JSON per side of each row. A row that cannot be counted
/// is named on standard error, and makes the code a bad one.
///
/// # Errors
///
/// When standard output cannot be written to.
pub fn tell(rows: &[Row]) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::SUCCESS;
    for row in rows {
        match count(row) {
            Ok(counts) => counts.iter().try_for_each(print_line)?,
            Err(failure) => code = failure.report(),
        }
    }
    Ok(code)
}

fn print_line(count: &Count) -> Result<(), Failure> {
    let line = serde_json::to_string(count);
    let line = line.map_err(|error| Failure::failed(error.to_string()))?;
    print(&(line + "\n"))
}

/// Starts `suite-counted`, which stands beside this program, with these arguments, and hands each
/// count to `each` as it comes. What it gives is how the program ended, if it did not end well;
/// the counts until then are good.
///
/// # Errors
///
/// When it cannot be started, or says something else.
pub fn ask(args: &[OsString], mut each: impl FnMut(Count)) -> Result<Option<String>, Failure> {
    let own = env::current_exe().map_err(|error| {
        Failure::failed(format!("cannot find this program's own file: {error}"))
    })?;
    let program = own.with_file_name(format!("suite-counted{}", env::consts::EXE_SUFFIX));
    let place = program.display();
    let mut child = Command::new(&program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::failed(format!("cannot start {place}: {error}")))?;
    let stdout = child.stdout.take().map(BufReader::new);
    for line in stdout.into_iter().flat_map(BufRead::lines) {
        let count = line
            .map_err(|error| error.to_string())
            .and_then(|line| serde_json::from_str(&line).map_err(|error| error.to_string()));
        match count {
            Ok(count) => each(count),
            Err(error) => {
                // It would otherwise wait for a reader that has gone.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Failure::failed(format!(
                    "{place} said something odd: {error}"
                )));
            }
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(None),
        Ok(status) => Ok(Some(format!("{place} ended with {status}"))),
        Err(error) => Err(Failure::failed(format!("lost {place}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::peak;

    #[test]
    fn the_peak_is_a_bound_from_above() {
        assert_eq!(
            peak(0, &[64, 64]),
            128,
            "small peaks, which the process scope cannot see"
        );
        assert_eq!(peak(9_000, &[4_096; 4]), 16_384, "all at once, perhaps");
        assert_eq!(
            peak(5_000, &[1_000_000, 0]),
            13_192,
            "the other thread freed them"
        );
    }
}
