//! The three ways to do the job, by name.

use std::{io, path::PathBuf};

use super::{naive, probe::Probe, report::Report, thrifty, tuned};

/// How the job is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// [`naive`].
    Naive,
    /// [`tuned`].
    Tuned,
    /// [`thrifty`].
    Thrifty,
}

impl Variant {
    /// All, in the order in which they take turns.
    pub const ALL: [Self; 3] = [Self::Naive, Self::Tuned, Self::Thrifty];

    /// The name that tables print.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::Tuned => "std-tuned",
            Self::Thrifty => "thrifty",
        }
    }

    /// The variant of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.name() == name)
    }

    /// Does the job.
    ///
    /// # Errors
    ///
    /// Those of reading the files.
    pub fn run<P: Probe>(self, files: &[PathBuf], top: usize, probe: &mut P) -> io::Result<Report> {
        match self {
            Self::Naive => naive::run(files, top, probe),
            Self::Tuned => tuned::run(files, top, probe),
            Self::Thrifty => thrifty::run(files, top, probe),
        }
    }
}
