//! The shape of text files: length, tabs, spaces at line ends, the last newline.

use super::Finding;

/// The longest Rust file. One idea per file: most have under 250 lines.
const MAX_LINES: usize = 600;

/// The findings in one text file.
pub(crate) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::new(
                path,
                at + 1,
                "white space at the end of the line; `cargo xtask tidy --bless` removes it",
            ));
        }
        if line.contains('\t') && !line.trim_end().is_empty() {
            findings.push(Finding::new(path, at + 1, "a tab; use spaces"));
        }
    }
    if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
        findings.push(Finding::new(
            path,
            text.lines().count(),
            "the file does not end in exactly one newline; `cargo xtask tidy --bless` mends it",
        ));
    }
    let lines = text.lines().count();
    if path.ends_with(".rs") && lines > MAX_LINES {
        findings.push(Finding::new(
            path,
            lines,
            format!("{lines} lines; split the file, {MAX_LINES} is the most"),
        ));
    }
    findings
}

/// The text with what can be mended mechanically mended.
pub(crate) fn blessed(text: &str) -> String {
    let mut blessed = String::with_capacity(text.len());
    for line in text.lines() {
        blessed.push_str(line.trim_end());
        blessed.push('\n');
    }
    let kept = blessed.trim_end_matches('\n').len();
    blessed.truncate(kept);
    if !blessed.is_empty() {
        blessed.push('\n');
    }
    blessed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_file_passes() {
        assert_eq!(check("a.rs", "fn f() {}\n\nfn g() {}\n"), []);
        assert_eq!(check("a.rs", ""), []);
    }

    #[test]
    fn stray_white_space_is_found_and_mended() {
        for text in ["a \n", "a\t\n", "a\r\n", "a", "a\n\n", "a\n \n"] {
            assert!(!check("a.md", text).is_empty(), "{text:?}");
            assert_eq!(blessed(text), "a\n", "{text:?}");
            assert_eq!(check("a.md", &blessed(text)), [], "{text:?}");
        }
        assert_eq!(check("a.rs", "\tf();\n").len(), 1);
    }

    #[test]
    fn a_long_file_is_refused() {
        let text = "x\n".repeat(MAX_LINES + 1);
        assert_eq!(check("a.rs", &text).len(), 1);
        assert_eq!(check("a.md", &text), []);
        assert_eq!(check("a.rs", &"x\n".repeat(MAX_LINES)), []);
    }
}
