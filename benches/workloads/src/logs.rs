//! The seeded log generator: syslog, web-access and HDFS-style lines, mixed as an aggregator
//! sees them.
//!
//! A line is a *template family* with values put in: the families of each source are ranked by
//! frequency and drawn by a Zipf law, and so are the values (hosts, users, addresses, block
//! ids, URLs), because a table keyed by uniform values would flatter or punish its hash map
//! unlike any real log. Time never goes backwards. A small share of lines belongs to no format:
//! the stack traces that real Java services print between their records.
//!
//! ```text
//!   LogSpec (seed, lines)
//!      │ Rng ──► source (48 % syslog, 30 % web, 22 % hdfs) ──► family (Zipf) ──► values (Zipf)
//!      ▼                                                                             │
//!   io::Write ◄── one reused buffer ◄────────────── bytes of the line ◄──────────────┘
//! ```

mod calendar;
mod hdfs;
mod pattern;
mod syslog;
mod values;
mod web;

use std::io::{self, Write};

use crate::rng::Rng;

/// A log as data: the same spec is the same bytes, everywhere.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::logs::LogSpec;
///
/// let mut log = Vec::new();
/// let summary = LogSpec::MIXED.with_lines(100).write_to(&mut log)?;
/// assert_eq!(summary.lines, 100);
/// assert_eq!(summary.bytes, log.len() as u64);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSpec {
    /// The name under which results refer to this log.
    pub name: &'static str,
    /// Why this log exists, in one line.
    pub reason: &'static str,
    /// Everything that looks random comes from here.
    pub seed: u64,
    /// How many lines to write.
    pub lines: u64,
    /// The shares of the sources.
    pub mix: Mix,
}

/// How often each source speaks, as weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Lines of `/var/log/messages` and `auth.log`.
    pub syslog: u64,
    /// Lines of an access log in the combined format.
    pub web: u64,
    /// Lines of an HDFS data node or name node.
    pub hdfs: u64,
}

/// What a generator wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSummary {
    /// Lines, each ended by one `\n`.
    pub lines: u64,
    /// Bytes, line ends included.
    pub bytes: u64,
}

impl LogSpec {
    /// Three sources interleaved: the shape of an aggregator's input.
    pub const MIXED: Self = Self {
        name: "mixed-log",
        reason: "an aggregator's input: three formats, a few hundred templates, Zipf values",
        seed: 2024,
        lines: 250_000,
        mix: Mix {
            syslog: 48,
            web: 30,
            hdfs: 22,
        },
    };

    /// The same log with another number of lines; a shorter log is a prefix of a longer one.
    #[must_use]
    pub const fn with_lines(self, lines: u64) -> Self {
        Self { lines, ..self }
    }

    /// The same log with another seed.
    #[must_use]
    pub const fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The same log with other shares.
    #[must_use]
    pub const fn with_mix(self, mix: Mix) -> Self {
        Self { mix, ..self }
    }

    /// Writes the log, some 64 KiB at a time, allocating nothing per line.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    ///
    /// # Panics
    ///
    /// When all shares of the mix are 0.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<LogSummary> {
        let mut generator = Generator::new(self);
        let mut buffer = Vec::with_capacity(CHUNK_BYTES + 4096);
        let mut summary = LogSummary::default();
        while summary.lines < self.lines {
            summary.lines += generator.append(&mut buffer, self.lines - summary.lines);
            if buffer.len() >= CHUNK_BYTES {
                summary.bytes += flush(&mut buffer, out)?;
            }
        }
        summary.bytes += flush(&mut buffer, out)?;
        Ok(summary)
    }
}

/// Hands the buffer to `out`, empties it, and says how many bytes went.
fn flush(buffer: &mut Vec<u8>, out: &mut impl Write) -> io::Result<u64> {
    out.write_all(buffer)?;
    let bytes = buffer.len() as u64;
    buffer.clear();
    Ok(bytes)
}

/// The state between two lines.
struct Generator {
    rng: Rng,
    mix: Mix,
    /// Seconds since 1970-01-01, never decreasing.
    now: u64,
    values: values::Values,
    syslog: syslog::Syslog,
    web: web::Web,
    hdfs: hdfs::Hdfs,
}

impl Generator {
    fn new(spec: &LogSpec) -> Self {
        let mut rng = Rng::new(spec.seed);
        Self {
            mix: spec.mix,
            now: START_SECONDS,
            values: values::Values::new(&mut rng),
            syslog: syslog::Syslog::new(),
            web: web::Web::new(&mut rng),
            hdfs: hdfs::Hdfs::new(),
            rng,
        }
    }

    /// Appends one event of at most `most` lines and returns how many lines it took.
    fn append(&mut self, out: &mut Vec<u8>, most: u64) -> u64 {
        // Bursts and lulls: most events share their second with the one before.
        if self.rng.chance(2, 5) {
            self.now += self.rng.below(4);
        }
        let total = self.mix.syslog + self.mix.web + self.mix.hdfs;
        assert!(total > 0, "a log needs a source");
        let draw = self.rng.below(total);
        if draw < self.mix.syslog {
            self.syslog
                .append(out, self.now, &self.values, &mut self.rng);
            1
        } else if draw < self.mix.syslog + self.mix.web {
            self.web.append(out, self.now, &self.values, &mut self.rng);
            1
        } else {
            self.hdfs
                .append(out, self.now, most, &self.values, &mut self.rng)
        }
    }
}

/// 2024-03-01 00:00:00 UTC.
const START_SECONDS: u64 = 1_709_251_200;

/// The buffer is handed on when it holds this much.
const CHUNK_BYTES: usize = 64 << 10;
