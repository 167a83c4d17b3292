//! Which orderings are weakened, to what, and which model is likely to notice.

use std::collections::BTreeMap;

use crate::{
    failure::Failure,
    tidy::{RustFile, tags},
};

/// Tags of examples and of what models are built from: they are no orderings of ours.
const OUT_OF_SCOPE: &[&str] = &["docs.", "model.", "readme."];

/// One weaker neighbour of one tagged ordering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mutant {
    pub(super) tag: String,
    /// An ordering, or `none` for a fence that is left out.
    pub(super) to: &'static str,
    /// `path:line` from the root.
    pub(super) place: String,
    /// The folder under `crates/` whose code it is.
    pub(super) owner: String,
    /// Whether it is code of a test, which no other crate's models reach.
    pub(super) in_tests: bool,
    /// What its comment says of why loom cannot see it.
    pub(super) blind: Option<String>,
}

/// Every mutant of the tags in `files`, in the order of the files.
pub(super) fn of(files: &[RustFile]) -> Result<Vec<Mutant>, Failure> {
    let mut mutants = Vec::new();
    for file in files {
        let Some((owner, rest)) = file
            .path()
            .strip_prefix("crates/")
            .and_then(|path| path.split_once('/'))
        else {
            continue;
        };
        for tag in tags::tags(file) {
            if OUT_OF_SCOPE.iter().any(|scope| tag.name.starts_with(scope)) {
                continue;
            }
            let place = format!("{}:{}", file.path(), tag.line);
            let Some(weaker) = weaker(&tag.ordering, tag.is_fence) else {
                return Err(Failure::failed(format!(
                    "{place}: {} has no weaker neighbour that loom could model; see cargo xtask tidy",
                    tag.ordering
                )));
            };
            let blind = blind(&tag.reason)
                .map_err(|why| Failure::failed(format!("{place}: ORDERING({}) {why}", tag.name)))?;
            mutants.extend(weaker.iter().map(|to| Mutant {
                tag: tag.name.clone(),
                to,
                place: place.clone(),
                owner: owner.to_owned(),
                in_tests: !rest.starts_with("src/"),
                blind: blind.clone(),
            }));
        }
    }
    Ok(mutants)
}

/// The orderings next below. A `SeqCst` fence has one below it, and is left out as well: the
/// first says that the total order is needed, the second that anything is.
fn weaker(ordering: &str, is_fence: bool) -> Option<&'static [&'static str]> {
    match (ordering, is_fence) {
        ("Relaxed", _) => Some(&[]),
        ("Acquire" | "Release", false) => Some(&["Relaxed"]),
        ("Acquire" | "Release", true) => Some(&["none"]),
        ("AcqRel", _) => Some(&["Acquire", "Release"]),
        ("SeqCst", true) => Some(&["AcqRel", "none"]),
        _ => None,
    }
}

/// The text of `[loom-blind: reason, covered by …]` in a comment.
fn blind(comment: &str) -> Result<Option<String>, &'static str> {
    let Some((_, rest)) = comment.split_once("[loom-blind") else {
        return Ok(None);
    };
    let text = rest
        .strip_prefix(':')
        .and_then(|rest| rest.split_once(']'))
        .map(|(text, _)| text.trim());
    match text.and_then(|text| text.split_once("covered by ")) {
        Some((reason, by)) if reason.trim().len() > 1 && !by.is_empty() => {
            Ok(text.map(str::to_owned))
        }
        _ => Err("says loom-blind without `[loom-blind: reason, covered by WHAT]`"),
    }
}

/// Which models a file's head says to cover a tag: the rows `| `model` | tags |` of its table.
pub(super) fn covered(files: &[RustFile]) -> BTreeMap<String, Vec<String>> {
    let mut covered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in files.iter().flat_map(RustFile::docs) {
        let mut cells = row.trim().split('|').map(str::trim);
        let (Some(""), Some(model), Some(tags)) = (cells.next(), cells.next(), cells.next()) else {
            continue;
        };
        let Some(model) = model.strip_prefix('`').and_then(|m| m.strip_suffix('`')) else {
            continue;
        };
        for tag in tags.split([',', ' ']).filter(|word| word.contains('.')) {
            covered
                .entry(tag.to_owned())
                .or_default()
                .push(model.to_owned());
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
        //! | model | tags |
        //! |---|---|
        //! | `a_is_seen` | a.put, a.get |
        //! | `b_is_seen` | a.get |
        // ORDERING(a.put): Release; pairs with a.get.
        x.store(1, ord!(a.put, Release));
        // ORDERING(a.get): Acquire; pairs with a.put. [loom-blind: it sees too
        // little, covered by the test of x]
        x.load(ord!(a.get, Acquire));
        // ORDERING(a.both): AcqRel; pairs with itself.
        x.swap(1, ord!(a.both, AcqRel));
        // ORDERING(a.last): Acquire; pairs with a.put.
        acquire_after!(a.last, x);
        // ORDERING(a.bar): SeqCst; pairs with a.bar.
        fence!(a.bar, SeqCst);
        // ORDERING(a.n): Relaxed; a number that publishes nothing.
        x.fetch_add(1, ord!(a.n, Relaxed));
        // ORDERING(model.n): Release; pairs with a.get.
        x.store(1, ord!(model.n, Release));
    ";

    fn found(path: &str, text: &str) -> Result<Vec<Mutant>, Failure> {
        of(&[RustFile::new(path, text)])
    }

    #[test]
    fn each_ordering_has_its_weaker_neighbours() {
        let mutants = found("crates/a/src/lib.rs", GOOD).unwrap();
        let shown: Vec<_> = mutants
            .iter()
            .map(|mutant| format!("{} {}", mutant.tag, mutant.to))
            .collect();
        assert_eq!(
            shown,
            [
                "a.put Relaxed",
                "a.get Relaxed",
                "a.both Acquire",
                "a.both Release",
                "a.last none",
                "a.bar AcqRel",
                "a.bar none",
            ]
        );
        assert_eq!(mutants[0].place, "crates/a/src/lib.rs:7");
        assert_eq!(mutants[0].owner, "a");
        assert!(!mutants[0].in_tests && mutants[0].blind.is_none());
        assert_eq!(
            mutants[1].blind.as_deref(),
            Some("it sees too little, covered by the test of x")
        );
        assert!(found("crates/a/tests/t.rs", GOOD).unwrap()[0].in_tests);
        assert_eq!(found("xtask/src/lib.rs", GOOD), Ok(Vec::new()));
    }

    #[test]
    fn what_cannot_be_weakened_is_refused() {
        let access = GOOD.replace("ord!(a.put, Release)", "ord!(a.put, SeqCst)");
        assert!(found("crates/a/src/lib.rs", &access).is_err());
        let typo = GOOD.replace("ord!(a.put, Release)", "ord!(a.put, Rlease)");
        assert!(found("crates/a/src/lib.rs", &typo).is_err());
    }

    #[test]
    fn blindness_needs_a_reason_and_a_cover() {
        assert_eq!(blind("Acquire; pairs with a.b."), Ok(None));
        for text in [
            "[loom-blind]",
            "[loom-blind: it is]",
            "[loom-blind: covered by x]",
            "[loom-blind: why, covered by ]",
            "[loom-blind: why, covered by x",
        ] {
            assert!(blind(text).is_err(), "{text}");
        }
        assert_eq!(
            blind("[loom-blind: why, covered by x]"),
            Ok(Some("why, covered by x".into()))
        );
    }

    #[test]
    fn the_table_in_a_files_head_is_read() {
        let covered = covered(&[RustFile::new("crates/a/src/models.rs", GOOD)]);
        assert_eq!(covered["a.put"], ["a_is_seen"]);
        assert_eq!(covered["a.get"], ["a_is_seen", "b_is_seen"]);
        assert_eq!(covered.len(), 2, "{covered:?}");
    }
}
