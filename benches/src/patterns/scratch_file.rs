//! A file that exists as long as it is needed.

use std::{
    env, fs,
    fs::File,
    io::{self, Seek},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// A file with given contents, open for reading; removed when dropped.
pub(super) struct ScratchFile {
    path: PathBuf,
    file: File,
}

impl ScratchFile {
    /// Writes the file below the target directory.
    ///
    /// # Panics
    ///
    /// When it cannot be written: a row that reads nothing would be a fast one.
    pub(super) fn new(contents: &[u8]) -> Self {
        let open = || -> io::Result<Self> {
            let directory = target()?.join("thrifty");
            fs::create_dir_all(&directory)?;
            let path = directory.join(format!("scratch-{}-{}.bin", process::id(), next()));
            fs::write(&path, contents)?;
            Ok(Self {
                file: File::open(&path)?,
                path,
            })
        };
        open().unwrap_or_else(|error| panic!("target/thrifty must take a file: {error}"))
    }

    /// The file, from its beginning.
    pub(super) fn rewound(&mut self) -> &mut File {
        self.file.rewind().expect("a file can be rewound");
        &mut self.file
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // A file that is gone already is what is wanted.
        let _ = fs::remove_file(&self.path);
    }
}

/// The target directory that this program was built into: it is `target/release/program`.
fn target() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).unwrap_or(Path::new("."));
    Ok(target.into())
}

fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
