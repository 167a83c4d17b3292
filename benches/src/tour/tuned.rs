//! The job as an expert writes it with std alone: one pass, a few buffers, nothing per line.
//!
//! ```text
//!   file ──read──► [ line \n line \n … carry | pad ]     one buffer, reused; the carry moves to the front
//!                    │
//!                    ├──► fields: slices of the buffer    nothing is copied
//!                    ▼
//!                  message ──eight bytes at a time──► template in one scratch, up to the \n
//!                                                        │
//!                                HashMap::get_mut(&[u8]) ◄┘  an owned key only when it is new
//! ```
//!
//! **Bytes, not text.** Every rule of the grammar looks at ASCII bytes only and treats all
//! others alike, so taking a line apart commutes with `from_utf8_lossy`: the job runs on raw
//! bytes and makes text of the few keys at the end, adding up those that become equal.
//!
//! **Sentinels.** A line always ends with `\n` (the buffer adds the one that a file's end
//! lacks), and at least `PAD` readable bytes follow. So loops over words need no tail, and a
//! scan for white space needs no bound.

// # What was tried
//
// 2026-11-22, one 4-core x86-64 machine that others were using, rustc 1.95, the generated log
// (138 bytes a line). Ratios are of the shortest of interleaved runs, instructions are
// callgrind's. This version takes some 1640 instructions (the whole program's over its lines) and
// 140 ns a line; what follows is the time of each alternative over that of the version it was
// tried against.
//
// - Finding the line end first, by `skip_until` (core's word-wise memchr), then parsing and
//   masking up to it: a second pass over every byte, 5 % more instructions. The end is met while
//   masking instead.
// - std's SipHash in the tables: 1.26. The seeded folded multiply stays. Two lanes in it: 1.00.
// - `from_utf8` on each line, to have text from the start: 1.16. Bytes stay, text is made at the
//   end.
// - Words of 16 bytes (two words, one branch), to guess fewer branches wrongly: 1.22, although
//   callgrind's simple predictor counts fewer misses. The real one knows the templates by heart.
// - Advancing by "the position found, or eight": 1.15. The next load then waits for this word's
//   test; a branch on "none found" lets it run ahead.
// - Looking for a value's start in the eight bytes before it at once, instead of one by one:
//   1.04. By `rposition`: 1.00.
// - The calendar for every line, and the clock digit by digit: 8 % more instructions than
//   remembering the date's bytes and checking the clock as one word.
// - The common formats and the next field as calls instead of inline: 1.13.
// - An exact test for white space, so that a line of control characters is not looked at byte by
//   byte: 3 % more instructions if NUL alone is told apart in the word test, 5 to 10 % if the
//   exact test follows the first wrong stop. So a line of 4 MB of NUL takes 21 ms, and naive
//   does it in 11: nothing that a log needs. It stays.
// - Buffers of 32 KiB to 1 MiB: no difference beyond the noise. 64 KiB peaks low.
// - Threads would divide the time by the cores and prove nothing about memory: there is one.

mod buffer;
mod count;
mod hash;
mod mask;
mod parse;
mod scan;
mod time;
mod totals;

use std::{fs::File, io, path::PathBuf};

use self::{buffer::Buffer, count::Counter};
pub(super) use self::{
    count::{canonical, head},
    mask::Masker,
    parse::{Parsed, Parser},
    totals::Totals,
};
use super::{
    probe::{Probe, Stage},
    report::Report,
};

/// Readable bytes behind every line.
pub(super) const PAD: usize = 8;

/// Reads the files and reports on them, with the `top` keys of each table.
///
/// # Errors
///
/// Those of reading the files.
///
/// # Memory
///
/// In terms of the input:
///
/// - the buffer: 64 KiB, or less than four times the longest line;
/// - the template's scratch: 1 KiB, or twice the longest message, since `1 ` becomes `<*> `;
/// - each distinct template, host and component once, and its row in a table. A template is up
///   to twice its message.
///
/// At the end the buffer and the scratch are given back before keys are made text: those that
/// are reported, and those that were no valid UTF-8 or had runs of white space. Of each
/// invalid byte text makes three.
pub fn run<P: Probe>(files: &[PathBuf], top: usize, probe: &mut P) -> io::Result<Report> {
    let mut ingest = Ingest::default();
    let mut buffer = probe.stage(Stage::Read, Buffer::new);
    for file in files {
        let mut file = File::open(file)?;
        loop {
            let read = probe.stage(Stage::Read, || buffer.fill(&mut file))?;
            ingest.tally.totals.bytes += read as u64;
            let (bytes, mut at, end) = buffer.whole_lines(read == 0);
            probe.one_loop(|probe| {
                while at < end {
                    at += ingest.line(&bytes[at..], probe);
                }
            });
            if read == 0 {
                break;
            }
        }
    }
    drop(buffer);
    Ok(probe.stage(Stage::Tables, || ingest.report(top)))
}

/// What takes lines apart, and what they amount to so far.
#[derive(Default)]
struct Ingest {
    tally: Tally,
    masker: Masker,
    parser: Parser,
}

impl Ingest {
    /// Takes in the line at the start of `text` and returns its length.
    ///
    /// The line ends with `\n`, and [`PAD`] more bytes follow.
    #[inline]
    fn line<P: Probe>(&mut self, text: &[u8], probe: &mut P) -> usize {
        self.tally.totals.lines += 1;
        let mut start = 0;
        while text[start].is_ascii_whitespace() {
            if text[start] == b'\n' {
                self.tally.totals.blank_lines += 1;
                return start + 1;
            }
            start += 1;
        }
        let text = &text[start..];
        let parsed = probe.stage(Stage::Parse, || self.parser.line(text));
        let message = &text[parsed.message_at..];
        let (template, line_end) = probe.stage(Stage::Template, || self.masker.mask(message));
        let length = start + parsed.message_at + line_end + 1;
        probe.stage(Stage::Count, || self.tally.add(template, &parsed));
        length
    }

    fn report(mut self, top: usize) -> Report {
        self.masker = Masker::default();
        self.tally.report(top)
    }
}

/// What the lines so far amount to.
#[derive(Default)]
struct Tally {
    totals: Totals,
    hosts: Counter,
    components: Counter,
    templates: Counter,
}

impl Tally {
    /// Counts a line that is not blank.
    #[inline]
    fn add(&mut self, template: &[u8], parsed: &Parsed<'_>) {
        self.templates.add(template);
        if !parsed.host.is_empty() {
            self.hosts.add(parsed.host);
        }
        if !parsed.component.is_empty() {
            self.components.add(parsed.component);
        }
        self.totals.add(parsed);
    }

    fn report(self, top: usize) -> Report {
        self.totals.report(
            self.hosts.into_table(top),
            self.components.into_table(top),
            self.templates.into_table(top),
        )
    }
}
