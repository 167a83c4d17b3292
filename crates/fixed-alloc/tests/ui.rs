//! What must not compile, with the compiler's messages pinned in `tests/ui/*.stderr`.
//!
//! The messages are compared on one compiler version only. To accept new ones:
//! `TRYBUILD=overwrite cargo test -p thrifty-fixed-alloc --test ui`.

#![cfg(feature = "allocator-api2-02")]

/// The compiler whose messages are pinned.
const PINNED: &str = "1.95";

#[test]
fn what_would_be_unsound_does_not_compile() {
    if !thrifty_testkit::is_pinned_rustc(PINNED) {
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
