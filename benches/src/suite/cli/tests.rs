use std::{env, fs, process, time::Duration};

use super::*;
use crate::suite::{each, opaque};

fn row(id: &str, answer: u64) -> Row {
    Row::new(id, "a row of a test")
        .oracle(|| 1)
        .budget(Duration::ZERO)
        .contestant("std", move || each(move || opaque(answer)))
}

const EFFORT: Effort = Effort {
    rounds: 2,
    stretch: 1,
};

fn args(words: &[&str]) -> Args {
    Args::try_parse_from([&"suite"].into_iter().chain(words)).unwrap()
}

fn stamp(commit: &str) -> Stamp {
    let mut stamp = Stamp::default();
    stamp.commit.push_str(commit);
    stamp
}

/// A directory that vanishes with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("thrifty-{name}-{}", process::id())))
    }

    fn records(&self) -> Vec<Record> {
        serde_json::from_str(&fs::read_to_string(self.0.join("bench.json")).unwrap()).unwrap()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // What was never made need not go.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn is(code: ExitCode, expected: u8) -> bool {
    // `ExitCode` cannot be compared; its debug text can.
    format!("{code:?}") == format!("{:?}", ExitCode::from(expected))
}

#[test]
fn what_was_measured_before_a_stop_is_kept() {
    let dir = Dir::new("stop");
    let stop = Stop::default();
    let asked = stop.clone();
    // The second row is interrupted in its first iteration, the third never begins.
    let interrupted = Row::new("test/second/1t", "interrupted")
        .oracle(|| 1)
        .budget(Duration::ZERO)
        .contestant("std", move || {
            let asked = asked.clone();
            each(move || {
                asked.0.store(true, Ordering::Relaxed);
                1
            })
        });
    let rows = [
        row("test/first/1t", 1),
        interrupted,
        row("test/third/1t", 1),
    ];
    let run = measure(&rows, &[], EFFORT, &stop);
    assert!(run.is_stopped);
    save(&run, &stamp("one"), &dir.0).unwrap();
    assert_eq!(code(&run), STOPPED);
    let records = dir.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].workload, "test/first/1t");
}

#[test]
fn a_broken_row_fails_the_run_and_the_others_are_kept() {
    let dir = Dir::new("broken");
    let rows = [row("test/wrong/1t", 2), row("test/right/1t", 1)];
    let run = measure(&rows, &[], EFFORT, &Stop::default());
    assert!(run.broken[0].contains("test/wrong/1t"), "{run:?}");
    save(&run, &stamp("one"), &dir.0).unwrap();
    assert_eq!(code(&run), 1);
    assert_eq!(dir.records().len(), 1);
    let run = measure(&rows[1..], &[], EFFORT, &Stop::default());
    save(&run, &stamp("one"), &dir.0).unwrap();
    assert_eq!(code(&run), 0);
}

#[test]
fn a_run_of_some_rows_keeps_the_others_of_its_stamp() {
    let dir = Dir::new("merge");
    let save = |id: &str, commit: &str| {
        let run = measure(&[row(id, 1)], &[], EFFORT, &Stop::default());
        save(&run, &stamp(commit), &dir.0).unwrap();
        let records = dir.records();
        let ids = records.iter().map(|record| record.workload.clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(save("test/a/1t", "one"), ["test/a/1t"]);
    assert_eq!(save("test/b/1t", "one"), ["test/a/1t", "test/b/1t"]);
    let a = || dir.records().pop().unwrap();
    assert_eq!(save("test/a/1t", "one"), ["test/b/1t", "test/a/1t"]);
    let before = a();
    save("test/a/1t", "one");
    assert_ne!(before, a(), "it is this run's record");
    assert_eq!(save("test/c/1t", "two"), ["test/c/1t"], "other code");
    fs::write(dir.0.join("bench.json"), "[{}]").unwrap();
    assert_eq!(save("test/c/1t", "two"), ["test/c/1t"], "no records");
}

#[test]
fn an_invalid_row_fails_the_run() {
    let dir = Dir::new("invalid");
    let rows = [row("test/insane/1t", 1).sane_within("std", "std", 0.5)];
    let run = measure(&rows, &[], EFFORT, &Stop::default());
    save(&run, &stamp("one"), &dir.0).unwrap();
    assert_eq!(code(&run), 1);
    assert!(dir.records()[0].invalid.is_some());
}

#[test]
fn a_filter_selects_and_one_that_selects_nothing_is_one_line() {
    let ids = |words: &[&str]| -> Vec<String> {
        let selected = args(words).selection.select().unwrap();
        selected
            .rows
            .iter()
            .map(|row| row.id().to_string())
            .collect()
    };
    let pairs = ids(&["--filter", "^memstats/pair-64b/.t$"]);
    assert_eq!(pairs.len(), 3, "{pairs:?}");
    assert!(ids(&[]).len() > 3);
    for wrong in ["no-such-row", "(", "^$"] {
        let failure = args(&["--filter", wrong]).selection.select().unwrap_err();
        assert!(is(failure.report(), 2), "{failure}");
        assert!(failure.to_string().contains(wrong));
    }
}

#[test]
fn ids_are_unique_and_every_row_can_be_held_to_something() {
    let rows = args(&[]).selection.select().unwrap().rows;
    let mut ids: Vec<_> = rows.iter().map(Row::id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), rows.len());
    for row in &rows {
        assert!(!row.contestants().is_empty(), "{}", row.id());
        assert!(row.expected().is_some(), "{} has no oracle", row.id());
        assert!(!row.reason().is_empty(), "{}", row.id());
        for side in row.contestants() {
            let name = side.name();
            // What is not marked as ours would be taken for a rival.
            // A floor is what a row costs without what it measures: nobody's rival.
            let is_ours = name.starts_with("thrifty") || ["best", "floor"].contains(&name);
            assert_eq!(side.is_ours(), is_ours, "{}: {name}", row.id());
            let is_there = |base| row.contestants().iter().any(|side| side.name() == base);
            assert!(side.base().is_none_or(is_there), "{}: {name}", row.id());
        }
    }
}

#[test]
fn texts_are_read_and_those_that_nobody_works_on_are_named() {
    let dir = Dir::new("input");
    fs::create_dir_all(&dir.0).unwrap();
    let text = dir.0.join("My Log.txt");
    fs::write(&text, "a b c").unwrap();
    let selection = args(&["--input", text.to_str().unwrap()]).selection;
    // The interner's rows look up its tokens.
    assert!(selection.select().unwrap().unused.is_empty());
    let pools = args(&["--input", text.to_str().unwrap(), "--filter=^pool/"]).selection;
    assert_eq!(pools.select().unwrap().unused, ["my-log"]);
    assert_eq!(selection.again(), [OsString::from("--input"), text.into()]);
    let failure = args(&["--input", "/no/such/file"]).selection.select();
    assert!(is(failure.unwrap_err().report(), 2));
    let selection = args(&["--filter=-x"]).selection;
    assert_eq!(selection.again(), ["--filter=-x"]);
}
