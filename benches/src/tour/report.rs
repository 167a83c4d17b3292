//! The answer of the job: what all variants must agree on, to the last count.

use serde::{Deserialize, Serialize};

use super::format::Level;

/// What a log says, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// Lines, blank ones included; a last line needs no line end.
    pub lines: u64,
    /// Lines that hold nothing but ASCII white space. They are counted nowhere else.
    pub blank_lines: u64,
    /// Lines that match no format. Their template is still counted.
    pub unparsed_lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// The earliest time on any line, in seconds since 1970-01-01 UTC.
    pub first_seconds: Option<i64>,
    /// The latest time on any line.
    pub last_seconds: Option<i64>,
    /// The minute with most lines, the earliest of equals.
    pub busiest_minute: Option<Minute>,
    /// Lines per level, in the order of [`Level::ALL`].
    pub levels: [u64; Level::ALL.len()],
    /// Hosts by their lines.
    pub hosts: Table,
    /// Components by their lines.
    pub components: Table,
    /// Message templates by their lines.
    pub templates: Table,
}

/// A minute and the lines that fall into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Minute {
    /// The minute's first second, since 1970-01-01 UTC.
    pub start_seconds: i64,
    /// Lines in that minute.
    pub lines: u64,
}

/// The head of a table of counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Table {
    /// How many distinct keys were counted.
    pub distinct: u64,
    /// The keys with most lines; equals stand in the order of their bytes.
    pub top: Vec<(String, u64)>,
}

impl Table {
    /// A table whose head is already sorted.
    #[must_use]
    pub const fn new(distinct: u64, top: Vec<(String, u64)>) -> Self {
        Self { distinct, top }
    }
}

impl Minute {
    /// A minute by its first second.
    #[must_use]
    pub const fn new(start_seconds: i64, lines: u64) -> Self {
        Self {
            start_seconds,
            lines,
        }
    }
}
