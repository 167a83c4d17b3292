//! The job on several threads, which hand their buffers round: the tuned loop with pools.
//!
//! ```text
//!              chunks: whole lines                       fields: keys and times of a chunk's lines
//!   reader ───────────────────────► parsers, one to three ─────────────────────────► counter
//!      ▲                                 │       ▲                                      │
//!      └─────────── BufferPool ◄─────────┘       └──────────── Pool<Fields> ◄───────────┘
//!                  (by dropping)                              (by dropping)
//! ```
//!
//! A chunk and a batch of fields are taken by one thread and dropped by another. Without pools
//! each would be a few blocks, allocated here and freed there, which is what allocators like
//! least; or a second pair of channels on which empty ones go back. There is one set of tables, and
//! nothing to merge.
//!
//! What takes a line apart and what counts it is the code of [`tuned`](super::tuned). Between the
//! two its keys are copied once, which tuned does not need to. So this is more work, on more
//! threads: where there are no cores for them it is slower than tuned.

use std::{
    fs::File,
    io::{self, Read},
    num::NonZero,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use thrifty_pool::{BufferPool, Pool, Pooled, PooledBuf, Reset, ThreadCache};

use super::{
    format::Level,
    probe::{Probe, Stage},
    report::Report,
    tuned::{Masker, PAD, Parsed, Parser, Tally},
};

/// Reads the files and reports on them, with the `top` keys of each table.
///
/// The probe sees the tables alone: the other stages are on several threads at once.
///
/// # Errors
///
/// Those of reading the files.
///
/// # Memory
///
/// The tables, as in [`tuned`](super::tuned::run). Chunks of 64 KiB, or up to four times the longest
/// line: two wait for each parser at most, and each thread has one in hand. Fields: as many batches, of
/// 40 bytes per line and the keys. What the pools hold goes back before keys are made text.
pub fn run<P: Probe>(files: &[PathBuf], top: usize, probe: &mut P) -> io::Result<Report> {
    let tally = ingest(files)?;
    Ok(probe.stage(Stage::Tables, || tally.report(top)))
}

/// How many threads work: the reader, the parsers and the counter.
#[must_use]
pub fn threads() -> usize {
    parsers() + 2
}

/// As many as the machine has cores to spare for, and not more than one reader keeps busy.
fn parsers() -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    cores.saturating_sub(2).clamp(1, 3)
}

fn ingest(files: &[PathBuf]) -> io::Result<Tally> {
    let (chunks, fields) = (BufferPool::new(), fields()?);
    let parsers = parsers();
    let (to_parsers, from_reader) = sync_channel(2 * parsers);
    let (to_counter, from_parsers) = sync_channel(2 * parsers);
    let from_reader = Arc::new(Mutex::new(from_reader));
    thread::scope(|scope| {
        for _ in 0..parsers {
            let (from_reader, to_counter) = (Arc::clone(&from_reader), to_counter.clone());
            let fields = &fields;
            scope.spawn(move || parse(&from_reader, fields, &to_counter));
        }
        // Whoever waits at one end of a channel does so for as long as the other end is held.
        drop((from_reader, to_counter));
        let reader = scope.spawn(move || read(files, &chunks, &to_parsers));
        let mut tally = Tally::default();
        for batch in from_parsers {
            count(&batch, &mut tally);
        }
        tally.bytes = reader
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(tally)
    })
}

/// Few and large, and each is dropped by another thread than takes it: in a cache of its own the
/// counter would pile up what the parsers want.
fn fields() -> io::Result<Pool<Fields>> {
    let pool = Pool::builder(Fields::default).thread_cache(ThreadCache::Off);
    pool.build().map_err(io::Error::other)
}

/// Whole lines, and a pad behind them.
struct Chunk {
    bytes: PooledBuf,
    /// Where the lines end and the pad begins.
    end: usize,
}

/// Reads the files into chunks and says how many bytes they had.
fn read(files: &[PathBuf], pool: &BufferPool, to: &SyncSender<Chunk>) -> io::Result<u64> {
    let mut total = 0;
    for file in files {
        let mut file = File::open(file)?;
        let mut chunk = pool.get(CAPACITY);
        loop {
            let room = chunk.capacity() - chunk.len() - RESERVE;
            let searched = chunk.len();
            let read = chunk.read_from(&mut Read::take(&mut file, room as u64));
            let read = match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            total += read as u64;
            if read == 0 {
                if !chunk.is_empty() {
                    chunk.extend_from_slice(b"\n");
                    let end = chunk.len();
                    send(chunk, end, to);
                }
                break;
            }
            let last = chunk[searched..].iter().rposition(|&byte| byte == b'\n');
            let end = last.map_or(0, |last| searched + last + 1);
            let carry = chunk.len() - end;
            // A line longer than half of the buffer: doubling keeps the copying of its carry linear.
            if end > 0 || carry > (chunk.capacity() - RESERVE) / 2 {
                let mut next = pool.get(CAPACITY.max(4 * carry + RESERVE));
                next.extend_from_slice(&chunk[end..]);
                chunk.truncate(end);
                let full = core::mem::replace(&mut chunk, next);
                if end > 0 {
                    send(full, end, to);
                }
            }
        }
    }
    Ok(total)
}

/// The parsers are there for as long as there is a reader, unless all panicked, which ends the job.
fn send(mut bytes: PooledBuf, end: usize, to: &SyncSender<Chunk>) {
    bytes.extend_from_slice(&[0; PAD]);
    let _ = to.send(Chunk { bytes, end });
}

/// The keys of some lines, one behind the other, and what each line has of them.
#[derive(Default, Reset)]
struct Fields {
    lines: u64,
    blank_lines: u64,
    keys: Vec<u8>,
    parsed: Vec<Line>,
}

/// A line that is not blank: the lengths of its keys, and the rest.
struct Line {
    template: usize,
    host: usize,
    component: usize,
    time: Option<i64>,
    level: Option<Level>,
}

/// Takes chunks apart for as long as there are any.
fn parse(from: &Mutex<Receiver<Chunk>>, pool: &Pool<Fields>, to: &SyncSender<Pooled<Fields>>) {
    let (mut parser, mut masker) = (Parser::default(), Masker::default());
    loop {
        let next = from.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(chunk) = next else { return };
        let mut fields = pool.get();
        let mut at = 0;
        while at < chunk.end {
            at += fields.line(&chunk.bytes[at..], &mut parser, &mut masker);
        }
        drop(chunk);
        // Who does not take it any more has panicked, which ends the job.
        let _ = to.send(fields);
    }
}

impl Fields {
    /// Takes in the line at the start of `text` and returns its length.
    ///
    /// The line ends with `\n`, and [`PAD`] more bytes follow.
    #[inline]
    fn line(&mut self, text: &[u8], parser: &mut Parser, masker: &mut Masker) -> usize {
        self.lines += 1;
        let mut start = 0;
        while text[start].is_ascii_whitespace() {
            if text[start] == b'\n' {
                self.blank_lines += 1;
                return start + 1;
            }
            start += 1;
        }
        let text = &text[start..];
        let parsed = parser.line(text);
        let (template, line_end) = masker.mask(&text[parsed.message_at..]);
        for key in [template, parsed.host, parsed.component] {
            self.keys.extend_from_slice(key);
        }
        self.parsed.push(Line {
            template: template.len(),
            host: parsed.host.len(),
            component: parsed.component.len(),
            time: parsed.time,
            level: parsed.level,
        });
        start + parsed.message_at + line_end + 1
    }
}

fn count(fields: &Fields, tally: &mut Tally) {
    tally.lines += fields.lines;
    tally.blank_lines += fields.blank_lines;
    let mut keys = fields.keys.as_slice();
    for line in &fields.parsed {
        let (template, rest) = keys.split_at(line.template);
        let (host, rest) = rest.split_at(line.host);
        let (component, rest) = rest.split_at(line.component);
        keys = rest;
        let parsed = Parsed {
            time: line.time,
            host,
            component,
            level: line.level,
            message_at: 0,
        };
        tally.add(template, &parsed);
    }
}

/// Room behind the bytes read: for the line end that the file's end may lack, and for the pad.
const RESERVE: usize = 1 + PAD;

/// As in tuned: well inside of every L2.
const CAPACITY: usize = 64 << 10;
