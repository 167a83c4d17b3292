//! What the tour prints.

mod answer;
mod figures;
mod stages;

use core::fmt::Write;

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};

pub(super) use self::figures::bytes;
use self::figures::{per_line, ratio};
use super::{
    probe::Stage,
    thrifty,
    timing::{Timed, Times},
    variant::Variant,
    worker::Counted,
};

/// The whole result as text.
pub(super) fn render(
    timed: &Timed,
    resident: [Option<u64>; VARIANTS],
    counted: &[Counted; VARIANTS],
    origin: &str,
) -> String {
    let lines = timed.report.lines;
    let rounds = timed.times[0].total.rounds();
    let threads = match thrifty::threads(timed.report.bytes) {
        1 => "each on one thread.".to_owned(),
        threads => format!(
            "naive and std-tuned\n\
             on one thread, thrifty on {threads}, so that its ratios in time are those of threads, too."
        ),
    };
    let mut text = String::new();
    let mut line = |content: &str| {
        text.push_str(content);
        text.push('\n');
    };
    line(
        "Log ingestion, written three times: naively, tuned with the standard library alone, and\n\
         the latter spread over threads that share interners of hosts, components and templates (thrifty).\n",
    );
    line(&comparison(lines, &timed.times, resident, counted).to_string());
    line(&format!(
        "Wall time: median (min to max) of {rounds} rounds taken in turns, system allocator; {threads}\n\
         B/line, allocs/line and peak heap: what the program asked for, counted in runs of their own.\n\
         Peak RSS: of a fresh process that does the job once. Every run gave the same answer.\n"
    ));
    line("What made the difference\n");
    let rows = stages::rows(timed, counted);
    line(&stages::table(lines, &rows).to_string());
    line(
        "Time: medians of the same rounds. What is a pass over all lines in naive is a step of one loop\n\
         in std-tuned, timed as a whole: a clock around each step would cost as much as the step.\n\
         The rest: opening files, giving memory back.\n",
    );
    if let Some(losses) = stages::losses(&rows) {
        line(&format!(
            "On this input std-tuned needed more than naive for {losses}.\n"
        ));
    }
    let (tuned, own) = (&timed.times[1].total, &timed.times[2].total);
    if tuned.median() <= own.median() {
        line("On this input and machine thrifty was no faster than std-tuned.\n");
    }
    line("What std-tuned does differently");
    for stage in Stage::ALL {
        line(&format!("{:>9}: {}", stage.name(), stages::change(stage)));
    }
    line(
        "What thrifty does differently\n  \
         threads: each takes its turn to read a chunk of the log, then parses and counts it alone\n    \
         names: an Interner for all threads makes each host, component and template a number, and keeps one copy;\n           \
         a thread counts by number in a vector; the vectors are added up, and numbers become text for the report\n   \
         memory: the templates of a chunk lie in an Arena until they are looked up together, then it is reset;\n           \
         chunks go from thread to thread through a BufferPool",
    );
    line(&format!("\nInput: {origin}"));
    line(&answer::render(&timed.report));
    text
}

fn comparison(
    lines: u64,
    times: &[Times; VARIANTS],
    resident: [Option<u64>; VARIANTS],
    counted: &[Counted; VARIANTS],
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
        let [min, median, max] = times[index].total.min_median_max();
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
    for [one, other] in [[0, 1], [0, 2], [1, 2]] {
        let [one_name, other_name] = [one, other].map(|index| Variant::ALL[index].name());
        let [one_time, other_time] = [one, other].map(|index| times[index].total.median());
        let (one_cost, other_cost) = (&counted[one], &counted[other]);
        table.add_row([
            format!("{one_name} / {other_name}"),
            ratio(one_time, other_time),
            ratio(
                one_cost.total.allocated_bytes,
                other_cost.total.allocated_bytes,
            ),
            ratio(one_cost.total.alloc_calls, other_cost.total.alloc_calls),
            ratio(one_cost.peak_bytes, other_cost.peak_bytes),
            resident[one]
                .zip(resident[other])
                .map_or("unknown".to_owned(), |(a, b)| ratio(a, b)),
        ]);
    }
    table
}

const VARIANTS: usize = Variant::ALL.len();

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
