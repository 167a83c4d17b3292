//! The error messages of the macro, pinned word for word in `tests/ui/*.stderr`.
//!
//! The compiler words parts of them, so they are compared on one compiler version only. To
//! accept new messages: `TRYBUILD=overwrite cargo test -p thrifty-derive --test ui`.

/// The compiler whose messages are pinned.
const PINNED: &str = "1.95";

#[test]
fn messages() {
    if !thrifty_testkit::is_pinned_rustc(PINNED) {
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
