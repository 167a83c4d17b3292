//! What the job reads: a generated log, files, or something that must be copied first.

use core::fmt;
use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
    process,
};

use thrifty_workloads::logs::LogSpec;

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
    /// Generates a log into the target directory.
    ///
    /// # Errors
    ///
    /// When it cannot be written there.
    pub fn generate(spec: &LogSpec) -> Result<Self, Failure> {
        let LogSpec { lines, seed, .. } = spec;
        let path = scratch_directory()?.join(format!("tour-input-{lines}-{seed}.log"));
        // Written aside and then moved, so that a tour that runs beside this one sees all or
        // nothing.
        let aside = path.with_extension(process::id().to_string());
        let written = File::create(&aside).and_then(|file| {
            let mut file = BufWriter::new(file);
            spec.write_to(&mut file)?;
            file.flush()?;
            fs::rename(&aside, &path)
        });
        written.map_err(|error| cannot("write", &path, &error))?;
        let origin = format!(
            "generated with --lines {lines} --seed {seed} into {}",
            path.display()
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
            let metadata = fs::metadata(source).map_err(|error| cannot("read", source, &error))?;
            if metadata.is_dir() {
                let place = source.display();
                return Err(Failure::usage(format!(
                    "'{place}' is a directory, not a log"
                )));
            }
            can_be_read_again &= metadata.is_file();
            if metadata.is_file() {
                File::open(source).map_err(|error| cannot("read", source, &error))?;
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
        let path = scratch_directory()?.join(format!("tour-spool-{}.log", process::id()));
        let mut input = Self {
            files: vec![path.clone()],
            origin: String::new(),
            spool: Some(path.clone()),
        };
        let is_cut = spool(sources, &path, most_bytes)?;
        let cut = if is_cut {
            format!(", cut after {} MiB", most_bytes >> 20)
        } else {
            String::new()
        };
        input.origin = format!("{names}, copied to a file to be read many times{cut}");
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

/// Copies the sources one after the other, and says whether something was left out.
fn spool(sources: &[PathBuf], path: &Path, most_bytes: u64) -> Result<bool, Failure> {
    let cannot_write = |error: io::Error| cannot("write", path, &error);
    let mut out = BufWriter::new(File::create(path).map_err(cannot_write)?);
    let mut left = most_bytes;
    let mut buffer = vec![0; 64 << 10];
    for source in sources {
        let mut reader: Box<dyn Read> = if is_stdin(source) {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(source).map_err(|error| cannot("read", source, &error))?)
        };
        let mut last = b'\n';
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(cannot("read", source, &error)),
            };
            let kept = usize::try_from(left).unwrap_or(usize::MAX).min(read);
            out.write_all(&buffer[..kept]).map_err(cannot_write)?;
            left -= kept as u64;
            if kept < read {
                out.flush().map_err(cannot_write)?;
                return Ok(true);
            }
            last = buffer[read - 1];
        }
        // The last line of one source must not run into the first of the next.
        if last != b'\n' && sources.len() > 1 {
            out.write_all(b"\n").map_err(cannot_write)?;
        }
    }
    out.flush().map_err(cannot_write)?;
    Ok(false)
}

/// `thrifty/` in the target directory that this program was built into.
fn scratch_directory() -> Result<PathBuf, Failure> {
    let program = env::current_exe()
        .map_err(|error| Failure::failed(format!("cannot find this program's file: {error}")))?;
    // The program is target/release/tour.
    let target = program.ancestors().nth(2).unwrap_or(Path::new("."));
    let directory = target.join("thrifty");
    fs::create_dir_all(&directory).map_err(|error| cannot("write", &directory, &error))?;
    Ok(directory)
}

fn is_stdin(source: &Path) -> bool {
    source.as_os_str() == OsStr::new("-")
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot {what} '{}': {error}", path.display()))
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
