//! Files that are there whole, or not at all.
#![forbid(unsafe_code)]

use alloc::{format, string::String};
use core::fmt;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::profile::ProfileError;

/// Why a file was not written.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// There is no profile to write.
    Profile(ProfileError),
    /// The system refused; what the file held before, it still holds.
    File {
        /// The file that was to be written.
        path: PathBuf,
        /// What could not be done, such as `create a temporary file beside it`.
        doing: &'static str,
        /// The system's word.
        error: io::Error,
    },
    /// The processor's time could not be sampled; it says why.
    Cpu(&'static str),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(error) => error.fmt(f),
            Self::File { path, doing, error } => {
                write!(f, "{}: could not {doing}: {error}", path.display())
            }
            Self::Cpu(why) => write!(f, "no CPU profile: {why}"),
        }
    }
}

impl core::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Profile(error) => Some(error),
            Self::File { error, .. } => Some(error),
            Self::Cpu(_) => None,
        }
    }
}

impl From<ProfileError> for WriteError {
    fn from(error: ProfileError) -> Self {
        Self::Profile(error)
    }
}

/// Writes a file so that at any moment, even after a crash, it holds either all of the new contents or
/// what it held before.
///
/// `write` fills a temporary file in the same directory, which is written through to the disk and
/// then renamed. When anything fails, or `write` panics, the temporary file is removed. (A killed
/// process leaves it: `.NAME.PID-….part`.) A symbolic link at `path` is replaced, not followed. On Unix a
/// file that is replaced passes on its mode, but not its owner.
///
/// # Errors
///
/// [`WriteError::File`], when `write` returns an error or the system refuses; and when there is
/// something at `path`, or where a link there leads, that is not a file, such as `/dev/null`.
///
/// # Examples
///
/// ```
/// use std::io::Write as _;
///
/// # #[global_allocator]
/// # static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
/// thrifty_memstats::profiling().rate(1).start()?;
/// let profile = thrifty_memstats::heap_profile()?;
/// # let directory = std::env::temp_dir();
/// let path = directory.join(format!("heap-{}.folded", std::process::id()));
/// thrifty_memstats::save(&path, |out| profile.write_folded(out))?;
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn save<P, F>(path: P, write: F) -> Result<(), WriteError>
where
    P: AsRef<Path>,
    F: FnOnce(&mut dyn Write) -> io::Result<()>,
{
    let path = path.as_ref();
    let failed = |doing| failed(path, doing);
    let (mode, part, file) = begin(path)?;
    // Before anything is in it.
    if let Some(mode) = mode {
        file.set_permissions(mode)
            .map_err(failed("pass on the mode of the file"))?;
    }
    let mut out = BufWriter::new(file);
    write(&mut out).map_err(failed("write its contents"))?;
    let file = out
        .into_inner()
        .map_err(|error| failed("write its contents")(error.into_error()))?;
    file.sync_all().map_err(failed("write it to the disk"))?;
    drop(file);
    part.rename_to(path).map_err(failed("put it in its place"))
}

/// Whether saving can begin; for who has something to do first that takes long. Leaves nothing behind.
#[cfg(all(feature = "cpu", unix))]
pub(super) fn try_save(path: &Path) -> Result<(), WriteError> {
    begin(path).map(drop)
}

fn begin(path: &Path) -> Result<(Option<fs::Permissions>, Part, File), WriteError> {
    let mode = replaceable(path).map_err(failed(path, "replace what is there"))?;
    let (part, file) =
        Part::create(path).map_err(failed(path, "create a temporary file beside it"))?;
    Ok((mode, part, file))
}

fn failed(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> WriteError {
    move |error| WriteError::File {
        path: path.to_owned(),
        doing,
        error,
    }
}

/// Refuses to put a file in the place of a device or a socket, which renaming would do; says the
/// mode of the file that is there.
fn replaceable(path: &Path) -> io::Result<Option<fs::Permissions>> {
    // What cannot be looked at is the next steps' to report.
    let Some(there) = path.file_name().and_then(|_| fs::metadata(path).ok()) else {
        return Ok(None);
    };
    if !there.is_file() {
        let error = io::ErrorKind::InvalidInput;
        return Err(io::Error::new(error, "it is not a file"));
    }
    let is_link = fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink());
    Ok((cfg!(unix) && !is_link).then(|| there.permissions()))
}

/// A temporary file that is removed unless it is renamed.
struct Part(Option<PathBuf>);

impl Part {
    fn create(path: &Path) -> io::Result<(Self, File)> {
        let Some(name) = path.file_name() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the path names no file",
            ));
        };
        // A name may be as long as the system allows, and this one is longer.
        let name: String = name.to_string_lossy().chars().take(32).collect();
        // Two threads may save to one path at once: a name that is taken is left to whom it belongs.
        let nanos = SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default()
            .subsec_nanos();
        let mut nth = 0_u32;
        loop {
            let process = std::process::id();
            let temporary = path.with_file_name(format!(".{name}.{process}-{nanos}-{nth}.part"));
            match OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&temporary)
            {
                Ok(file) => return Ok((Self(Some(temporary)), file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && nth < 1000 => {
                    nth += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn rename_to(mut self, path: &Path) -> io::Result<()> {
        if let Some(part) = self.0.as_ref() {
            fs::rename(part, path)?;
        }
        self.0 = None;
        // Some file systems do not sync directories; the file's contents are safe by now.
        #[cfg(unix)]
        if let Some(directory) = path.parent() {
            let directory = if directory.as_os_str().is_empty() {
                Path::new(".")
            } else {
                directory
            };
            let _ = File::open(directory).and_then(|directory| directory.sync_all());
        }
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(part) = &self.0 {
            let _ = fs::remove_file(part);
        }
    }
}
