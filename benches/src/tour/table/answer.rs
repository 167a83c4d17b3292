//! The answer of the job, shortened.

use super::{
    figures::{bytes, moment, shown},
    push_line,
};
use crate::tour::{
    format::Level,
    report::{Report, Table},
};

/// What the log says, in a few lines.
pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    let Report {
        lines,
        blank_lines,
        unparsed_lines,
        ..
    } = report;
    push_line(
        &mut text,
        format_args!(
            "{lines} lines ({}), {unparsed_lines} of no known format, {blank_lines} blank",
            bytes(report.bytes),
        ),
    );
    if let (Some(first), Some(last)) = (report.first_seconds, report.last_seconds) {
        push_line(
            &mut text,
            format_args!("from {} to {} UTC", moment(first), moment(last)),
        );
    }
    if let Some(minute) = report.busiest_minute {
        let start = moment(minute.start_seconds);
        push_line(
            &mut text,
            format_args!("busiest minute: {start}, {} lines", minute.lines),
        );
    }
    let levels: Vec<String> = Level::ALL
        .iter()
        .zip(report.levels)
        .filter(|&(_, lines)| lines > 0)
        .map(|(level, lines)| format!("{} {lines}", level.name()))
        .collect();
    if !levels.is_empty() {
        push_line(&mut text, format_args!("levels: {}", levels.join(", ")));
    }
    for (name, table) in [
        ("hosts", &report.hosts),
        ("components", &report.components),
        ("templates", &report.templates),
    ] {
        push_table(&mut text, name, table);
    }
    text
}

fn push_table(text: &mut String, name: &str, table: &Table) {
    if table.top.is_empty() {
        return;
    }
    push_line(text, format_args!("\n{name}, {} distinct:", table.distinct));
    for (key, lines) in table.top.iter().take(SHOWN) {
        push_line(text, format_args!("{lines:>9}  {}", shown(key, 84)));
    }
}

/// Rows of each table: enough to see that the answer makes sense.
const SHOWN: usize = 5;
