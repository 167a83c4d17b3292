//! A row of `bench.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::{Finished, Stamp};
use crate::runner::{Doubt, Side};

/// One measurement: a side of a row. The names are the contract (DESIGN §4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The row's id.
    pub workload: String,
    /// The side.
    pub subject: String,
    /// The median of the rounds.
    pub ns_per_op: f64,
    /// The fastest round.
    pub min_ns: f64,
    /// The slowest round.
    pub max_ns: f64,
    /// Null where nothing was counted.
    #[serde(serialize_with = "short")]
    pub bytes_per_op: Option<f64>,
    /// Null where nothing was counted.
    #[serde(serialize_with = "short")]
    pub allocs_per_op: Option<f64>,
    /// Null where nothing was counted.
    pub peak_bytes: Option<u64>,
    /// What the side told of itself, where it is asked for anything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, u64>,
    /// How many threads worked at once.
    pub threads: usize,
    /// What was worked on, if the id says so; else empty.
    pub corpus: String,
    /// The lower end of the median's 95 % interval.
    pub low_ns: f64,
    /// The upper end.
    pub high_ns: f64,
    /// How many rounds the figures are of.
    pub rounds: usize,
    /// What the control differed by, as a share.
    pub noise: f64,
    /// There is doubt about the row's figures, and was when it was measured again.
    pub noisy: bool,
    /// Why it is noisy: sentences that begin with `control`, `wide` or `drift`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noisy_because: Vec<String>,
    /// There were more threads than cores.
    #[serde(default)]
    pub oversubscribed: bool,
    /// Why the figures are no result, if they are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// The subject that this one is a wrapper of, and is to be compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Of which code, machine and mode it is.
    #[serde(flatten)]
    pub stamp: Stamp,
}

impl Record {
    /// One record per side.
    #[must_use]
    pub fn of(finished: &Finished, stamp: &Stamp) -> Vec<Self> {
        let measured = &finished.measured;
        let record = |side: &Side| {
            let interval = side.series.interval();
            let count = finished.count(&side.name);
            Self {
                workload: measured.id.to_string(),
                subject: side.name.clone(),
                ns_per_op: rounded(interval.median),
                min_ns: rounded(side.series.min()),
                max_ns: rounded(side.series.max()),
                bytes_per_op: count.map(|count| count.bytes_per_op),
                allocs_per_op: count.map(|count| count.allocs_per_op),
                peak_bytes: count.map(|count| count.peak_bytes),
                figures: count.map_or_else(BTreeMap::new, |count| count.figures.clone()),
                threads: measured.id.threads(),
                corpus: measured.id.corpus().unwrap_or_default().to_owned(),
                low_ns: rounded(interval.low),
                high_ns: rounded(interval.high),
                rounds: side.series.rounds().len(),
                noise: rounded(measured.noise),
                noisy: measured.is_noisy(),
                noisy_because: measured.doubts.iter().map(Doubt::to_string).collect(),
                oversubscribed: measured.is_oversubscribed,
                invalid: measured.invalid.clone(),
                base: side.base.map(str::to_owned),
                stamp: stamp.clone(),
            }
        };
        measured.sides.iter().map(record).collect()
    }

    /// Adds the records of a run to those of the runs before it, and tells how many of them are
    /// left out for another stamp than this run's.
    ///
    /// A row that was measured again loses all its old records, for sides are compared within a run
    /// only. A subject, a corpus or a number of threads is never left behind: they are of the row.
    #[must_use]
    pub fn merged(before: Vec<Self>, run: Vec<Self>) -> (Vec<Self>, usize) {
        let is_measured_again = |old: &Self| run.iter().any(|new| new.workload == old.workload);
        let stamp = run.first().map(|record| &record.stamp);
        let others = before
            .into_iter()
            .filter(|record| !is_measured_again(record));
        let (mut kept, stale): (Vec<_>, Vec<_>) =
            others.partition(|record| stamp.is_none_or(|stamp| record.stamp == *stamp));
        kept.extend(run);
        (kept, stale.len())
    }

    /// The file: a JSON array with one record per line, so that `grep` finds what `jq` does.
    ///
    /// # Errors
    ///
    /// When a figure is not finite, which no measured one is.
    pub fn file(records: &[Self]) -> Result<String, serde_json::Error> {
        let lines: Result<Vec<_>, _> = records.iter().map(serde_json::to_string).collect();
        Ok(format!("[\n{}\n]\n", lines?.join(",\n")))
    }
}

/// Four decimals: a tenth of a picosecond is more than any clock knows.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Whole numbers as whole numbers: `0`, not `0.0`.
fn short<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number, and below 2^53"
        )]
        Some(whole) if whole.fract() == 0.0 && *whole < 9e15 => to.serialize_u64(*whole as u64),
        other => other.serialize(to),
    }
}
