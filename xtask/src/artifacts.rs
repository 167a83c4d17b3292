//! Which files a build made, from the JSON that cargo prints with `--message-format`.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// An executable that cargo built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Executable {
    /// The target's name: a binary's, an integration test's, or the library's for its unit tests.
    pub(crate) target: String,
    /// Where cargo put it.
    pub(crate) path: PathBuf,
    /// Where the package's `Cargo.toml` is; cargo runs tests there.
    pub(crate) dir: PathBuf,
}

/// The executables among cargo's messages.
pub(crate) fn executables(messages: &str) -> Vec<Executable> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| {
            let path = PathBuf::from(message["executable"].as_str()?);
            let manifest = PathBuf::from(message["manifest_path"].as_str()?);
            Some(Executable {
                target: message["target"]["name"].as_str()?.to_owned(),
                path,
                dir: manifest.parent()?.to_path_buf(),
            })
        })
        .collect()
}

/// The shared library that the package `name` was built into.
pub(crate) fn shared_library(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| {
            file.extension()
                .is_some_and(|end| end == "so" || end == "dylib" || end == "dll")
        })
}

/// Where the metadata of the library `name` is: beside all else that the compiler wrote for it.
pub(crate) fn metadata(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| file.extension().is_some_and(|end| end == "rmeta"))
}

/// Where the MIR of a library is, with `--emit=mir`: `a-1.mir` beside `liba-1.rmeta`.
pub(crate) fn mir_beside(metadata: &Path) -> Option<PathBuf> {
    let name = metadata.file_stem()?.to_str()?.strip_prefix("lib")?;
    Some(metadata.with_file_name(format!("{name}.mir")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = r#"
not json
{"reason":"compiler-artifact","manifest_path":"/w/a/Cargo.toml","target":{"name":"plugin"},"filenames":["/t/libplugin.rlib","/t/libplugin.so"],"executable":null}
{"reason":"compiler-artifact","manifest_path":"/w/b/Cargo.toml","target":{"name":"door"},"filenames":["/t/door-1"],"executable":"/t/door-1"}
{"reason":"compiler-artifact","manifest_path":"/w/c/Cargo.toml","target":{"name":"c"},"filenames":["/t/libc.rlib","/t/deps/libc-1.rmeta"],"executable":null}
{"reason":"build-finished","success":true}
"#;

    #[test]
    fn executables_are_found_among_other_messages() {
        let found = executables(MESSAGES);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].target, "door");
        assert_eq!(found[0].path, PathBuf::from("/t/door-1"));
        assert_eq!(found[0].dir, PathBuf::from("/w/b"));
    }

    #[test]
    fn a_shared_library_is_told_from_an_rlib() {
        assert_eq!(
            shared_library(MESSAGES, "plugin"),
            Some(PathBuf::from("/t/libplugin.so"))
        );
        assert_eq!(shared_library(MESSAGES, "door"), None);
    }

    #[test]
    fn mir_stands_beside_the_metadata() {
        let metadata = metadata(MESSAGES, "c").unwrap();
        assert_eq!(
            mir_beside(&metadata),
            Some(PathBuf::from("/t/deps/c-1.mir"))
        );
        assert_eq!(super::metadata(MESSAGES, "plugin"), None);
    }
}
