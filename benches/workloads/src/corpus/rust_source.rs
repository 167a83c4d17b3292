//! Rust source code that is on disk anyway.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// A directory of Rust files, read in the order of their names.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::corpus::Sources;
///
/// let sources = Sources::find();
/// let mut bytes = 0;
/// sources.read(|text| {
///     bytes += text.len();
///     bytes < 1_000_000 // enough
/// });
/// assert!(bytes > 0);
/// println!("{}", sources.description());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    root: PathBuf,
    description: String,
}

impl Sources {
    /// Those of the registry in cargo's home, else this workspace's own.
    ///
    /// What a registry holds differs between machines, and so do results from it: the
    /// [description](Self::description) says which sources were read.
    #[must_use]
    pub fn find() -> Self {
        let registry = cargo_home().map(|home| home.join("registry").join("src"));
        if let Some(sources) = registry.and_then(|root| Self::in_directory(&root)) {
            return sources;
        }
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self {
            description: format!(
                "cargo has no sources on disk, so those of this workspace in {}",
                workspace.display()
            ),
            root: workspace,
        }
    }

    /// Those below a directory, if there is any Rust file.
    #[must_use]
    pub fn in_directory(root: &Path) -> Option<Self> {
        let sources = Self {
            root: root.into(),
            description: format!("Rust sources in {}", root.display()),
        };
        let mut found = false;
        sources.read(|_| {
            found = true;
            false
        });
        found.then_some(sources)
    }

    /// Which sources these are.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Hands over file after file until `use_text` returns false.
    ///
    /// Files that cannot be read, are no UTF-8 or are above 1 MiB (generated tables) are left
    /// out, as are directories named `target` and hidden ones.
    pub fn read(&self, mut use_text: impl FnMut(&str) -> bool) {
        visit(&self.root, &mut use_text);
    }
}

/// False when no more files are wanted.
fn visit(directory: &Path, use_text: &mut impl FnMut(&str) -> bool) -> bool {
    let Ok(entries) = fs::read_dir(directory) else {
        return true;
    };
    let mut entries: Vec<_> = entries.flatten().collect();
    // The system's order is that of its hash tables.
    entries.sort_unstable_by_key(fs::DirEntry::file_name);
    entries.into_iter().all(|entry| {
        let path = entry.path();
        // Links are not followed: they may lead in circles.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => is_skipped(&path) || visit(&path, use_text),
            Ok(kind) if kind.is_file() => match read_small(&path) {
                Some(text) => use_text(&text),
                None => true,
            },
            _ => true,
        }
    })
}

fn is_skipped(directory: &Path) -> bool {
    let name = directory.file_name().unwrap_or_default();
    name == "target" || name.as_encoded_bytes().starts_with(b".")
}

fn read_small(path: &Path) -> Option<String> {
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    let is_small = || fs::metadata(path).is_ok_and(|data| data.len() <= 1 << 20);
    if is_rust && is_small() {
        fs::read_to_string(path).ok()
    } else {
        None
    }
}

/// Where cargo keeps its registry.
fn cargo_home() -> Option<PathBuf> {
    let home = || env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"));
    match env::var_os("CARGO_HOME") {
        Some(cargo_home) => Some(cargo_home.into()),
        None => home().map(|home| PathBuf::from(home).join(".cargo")),
    }
}
