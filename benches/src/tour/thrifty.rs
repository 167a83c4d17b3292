//! The job on as many threads as it is worth: the tuned loop, with numbers in the place of keys.
//!
//! ```text
//!            by turns: chunks of whole lines          each thread, line by line
//!   source ◄──────────────────────────── thread ──► host, component ──intern──► symbols ──► counts[symbol] += 1
//!     ▲                                     │
//!     └────────── BufferPool ◄──────────────┤
//!                                           └─────► templates, in an arena ──intern_many──► symbols ──► counts
//!                                                          ▲                 a chunk's at once            │
//!                                                          └───────────────── reset ◄─────────────────────┘
//!
//!   all threads: three interners        at the end: the threads' counts are added up, symbols become keys
//! ```
//!
//! A key is hashed and compared once, in the interner that all threads share; what they count is a vector of their own, at
//! the symbol's index. So there is one copy of each key however many threads there are, and merging
//! what they counted looks nothing up. Hits take no lock, and chunks are read by turns.
//!
//! Templates are short-lived: the masker's scratch holds one. Those of a chunk are copied into an arena, so that they
//! can be looked up together, which hides the waiting for memory where there are many distinct ones.
//!
//! What takes a line apart is the code of [`tuned`](super::tuned).

// # What was tried
//
// 2026-11-22, one 4-core x86-64 machine that others were using all the time, rustc 1.95, interleaved runs in one
// process. Processor time of all threads over tuned's, medians: first of the generated log (138 bytes a line, 593
// templates, 3917 hosts) on one core, by `taskset`; then of 400,000 lines with as many templates, on one core and on
// four.
//
// - Batches of lines in pooled arenas, which go to one counter with tuned's tables: 1.46, 1.01, 0.98. A second thread
//   where there is one core, two switches for each chunk, and the counter sets the pace.
// - Each thread its own tables as tuned has them, merged by looking each key up again: 1.02, 1.02, 1.19. Nothing is
//   cheaper where keys are few; where they are many, each thread pays for all of them.
// - Interned line by line: 1.14, 0.44, 0.63. A hit costs some 7 ns more than in tuned's table, whose keys have their
//   counts beside them and one thread to serve. A new key costs far less: no block of its own, and growth that
//   hashes nothing again.
// - Lines in an arena, then all three columns by `intern_many`: 1.20, 0.40, 0.55. The copies cost where keys are few,
//   batches gain where they are many.
// - The templates alone that way: 1.14 to 1.17 on the first, whole processes; 0.48 and 0.56 where templates are many,
//   where the first way took 1.14 and 1.30. It stays. On four cores it took 0.68 of tuned's wall time.
// - Tuned's hasher in the interners: 0.97 of the time of their own, which is the harder to attack.

mod names;
mod source;

use std::{
    fs, io,
    num::NonZero,
    panic::resume_unwind,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread,
};

use thrifty_arena::{Arena, ArenaVec};
use thrifty_interner::InternError;
use thrifty_memstats::limit;
use thrifty_pool::BufferPool;

use self::{
    names::{Component, Counts, Host, Names, Template},
    source::{CAPACITY, Chunk, Source},
};
use super::{
    probe::{Probe, Stage},
    report::Report,
    tuned::{Masker, Parsed, Parser, Totals},
};

/// Reads the files and reports on them, with the `top` keys of each table.
///
/// The probe sees the tables alone: the other stages are on several threads at once.
///
/// # Errors
///
/// Those of reading the files, and of interners that have no memory or no number left for a key.
///
/// # Memory
///
/// Each distinct template, host and component once, with some 22 bytes in its interner, and 8 bytes in the counts of
/// each thread, which double as they grow. For each thread a chunk of 64 KiB, or up to four times the longest
/// line, and an arena with the templates of a chunk; one chunk more waits for whoever reads next. Chunks and
/// arenas are given back before keys are made text.
pub fn run<P: Probe>(files: &[PathBuf], top: usize, probe: &mut P) -> io::Result<Report> {
    run_with(files, top, probe, |_| ())
}

/// The same, and has its pool of chunks registered for as long as it is used.
///
/// # Errors
///
/// As for [`run`].
pub fn run_with<P: Probe, R>(
    files: &[PathBuf],
    top: usize,
    probe: &mut P,
    register: impl FnOnce(&BufferPool) -> R,
) -> io::Result<Report> {
    let names = Names::default();
    let tally = ingest(files, &names, register)?;
    probe
        .stage(Stage::Tables, || tally.report(&names, top))
        .map_err(io::Error::other)
}

/// How many threads work on so many bytes: at most as many as the machine has cores.
#[must_use]
pub fn threads(bytes: u64) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let worth_it = usize::try_from(bytes / BYTES_PER_THREAD).unwrap_or(MOST_THREADS);
    cores.min(MOST_THREADS).min(1 + worth_it)
}

/// Reading takes about a seventh of a line's time, and one thread reads at a time.
const MOST_THREADS: usize = 8;

/// To start a thread takes as long as some hundreds of lines, and its chunk and arena are fresh pages.
const BYTES_PER_THREAD: u64 = 1 << 20;

fn ingest<R>(
    files: &[PathBuf],
    names: &Names,
    register: impl FnOnce(&BufferPool) -> R,
) -> io::Result<Tally> {
    let chunks = BufferPool::new();
    let _registered = register(&chunks);
    let source = Mutex::new(Source::new(files));
    // A file that cannot be looked at is reported when it is its turn to be read.
    let sizes = files.iter().filter_map(|file| fs::metadata(file).ok());
    let bytes = sizes.fold(0, |sum: u64, size| sum.saturating_add(size.len()));
    let threads = threads(bytes);
    let work = || Worker::new(names).work(&source, &chunks);
    let tally = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut tally = work()?;
        for other in others {
            tally.merge(other.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(tally)
    });
    let mut tally = tally.map_err(|error: InternError| io::Error::other(error))?;
    let source = source.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.totals.bytes = source.bytes;
    source.failed.map_or(Ok(tally), Err)
}

/// What the lines of a thread amount to, by symbol.
#[derive(Default)]
struct Tally {
    totals: Totals,
    hosts: Counts<Host>,
    components: Counts<Component>,
    templates: Counts<Template>,
}

impl Tally {
    fn merge(&mut self, other: Self) {
        self.totals.merge(other.totals);
        self.hosts.merge(other.hosts);
        self.components.merge(other.components);
        self.templates.merge(other.templates);
    }

    fn report(self, names: &Names, top: usize) -> Result<Report, InternError> {
        Ok(self.totals.report(
            self.hosts.into_table(&names.hosts, top)?,
            self.components.into_table(&names.components, top)?,
            self.templates.into_table(&names.templates, top)?,
        ))
    }
}

/// One thread.
struct Worker<'n> {
    names: &'n Names,
    parser: Parser,
    masker: Masker,
    /// The symbols of a chunk's templates: empty between chunks.
    symbols: Vec<Template>,
    tally: Tally,
}

impl<'n> Worker<'n> {
    fn new(names: &'n Names) -> Self {
        Self {
            names,
            parser: Parser::default(),
            masker: Masker::default(),
            symbols: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Reads chunks and counts their lines for as long as there are any.
    fn work(
        mut self,
        source: &Mutex<Source<'_>>,
        chunks: &BufferPool,
    ) -> Result<Tally, InternError> {
        // The templates of a chunk of ordinary lines take about as much as the chunk.
        let mut arena = Arena::builder().first_chunk(2 * CAPACITY).build();
        loop {
            // One reads at a time; the lock is free again before the lines are looked at.
            let next = source
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next(chunks);
            let Some(chunk) = next else {
                return Ok(self.tally);
            };
            self.chunk(&chunk, &arena)?;
            arena.reset();
            // Its buffer idles from here on. Under a limit that is near this thread trims, and waits with the
            // next chunk, whether or not the controller's thread has its turn; else this is one load.
            drop(chunk);
            limit::assist();
        }
    }

    fn chunk(&mut self, chunk: &Chunk, arena: &Arena) -> Result<(), InternError> {
        // It grows where it is: templates are bytes, and come from the other end of the arena.
        let mut templates = ArenaVec::new_in(arena);
        let mut at = 0;
        while at < chunk.end {
            self.tally.totals.lines += 1;
            let (taken, length) = line(&chunk.bytes[at..], &mut self.parser, &mut self.masker);
            at += length;
            match taken {
                Some((parsed, template)) => {
                    templates.push(&*arena.alloc_slice_copy(template));
                    self.add(&parsed)?;
                }
                None => self.tally.totals.blank_lines += 1,
            }
        }
        let templates = templates.iter().copied();
        self.names
            .templates
            .try_intern_many(templates, &mut self.symbols)?;
        for symbol in self.symbols.drain(..) {
            self.tally.templates.add(symbol);
        }
        Ok(())
    }

    /// Counts all of a line but its template.
    #[inline]
    fn add(&mut self, parsed: &Parsed<'_>) -> Result<(), InternError> {
        let Self { names, tally, .. } = self;
        if !parsed.host.is_empty() {
            tally.hosts.add(names.hosts.try_intern(parsed.host)?);
        }
        if !parsed.component.is_empty() {
            let component = names.components.try_intern(parsed.component)?;
            tally.components.add(component);
        }
        tally.totals.add(parsed);
        Ok(())
    }
}

/// Takes the line at the start of `text` into what it says and its template, unless it is blank, and
/// returns its length.
///
/// The line ends with `\n`, and [`PAD`](super::tuned::PAD) more bytes follow.
#[inline]
fn line<'t, 'm>(
    text: &'t [u8],
    parser: &mut Parser,
    masker: &'m mut Masker,
) -> (Option<(Parsed<'t>, &'m [u8])>, usize) {
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
    (Some((parsed, template)), length)
}
