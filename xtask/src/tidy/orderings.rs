//! Every atomic ordering has a tag, and every tag a comment that says why and names its partner.
//!
//! The tag is what `cargo xtask loom` weakens, so an ordering without one is an ordering that no
//! check can show to be needed.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Finding, RustFile,
    source::{self, Token},
};

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// Where the orderings themselves are made of bare ones.
const INTERNALS: &[&str] = &[
    // The macros and the switch behind them.
    "crates/sync/src/ord.rs",
    // Counts executions with an atomic that loom must not see.
    "crates/sync/src/model.rs",
    // The re-exports.
    "crates/sync/src/atomic.rs",
];

/// A use of `ord!`, `fence!` or `acquire_after!`.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    line: usize,
    tag: String,
    ordering: String,
    is_fence: bool,
}

/// An `ORDERING(tag):` comment.
#[derive(Debug, PartialEq, Eq)]
struct Reason {
    line: usize,
    tag: String,
    text: String,
    partners: Vec<String>,
}

/// The findings in the product crates' sources and tests.
pub(crate) fn check(files: &[RustFile]) -> Vec<Finding> {
    let files: Vec<_> = files
        .iter()
        .filter(|file| file.path.starts_with("crates/"))
        .collect();
    let uses: Vec<_> = files.iter().map(|file| uses(&file.tokens)).collect();
    let all: BTreeSet<&str> = uses
        .iter()
        .flatten()
        .map(|use_| use_.tag.as_str())
        .collect();
    let mut findings = Vec::new();
    let mut home: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for (file, uses) in files.iter().zip(&uses) {
        let reasons = reasons(file);
        if file.path.contains("/src/") && !INTERNALS.contains(&file.path.as_str()) {
            bare(file, &mut findings);
        }
        for use_ in uses {
            one_use(file, use_, &reasons, &mut findings);
            // One tag is one decision: in another file, or with another ordering, it is another.
            let here = (file.path.as_str(), use_.ordering.as_str());
            let first = *home.entry(&use_.tag).or_insert(here);
            if first != here {
                findings.push(file.finding(
                    use_.line,
                    format!(
                        "tag {} is {} in {} and {} here; give this one a tag of its own",
                        use_.tag, first.1, first.0, here.1
                    ),
                ));
            }
        }
        for reason in &reasons {
            one_reason(file, reason, uses, &all, &mut findings);
        }
    }
    findings
}

/// A bare ordering, imported or in place.
fn bare(file: &RustFile, findings: &mut Vec<Finding>) {
    for (line, path) in source::paths(&file.tokens) {
        let [.., owner, name] = path.as_slice() else {
            continue;
        };
        if owner == "Ordering" && (ORDERINGS.contains(&name.as_str()) || name == "*") {
            findings.push(file.finding(
                line,
                format!("Ordering::{name} has no tag; write `ord!(tag, {name})`"),
            ));
        }
    }
}

fn one_use(file: &RustFile, use_: &Use, reasons: &[Reason], findings: &mut Vec<Finding>) {
    let tag = &use_.tag;
    if !ORDERINGS.contains(&use_.ordering.as_str()) {
        findings.push(file.finding(use_.line, format!("{} is no ordering", use_.ordering)));
    }
    if use_.ordering == "SeqCst" && !use_.is_fence {
        findings.push(file.finding(
            use_.line,
            "a SeqCst access is weaker under loom than in truth; use `fence!(tag, SeqCst)`",
        ));
    }
    let mut own = reasons.iter().filter(|reason| reason.tag == *tag);
    let Some(reason) = own.next() else {
        findings.push(file.finding(
            use_.line,
            format!("tag {tag} has no `// ORDERING({tag}): why, pairs with …` in this file"),
        ));
        return;
    };
    if use_.ordering != "Relaxed" && reason.partners.is_empty() {
        findings.push(file.finding(
            reason.line,
            format!(
                "ORDERING({tag}) is {} and names no partner: add `pairs with TAG`",
                use_.ordering
            ),
        ));
    }
    let first = reason.text.split(|c: char| !c.is_alphanumeric()).next();
    if let Some(stated) = first.filter(|word| ORDERINGS.contains(word))
        && stated != use_.ordering
    {
        findings.push(file.finding(
            reason.line,
            format!(
                "ORDERING({tag}) says {stated}, the code says {}",
                use_.ordering
            ),
        ));
    }
}

fn one_reason(
    file: &RustFile,
    reason: &Reason,
    uses: &[Use],
    all: &BTreeSet<&str>,
    findings: &mut Vec<Finding>,
) {
    let tag = &reason.tag;
    if !uses.iter().any(|use_| use_.tag == *tag) {
        findings.push(file.finding(
            reason.line,
            format!("ORDERING({tag}) explains a tag that this file does not use"),
        ));
    }
    if reason.text.is_empty() {
        findings.push(file.finding(reason.line, format!("ORDERING({tag}) says nothing")));
    }
    for partner in &reason.partners {
        if !all.contains(partner.as_str()) {
            findings.push(file.finding(
                reason.line,
                format!("ORDERING({tag}) pairs with {partner}, which is no tag"),
            ));
        }
    }
}

/// The tagged orderings among the tokens. A macro's own `$tag` is none.
fn uses(tokens: &[Token]) -> Vec<Use> {
    let mut uses = Vec::new();
    for at in 0..tokens.len() {
        let name = tokens[at].text.as_str();
        if !matches!(name, "ord" | "fence" | "acquire_after")
            || !source::is_head(&tokens[at + 1..], &["!", "("])
        {
            continue;
        }
        let inside = &tokens[at + 3..];
        let Some(comma) = inside.iter().position(|token| token.text == ",") else {
            continue;
        };
        let tag: String = inside[..comma]
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        if tag.contains('$') || tag.is_empty() {
            continue;
        }
        let ordering = match name {
            "acquire_after" => "Acquire",
            _ => inside
                .get(comma + 1)
                .map_or("", |token| token.text.as_str()),
        };
        uses.push(Use {
            line: tokens[at].line,
            tag,
            ordering: ordering.to_owned(),
            is_fence: name == "fence",
        });
    }
    uses
}

/// The `ORDERING(…)` comments; each runs to the next one or to the end of its block of comments.
fn reasons(file: &RustFile) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    let mut open = false;
    for (number, line) in file.lines.iter().enumerate() {
        let text = line.comment.trim();
        if text.is_empty() {
            open = false;
            continue;
        }
        let mut pieces = text.split("ORDERING(");
        let before = pieces.next().unwrap_or_default();
        if open && let Some(last) = reasons.last_mut() {
            last.text.push(' ');
            last.text.push_str(before.trim());
        }
        for piece in pieces {
            let Some((tag, text)) = piece.split_once("):") else {
                continue;
            };
            open = true;
            reasons.push(Reason {
                line: number + 1,
                tag: tag.to_owned(),
                text: text.trim().to_owned(),
                partners: Vec::new(),
            });
        }
        // Code on the line ends the block: what follows it is another comment.
        if !line.code.trim().is_empty() && !text.contains("ORDERING(") {
            open = false;
        }
    }
    for reason in &mut reasons {
        reason.partners = partners(&reason.text);
    }
    reasons
}

/// The tags after each "pairs with": `a.b`, `a.b and c.d`, `a.b, c.d`.
fn partners(text: &str) -> Vec<String> {
    let mut partners = Vec::new();
    for part in text.split("pairs with").skip(1) {
        for word in part.split_whitespace() {
            let name = word.trim_matches(['`', ',', '.', ';', ':', ')']);
            if name == "and" {
                continue;
            }
            if !is_tag(name) {
                break;
            }
            partners.push(name.to_owned());
            let more = word.ends_with(',') || !word.ends_with(['.', ';', ':', ')']);
            if !more {
                break;
            }
        }
    }
    partners
}

fn is_tag(name: &str) -> bool {
    name.contains('.')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
        // ORDERING(a.put): Release; pairs with a.get and
        // a.last, so that the value is seen.
        x.store(1, ord!(a.put, Release));
        // ORDERING(a.get): Acquire; pairs with `a.put`.
        x.load(ord!(a.get, Acquire));
        // ORDERING(a.last): Acquire; pairs with a.put.
        acquire_after!(a.last, x);
        // ORDERING(a.bar): SeqCst; pairs with a.bar.
        fence!(a.bar, SeqCst);
        // ORDERING(a.n): Relaxed; a number that publishes nothing.
        x.fetch_add(1, ord!(a.n, Relaxed));
        let o = core::cmp::Ordering::Less;
    ";

    fn found(text: &str) -> Vec<String> {
        check(&[RustFile::new("crates/a/src/lib.rs", text)])
            .iter()
            .map(|finding| finding.message.clone())
            .collect()
    }

    #[test]
    fn explained_and_paired_orderings_pass() {
        assert_eq!(found(GOOD), Vec::<String>::new());
    }

    #[test]
    fn each_planted_fault_is_found() {
        for (from, to, message) in [
            ("ord!(a.get, Acquire)", "Ordering::Acquire", "has no tag"),
            ("ord!(a.n, Relaxed)", "ord!(a.m, Relaxed)", "tag a.m has no"),
            (
                "with `a.put`",
                "with a.pot",
                "pairs with a.pot, which is no tag",
            ),
            ("pairs with `a.put`", "see there", "names no partner"),
            ("x.load(ord!(a.get, Acquire));", "", "does not use"),
            (
                "ord!(a.get, Acquire)",
                "ord!(a.get, SeqCst)",
                "weaker under loom",
            ),
            (
                "ord!(a.get, Acquire)",
                "ord!(a.get, AcqRel)",
                "the code says AcqRel",
            ),
            (
                "ord!(a.get, Acquire)",
                "ord!(a.get, Aquire)",
                "is no ordering",
            ),
            (
                "Relaxed; a number that publishes nothing.",
                "",
                "says nothing",
            ),
            (
                "acquire_after!(a.last, x)",
                "ord!(a.put, Relaxed)",
                "a tag of its own",
            ),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let found = found(&GOOD.replace(from, to));
            assert!(
                found.iter().any(|found| found.contains(message)),
                "{from} -> {to}: {found:?}"
            );
        }
    }

    #[test]
    fn imported_orderings_are_bare_too() {
        for text in [
            "use thrifty_sync::atomic::Ordering::Relaxed;",
            "use a::Ordering::*;",
        ] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn macro_definitions_and_documentation_are_no_uses() {
        assert_eq!(
            found(
                "/// // ORDERING(docs.a): x\n/// ord!(docs.a, Relaxed)\nfence!($($tag).+, Acquire)"
            ),
            Vec::<String>::new()
        );
    }

    #[test]
    fn one_tag_in_two_files_is_refused() {
        let findings = check(&[
            RustFile::new("crates/a/src/a.rs", GOOD),
            RustFile::new("crates/a/src/b.rs", GOOD),
        ]);
        assert_eq!(findings.len(), 5, "{findings:?}");
    }
}
