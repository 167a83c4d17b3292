//! What a tool that the tests run under makes of them.

use std::env;
use std::io::{self, Write as _};

/// The tool of `cargo xtask verify` that the tests run under, by its lane's name: it is in `THRIFTY_UNDER`.
///
/// # Examples
///
/// ```
/// let rounds = if thrifty_testkit::tool().is_some() { 20 } else { 1000 };
/// # assert!(rounds > 0);
/// ```
#[must_use]
pub fn tool() -> Option<String> {
    env::var("THRIFTY_UNDER")
        .ok()
        .filter(|tool| !tool.is_empty())
}

/// Whether the tests run under one of these tools, or under any if there are none. If so, says that `what` is skipped:
/// the caller is to go without.
///
/// # Examples
///
/// ```
/// fn a_forked_child_goes_on() {
///     if thrifty_testkit::is_skipped_under(&["tsan", "valgrind"], "a fork, which it does not follow") {
///         return;
///     }
///     // ...
/// }
/// # a_forked_child_goes_on();
/// ```
#[must_use]
pub fn is_skipped_under(tools: &[&str], what: &str) -> bool {
    let Some(tool) = tool().filter(|tool| is_among(tool, tools)) else {
        return false;
    };
    say_skipped(&format!("under {tool}: {what}"));
    true
}

fn is_among(tool: &str, tools: &[&str]) -> bool {
    tools.is_empty() || tools.contains(&tool)
}

/// Says that something is skipped.
///
/// `println` goes to the harness, which keeps what a test that passes says to itself. The lanes of `cargo xtask verify`
/// repeat such a line; it begins after whatever the harness has said.
pub(crate) fn say_skipped(what: &str) {
    let _ = writeln!(io::stdout(), "\nSKIPPED: {what}");
}

#[cfg(test)]
mod tests {
    use super::is_among;

    #[test]
    fn no_tools_are_all_tools() {
        assert!(is_among("asan", &[]));
        assert!(is_among("asan", &["tsan", "asan"]));
        assert!(!is_among("asan", &["tsan", "valgrind"]));
    }
}
