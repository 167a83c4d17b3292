//! The job as people write it on the first day: clear, correct, and allocating at every step.
//!
//! Each stage takes a collection and makes the next one. Text is owned everywhere, because an
//! owned `String` never argues with the borrow checker; keys are cloned into `HashMap::entry`,
//! because `entry` wants an owned key; a template is split, collected and joined, because that
//! is the line everyone knows. None of it is done to be slow, and all of it is found in real
//! programs.

mod parse;

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use self::parse::{Record, parse_line};
use super::{
    format::{Level, MASK},
    probe::{Probe, Stage},
    report::{Minute, Report, Table},
};

/// Reads the files and reports on them, with the `top` keys of each table.
///
/// # Errors
///
/// Those of reading the files.
pub fn run<P: Probe>(files: &[PathBuf], top: usize, probe: &mut P) -> io::Result<Report> {
    let (texts, bytes) = probe.stage(Stage::Read, || read(files))?;
    Ok(ingest(&texts, bytes, top, probe))
}

/// Reports on texts that had so many bytes, with the `top` keys of each table.
pub fn ingest<P: Probe>(texts: &[String], bytes: u64, top: usize, probe: &mut P) -> Report {
    let lines = probe.stage(Stage::Split, || split(texts));
    let records: Vec<Record> = probe.stage(Stage::Parse, || {
        lines
            .iter()
            .filter(|line| !line.is_empty())
            .map(|line| parse_line(line))
            .collect()
    });
    let templates: Vec<String> = probe.stage(Stage::Template, || {
        records
            .iter()
            .map(|record| template(&record.message))
            .collect()
    });
    let counts = probe.stage(Stage::Count, || count(&records, &templates));
    probe.stage(Stage::Tables, || Report {
        lines: lines.len() as u64,
        blank_lines: (lines.len() - records.len()) as u64,
        unparsed_lines: records.iter().filter(|record| !record.parsed).count() as u64,
        bytes,
        first_seconds: records.iter().filter_map(|record| record.time).min(),
        last_seconds: records.iter().filter_map(|record| record.time).max(),
        busiest_minute: busiest(&counts.minutes),
        levels: Level::ALL.map(|level| counts.levels.get(&level).copied().unwrap_or(0)),
        hosts: table(counts.hosts, top),
        components: table(counts.components, top),
        templates: table(counts.templates, top),
    })
}

/// The text of each file, and how many bytes they had.
fn read(files: &[PathBuf]) -> io::Result<(Vec<String>, u64)> {
    let mut texts = Vec::new();
    let mut bytes = 0;
    for file in files {
        let (text, length) = read_text(file)?;
        texts.push(text);
        bytes += length;
    }
    Ok((texts, bytes))
}

fn read_text(file: &Path) -> io::Result<(String, u64)> {
    let bytes = fs::read(file)?;
    Ok((
        String::from_utf8_lossy(&bytes).to_string(),
        bytes.len() as u64,
    ))
}

fn split(texts: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for text in texts {
        for line in text.lines() {
            lines.push(line.trim_ascii().to_string());
        }
    }
    lines
}

fn template(message: &str) -> String {
    message
        .split_ascii_whitespace()
        .map(mask)
        .collect::<Vec<String>>()
        .join(" ")
}

fn mask(field: &str) -> String {
    let Some(variable) = field.find(|c: char| c.is_ascii_digit() || c == '/') else {
        return field.to_string();
    };
    match field[..variable].rfind(['=', ':']) {
        Some(separator) => format!("{}{MASK}", &field[..=separator]),
        None => MASK.to_string(),
    }
}

struct Counts {
    templates: HashMap<String, u64>,
    hosts: HashMap<String, u64>,
    components: HashMap<String, u64>,
    levels: HashMap<Level, u64>,
    minutes: HashMap<i64, u64>,
}

fn count(records: &[Record], templates: &[String]) -> Counts {
    let mut counts = Counts {
        templates: HashMap::new(),
        hosts: HashMap::new(),
        components: HashMap::new(),
        levels: HashMap::new(),
        minutes: HashMap::new(),
    };
    for template in templates {
        *counts.templates.entry(template.clone()).or_insert(0) += 1;
    }
    for record in records {
        if let Some(host) = &record.host {
            *counts.hosts.entry(host.clone()).or_insert(0) += 1;
        }
        if let Some(component) = &record.component {
            *counts.components.entry(component.clone()).or_insert(0) += 1;
        }
        if let Some(level) = record.level {
            *counts.levels.entry(level).or_insert(0) += 1;
        }
        if let Some(time) = record.time {
            *counts.minutes.entry(time.div_euclid(60)).or_insert(0) += 1;
        }
    }
    counts
}

fn busiest(minutes: &HashMap<i64, u64>) -> Option<Minute> {
    let mut minutes: Vec<(i64, u64)> = minutes.iter().map(|(&minute, &n)| (minute, n)).collect();
    minutes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    minutes
        .first()
        .map(|&(minute, lines)| Minute::new(minute * 60, lines))
}

fn table(counts: HashMap<String, u64>, top: usize) -> Table {
    let distinct = counts.len() as u64;
    let mut rows: Vec<(String, u64)> = counts.into_iter().collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    rows.truncate(top);
    Table::new(distinct, rows)
}
