use super::{bytes, moment, per_line, ratio, shown};
use crate::tour::format::date_seconds;

#[test]
fn small_is_not_none() {
    assert_eq!(per_line(0, 10), "0");
    assert_eq!(per_line(1, 1_000_000), "< 0.0001");
    assert_eq!(per_line(5, 1_000), "0.0050");
    assert_eq!(per_line(25, 10), "2.5");
    assert_eq!(per_line(123_456, 10), "12346");
    assert_eq!(per_line(5, 0), "–");
}

#[test]
fn ratios_and_bytes() {
    assert_eq!(ratio(30, 20), "1.5×");
    assert_eq!(ratio(3_000, 2), "1500×");
    assert_eq!(ratio(1, 0), "–");
    assert_eq!(ratio(0, 1), "0×");
    assert_eq!(ratio(20, 30), "0.67×");
    assert_eq!(ratio(1, 30), "0.03×");
    assert_eq!(ratio(1, 3_000), "0.0003×");
    assert_eq!(ratio(1, 30_000), "< 0.0001×");
    assert_eq!(bytes(1023), "1023 B");
    assert_eq!(bytes(1536), "1.5 KiB");
    assert_eq!(bytes(5 << 30), "5.0 GiB");
    assert_eq!(bytes(5 << 40), "5120.0 GiB");
}

#[test]
fn moments_invert_dates() {
    let last_days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for year in [
        0, 1, 4, 99, 100, 400, 1600, 1899, 1900, 1969, 1970, 2000, 2023, 2024, 9999,
    ] {
        for (month, last) in (1_u32..).zip(last_days) {
            for day in [1, 2, last] {
                let seconds = date_seconds(year, month, day).unwrap() + 86_399;
                assert_eq!(
                    moment(seconds),
                    format!("{year:04}-{month:02}-{day:02} 23:59:59")
                );
            }
        }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        assert_eq!(date_seconds(year, 2, 29).is_some(), leap, "{year}");
    }
    assert_eq!(date_seconds(1970, 1, 1), Some(0));
    assert_eq!(date_seconds(2024, 3, 1), Some(1_709_251_200));
    for (month, day) in [(0, 1), (13, 1), (1, 0), (1, 32), (4, 31), (2, 30)] {
        assert_eq!(date_seconds(2024, month, day), None);
    }
}

#[test]
fn text_is_cut_and_harmless() {
    assert_eq!(shown("", 5), "(empty)");
    assert_eq!(shown("äöüäö", 5), "äöüäö");
    assert_eq!(shown("äöüäöü", 5), "äöüä…");
    assert_eq!(shown("a\x1b[2J\0", 10), "a·[2J·");
}
