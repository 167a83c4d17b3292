use std::time::Duration;

use super::{Finished, Record, Stamp, benchstat, table};
use crate::{
    count::Count,
    runner::{self, Doubt, Effort, Judgement},
    suite::{Bar, Row, each, opaque},
};

/// A row of the suite's own making, measured for real.
fn finished(row: Row, counts: &[Count]) -> Finished {
    let effort = Effort {
        rounds: 3,
        stretch: 1,
    };
    let row = row.oracle(|| 1).budget(Duration::ZERO);
    Finished::new(runner::measure(&row, effort, |_| true).unwrap(), counts)
}

fn spinning(row: Row, name: &str, turns: u64) -> Row {
    row.contestant(name, move || {
        each(move || {
            for turn in 0..turns {
                opaque(turn);
            }
            1
        })
    })
}

fn sample() -> Finished {
    let row = Row::new("test/spin/corpus-a/2t", "a loop against a longer one").operations(10);
    let row = spinning(spinning(row, "std", 300), "thrifty", 3_000).bar(Bar::Extra {
        subject: "thrifty",
        base: "std",
        most: 0.001,
    });
    let count = |workload: &str, allocs_per_op| Count {
        workload: workload.to_owned(),
        subject: "std".to_owned(),
        bytes_per_op: 64.0,
        allocs_per_op,
        peak_bytes: 4096,
        figures: [("created".to_owned(), 3)].into(),
    };
    let counts = [
        count("test/other/1t", 9.0),
        count("test/spin/corpus-a/2t", 0.5),
    ];
    finished(row, &counts)
}

/// As if the sides had taken so long in each round, where the machine's own times are not what is tested.
fn take_as_measured(row: &mut Finished, times: &[f64]) {
    assert_eq!(row.measured.sides.len(), times.len());
    for (side, time) in row.measured.sides.iter_mut().zip(times) {
        side.series = [*time; 6].into_iter().collect();
    }
}

#[test]
fn records_have_the_names_of_the_design_and_survive_the_file() {
    let records = Record::of(&sample(), &Stamp::here(true));
    let file = Record::file(&records).unwrap();
    let read: Vec<Record> = serde_json::from_str(&file).unwrap();
    assert_eq!(read, records);
    assert_eq!(file.lines().count(), 4, "a record per line: {file}");

    let first: serde_json::Value = serde_json::to_value(&records[0]).unwrap();
    assert_eq!(first["workload"], "test/spin/corpus-a/2t");
    assert_eq!(first["subject"], "std");
    assert_eq!(first["threads"], 2);
    assert_eq!(first["corpus"], "corpus-a");
    assert_eq!(first["allocs_per_op"], 0.5);
    assert_eq!(first["peak_bytes"], 4096);
    assert_eq!(first["figures"]["created"], 3);
    assert_eq!(file.matches("figures").count(), 1, "none of who tells none");
    let table = table(&[sample()]);
    assert!(table.contains("ns/op; created 3\n"), "{table}");
    let ns = |key: &str| first[key].as_f64().unwrap();
    assert!(ns("min_ns") > 0.0);
    assert!(ns("min_ns") <= ns("low_ns") && ns("low_ns") <= ns("ns_per_op"));
    assert!(ns("ns_per_op") <= ns("high_ns") && ns("high_ns") <= ns("max_ns"));
    assert_eq!(first["quick"], true);
    assert!(first["commit"].is_string() && first["machine"].is_string());
    assert!(
        file.contains("\"bytes_per_op\":64,"),
        "a whole number: {file}"
    );

    let second: serde_json::Value = serde_json::to_value(&records[1]).unwrap();
    for key in ["bytes_per_op", "allocs_per_op", "peak_bytes"] {
        assert!(second[key].is_null(), "not counted is not zero: {second}");
    }
    assert_eq!(
        serde_json::from_str::<Vec<Record>>(&Record::file(&[]).unwrap()).unwrap(),
        []
    );
}

#[test]
fn benchstat_gets_a_line_per_round() {
    let text = benchstat(&[sample()]);
    let (head, lines): (Vec<&str>, Vec<&str>) = text
        .lines()
        .partition(|line| !line.starts_with("Benchmark"));
    assert!(head.iter().any(|line| line.starts_with("goos: ")), "{text}");
    assert_eq!(lines.len(), 12, "two sides, six rounds: {text}");
    for line in &lines {
        // A name, a count, then pairs of a number and its unit.
        let mut words = line.split_whitespace();
        let name = words.next().unwrap();
        assert!(
            name.starts_with("BenchmarkTest/spin/corpus-a/subject="),
            "{name}"
        );
        assert!(name.ends_with("-2"), "{name}");
        assert!(words.next().unwrap().parse::<u64>().unwrap() > 0);
        let rest: Vec<_> = words.collect();
        let units: Vec<_> = rest.chunks(2).map(|pair| pair[1]).collect();
        assert!(
            rest.chunks(2).all(|pair| pair[0].parse::<f64>().is_ok()),
            "{line}"
        );
        let is_counted = name.contains("=std-");
        let known: &[&str] = if is_counted {
            &["ns/op", "B/op", "allocs/op"]
        } else {
            &["ns/op"]
        };
        assert_eq!(units, known, "{line}");
    }
}

#[test]
fn the_table_shows_losses_and_missed_bars() {
    // What the machine's noise made of the bar is not what is tested here.
    let judged = |judgement| {
        let mut row = sample();
        take_as_measured(&mut row, &[30.0, 300.0]);
        row.measured.verdicts[0].judgement = judgement;
        table(&[row])
    };
    let text = judged(Judgement::Met);
    assert!(text.contains("PASS  test/spin/corpus-a/2t"), "{text}");
    assert!(text.contains("1 passed, 0 missed, 0 open"), "{text}");
    let text = judged(Judgement::Open);
    assert!(text.contains("OPEN  test/spin/corpus-a/2t"), "{text}");
    assert!(
        text.contains("0 passed, 0 missed, 1 open. Open: "),
        "{text}"
    );
    let text = judged(Judgement::Missed);
    assert!(text.contains("MISS  test/spin/corpus-a/2t"), "{text}");
    assert!(text.contains("thrifty − std ≤ 0.001 ns"), "{text}");
    let losses = text.split("Losses:").nth(1).unwrap();
    assert!(losses.contains("× std"), "{text}");

    let row = Row::new("patterns/spin/1t", "the favourite wins");
    let row = spinning(spinning(row, "bad", 3_000), "best", 30);
    let mut row = finished(row, &[]);
    take_as_measured(&mut row, &[300.0, 3.0]);
    let text = table(&[row]);
    assert!(text.contains("Losses: none in 1 rows"), "{text}");
    assert!(!text.contains("Bars:"), "{text}");
}

#[test]
fn a_wrapper_is_compared_with_its_own_base_and_no_other() {
    let row = Row::new(
        "test/wrap/1t",
        "two bases, of which one is ten times as fast",
    );
    let row = spinning(row, "std", 1);
    let row = spinning(row, "thrifty", 1).wraps("std");
    let row = spinning(row, "mimalloc", 1);
    let row = spinning(row, "thrifty-mimalloc", 1)
        .wraps("mimalloc")
        .ours();
    let row = spinning(row, "stats_alloc", 1).wraps("std");
    let mut row = finished(row, &[]);
    take_as_measured(&mut row, &[10.0, 30.0, 1.0, 3.0, 20.0]);
    let sides = row.measured.sides.iter();
    let against = |name: &str| -> Vec<&str> {
        let own = row.measured.side(name).unwrap();
        let others = sides.clone().filter(|other| other.name != name);
        let others = others.filter(|other| own.is_comparable(other));
        others.map(|other| other.name.as_str()).collect()
    };
    assert_eq!(against("thrifty"), ["std", "stats_alloc"]);
    assert_eq!(against("thrifty-mimalloc"), ["mimalloc"]);
    assert_eq!(against("std"), ["thrifty", "mimalloc", "stats_alloc"]);
    let text = table(core::slice::from_ref(&row));
    let losses = text.split("Losses:").nth(1).unwrap();
    let losses = losses.trim_start().lines();
    let losses: Vec<_> = losses.take_while(|line| !line.is_empty()).collect();
    let ends = [
        "thrifty takes 3.00 × std",
        "thrifty takes 1.50 × stats_alloc",
        "thrifty-mimalloc takes 3.00 × mimalloc",
    ];
    assert_eq!(losses.len(), ends.len(), "{text}");
    for (line, end) in losses.into_iter().zip(ends) {
        assert!(line.ends_with(end), "{line}");
    }
    let records = Record::of(&row, &Stamp::default());
    let bases: Vec<_> = records
        .iter()
        .map(|record| record.base.as_deref())
        .collect();
    let (std, mimalloc) = (Some("std"), Some("mimalloc"));
    assert_eq!(bases, [None, std, None, mimalloc, std]);
}

#[test]
fn a_noisy_row_says_why() {
    let mut row = sample();
    let wide = Doubt::Wide {
        subject: "std".to_owned(),
        share: 0.21,
    };
    row.measured.doubts = vec![Doubt::Control(0.07), wide];
    let text = table(core::slice::from_ref(&row));
    assert!(text.contains("noisy: control, wide"), "{text}");
    assert!(text.contains("1 of 1 rows are noisy"), "{text}");
    assert!(text.contains("differed from itself by 7.0 %"), "{text}");
    assert!(text.contains("'std' is known to ± 21 % only"), "{text}");
    let record = &Record::of(&row, &Stamp::default())[0];
    assert!(record.noisy);
    assert!(record.noisy_because[1].starts_with("wide: "), "{record:?}");
    row.measured.doubts.clear();
    let record = &Record::of(&row, &Stamp::default())[0];
    assert!(!record.noisy && record.noisy_because.is_empty());
}

#[test]
fn figures_of_an_invalid_row_are_marked_and_kept_from_benchstat() {
    let row = Row::new("test/sane/1t", "a planted slow side").sane_within("std", "std", 0.5);
    let row = finished(spinning(row, "std", 100), &[]);
    let text = table(core::slice::from_ref(&row));
    assert!(text.contains("INVALID test/sane/1t: 'std' takes"), "{text}");
    assert!(text.contains("DESIGN §3.9"), "{text}");
    assert!(!benchstat(core::slice::from_ref(&row)).contains("Benchmark"));
    assert!(Record::of(&row, &Stamp::default())[0].invalid.is_some());
}
