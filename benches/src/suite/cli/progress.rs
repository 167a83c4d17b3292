//! How far the run is, and how long it will take.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{runner::Step, suite::Row};

/// A bar on a terminal, a line per row elsewhere. It is drawn between rounds only, never while
/// something is timed.
pub(super) struct Progress {
    bar: ProgressBar,
    is_terminal: bool,
    rows: usize,
    begun: usize,
    name: String,
    /// What the rows before this one weigh.
    done: u64,
    /// What this one weighs.
    weight: u64,
}

impl Progress {
    pub(super) fn new(rows: &[Row]) -> Self {
        let bar = ProgressBar::new(rows.iter().map(weight).sum());
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {eta:>4} left  {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self {
            bar,
            is_terminal: stderr().is_terminal(),
            rows: rows.len(),
            begun: 0,
            name: String::new(),
            done: 0,
            weight: 0,
        }
    }

    pub(super) fn begin(&mut self, row: &Row) {
        self.begun += 1;
        self.name = row.id().to_string();
        self.weight = weight(row);
        self.bar.set_message(self.name.clone());
    }

    pub(super) fn step(&mut self, step: Step) {
        let part = self.weight * u64::from(step.round + 1) / u64::from(step.last + 1);
        if self.done + part < self.bar.position() {
            // A noisy row is measured again, which nobody could foresee.
            self.bar.inc_length(self.weight);
            self.done += self.weight;
        }
        self.bar.set_position(self.done + part);
    }

    pub(super) fn end(&mut self) {
        self.done += self.weight;
        self.bar.set_position(self.done);
        if !self.is_terminal {
            eprintln!("[{}/{}] {}", self.begun, self.rows, self.name);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What share of the run a row is.
fn weight(row: &Row) -> u64 {
    u64::try_from(row.time_budget().as_millis()).unwrap_or(u64::MAX)
}
