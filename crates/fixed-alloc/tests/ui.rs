//! What must not compile, with the compiler's messages pinned in `tests/ui/*.stderr`.
//!
//! The messages are compared on one compiler version only. To accept new ones:
//! `TRYBUILD=overwrite cargo test -p thrifty-fixed-alloc --test ui`.

#![cfg(feature = "allocator-api2-02")]

use std::env;
use std::io::{self, Write};
use std::process::Command;

/// The compiler whose messages are pinned.
const PINNED: &str = "rustc 1.95.";

#[test]
fn what_would_be_unsound_does_not_compile() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("rustc runs");
    let version = String::from_utf8(output.stdout).expect("the version is text");
    if !version.starts_with(PINNED) {
        let line = format!("\nSKIPPED: messages are pinned for {PINNED}*, this is {version}\n");
        // Past the test harness, which would swallow it.
        io::stderr()
            .write_all(line.as_bytes())
            .expect("stderr takes it");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
