//! How a limit is said: in bytes, or as a share of what there is.
#![forbid(unsafe_code)]

use core::fmt;
use core::str::FromStr;

/// A memory limit, as a program or its operator states it.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit::Limit;
///
/// assert_eq!(Limit::parse("2GiB")?, Limit::Bytes(2 << 30));
/// assert_eq!(Limit::parse("1.5 MB")?, Limit::Bytes(1_500_000));
/// assert_eq!(Limit::parse("75%")?, Limit::PercentOfCgroup(75));
/// assert!(Limit::parse("110%").is_err());
/// # Ok::<(), thrifty_memstats::limit::ParseLimitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// So many bytes.
    Bytes(u64),
    /// A share of the machine's memory, in percent from 1 to 100.
    PercentOfRam(u32),
    /// A share of what the process's control group may use, in percent from 1 to 100; of the
    /// machine's memory where no group sets a limit. Limits of the process's own (`ulimit -v`, `-d`)
    /// count where they are lower, on Linux.
    PercentOfCgroup(u32),
}

impl Limit {
    /// Reads `"75%"` (of the control group), `"2GiB"`, `"512m"`, `"1.5 GB"` or plain bytes.
    ///
    /// `K`, `M`, `G`, `T` with or without `iB` are powers of 1024; with `B` alone, of 1000. Case does
    /// not matter.
    ///
    /// # Errors
    ///
    /// When the text is no such thing, or the amount is zero or above what 64 bits hold.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_memstats::limit::{Limit, ParseLimitError};
    ///
    /// assert_eq!(Limit::parse("64m"), Ok(Limit::Bytes(64 << 20)));
    /// assert_eq!(Limit::parse("1e3Q"), Err(ParseLimitError::UnknownUnit));
    /// ```
    pub fn parse(text: &str) -> Result<Self, ParseLimitError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ParseLimitError::Empty);
        }
        if text.starts_with('-') {
            return Err(ParseLimitError::Negative);
        }
        let number_len = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(number_len);
        let unit = unit.trim();
        if number.is_empty() {
            return Err(ParseLimitError::NotANumber);
        }
        if unit == "%" {
            return percent(number);
        }
        let bytes = scaled(number, unit_bytes(unit)?)?;
        if bytes == 0 {
            return Err(ParseLimitError::Zero);
        }
        Ok(Self::Bytes(bytes))
    }
}

impl FromStr for Limit {
    type Err = ParseLimitError;

    fn from_str(text: &str) -> Result<Self, ParseLimitError> {
        Self::parse(text)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{bytes} B"),
            Self::PercentOfRam(percent) => write!(f, "{percent}% of the machine's memory"),
            Self::PercentOfCgroup(percent) => write!(f, "{percent}% of the control group"),
        }
    }
}

fn percent(number: &str) -> Result<Limit, ParseLimitError> {
    match number.parse::<u32>() {
        Ok(percent @ 1..=100) => Ok(Limit::PercentOfCgroup(percent)),
        Ok(0) => Err(ParseLimitError::Zero),
        Ok(_) => Err(ParseLimitError::PercentOutOfRange),
        Err(_) if number.contains('.') => Err(ParseLimitError::NotANumber),
        Err(_) => Err(ParseLimitError::PercentOutOfRange),
    }
}

fn unit_bytes(unit: &str) -> Result<u64, ParseLimitError> {
    const UNITS: &[(&str, u64)] = &[
        ("", 1),
        ("b", 1),
        ("k", 1 << 10),
        ("kib", 1 << 10),
        ("kb", 1000),
        ("m", 1 << 20),
        ("mib", 1 << 20),
        ("mb", 1_000_000),
        ("g", 1 << 30),
        ("gib", 1 << 30),
        ("gb", 1_000_000_000),
        ("t", 1 << 40),
        ("tib", 1 << 40),
        ("tb", 1_000_000_000_000),
    ];
    UNITS
        .iter()
        .find(|(name, _)| unit.eq_ignore_ascii_case(name))
        .map(|&(_, bytes)| bytes)
        .ok_or(ParseLimitError::UnknownUnit)
}

/// `"1.5"` times `unit`, rounded down, in whole numbers: a float would lose bytes of large amounts.
fn scaled(number: &str, unit: u64) -> Result<u64, ParseLimitError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return Err(ParseLimitError::NotANumber);
    }
    let whole: u128 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| ParseLimitError::TooLarge)?
    };
    // Nine digits after the point are a thousandth of a byte of the largest unit.
    let digits = &fraction[..fraction.len().min(9)];
    let part: u128 = if digits.is_empty() {
        0
    } else {
        digits.parse().map_err(|_| ParseLimitError::NotANumber)?
    };
    let unit = u128::from(unit);
    #[expect(clippy::cast_possible_truncation, reason = "at most nine")]
    let divisor = 10_u128.pow(digits.len() as u32);
    whole
        .checked_mul(unit)
        .and_then(|bytes| bytes.checked_add(part * unit / divisor))
        .and_then(|bytes| u64::try_from(bytes).ok())
        .ok_or(ParseLimitError::TooLarge)
}

/// Why a text is no limit.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit::{Limit, ParseLimitError};
///
/// let error = Limit::parse("-1").unwrap_err();
/// assert_eq!(error, ParseLimitError::Negative);
/// assert_eq!(error.to_string(), "a memory limit cannot be negative");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseLimitError {
    /// There is nothing.
    Empty,
    /// It begins with a minus.
    Negative,
    /// It does not begin with a number, or percents are not whole.
    NotANumber,
    /// What follows the number is no unit.
    UnknownUnit,
    /// More than a hundred percent.
    PercentOutOfRange,
    /// A limit of nothing.
    Zero,
    /// More bytes than 64 bits can say.
    TooLarge,
}

impl fmt::Display for ParseLimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an empty text is no memory limit",
            Self::Negative => "a memory limit cannot be negative",
            Self::NotANumber => "a memory limit begins with a number, as in 2GiB or 75%",
            Self::UnknownUnit => "unknown unit: use B, KiB, MiB, GiB, TiB (or KB, MB, …) or %",
            Self::PercentOutOfRange => "a share of memory is at most 100%",
            Self::Zero => "a memory limit cannot be zero",
            Self::TooLarge => "more bytes than 64 bits can say",
        })
    }
}

impl core::error::Error for ParseLimitError {}

/// Why a limit could not be set.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit::{self, Limit, LimitError};
///
/// assert_eq!(limit::set_soft(Limit::Bytes(0)), Err(LimitError::Zero));
/// assert_eq!(limit::set_soft(Limit::PercentOfRam(101)), Err(LimitError::PercentOutOfRange));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitError {
    /// The limit is zero bytes, or zero percent.
    Zero,
    /// A share above a hundred percent.
    PercentOutOfRange,
    /// The system does not tell of what the limit is a share.
    UnknownTotal,
    /// Nothing here can be held to the limit: [`Alloc`](crate::Alloc) is not the global allocator,
    /// and the system does not tell what is resident; or a growth in percent is asked for, which
    /// needs the allocator.
    NothingToMeasure,
    /// The controller's thread could not be started.
    Thread(std::io::ErrorKind),
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => f.write_str("a memory limit cannot be zero"),
            Self::PercentOutOfRange => f.write_str("a share of memory is at most 100%"),
            Self::UnknownTotal => {
                f.write_str("the system does not tell how much memory the limit is a share of")
            }
            Self::NothingToMeasure => f.write_str(
                "nothing to hold to the limit: thrifty_memstats::Alloc is not the global allocator",
            ),
            Self::Thread(kind) => {
                write!(
                    f,
                    "the limit controller's thread could not be started: {kind}"
                )
            }
        }
    }
}

impl core::error::Error for LimitError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_operators_write() {
        for (text, limit) in [
            ("1", Limit::Bytes(1)),
            (" 42 B ", Limit::Bytes(42)),
            ("64MiB", Limit::Bytes(64 << 20)),
            ("64mib", Limit::Bytes(64 << 20)),
            ("2G", Limit::Bytes(2 << 30)),
            ("1.5GiB", Limit::Bytes(3 << 29)),
            (".5k", Limit::Bytes(512)),
            ("2GB", Limit::Bytes(2_000_000_000)),
            ("18446744073709551615", Limit::Bytes(u64::MAX)),
            ("1%", Limit::PercentOfCgroup(1)),
            ("100 %", Limit::PercentOfCgroup(100)),
        ] {
            assert_eq!(text.parse(), Ok(limit), "{text:?}");
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        use ParseLimitError as E;
        for (text, error) in [
            ("", E::Empty),
            ("  ", E::Empty),
            ("-1", E::Negative),
            ("-5%", E::Negative),
            ("GiB", E::NotANumber),
            ("%", E::NotANumber),
            ("1.2.3", E::NotANumber),
            (".", E::NotANumber),
            ("12.5%", E::NotANumber),
            ("1e3Q", E::UnknownUnit),
            ("5 parsecs", E::UnknownUnit),
            ("5%%", E::UnknownUnit),
            ("110%", E::PercentOutOfRange),
            ("99999999999%", E::PercentOutOfRange),
            ("0", E::Zero),
            ("0%", E::Zero),
            ("0.0GiB", E::Zero),
            ("18446744073709551616", E::TooLarge),
            ("99999999999999999999999999999999999999999999", E::TooLarge),
            ("20000000TiB", E::TooLarge),
        ] {
            assert_eq!(Limit::parse(text), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            let _ = Limit::parse(&text);
        }

        #[test]
        fn whole_numbers_are_read_exactly(number in 1_u64..1 << 23, unit in 0_usize..5) {
            let text = format!("{number}{}", ["B", "KiB", "MiB", "GiB", "TiB"][unit]);
            prop_assert_eq!(Limit::parse(&text), Ok(Limit::Bytes(number << (10 * unit))));
        }
    }
}
