//! Files that a test makes.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// Files that vanish with the test.
pub(crate) struct Files(Vec<PathBuf>);

impl Files {
    /// One file per content.
    pub(crate) fn new(contents: &[&[u8]]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let paths = contents.iter().map(|content| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("tour-{}-{number}.log", std::process::id());
            let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
            fs::write(&path, content).expect("the target directory takes a file");
            path
        });
        Self(paths.collect())
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.0
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in &self.0 {
            // A file that is gone already is what is wanted.
            let _ = fs::remove_file(path);
        }
    }
}
