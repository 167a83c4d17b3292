//! Settings from the environment.
#![forbid(unsafe_code)]

use core::fmt;

use super::amount::{Limit, LimitError, ParseLimitError};

/// The variable with the soft limit.
pub(crate) const LIMIT: &str = "THRIFTY_MEMORY_LIMIT";
/// The variable with the growth that starts a cycle.
pub(crate) const PERCENT: &str = "THRIFTY_TRIM_PERCENT";

/// What is wrong with an environment setting.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::limit::EnvironmentError;
///
/// let error = EnvironmentError::Percent;
/// assert_eq!(error.to_string(), "THRIFTY_TRIM_PERCENT is neither a whole number nor off");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// `THRIFTY_MEMORY_LIMIT` is no limit.
    Limit(ParseLimitError),
    /// `THRIFTY_TRIM_PERCENT` is no percentage.
    Percent,
    /// A setting could be read and not be applied.
    Set(LimitError),
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(error) => write!(f, "{LIMIT}: {error}"),
            Self::Percent => write!(f, "{PERCENT} is neither a whole number nor off"),
            Self::Set(error) => write!(f, "{LIMIT}, {PERCENT}: {error}"),
        }
    }
}

impl core::error::Error for EnvironmentError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Limit(error) => Some(error),
            Self::Percent => None,
            Self::Set(error) => Some(error),
        }
    }
}

/// What one variable says: nothing (leave it), off, or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting<T> {
    Unset,
    Off,
    To(T),
}

impl<T> From<Option<T>> for Setting<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Off, Self::To)
    }
}

pub(crate) type Settings = (Setting<Limit>, Setting<u32>);

/// Reads both; `get` is `std::env::var_os`, or a test's.
pub(crate) fn read(
    get: impl Fn(&str) -> Option<std::ffi::OsString>,
) -> Result<Settings, EnvironmentError> {
    let limit = match get(LIMIT).as_ref().map(|text| text.to_string_lossy()) {
        None => Setting::Unset,
        Some(text) if text.trim().is_empty() => Setting::Unset,
        Some(text) if is_off(&text) => Setting::Off,
        Some(text) => Setting::To(Limit::parse(&text).map_err(EnvironmentError::Limit)?),
    };
    let percent = match get(PERCENT).as_ref().map(|text| text.to_string_lossy()) {
        None => Setting::Unset,
        Some(text) if text.trim().is_empty() => Setting::Unset,
        Some(text) if is_off(&text) => Setting::Off,
        Some(text) => {
            let text = text.trim();
            let number = text.strip_suffix('%').unwrap_or(text).trim_end();
            // `parse` takes a sign too.
            if !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(EnvironmentError::Percent);
            }
            Setting::To(number.parse().map_err(|_| EnvironmentError::Percent)?)
        }
    };
    Ok((limit, percent))
}

fn is_off(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("off")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(limit: Option<&str>, percent: Option<&str>) -> Result<Settings, EnvironmentError> {
        read(|name| if name == LIMIT { limit } else { percent }.map(Into::into))
    }

    #[test]
    fn settings_are_read_as_they_are_written() {
        assert_eq!(from(None, None), Ok((Setting::Unset, Setting::Unset)));
        assert_eq!(
            from(Some(""), Some(" ")),
            Ok((Setting::Unset, Setting::Unset))
        );
        assert_eq!(
            from(Some("off"), Some("OFF")),
            Ok((Setting::Off, Setting::Off))
        );
        let set = (Setting::To(Limit::Bytes(64 << 20)), Setting::To(100));
        assert_eq!(from(Some("64MiB"), Some("100")), Ok(set));
        let share = (Setting::To(Limit::PercentOfCgroup(75)), Setting::To(50));
        assert_eq!(from(Some(" 75% "), Some("50%")), Ok(share));
        assert_eq!(from(Some("75 %"), Some(" 50 % ")), Ok(share));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = from(Some("110%"), None).unwrap_err();
        assert_eq!(
            error,
            EnvironmentError::Limit(ParseLimitError::PercentOutOfRange)
        );
        assert_eq!(
            error.to_string(),
            "THRIFTY_MEMORY_LIMIT: a share of memory is at most 100%"
        );
        for text in [
            "-1",
            "+1",
            "many",
            "1e3",
            "5%%",
            "%",
            "1 0",
            "99999999999999",
        ] {
            assert_eq!(
                from(None, Some(text)),
                Err(EnvironmentError::Percent),
                "{text:?}"
            );
        }
    }
}
