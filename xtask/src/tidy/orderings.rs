//! Every atomic ordering has a tag, and every tag a comment that says why and names its partner.
//!
//! The tag is what `cargo xtask loom` weakens, so an ordering without one is an ordering that no
//! check can show to be needed.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Finding, RustFile, source,
    tags::{Reason, Use, reasons, uses},
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
        if super::is_product(&file.path) && !INTERNALS.contains(&file.path.as_str()) {
            bare(file, &mut findings);
        }
        for use_ in uses {
            one_use(file, use_, &reasons, &mut findings);
            // A weaker one is weakened wherever it stands; two places would hide behind each other.
            if use_.ordering != "Relaxed"
                && let Some(first) = uses.iter().find(|first| first.tag == use_.tag)
                && first.line != use_.line
            {
                findings.push(file.finding(
                    use_.line,
                    format!(
                        "tag {} stands for {} in line {} already; each place that is stronger than \
                         Relaxed is weakened alone, so it needs a tag of its own",
                        use_.tag, use_.ordering, first.line
                    ),
                ));
            }
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
    fn a_tag_stronger_than_relaxed_stands_in_one_place() {
        let twice = |ordering: &str| GOOD.to_owned() + ordering;
        let found_twice = found(&twice("x.load(ord!(a.get, Acquire));"));
        assert_eq!(found_twice.len(), 1, "{found_twice:?}");
        assert!(found_twice[0].contains("a tag of its own"));
        assert_eq!(
            found(&twice("x.load(ord!(a.n, Relaxed));")),
            Vec::<String>::new()
        );
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
