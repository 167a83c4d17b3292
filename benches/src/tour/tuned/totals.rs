//! What lines amount to beside their keys.

use std::collections::HashMap;

use super::{hash::Seeded, parse::Parsed};
use crate::tour::{
    format::Level,
    report::{Minute, Report, Table},
};

/// All of a report but its tables.
#[derive(Default)]
pub(in crate::tour) struct Totals {
    pub(in crate::tour) bytes: u64,
    pub(in crate::tour) lines: u64,
    pub(in crate::tour) blank_lines: u64,
    unparsed_lines: u64,
    /// One slot per level, in the order of [`Level::ALL`].
    levels: [u64; Level::ALL.len()],
    minutes: Minutes,
}

impl Totals {
    /// Takes in a line that is not blank, but for its being a line.
    #[inline]
    pub(in crate::tour) fn add(&mut self, parsed: &Parsed<'_>) {
        match parsed.time {
            Some(seconds) => self.minutes.add(seconds),
            None => self.unparsed_lines += 1,
        }
        if let Some(level) = parsed.level {
            self.levels[level as usize] += 1;
        }
    }

    /// Adds what other lines amount to.
    pub(in crate::tour) fn merge(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.blank_lines += other.blank_lines;
        self.unparsed_lines += other.unparsed_lines;
        for (own, other) in self.levels.iter_mut().zip(other.levels) {
            *own += other;
        }
        self.minutes.merge(other.minutes);
    }

    pub(in crate::tour) fn report(
        self,
        hosts: Table,
        components: Table,
        templates: Table,
    ) -> Report {
        let (first_seconds, last_seconds) = self.minutes.first_and_last();
        Report {
            lines: self.lines,
            blank_lines: self.blank_lines,
            unparsed_lines: self.unparsed_lines,
            bytes: self.bytes,
            first_seconds,
            last_seconds,
            busiest_minute: self.minutes.busiest(),
            levels: self.levels,
            hosts,
            components,
            templates,
        }
    }
}

/// Lines per minute, and the extremes of time.
struct Minutes {
    counts: HashMap<i64, u64, Seeded>,
    /// The minute that most lines share with the line before, and its lines since it became
    /// current.
    current: (i64, u64),
    first: i64,
    last: i64,
}

impl Default for Minutes {
    fn default() -> Self {
        Self {
            counts: HashMap::default(),
            current: (0, 0),
            first: i64::MAX,
            last: i64::MIN,
        }
    }
}

impl Minutes {
    #[inline]
    fn add(&mut self, seconds: i64) {
        self.first = self.first.min(seconds);
        self.last = self.last.max(seconds);
        let minute = seconds.div_euclid(60);
        if minute != self.current.0 {
            self.flush();
            self.current = (minute, 0);
        }
        self.current.1 += 1;
    }

    fn flush(&mut self) {
        let (minute, lines) = self.current;
        if lines > 0 {
            *self.counts.entry(minute).or_insert(0) += lines;
        }
    }

    fn merge(&mut self, mut other: Self) {
        other.flush();
        for (minute, lines) in other.counts {
            *self.counts.entry(minute).or_insert(0) += lines;
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    fn first_and_last(&self) -> (Option<i64>, Option<i64>) {
        if self.first > self.last {
            (None, None)
        } else {
            (Some(self.first), Some(self.last))
        }
    }

    fn busiest(mut self) -> Option<Minute> {
        self.flush();
        let earliest_of_most = |&(minute, lines): &(i64, u64)| (lines, core::cmp::Reverse(minute));
        let (minute, lines) = self.counts.into_iter().max_by_key(earliest_of_most)?;
        Some(Minute::new(minute * 60, lines))
    }
}
