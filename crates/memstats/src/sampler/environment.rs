//! The rate that the environment asks for.
#![forbid(unsafe_code)]

use crate::profile::ProfileError;

/// The variable that [`profiling_from_env`](crate::profiling_from_env) reads.
pub(super) const RATE: &str = "THRIFTY_HEAP_PROFILE_RATE";

/// The rate in bytes; `None` where the variable is missing or empty.
pub(super) fn rate() -> Result<Option<u64>, ProfileError> {
    match std::env::var(RATE) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => parse(&text).map(Some).ok_or(ProfileError::Invalid(
            "THRIFTY_HEAP_PROFILE_RATE is no number of bytes, such as 524288 or 512K",
        )),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(ProfileError::Invalid(
            "THRIFTY_HEAP_PROFILE_RATE is not text",
        )),
    }
}

/// A number with a suffix of `K`, `M` or `G`, with or without `B` or `iB` behind: powers of 1024 all.
fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, suffix) = text.split_at(digits);
    let shift = match suffix.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_suffixes_are_read() {
        assert_eq!(parse("524288"), Some(512 << 10));
        assert_eq!(parse(" 512K "), Some(512 << 10));
        assert_eq!(parse("2 MiB"), Some(2 << 20));
        assert_eq!(parse("0"), Some(0));
        for wrong in [
            "",
            "K",
            "-1",
            "1e3",
            "1.5M",
            "99999999999999999999",
            "18446744073709551615G",
            "5 apples",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
