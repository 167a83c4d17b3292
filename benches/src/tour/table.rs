//! What the tour prints.

mod answer;
mod figures;

use core::fmt::Write;

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};

use self::figures::{bytes, per_line, ratio};
use super::{
    probe::Stage,
    timing::{Series, Timed},
    variant::Variant,
    worker::Counted,
};

/// The whole result as text.
pub(super) fn render(
    timed: &Timed,
    resident: [Option<u64>; 2],
    counted: &[Counted; 2],
    origin: &str,
) -> String {
    let lines = timed.report.lines;
    let rounds = timed.series[0].rounds();
    let mut text = String::new();
    let mut line = |content: &str| {
        text.push_str(content);
        text.push('\n');
    };
    line("Log ingestion, written twice: naively, and tuned with the standard library alone.\n");
    line(&comparison(lines, &timed.series, resident, counted).to_string());
    line(&format!(
        "Wall time: median (min to max) of {rounds} rounds taken in turns, one thread, system allocator.\n\
         B/line, allocs/line and peak heap: what the program asked for, counted in runs of their own.\n\
         Peak RSS: of a fresh process that does the job once. Every run gave the same answer.\n"
    ));
    line("What made the difference\n");
    line(&difference(lines, counted).to_string());
    for stage in Stage::ALL {
        line(&format!("{:>9}: {}", stage.name(), change(stage)));
    }
    line(&format!("\nInput: {origin}"));
    line(&answer::render(&timed.report));
    text
}

fn comparison(
    lines: u64,
    series: &[Series; 2],
    resident: [Option<u64>; 2],
    counted: &[Counted; 2],
) -> Table {
    let mut table = new_table(&[
        "",
        "wall ns/line",
        "B/line",
        "allocs/line",
        "peak heap",
        "peak RSS",
    ]);
    let optional_bytes = |value: Option<u64>| value.map_or("unknown".to_owned(), bytes);
    for (index, variant) in Variant::ALL.into_iter().enumerate() {
        let [min, median, max] = series[index].min_median_max();
        let [min, median, max] = [min, median, max].map(|time| per_line(time, lines));
        table.add_row([
            variant.name().to_owned(),
            if lines == 0 {
                median
            } else {
                format!("{median} ({min} to {max})")
            },
            per_line(counted[index].total.allocated_bytes, lines),
            per_line(counted[index].total.alloc_calls, lines),
            bytes(counted[index].peak_bytes),
            optional_bytes(resident[index]),
        ]);
    }
    let [naive, tuned] = counted;
    let [naive_time, tuned_time] = series.each_ref().map(|series| series.min_median_max()[1]);
    table.add_row([
        "naive / std-tuned".to_owned(),
        ratio(naive_time, tuned_time),
        ratio(naive.total.allocated_bytes, tuned.total.allocated_bytes),
        ratio(naive.total.alloc_calls, tuned.total.alloc_calls),
        ratio(naive.peak_bytes, tuned.peak_bytes),
        resident[0]
            .zip(resident[1])
            .map_or("unknown".to_owned(), |(a, b)| ratio(a, b)),
    ]);
    table
}

/// The stages side by side.
fn difference(lines: u64, counted: &[Counted; 2]) -> Table {
    let mut table = new_table(&[
        "stage",
        "naive B/line",
        "allocs/line",
        "tuned B/line",
        "allocs/line",
    ]);
    for stage in Stage::ALL {
        let mut row = vec![stage.name().to_owned()];
        for variant in counted {
            let cost = variant.stages[stage.index()];
            row.push(per_line(cost.allocated_bytes, lines));
            row.push(per_line(cost.alloc_calls, lines));
        }
        table.add_row(row);
    }
    table
}

/// What the tuned job does instead: words, which no figure depends on.
const fn change(stage: Stage) -> &'static str {
    match stage {
        Stage::Read => "one buffer, reused, instead of the whole file as bytes and again as text",
        Stage::Split => {
            "no stage of its own: a line is a slice of the buffer, its end is met on the way"
        }
        Stage::Parse => {
            "fields are slices of the line instead of a String each and a joined message"
        }
        Stage::Template => {
            "masked into one scratch instead of a String per field, a Vec and a join"
        }
        Stage::Count => "get_mut(&[u8]) first; a key is copied when it is new, not for every line",
        Stage::Tables => "the top rows are selected, and only they become Strings",
    }
}

fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Appends one formatted line to a text.
fn push_line(text: &mut String, line: core::fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = text.write_fmt(line);
    text.push('\n');
}
