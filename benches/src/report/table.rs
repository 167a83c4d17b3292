//! The table, and below it what it comes to: bars, losses, noise.

use core::fmt::Write;
use std::thread;

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};

use super::Finished;
use crate::runner::{Doubt, Interval, Judgement, Side, Standing};

/// The rows as a person reads them.
#[must_use]
pub fn table(rows: &[Finished]) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header([
        "workload",
        "subject",
        "ns/op",
        "95 %",
        "B/op",
        "allocs/op",
        "peak B",
        "× fastest",
        "× first",
        "",
    ]);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in rows {
        for side in &row.measured.sides {
            table.add_row(cells(row, side));
        }
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!(
        "{table}\n\
         Median nanoseconds per operation of the rounds, sides taking turns; threads by their own\n\
         clocks, on {cores} cores. B/op, allocs/op and peak come from a second binary that counts; the peak of\n\
         several threads is an upper bound. '× first' is to the row's first subject; ratios are taken round by\n\
         round, so they need not be those of the medians.\n"
    );
    // Writing to a String does not fail.
    let _ = write!(text, "{}", figures(rows));
    let _ = write!(text, "{}{}{}", bars(rows), losses(rows), doubts(rows));
    text
}

fn cells(row: &Finished, side: &Side) -> [String; 10] {
    let measured = &row.measured;
    let is_first = measured
        .sides
        .first()
        .is_some_and(|first| first.name == side.name);
    let Interval {
        median, low, high, ..
    } = side.series.interval();
    let to = |other: &Side| {
        let ratio = side.series.over(&other.series).interval().median;
        format!("{ratio:.2}")
    };
    let count = row.count(&side.name);
    let counted = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), short);
    let mark = match (is_first, &measured.invalid) {
        (true, Some(_)) => "INVALID".to_owned(),
        (true, None) if measured.is_oversubscribed => "oversubscribed".to_owned(),
        (true, None) if measured.is_noisy() => {
            let mut words: Vec<_> = measured.doubts.iter().map(Doubt::word).collect();
            words.dedup();
            format!("noisy: {}", words.join(", "))
        }
        _ => String::new(),
    };
    [
        if is_first {
            measured.id.to_string()
        } else {
            String::new()
        },
        side.name.clone(),
        short(median),
        format!("{} to {}", short(low), short(high)),
        counted(count.map(|count| count.bytes_per_op)),
        counted(count.map(|count| count.allocs_per_op)),
        counted(count.map(|count| count.peak_bytes as f64)),
        to(measured.fastest()),
        measured.sides.first().map_or_else(String::new, to),
        mark,
    ]
}

/// Three figures that count, and no decimals where there is nothing behind the point.
fn short(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// What sides told of themselves, beside their time.
fn figures(rows: &[Finished]) -> String {
    let mut text = String::new();
    for row in rows {
        for side in &row.measured.sides {
            let Some(count) = row
                .count(&side.name)
                .filter(|count| !count.figures.is_empty())
            else {
                continue;
            };
            let told = count.figures.iter();
            let told: Vec<_> = told
                .map(|(name, value)| format!("{} {value}", name.replace('_', " ")))
                .collect();
            let (id, name, ns) = (
                &row.measured.id,
                &side.name,
                short(side.series.interval().median),
            );
            let _ = writeln!(
                text,
                "  {id:<34} {name:<26} {ns:>6} ns/op; {}",
                told.join(", ")
            );
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("\nFigures, told by the sides themselves where allocations are counted:\n{text}")
}

fn bars(rows: &[Finished]) -> String {
    let mut text = String::new();
    let (mut met, mut missed, mut open, mut unjudged) = (0, 0, 0, 0);
    for row in rows {
        let id = &row.measured.id;
        for verdict in &row.measured.verdicts {
            let bar = &verdict.bar;
            let (word, tally) = match verdict.judgement {
                Judgement::Met => ("PASS", &mut met),
                Judgement::Missed => ("MISS", &mut missed),
                Judgement::Open => ("OPEN", &mut open),
            };
            *tally += 1;
            let Interval {
                median, low, high, ..
            } = verdict.found;
            let _ = writeln!(
                text,
                "  {word}  {id:<34} {bar}: {median:.2} [{low:.2}, {high:.2}]"
            );
        }
        for bar in &row.measured.unjudged {
            unjudged += 1;
            let _ = writeln!(
                text,
                "  NOT JUDGED  {id:<27} {bar}: this build has not all of these"
            );
        }
    }
    if text.is_empty() {
        return text;
    }
    let mut tail = format!("  {met} passed, {missed} missed, {open} open");
    if unjudged > 0 {
        let _ = write!(tail, ", {unjudged} not judged");
    }
    if open > 0 {
        tail.push_str(
            ". Open: the interval holds the bar, or the figures are noisy, invalid or oversubscribed",
        );
    }
    format!("\nBars:\n{text}{tail}.\n")
}

/// Where a side of ours does not win against one that it can be compared with.
fn losses(rows: &[Finished]) -> String {
    let mut text = String::new();
    let mut contests = 0;
    for row in rows.iter().filter(|row| row.measured.invalid.is_none()) {
        let sides = &row.measured.sides;
        contests += usize::from(sides.iter().any(|side| side.is_ours));
        for own in sides.iter().filter(|side| side.is_ours) {
            let is_rival = |other: &&Side| !other.is_ours && own.is_comparable(other);
            for other in sides.iter().filter(is_rival) {
                if own.beside(other) == Standing::Slower {
                    let ratio = own.series.over(&other.series).interval().median;
                    let (id, own, other) = (&row.measured.id, &own.name, &other.name);
                    let _ = writeln!(text, "  {id:<34} {own} takes {ratio:.2} × {other}");
                }
            }
        }
    }
    match (contests, text.is_empty()) {
        (0, _) => String::new(),
        (_, true) => format!("\nLosses: none in {contests} rows.\n"),
        (_, false) => format!("\nLosses:\n{text}"),
    }
}

fn doubts(rows: &[Finished]) -> String {
    let mut text = String::new();
    let noisy = rows.iter().filter(|row| row.measured.is_noisy());
    let count = noisy.clone().count();
    if count > 0 {
        let all = rows.len();
        let _ = writeln!(
            text,
            "\n{count} of {all} rows are noisy, and were when measured again; bars of what is noisy stay open:"
        );
    }
    for row in noisy {
        for doubt in &row.measured.doubts {
            let _ = writeln!(text, "  {:<34} {doubt}", row.measured.id);
        }
    }
    for row in rows {
        if let Some(why) = &row.measured.invalid {
            let _ = writeln!(text, "\nINVALID {}: {why}", row.measured.id);
        }
    }
    text
}
