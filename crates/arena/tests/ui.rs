//! Programs that must not compile: each would use memory that was given back.
//!
//! The compiler words the messages, so they are compared on one compiler version only. To accept new ones:
//! `TRYBUILD=overwrite cargo test -p thrifty-arena --test ui`.

use std::env;
use std::io::{self, Write};
use std::process::Command;

/// The minor version of the compiler whose messages are pinned.
const PINNED_MINOR: &str = "95";

#[test]
fn escapes_do_not_compile() {
    let minor = rustc_minor();
    if minor != PINNED_MINOR {
        let line = format!(
            "\nSKIPPED: messages are pinned for rustc 1.{PINNED_MINOR}, this is 1.{minor}\n"
        );
        // Past the test harness, which would swallow it.
        io::stderr()
            .write_all(line.as_bytes())
            .expect("stderr is open");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    // Without the feature the message is another one.
    if cfg!(feature = "allocator-api2-02") {
        cases.compile_fail("tests/ui/allocator/*.rs");
    }
}

fn rustc_minor() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("rustc runs");
    let version = String::from_utf8(output.stdout).expect("the version is text");
    let minor = version
        .strip_prefix("rustc 1.")
        .and_then(|rest| rest.split('.').next());
    minor
        .unwrap_or_else(|| panic!("not a version: {version}"))
        .to_owned()
}
