//! Which rows, on which texts. Both programs of the suite understand the same flags.

use core::iter;
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use regex_lite::Regex;

use super::Failure;
use crate::suite::{self, Context, Input, Row};

/// What to measure.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Selection {
    /// Take a quarter of the time: at least 15 rounds per row instead of 31, and leave out the rows that
    /// are too large for it
    #[arg(long)]
    pub(super) quick: bool,

    /// Only the rows whose id this regular expression matches, as in `^memstats/.*/1t$`
    #[arg(long, value_name = "RE")]
    pub(super) filter: Option<String>,

    /// Work on these texts, too, where a row works on texts
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) input: Vec<PathBuf>,
}

/// The rows that were asked for.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) rows: Vec<Row>,
    /// Texts that none of these rows works on.
    pub(super) unused: Vec<String>,
}

impl Selection {
    /// Reads the texts and finds the rows; no row at all is a mistyped filter.
    pub(super) fn select(&self) -> Result<Selected, Failure> {
        let mut context = Context::default();
        for (path, name) in self.input.iter().zip(names(&self.input)) {
            let text = fs::read(path).map_err(|error| {
                Failure::usage(format!("cannot read {}: {error}", path.display()))
            })?;
            context.inputs.push(Input { name, text });
        }
        let mut rows = suite::rows(&context);
        rows.retain(|row| !(self.quick && row.is_thorough()));
        let rows = self.filtered(rows)?;
        let is_used = |name: &str| rows.iter().any(|row| row.id().corpus() == Some(name));
        let names = context.inputs.iter().map(|input| &input.name);
        let unused = names.filter(|name| !is_used(name)).cloned().collect();
        Ok(Selected { rows, unused })
    }

    fn filtered(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, Failure> {
        let Some(filter) = &self.filter else {
            return Ok(rows);
        };
        let regex = Regex::new(filter).map_err(|error| {
            Failure::usage(format!("'{filter}' is no regular expression: {error}"))
        })?;
        let count = rows.len();
        rows.retain(|row| regex.is_match(row.id().as_str()));
        if rows.is_empty() {
            return Err(Failure::usage(format!(
                "none of the {count} rows matches '{filter}'; ids look like memstats/pair-64b/1t"
            )));
        }
        Ok(rows)
    }

    /// The flags that make the other program select the same.
    pub(super) fn again(&self) -> Vec<OsString> {
        let mut args = Vec::new();
        if self.quick {
            args.push("--quick".into());
        }
        if let Some(filter) = &self.filter {
            // In one word: the expression may begin with a dash.
            args.push(format!("--filter={filter}").into());
        }
        if !self.input.is_empty() {
            args.push("--input".into());
            args.extend(self.input.iter().map(|path| path.clone().into_os_string()));
        }
        args
    }
}

/// What the files are called in ids, each by another name: files of one stem by their directories,
/// too, and what is still the same then by a number.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let stem = |path: &PathBuf| word(&path.file_stem().unwrap_or_default().to_string_lossy());
    let stems: Vec<String> = paths.iter().map(stem).collect();
    let mut names: Vec<String> = Vec::new();
    for (path, stem) in paths.iter().zip(&stems) {
        let is_shared = stems.iter().filter(|other| *other == stem).count() > 1;
        let directory = path.parent().and_then(Path::file_name);
        let name = match directory {
            Some(directory) if is_shared => {
                format!("{}-{stem}", word(&directory.to_string_lossy()))
            }
            _ => stem.clone(),
        };
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut free = iter::once(name.clone()).chain(numbered);
        names.extend(free.find(|name| !names.contains(name)));
    }
    names
}

/// A file's name as a part of an id.
fn word(stem: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    let lower = stem.to_lowercase();
    let word: String = lower
        .chars()
        .map(|c| if is_allowed(c) { c } else { '-' })
        .collect();
    if word.is_empty() {
        "input".to_owned()
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::Id;

    #[test]
    fn any_file_name_becomes_part_of_an_id() {
        for stem in ["", "syslog", "My Log", "ÄÖ", "a/b", "x.y_1"] {
            let id = format!("interner/hit/{}/1t", word(stem));
            assert!(Id::parse(&id).is_some(), "{id}");
        }
        assert_eq!(word("My Log.1"), "my-log.1");
    }

    #[test]
    fn files_of_one_stem_get_names_of_their_own() {
        let names = |paths: &[&str]| {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            names(&paths)
        };
        assert_eq!(names(&["a/x.log", "b/y.log"]), ["x", "y"]);
        assert_eq!(names(&["a/x.log", "b/x.txt"]), ["a-x", "b-x"]);
        assert_eq!(names(&["x.log", "b/X.txt"]), ["x", "b-x"]);
        assert_eq!(names(&["x.log", "x.txt", "x"]), ["x", "x-2", "x-3"]);
        assert_eq!(
            names(&["a/x", "a/x", "1/a/x", "a-x"]),
            ["a-x", "a-x-2", "a-x-3", "a-x-4"]
        );
    }
}
