//! The grammar: what a line is, which formats there are, and what a template is.
//!
//! The variants of the job implement this page, each in its own way; the tests hold them to
//! each other, on arbitrary bytes too.
//!
//! **Lines** end at `\n` or at the end of a file; ASCII white space at either end does not
//! belong to them, so CRLF needs no rule of its own. **Fields** are split by runs of ASCII
//! white space (space, tab, `\r`, form feed). Bytes that are not UTF-8 read as `U+FFFD`, as
//! [`String::from_utf8_lossy`] has it.
//!
//! | format | shape, tried in this order |
//! |---|---|
//! | syslog | `Mon dd HH:MM:SS host tag: message` |
//! | Apache error | `[Sun Dec 04 04:47:44 2005] [level] [client host] message`, also `.fraction` and `[module:level]` |
//! | Android | `MM-DD HH:MM:SS.mmm pid tid L tag: message` |
//! | HDFS | `yymmdd HHMMSS pid LEVEL component: message` |
//! | HPC | `id node component state epoch flag message` |
//! | web access | `host ident user [dd/Mon/yyyy:HH:MM:SS +0000] "METHOD …` |
//!
//! - **Time** is in seconds since 1970-01-01 UTC. Only web access lines carry an offset; the
//!   others are taken as UTC. Syslog and Android write no year: theirs is [`ASSUMED_YEAR`].
//! - **Component**: the syslog tag up to its first `[`, `(` or `:` (only if the tag ends with
//!   `:`); Apache's module; Android's tag; the HDFS class; the third HPC field; the request
//!   method.
//! - **Level**: by name in Apache and HDFS, by letter in Android; of a web request 5xx is an
//!   error, 4xx a warning, 1xx to 3xx information.
//! - **Message**: the rest of the line. A line of no format is *unparsed*: it is all message.
//! - **Template**: the message's fields joined by one space, the variable ones masked. A field
//!   is variable if it contains an ASCII digit or a `/`. Of such a field the part up to the
//!   last `=` or `:` before the first digit or `/` is kept: `uid=0` gives `uid=<*>`,
//!   `/10.0.0.1:80` gives `<*>`.

use serde::{Deserialize, Serialize};

/// What a variable part of a message becomes.
pub const MASK: &str = "<*>";

/// The year of dates that carry none: a leap year, so that 29 February is a date.
pub const ASSUMED_YEAR: i64 = 2024;

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// `TRACE`, `VERBOSE`, Android's `V`.
    Trace,
    /// `DEBUG`, Android's `D`.
    Debug,
    /// `INFO`, Android's `I`, a request answered by 1xx, 2xx or 3xx.
    Info,
    /// `NOTICE`.
    Notice,
    /// `WARN`, `WARNING`, Android's `W`, a request answered by 4xx.
    Warn,
    /// `ERROR`, `ERR`, Android's `E`, a request answered by 5xx.
    Error,
    /// `FATAL`, `CRIT`, `ALERT`, `EMERG`, Android's `F`.
    Fatal,
}

impl Level {
    /// Every level, the least grave first.
    pub const ALL: [Self; 7] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warn,
        Self::Error,
        Self::Fatal,
    ];

    /// The name that reports print.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// Seconds from 1970-01-01 to the start of a date in the Gregorian calendar, if there is such a
/// date.
///
/// All variants use it: arithmetic is not what they differ in.
#[must_use]
pub const fn date_seconds(year: i64, month: u32, day: u32) -> Option<i64> {
    if month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    // The year starts in March, so that the leap day is its last.
    let (shifted_year, shifted_month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = ((153 * shifted_month + 2) / 5 + day - 1) as i64;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some((era * 146_097 + day_of_era - 719_468) * 86_400)
}

/// Seconds from midnight, if there is such a time of day. A second may be 60, for leap seconds.
#[must_use]
#[inline]
pub const fn clock_seconds(hour: u32, minute: u32, second: u32) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some((hour * 3_600 + minute * 60 + second) as i64)
}

const fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}
