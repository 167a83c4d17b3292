//! What the job reads: a generated log, files, or something that must be copied first.

use core::fmt;
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
};

use thrifty_workloads::logs::LogSpec;

use super::scratch;
use crate::failure::Failure;

/// Regular files that can be read as often as needed.
#[derive(Debug)]
pub struct Input {
    files: Vec<PathBuf>,
    origin: String,
    /// Removed when the input is dropped.
    spool: Option<PathBuf>,
}

impl Input {
    /// Generates a log into the target directory, cut after `most_bytes`.
    ///
    /// # Errors
    ///
    /// When it cannot be written there.
    pub fn generate(spec: &LogSpec, most_bytes: u64) -> Result<Self, Failure> {
        let LogSpec { lines, seed, .. } = *spec;
        let directory = scratch::directory()?;
        // Written aside and then moved, so that a tour that runs beside this one sees all or
        // nothing.
        let aside = directory.join(scratch::unfinished(lines, seed, process::id()));
        let written = write_log(spec, &aside, most_bytes).and_then(|is_cut| {
            let cut_after = is_cut.then_some(most_bytes >> 20);
            let path = directory.join(scratch::generated(lines, seed, cut_after));
            fs::rename(&aside, &path)?;
            Ok((path, is_cut))
        });
        let (path, is_cut) = written.map_err(|error| {
            // Half a log on a full disk helps nobody.
            let _ = fs::remove_file(&aside);
            failed("write", &aside, &error)
        })?;
        let origin = format!(
            "generated with --lines {lines} --seed {seed} into {}{}",
            path.display(),
            cut(is_cut, most_bytes),
        );
        Ok(Self {
            files: vec![path],
            origin,
            spool: None,
        })
    }

    /// Takes files as they are where that is possible. Standard input (`-`), pipes and devices
    /// can be read only once, and more than `most_bytes` would not fit into the memory that the
    /// naive job needs: then a copy is made, and cut.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or the copy not be written.
    pub fn open(sources: &[PathBuf], most_bytes: u64) -> Result<Self, Failure> {
        let mut total_bytes = 0_u64;
        let mut can_be_read_again = true;
        for source in sources.iter().filter(|source| !is_stdin(source)) {
            let metadata = fs::metadata(source).map_err(|error| cannot_open(source, &error))?;
            if metadata.is_dir() {
                let place = source.display();
                return Err(Failure::usage(format!(
                    "'{place}' is a directory, not a log"
                )));
            }
            can_be_read_again &= metadata.is_file();
            if metadata.is_file() {
                File::open(source).map_err(|error| cannot_open(source, &error))?;
                total_bytes = total_bytes.saturating_add(metadata.len());
            }
        }
        let stdins = sources.iter().filter(|source| is_stdin(source)).count();
        if stdins > 1 {
            return Err(Failure::usage("standard input ('-') can be read only once"));
        }
        let names = Names(sources);
        if stdins == 0 && can_be_read_again && total_bytes <= most_bytes {
            // Absolute, so that a child cannot take a name for a flag.
            let files: io::Result<Vec<PathBuf>> = sources.iter().map(std::path::absolute).collect();
            let files = files.map_err(|error| Failure::usage(error.to_string()))?;
            return Ok(Self {
                files,
                origin: names.to_string(),
                spool: None,
            });
        }
        let path = scratch::directory()?.join(scratch::spool(process::id()));
        let mut input = Self {
            files: vec![path.clone()],
            origin: String::new(),
            spool: Some(path.clone()),
        };
        let is_cut = spool(sources, &path, most_bytes)?;
        input.origin = format!(
            "{names}, copied to a file to be read many times{}",
            cut(is_cut, most_bytes)
        );
        Ok(input)
    }

    /// The files, all regular.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Where the lines come from, for the reader of the result.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if let Some(path) = &self.spool {
            // A copy that is gone already is what is wanted.
            let _ = fs::remove_file(path);
        }
    }
}

/// Writes the log to a new file, and says whether something was left out.
fn write_log(spec: &LogSpec, path: &Path, most_bytes: u64) -> io::Result<bool> {
    let mut out = Capped::new(File::create(path)?, most_bytes);
    match spec.write_to(&mut out) {
        // The end of the room is the only error that is none.
        Err(_) if out.is_cut => Ok(true),
        written => written.map(|_| false),
    }
}

/// Copies the sources one after the other, and says whether something was left out.
fn spool(sources: &[PathBuf], path: &Path, most_bytes: u64) -> Result<bool, Failure> {
    let write_failed = |error: io::Error| failed("write", path, &error);
    let mut out = Capped::new(File::create(path).map_err(write_failed)?, most_bytes);
    let mut buffer = vec![0; 64 << 10];
    let mut last = b'\n';
    for source in sources {
        let mut reader: Box<dyn Read> = if is_stdin(source) {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(source).map_err(|error| cannot_open(source, &error))?)
        };
        let mut is_first = true;
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => &buffer[..read],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed("read", source, &error)),
            };
            // The last line of one source must not run into the first of the next.
            let between: &[u8] = if is_first && last != b'\n' {
                b"\n"
            } else {
                b""
            };
            match out.write_all(between).and_then(|()| out.write_all(read)) {
                Err(_) if out.is_cut => return Ok(true),
                written => written.map_err(write_failed)?,
            }
            is_first = false;
            last = read[read.len() - 1];
        }
    }
    Ok(false)
}

/// Takes so many bytes, then no more.
struct Capped<W> {
    inner: W,
    left: u64,
    /// Whether there was more.
    is_cut: bool,
}

impl<W> Capped<W> {
    const fn new(inner: W, left: u64) -> Self {
        Self {
            inner,
            left,
            is_cut: false,
        }
    }
}

impl<W: Write> Write for Capped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        if taken == 0 && !bytes.is_empty() {
            self.is_cut = true;
            return Err(io::Error::other("the limit is reached"));
        }
        let written = self.inner.write(&bytes[..taken])?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// What to say of an input that was cut.
fn cut(is_cut: bool, most_bytes: u64) -> String {
    if is_cut {
        format!(", cut after {} MiB", most_bytes >> 20)
    } else {
        String::new()
    }
}

fn is_stdin(source: &Path) -> bool {
    source.as_os_str() == OsStr::new("-")
}

/// The caller named something that is not there or may not be read.
fn cannot_open(source: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read '{}': {error}", source.display()))
}

/// What should have worked did not.
fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot {what} '{}': {error}", path.display()))
}

/// Three names at most, then how many more.
struct Names<'a>(&'a [PathBuf]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, source) in self.0.iter().take(3).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            if is_stdin(source) {
                write!(f, "{comma}standard input")?;
            } else {
                write!(f, "{comma}{}", source.display())?;
            }
        }
        match self.0.len().saturating_sub(3) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
