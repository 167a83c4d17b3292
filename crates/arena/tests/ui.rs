//! Programs that must not compile: each would use memory that was given back.
//!
//! The compiler words the messages, so they are compared on one compiler version only. To accept new ones:
//! `TRYBUILD=overwrite cargo test -p thrifty-arena --test ui`.

/// The compiler whose messages are pinned.
const PINNED: &str = "1.95";

#[test]
fn escapes_do_not_compile() {
    if !thrifty_testkit::is_pinned_rustc(PINNED) {
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    for kind in ["dropping", "pool", "rooted", "shared"] {
        cases.compile_fail(format!("tests/ui/{kind}/*.rs"));
    }
    // Without the feature the message is another one.
    if cfg!(feature = "allocator-api2-02") {
        cases.compile_fail("tests/ui/allocator/*.rs");
    }
}
