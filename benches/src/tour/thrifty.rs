//! The job on several threads: the tuned loop, with an arena for each batch of lines.
//!
//! ```text
//!            one at a time: chunks of whole lines        batches: a chunk, and an arena with its lines
//!   source ◄────────────────────────────────── parsers ─────────────────────────────────► counter
//!                                              ▲     ▲                                       │
//!                                              │     └──────────────── ArenaPool ◄───────────┤
//!                                              └────────────────────── BufferPool ◄──────────┘
//!                                                                                  (by dropping)
//! ```
//!
//! A batch is one value that borrows from itself: lines in an arena, whose hosts and components are
//! slices of the chunk and whose templates are bytes of the arena. [`Rooted`] makes it fit to move from
//! thread to thread. The counter drops it as a whole, whatever was in it: the chunk and the arena go back to
//! their pools with their memory. There is one set of tables, and nothing to merge.
//!
//! What takes a line apart and what counts it is the code of [`tuned`](super::tuned). Between the two
//! each template is copied once, which tuned does not need to. So this is more work, on more threads:
//! where there are no cores for them it is slower than tuned.

// # What was tried
//
// 2026-11-22, one 4-core x86-64 machine that others were using, rustc 1.95, the generated log (138 bytes a
// line). Processor time of all threads over tuned's, whole processes held to one core by `taskset`,
// the median of interleaved runs.
//
// - Batches as vectors from a pool, keys one behind the other and their lengths beside them, and a thread that
//   reads for the parsers: 1.52. All keys are copied, and each chunk changes threads twice.
// - Arenas, and a thread that reads: 1.44. What costs is not memory but the switches, nine for each chunk.
// - Arenas, and parsers that read by turns: 1.34. It stays. On four cores it takes 0.60 of tuned's time, and
//   the first way 0.72.
// - Chunks of 16 KiB: 1.86, for more switches. Of 128 and 256 KiB: no difference beyond the noise.

use std::{
    fs::File,
    io::{self, Read},
    num::NonZero,
    path::PathBuf,
    slice,
    sync::{
        Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

use thrifty_arena::{Arena, ArenaPool, ArenaVec, PooledArena, Rooted, family};
use thrifty_pool::{BufferPool, PooledBuf};

use super::{
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
/// line, each with an arena for 80 bytes per line and the templates: two for each parser wait for the counter at
/// most, and each thread has one in hand. What the pools hold goes back before keys are made text.
pub fn run<P: Probe>(files: &[PathBuf], top: usize, probe: &mut P) -> io::Result<Report> {
    let tally = ingest(files)?;
    Ok(probe.stage(Stage::Tables, || tally.report(top)))
}

/// How many threads work: the parsers and the counter.
#[must_use]
pub fn threads() -> usize {
    parsers() + 1
}

/// As many as the machine has cores beside the counter's, and not more than it keeps up with.
fn parsers() -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    cores.saturating_sub(1).clamp(1, 4)
}

fn ingest(files: &[PathBuf]) -> io::Result<Tally> {
    let chunks = BufferPool::new();
    // The lines of a chunk of ordinary lines take about as much as the chunk, and so do their templates.
    let settings = Arena::builder().first_chunk(2 * CAPACITY);
    let parsers = parsers();
    let arenas = ArenaPool::with_settings(4 * parsers, settings);
    let source = Mutex::new(Source::new(files));
    let (to_counter, from_parsers) = sync_channel(2 * parsers);
    let mut tally = Tally::default();
    thread::scope(|scope| {
        for _ in 0..parsers {
            let (source, chunks, arenas) = (&source, &chunks, &arenas);
            let to_counter = to_counter.clone();
            scope.spawn(move || parse(source, chunks, arenas, &to_counter));
        }
        // Who waits at one end of a channel does so for as long as the other end is held.
        drop(to_counter);
        for batch in from_parsers {
            batch.with(|lines| count(lines, &mut tally));
        }
    });
    let source = source.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.bytes = source.bytes;
    source.failed.map_or(Ok(tally), Err)
}

/// Whole lines, and a pad behind them.
struct Chunk {
    bytes: PooledBuf,
    /// Where the lines end and the pad begins.
    end: usize,
}

impl Chunk {
    fn new(mut bytes: PooledBuf) -> Self {
        let end = bytes.len();
        bytes.extend_from_slice(&[0; PAD]);
        Self { bytes, end }
    }
}

/// Where the next chunk comes from.
struct Source<'f> {
    files: slice::Iter<'f, PathBuf>,
    /// What is being read, and what of it is no whole line yet.
    file: Option<File>,
    carry: Option<PooledBuf>,
    bytes: u64,
    /// Why there is no more.
    failed: Option<io::Error>,
}

impl<'f> Source<'f> {
    fn new(files: &'f [PathBuf]) -> Self {
        Self {
            files: files.iter(),
            file: None,
            carry: None,
            bytes: 0,
            failed: None,
        }
    }

    /// The next chunk, unless there is none or it could not be read.
    fn next(&mut self, pool: &BufferPool) -> Option<Chunk> {
        if self.failed.is_some() {
            return None;
        }
        self.try_next(pool).unwrap_or_else(|error| {
            self.failed = Some(error);
            None
        })
    }

    fn try_next(&mut self, pool: &BufferPool) -> io::Result<Option<Chunk>> {
        loop {
            let mut file = match self.file.take() {
                Some(file) => file,
                None => match self.files.next() {
                    Some(path) => File::open(path)?,
                    None => return Ok(None),
                },
            };
            let mut chunk = self.carry.take().unwrap_or_else(|| pool.get(CAPACITY));
            let (room, searched) = (chunk.capacity() - chunk.len() - RESERVE, chunk.len());
            let read = match chunk.read_from(&mut Read::take(&mut file, room as u64)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
                read => Some(read?),
            };
            if read == Some(0) {
                if chunk.is_empty() {
                    continue;
                }
                chunk.extend_from_slice(b"\n");
                return Ok(Some(Chunk::new(chunk)));
            }
            self.file = Some(file);
            self.bytes += read.unwrap_or(0) as u64;
            let last = chunk[searched..].iter().rposition(|&byte| byte == b'\n');
            let end = last.map_or(0, |last| searched + last + 1);
            let carry = chunk.len() - end;
            // A line longer than half of the buffer: doubling keeps the copying of its carry linear.
            if end == 0 && carry <= (chunk.capacity() - RESERVE) / 2 {
                self.carry = Some(chunk);
                continue;
            }
            let mut next = pool.get(CAPACITY.max(4 * carry + RESERVE));
            next.extend_from_slice(&chunk[end..]);
            self.carry = Some(next);
            if end > 0 {
                chunk.truncate(end);
                return Ok(Some(Chunk::new(chunk)));
            }
        }
    }
}

/// What the lines of a batch lie in.
struct Memory<'p> {
    chunk: Chunk,
    arena: PooledArena<&'p ArenaPool>,
}

family! {
    /// The lines of a chunk, taken apart.
    Taken<'a> = Lines<'a>;
}

/// Lines that borrow from the chunk, and lie in the arena beside their templates.
type Batch<'p> = Rooted<Taken, Memory<'p>>;

struct Lines<'a> {
    count: u64,
    blank: u64,
    /// Those that are not blank.
    parsed: &'a [Line<'a>],
}

struct Line<'a> {
    template: &'a [u8],
    parsed: Parsed<'a>,
}

/// Reads chunks and takes them apart for as long as there are any.
fn parse<'p>(
    source: &Mutex<Source<'_>>,
    chunks: &BufferPool,
    arenas: &'p ArenaPool,
    to: &SyncSender<Batch<'p>>,
) {
    let (mut parser, mut masker) = (Parser::default(), Masker::default());
    loop {
        let next = source
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next(chunks);
        let Some(chunk) = next else { return };
        let arena = arenas.get();
        let memory = Memory { chunk, arena };
        let batch = Batch::new(memory, |memory| lines(memory, &mut parser, &mut masker));
        if to.send(batch).is_err() {
            // The counter has panicked, which ends the job.
            return;
        }
    }
}

fn lines<'a>(memory: &'a Memory<'_>, parser: &mut Parser, masker: &mut Masker) -> Lines<'a> {
    let Memory { chunk, arena } = memory;
    // It grows where it is: templates are bytes, and come from the other end of the arena.
    let mut parsed = ArenaVec::new_in(arena);
    let (mut count, mut blank, mut at) = (0, 0, 0);
    while at < chunk.end {
        count += 1;
        let (line, length) = line(&chunk.bytes[at..], arena, parser, masker);
        at += length;
        match line {
            Some(line) => parsed.push(line),
            None => blank += 1,
        }
    }
    let parsed = parsed.into_slice();
    Lines {
        count,
        blank,
        parsed,
    }
}

/// Takes the line at the start of `text` apart, if it is not blank, and returns its length.
///
/// The line ends with `\n`, and [`PAD`] more bytes follow.
#[inline]
fn line<'a>(
    text: &'a [u8],
    arena: &'a Arena,
    parser: &mut Parser,
    masker: &mut Masker,
) -> (Option<Line<'a>>, usize) {
    let mut start = 0;
    while text[start].is_ascii_whitespace() {
        if text[start] == b'\n' {
            return (None, start + 1);
        }
        start += 1;
    }
    let text = &text[start..];
    let parsed = parser.line(text);
    let (template, line_end) = masker.mask(&text[parsed.message_at..]);
    let length = start + parsed.message_at + line_end + 1;
    let template = arena.alloc_slice_copy(template);
    (Some(Line { template, parsed }), length)
}

fn count(lines: &Lines<'_>, tally: &mut Tally) {
    tally.lines += lines.count;
    tally.blank_lines += lines.blank;
    for line in lines.parsed {
        tally.add(line.template, &line.parsed);
    }
}

/// Room behind the bytes read: for the line end that the file's end may lack, and for the pad.
const RESERVE: usize = 1 + PAD;

/// As in tuned: well inside of every L2.
const CAPACITY: usize = 64 << 10;
