//! Only `crates/sync` names atomics, cells, threads, locks and loom.
//!
//! What does not pass through the door is invisible to loom, which then explores less and still
//! passes. Tests and benchmarks may do as they like: they check the crates from outside.

use super::{Finding, RustFile, source};

/// Where a rule does not hold, and why. An entry that nothing needs is refused.
const ALLOWED: &[Allowed] = &[
    allow(
        "crates/traits/src/reset/std_types.rs",
        "std::sync::Mutex",
        RESET,
    ),
    allow(
        "crates/traits/src/reset/std_types.rs",
        "std::sync::RwLock",
        RESET,
    ),
    allow(
        "crates/traits/src/reset/std_types.rs",
        "std::sync::OnceLock",
        RESET,
    ),
];

const RESET: &str = "implements `Reset` for it through `&mut`; no lock is taken";

const fn allow(path: &'static str, name: &'static str, reason: &'static str) -> Allowed {
    Allowed { path, name, reason }
}

/// One exemption.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed {
    /// The file, from the root.
    path: &'static str,
    /// The path that it may name, `std::sync::OnceLock`.
    name: &'static str,
    /// Why this cannot hide anything from a model.
    reason: &'static str,
}

/// Threads that a library must not start or stop behind the door's back. The rest of `std::thread`
/// (`LocalKey`, `AccessError`, `panicking`) concerns the calling thread alone.
const OWN_THREAD: &[&str] = &["LocalKey", "AccessError", "panicking"];

/// Locks and channels of std: loom sees none of them and prunes what they guard.
const LOCKS: &[&str] = &[
    "Mutex", "RwLock", "Condvar", "Once", "OnceLock", "LazyLock", "Barrier", "mpsc", "*",
];

/// The findings in the sources of the product crates.
pub(crate) fn check(files: &[RustFile]) -> Vec<Finding> {
    check_with(files, ALLOWED)
}

fn check_with(files: &[RustFile], allowed: &[Allowed]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = vec![false; allowed.len()];
    for file in files.iter().filter(|file| is_guarded(&file.path)) {
        for (line, path) in source::paths(&file.tokens) {
            let Some(instead) = refused(&path) else {
                continue;
            };
            let name = path.join("::");
            let exemption = allowed
                .iter()
                .position(|entry| entry.path == file.path && name.starts_with(entry.name));
            match exemption {
                Some(index) => used[index] = true,
                None => findings.push(Finding::new(
                    &file.path,
                    line,
                    format!("{name} goes past the loom door; use {instead}"),
                )),
            }
        }
    }
    for (entry, used) in allowed.iter().zip(used) {
        if !used || entry.reason.is_empty() {
            findings.push(Finding::new(
                "xtask/src/tidy/door.rs",
                0,
                format!(
                    "the exemption of {} for {} is not needed or has no reason; remove it",
                    entry.path, entry.name
                ),
            ));
        }
    }
    findings
}

/// Sources of the product crates but the door's own; a file of unit tests is no product.
fn is_guarded(path: &str) -> bool {
    super::is_product(path)
        && !path.starts_with("crates/sync/src/")
        && !path.ends_with("/tests.rs")
        && !path.contains("/src/tests/")
}

/// What to write instead of a path that is not allowed.
fn refused(path: &[String]) -> Option<&'static str> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["loom", _, ..] => Some("thrifty_sync's types, which are loom's under `cargo xtask loom`"),
        ["core" | "std" | "alloc", rest @ ..] => match rest {
            ["sync", "atomic", ..] => Some("thrifty_sync::atomic"),
            ["cell", "UnsafeCell" | "SyncUnsafeCell" | "*", ..] => Some("thrifty_sync::UnsafeCell"),
            ["thread", item, ..] if OWN_THREAD.contains(item) => None,
            ["thread", ..] => Some("thrifty_sync::thread"),
            ["sync", lock, ..] if LOCKS.contains(lock) => Some("thrifty_sync::sync"),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check_with(&[RustFile::new(path, text)], &[]).len()
    }

    #[test]
    fn going_past_the_door_is_refused() {
        for text in [
            "use core::sync::atomic::AtomicUsize;",
            "use std::{fmt, sync::{Arc, atomic}};",
            "use core::cell::{Cell, UnsafeCell};",
            "fn f() { std::thread::spawn(g); }",
            "use std::thread;",
            "use loom::sync::Arc;",
            "static L: std::sync::Mutex<u8> = x;",
            "use std::sync::OnceLock;",
        ] {
            assert_eq!(found("crates/pool/src/lib.rs", text), 1, "{text}");
            assert_eq!(found("crates/sync/src/lib.rs", text), 0, "{text}");
            assert_eq!(found("crates/pool/tests/a.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn what_the_door_offers_is_fine() {
        for text in [
            "use thrifty_sync::{atomic::AtomicUsize, thread, sync::Mutex};",
            "use core::cell::Cell;",
            "use std::sync::Arc;",
            "use std::thread::LocalKey;",
            "// std::thread::spawn would be wrong here",
            "let s = \"std::sync::atomic\";",
            "#[cfg(test)] mod tests { use std::thread; }",
        ] {
            assert_eq!(found("crates/pool/src/lib.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn an_exemption_is_for_one_file_and_must_be_needed() {
        let allowed = [Allowed {
            path: "crates/a/src/lib.rs",
            name: "std::thread",
            reason: "a thread of its own",
        }];
        let text = "use std::thread::spawn;";
        let a = RustFile::new("crates/a/src/lib.rs", text);
        let b = RustFile::new("crates/b/src/lib.rs", text);
        assert_eq!(check_with(&[a], &allowed), []);
        let findings = check_with(&[b], &allowed);
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn the_committed_exemptions_have_reasons() {
        assert!(ALLOWED.iter().all(|entry| !entry.reason.is_empty()));
    }
}
