use std::{collections::BTreeSet, fs, path::Path};

use super::rows;

#[test]
fn every_side_gives_the_answer_of_the_oracle() {
    for row in rows() {
        let expected = row.expected().expect("every row has an oracle");
        for side in row.contestants() {
            let subject = side.make();
            let mut worker = subject.worker(0);
            assert_eq!(worker.run(1), expected, "{} {}", row.id(), side.name());
            // Sides that keep something give the same answer again.
            let twice = expected.wrapping_mul(2);
            assert_eq!(worker.run(2), twice, "{} {}", row.id(), side.name());
        }
    }
}

#[test]
fn rows_have_a_bad_and_a_best_side_and_ids_of_their_own() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        let sides: Vec<&str> = row.contestants().iter().map(|side| side.name()).collect();
        let expected: &[&str] = match row.id().as_str() {
            "patterns/append-1000/1t" => &["bad", "good", "best", "by-index"],
            "patterns/join-1000/1t" => &["bad", "good", "best", "clone"],
            _ if sides.len() == 2 => &["bad", "best"],
            _ => &["bad", "good", "best"],
        };
        assert_eq!(sides, expected, "{}", row.id());
        // Where there is a name of its own, the row says what it is.
        let is_said = |side: &&str| row.reason().contains(&format!("({side})"));
        assert!(sides.len() < 4 || sides.iter().all(is_said), "{}", row.id());
        assert!(seen.insert(row.id().clone()), "{} twice", row.id());
    }
}

/// The pages, name and text.
fn pages() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/patterns");
    let mut pages = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        pages.push((name, fs::read_to_string(path).unwrap()));
    }
    pages.sort_unstable();
    pages
}

#[test]
fn the_pages_name_every_row_and_no_other() {
    let ids: BTreeSet<String> = rows().iter().map(|row| row.id().to_string()).collect();
    let mut named = BTreeSet::new();
    for (page, text) in pages() {
        for code in text.split('`').skip(1).step_by(2) {
            if code.starts_with("patterns/") {
                named.insert(code.to_owned());
            }
            if let Some((_, filter)) = code.split_once("--filter ") {
                let is_met = ids.iter().any(|id| id.contains(filter));
                assert!(is_met, "{page}: no row is called {filter}");
            }
        }
    }
    assert_eq!(named, ids);
}

#[test]
fn the_index_lists_every_page() {
    let pages = pages();
    let (_, index) = pages.iter().find(|(name, _)| name == "README").unwrap();
    for (name, text) in &pages {
        let is_listed = index.contains(&format!("[{name}]({name}.md)"));
        assert!(is_listed || name == "README", "{name} is not listed");
        let is_complete = [
            "// bad",
            "// best",
            "**When it does not matter.**",
            "**Figures.**",
        ]
        .iter()
        .all(|part| text.contains(part));
        // Which side is which depends on the size there.
        let is_special = ["README", "by-value", "channel"].contains(&&**name);
        assert!(is_complete || is_special, "{name} lacks a part");
    }
}
