//! The tour: one real job, written three times, and what the difference costs.
//!
//! The job is *log ingestion*: read, split lines, parse time, host, component, level and
//! message, count by template, print the top tables. [`naive`] writes it as people do,
//! [`tuned`] as an expert does with std alone, [`thrifty`] spreads the latter over threads, which
//! share interners of keys. [`mod@format`] is the grammar that all implement and [`report`] the answer that
//! all must give.

pub mod cli;
pub mod format;
pub mod input;
pub mod limited;
pub mod naive;
pub mod probe;
pub mod profiled;
pub mod report;
mod scratch;
mod table;
pub mod thrifty;
pub mod timing;
pub mod tuned;
pub mod variant;
pub mod worker;

/// How many keys of each table the measured job reports.
pub const TOP: usize = 10;
