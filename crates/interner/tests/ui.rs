//! Programs that must not compile: each would mix up what has different names.
//!
//! The compiler words the messages, so they are compared on one compiler version only. To accept new ones:
//! `TRYBUILD=overwrite cargo test -p thrifty-interner --test ui`.

/// The compiler whose messages are pinned.
const PINNED: &str = "1.95";

#[test]
fn mix_ups_do_not_compile() {
    if !thrifty_testkit::is_pinned_rustc(PINNED) {
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    // With `serde-raw` it compiles, and with `serde-1` the message names other types.
    if cfg!(not(feature = "serde-1")) {
        cases.compile_fail("tests/ui/serde/*.rs");
    }
}
