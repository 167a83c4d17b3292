//! Log ingestion as the tour's naive variant does it, on lines that are in memory.

use thrifty_workloads::{fingerprint::Fingerprint, logs::LogSpec};

use crate::{
    suite::{self, Subject, Worker},
    tour::{
        TOP,
        input::Input,
        naive,
        probe::NoProbe,
        report::{Report, Table},
        tuned,
    },
};

/// Lines of an iteration: half a megabyte of heap at its fullest.
pub(super) const LINES: u64 = 500;

const SPEC: LogSpec = LogSpec::MIXED.with_lines(LINES);
/// No log is cut.
const MOST_BYTES: u64 = u64::MAX;

pub(super) struct Log {
    texts: [String; 1],
    bytes: u64,
}

impl Log {
    pub(super) fn new() -> Self {
        let mut bytes = Vec::new();
        // A vector takes everything.
        let _summary = SPEC.write_to(&mut bytes);
        Self {
            bytes: bytes.len() as u64,
            texts: [String::from_utf8_lossy(&bytes).into_owned()],
        }
    }
}

impl Subject for Log {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(suite::over(self, |log| {
            digest(&naive::ingest(&log.texts, log.bytes, TOP, &mut NoProbe))
        }))
    }
}

/// By the tuned variant, from a file.
///
/// # Panics
///
/// When the file cannot be written or read.
pub(super) fn expected() -> u64 {
    let input = Input::generate(&SPEC, MOST_BYTES).expect("the target directory takes a log");
    let report = tuned::run(input.files(), TOP, &mut NoProbe).expect("a log that can be read");
    digest(&report)
}

/// A number for an answer.
fn digest(report: &Report) -> u64 {
    let mut print = Fingerprint::new();
    for count in [
        report.lines,
        report.blank_lines,
        report.unparsed_lines,
        report.bytes,
    ] {
        print.add_u64(count);
    }
    for seconds in [report.first_seconds, report.last_seconds] {
        print.add_u64(seconds.map_or(u64::MAX, |seconds| seconds as u64));
    }
    for count in report.levels {
        print.add_u64(count);
    }
    for Table { distinct, top, .. } in [&report.hosts, &report.components, &report.templates] {
        print.add_u64(*distinct);
        for (key, lines) in top {
            print.add(key.as_bytes());
            print.add_u64(*lines);
        }
    }
    print.value()
}
