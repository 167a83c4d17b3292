//! Dates and times of day from fixed columns.

use crate::tour::format::clock_seconds;

/// The last date seen in a format, as bytes and as seconds.
///
/// A log stays on a day for many lines, and comparing a few bytes is cheaper than a calendar.
pub(super) struct DateMemo<const N: usize> {
    last: ([u8; N], Option<i64>),
}

impl<const N: usize> Default for DateMemo<N> {
    fn default() -> Self {
        // No format has a date of zero bytes: these stand for no date, and none is what they
        // give.
        Self {
            last: ([0; N], None),
        }
    }
}

impl<const N: usize> DateMemo<N> {
    /// What `parse` makes of `date`, or made of it the last time.
    #[inline]
    pub(super) fn seconds(
        &mut self,
        date: [u8; N],
        parse: impl FnOnce([u8; N]) -> Option<i64>,
    ) -> Option<i64> {
        if date != self.last.0 {
            self.last = (date, parse(date));
        }
        self.last.1
    }
}

#[inline]
pub(super) fn month_number(name: [u8; 3]) -> Option<u32> {
    Some(match &name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

/// `14`, or ` 4`.
#[inline]
pub(super) fn day(tens: u8, ones: u8) -> Option<u32> {
    two_digits(if tens == b' ' { b'0' } else { tens }, ones)
}

#[inline]
pub(super) fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 {
        None
    } else {
        Some(u32::from(tens) * 10 + u32::from(ones))
    }
}

/// The seconds from midnight to `04:47:44`, all eight bytes at once.
#[inline]
pub(super) fn clock(text: [u8; 8]) -> Option<i64> {
    // Digits become their values, the colons 0; every other byte goes beyond its column's
    // limit. A carry leaves a byte only if that byte is above 0x7F, and then it has failed
    // itself.
    let values = u64::from_le_bytes(text) ^ u64::from_le_bytes(*b"00:00:00");
    let beyond = values.wrapping_add(u64::from_le_bytes([118, 118, 127, 118, 118, 127, 118, 118]));
    if (values | beyond) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    // Tens and ones meet in the lower byte of each pair: at most 99, so nothing is carried.
    let [hour, _, _, minute, _, _, second, _] = (values * 10 + (values >> 8)).to_le_bytes();
    clock_seconds(hour.into(), minute.into(), second.into())
}
