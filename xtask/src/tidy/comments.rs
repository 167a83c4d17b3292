//! What comments must not say, and what must not be left behind.

use super::{Finding, RustFile, source};

/// The findings in any Rust file.
pub(crate) fn check(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    safety(file, &mut findings);
    markers(file, &mut findings);
    unfinished(file, &mut findings);
    findings
}

/// A safety comment answers the callee's contract; a shrug is no answer.
fn safety(file: &RustFile, findings: &mut Vec<Finding>) {
    for (at, line) in file.lines.iter().enumerate() {
        let Some((_, first)) = line.comment.split_once("SAFETY:") else {
            continue;
        };
        let mut text = first.to_owned();
        for next in file.lines.iter().skip(at + 1) {
            if next.comment.is_empty() || !next.code.trim().is_empty() {
                break;
            }
            text.push(' ');
            text.push_str(&next.comment);
        }
        let words: Vec<_> = words(&text).map(str::to_lowercase).collect();
        if words.is_empty() {
            findings.push(file.finding(at + 1, "SAFETY says nothing; say why the contract holds"));
        }
        for shrug in ["trivial", "trivially", "obvious", "obviously"] {
            if words.iter().any(|word| word == shrug) {
                findings.push(file.finding(
                    at + 1,
                    format!("SAFETY calls it {shrug}; answer the callee's contract point by point"),
                ));
            }
        }
    }
}

/// Main holds finished work: a marker is an issue that nobody filed.
fn markers(file: &RustFile, findings: &mut Vec<Finding>) {
    for (at, line) in file.lines.iter().enumerate() {
        for text in [&line.comment, &line.doc] {
            for word in words(text) {
                if word == "TODO" || word == "XXX" {
                    findings.push(file.finding(
                        at + 1,
                        format!("{word} on main; do it, or file an issue and write FIXME(#n)"),
                    ));
                }
            }
            for (found, _) in text.match_indices("FIXME") {
                let numbered = text[found..]
                    .strip_prefix("FIXME(#")
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
                if !numbered {
                    findings.push(file.finding(at + 1, "FIXME names no issue; write FIXME(#n)"));
                }
            }
        }
    }
}

/// Holes in the code and tests that are switched off.
fn unfinished(file: &RustFile, findings: &mut Vec<Finding>) {
    // Test modules count here, so the tokens are made anew from all lines.
    let tokens = source::all_tokens(&file.lines);
    for (at, token) in tokens.iter().enumerate() {
        let rest = &tokens[at..];
        for hole in ["todo", "unimplemented"] {
            if source::is_head(rest, &[hole, "!"]) {
                findings.push(file.finding(token.line, format!("{hole}! on main; finish it")));
            }
        }
        if source::is_head(rest, &["#", "[", "ignore", "]"]) {
            findings.push(file.finding(
                token.line,
                "an ignored test without a reason; write #[ignore = \"why\"]",
            ));
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&RustFile::new("crates/a/src/lib.rs", text)).len()
    }

    #[test]
    fn a_shrug_is_no_safety_comment() {
        assert_eq!(found("// SAFETY: trivial\nunsafe { f() }"), 1);
        assert_eq!(
            found("// SAFETY: the index is in range,\n// obviously.\nf()"),
            1
        );
        assert_eq!(found("// SAFETY:\nunsafe { f() }"), 1);
        assert_eq!(
            found("// SAFETY: `i < len` by invariant 1.\nunsafe { f() }"),
            0
        );
        assert_eq!(
            found("// SAFETY: by invariant 1.\nf() // the trivial case"),
            0
        );
    }

    #[test]
    fn markers_are_refused_unless_numbered() {
        assert_eq!(found(concat!("// TO", "DO: later")), 1);
        assert_eq!(found(concat!("/// TO", "DO later")), 1);
        assert_eq!(found(concat!("// FIX", "ME later")), 1);
        assert_eq!(found(concat!("// FIX", "ME(#12): later")), 0);
        assert_eq!(found("// the list of things to do"), 0);
        assert_eq!(found(concat!("let x = \"TO", "DO\";")), 0);
    }

    #[test]
    fn holes_are_refused() {
        assert_eq!(found("fn f() { todo!() }"), 1);
        assert_eq!(found("fn f() { unimplemented!(\"x\") }"), 1);
        assert_eq!(found("#[test]\n#[ignore]\nfn f() {}"), 1);
        assert_eq!(
            found("#[cfg(test)]\nmod tests { #[test] #[ignore] fn f() {} }"),
            1
        );
        assert_eq!(found("#[test]\n#[ignore = \"needs a disk\"]\nfn f() {}"), 0);
        assert_eq!(found("fn todo() {}"), 0);
    }
}
