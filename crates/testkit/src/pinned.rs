//! Compilers whose messages a test pins.

use std::env;
use std::io::{self, Write};
use std::process::Command;

/// Whether the compiler is the one whose messages are pinned, `"1.95"`; if not, says on standard
/// error that the test is skipped.
///
/// # Panics
///
/// When the compiler does not run, or does not tell its version.
///
/// # Examples
///
/// ```
/// assert!(!thrifty_testkit::is_pinned_rustc("1.0"));
/// ```
#[must_use]
pub fn is_pinned_rustc(pinned: &str) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("rustc runs");
    let version = String::from_utf8(output.stdout).expect("the version is text");
    if version.starts_with(&format!("rustc {pinned}.")) {
        return true;
    }
    let line = format!("\nSKIPPED: messages are pinned for rustc {pinned}, this is {version}\n");
    // Past the test harness, which would swallow it.
    io::stderr()
        .write_all(line.as_bytes())
        .expect("stderr is open");
    false
}
