//! Instructions per operation, of all sides: what does not change while others use the machine.

use std::{ffi::OsString, fs, path::Path, process::Command};

use super::{callgrind, finish, own_path};
use crate::{
    failure::{Failure, print},
    suite::{Contestant, Row},
};

/// Operations of the shorter of two runs, about: enough for what happens once in a while, few
/// enough for a tool that is fifty times slower.
const OPERATIONS: u64 = 20_000;

/// Counts every side of a row, and shows them side by side.
pub(super) fn show(row: &Row, out: &Path, selection: &[OsString]) -> Result<(), Failure> {
    print(&format!("\n{}, instructions/op\n", row.id()))?;
    let mut counts = Vec::new();
    for side in row.contestants() {
        counts.push((side.name(), per_operation(row, side, out, selection)?));
    }
    print(&table(&counts))
}

/// The difference of two runs, one twice as long as the other: what is done once cancels out.
fn per_operation(
    row: &Row,
    side: &Contestant,
    out: &Path,
    selection: &[OsString],
) -> Result<f64, Failure> {
    let once = row.operations_per_iteration() * row.id().threads() as u64;
    let iterations = OPERATIONS.div_ceil(once);
    let counted = |iterations: u64| {
        let (id, name) = (row.id().as_str(), side.name());
        let mut command = Command::new("valgrind");
        let file = out.join(format!("{}-{name}-count", id.replace('/', "-")));
        let file = callgrind::arguments(&mut command, file);
        command.arg(own_path()?).args(selection);
        command.args(["--side", id, name, &iterations.to_string()]);
        finish(&mut command)?;
        let text = fs::read_to_string(&file);
        // Twice as many files as sides are of no use to anybody.
        let _ = fs::remove_file(&file);
        let count = text.ok().and_then(|text| total(&text));
        count.ok_or_else(|| {
            Failure::failed(format!("callgrind collected nothing in {}", file.display()))
        })
    };
    let (short, long) = (counted(iterations)?, counted(2 * iterations)?);
    Ok(long.saturating_sub(short) as f64 / (iterations * once) as f64)
}

/// What callgrind wrote of all that it counted, if that is anything.
fn total(written: &str) -> Option<u64> {
    let mut lines = written.lines();
    let total = lines.find_map(|line| line.strip_prefix("summary: "))?;
    total.trim().parse().ok().filter(|total| *total > 0)
}

/// A line per side, with how many times the fewest it takes.
fn table(counts: &[(&str, f64)]) -> String {
    let fewest = counts.iter().map(|(_, count)| *count);
    let fewest = fewest.fold(f64::INFINITY, f64::min).max(1e-9);
    let line = |(name, count): &(&str, f64)| {
        let times = count / fewest;
        format!("  {count:>11.1} {times:>7.2} ×  {name}\n")
    };
    counts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_and_nothing_is_no_total() {
        let written = "version: 1\nevents: Ir\nsummary: 3705959\n\nfn=(936) malloc\n1 2\n";
        assert_eq!(total(written), Some(3_705_959));
        assert_eq!(total("summary: 0\n"), None, "nothing was collected");
        assert_eq!(total("version: 1\n"), None);
    }

    #[test]
    fn sides_stand_beside_the_leanest() {
        let shown = table(&[("ours", 10.0), ("theirs", 15.0)]);
        let lines: Vec<_> = shown.lines().map(str::trim).collect();
        assert_eq!(lines, ["10.0    1.00 ×  ours", "15.0    1.50 ×  theirs"]);
    }
}
