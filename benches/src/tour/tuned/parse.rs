//! One line into sub-slices of itself.
//!
//! The first byte says which formats can match, so that a line is tried as one or two of them. Fixed
//! columns are matched by array patterns, which compile to a bounds check and a few compares.

use super::scan;
use crate::tour::format::{ASSUMED_YEAR, Level, seconds};

/// A line, taken apart. No field of any format can be empty, so an empty slice is an absent field.
pub(super) struct Parsed<'a> {
    /// Every format has a time: without it the line is unparsed.
    pub(super) time: Option<i64>,
    pub(super) host: &'a [u8],
    pub(super) component: &'a [u8],
    pub(super) level: Option<Level>,
    /// The message is the line from here to its end; white space may stand before it.
    pub(super) message_at: usize,
}

/// Parses `text[..end]`, which is not blank and is followed by white space and a pad.
#[inline]
pub(super) fn parse_line(text: &[u8], end: usize) -> Parsed<'_> {
    let parsed = match text[0] {
        b'A'..=b'S' => syslog(text, end).or_else(|| access(text, end)),
        b'[' => apache(text, end).or_else(|| access(text, end)),
        b'0'..=b'9' => match text[2] {
            b'-' => android(text, end),
            b'.' => None,
            _ => hdfs(text, end).or_else(|| hpc(text, end)),
        }
        .or_else(|| access(text, end)),
        _ => hpc(text, end).or_else(|| access(text, end)),
    };
    parsed.unwrap_or(UNPARSED)
}

const UNPARSED: Parsed<'static> =
    Parsed { time: None, host: &[], component: &[], level: None, message_at: 0 };

/// The fields of a line from some point on.
struct Fields<'a> {
    text: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Fields<'a> {
    #[inline]
    fn new(text: &'a [u8], at: usize, end: usize) -> Self {
        Self { text, at, end }
    }

    /// The next field; empty at the end of the line.
    #[inline]
    fn next(&mut self) -> &'a [u8] {
        while self.at < self.end && self.text[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        if self.at >= self.end {
            return &[];
        }
        let start = self.at;
        self.at = scan::white_space(self.text, start);
        &self.text[start..self.at]
    }
}

fn syslog(text: &[u8], end: usize) -> Option<Parsed<'_>> {
    let [m1, m2, m3, b' ', d1, d2, b' ', clock @ .., gap] = *text.first_chunk::<16>()? else {
        return None;
    };
    let date = (ASSUMED_YEAR, month_number([m1, m2, m3])?, day(d1, d2)?);
    let time = seconds(date, hours_minutes_seconds(clock)?)?;
    if gap != b' ' && end > 15 {
        return None;
    }
    let mut fields = Fields::new(text, 15, end);
    let host = fields.next();
    let mut message_at = fields.at;
    let tag = fields.next();
    let mut component: &[u8] = &[];
    if let [name @ .., b':'] = tag {
        let length = name.iter().position(|byte| matches!(byte, b'[' | b'(' | b':'));
        component = &name[..length.unwrap_or(name.len())];
        if !component.is_empty() {
            message_at = fields.at;
        }
    }
    Some(Parsed { time: Some(time), host, component, level: None, message_at })
}

fn apache(text: &[u8], end: usize) -> Option<Parsed<'_>> {
    let [b'[', w1, w2, w3, b' ', m1, m2, m3, b' ', d1, d2, b' ', clock @ ..] =
        *text.first_chunk::<20>()?
    else {
        return None;
    };
    if ![w1, w2, w3].iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    let year_at = fraction_end(text, 20)?;
    let [b' ', y1, y2, y3, y4, b']'] = *text[year_at..].first_chunk()? else { return None };
    let year = i64::from(two_digits(y1, y2)?) * 100 + i64::from(two_digits(y3, y4)?);
    let date = (year, month_number([m1, m2, m3])?, day(d1, d2)?);
    let time = seconds(date, hours_minutes_seconds(clock)?)?;

    let mut message_at = year_at + 6;
    let mut fields = Fields::new(text, message_at, end);
    let (mut host, mut component, mut level): (&[u8], &[u8], _) = (&[], &[], None);
    let mut field = fields.next();
    if let [b'[', inner @ .., b']'] = field {
        if !inner.is_empty() {
            let colon = inner.iter().rposition(|&byte| byte == b':');
            level = level_by_name(&inner[colon.map_or(0, |colon| colon + 1)..]);
            component = &inner[..colon.unwrap_or(0)];
            message_at = fields.at;
            field = fields.next();
        }
    }
    if field == b"[client" {
        if let [client @ .., b']'] = fields.next() {
            if !client.is_empty() {
                host = client;
                message_at = fields.at;
            }
        }
    }
    Some(Parsed { time: Some(time), host, component, level, message_at })
}

fn android(text: &[u8], end: usize) -> Option<Parsed<'_>> {
    let [m1, m2, b'-', d1, d2, b' ', clock @ ..] = *text.first_chunk::<14>()? else {
        return None;
    };
    let date = (ASSUMED_YEAR, two_digits(m1, m2)?, two_digits(d1, d2)?);
    let time = seconds(date, hours_minutes_seconds(clock)?)?;
    let rest_at = fraction_end(text, 14)?;
    if text[rest_at] != b' ' {
        return None;
    }
    let mut fields = Fields::new(text, rest_at, end);
    if !is_number(fields.next()) || !is_number(fields.next()) {
        return None;
    }
    let level = match fields.next() {
        b"V" => Level::Trace,
        b"D" => Level::Debug,
        b"I" => Level::Info,
        b"W" => Level::Warn,
        b"E" => Level::Error,
        b"F" => Level::Fatal,
        _ => return None,
    };
    let mut message_at = fields.at;
    let field = fields.next();
    let mut component: &[u8] = &[];
    match field.iter().position(|&byte| byte == b':') {
        Some(0) => {}
        Some(colon) => {
            component = &field[..colon];
            message_at = fields.at - field.len() + colon + 1;
        }
        None => {
            if fields.next() == b":" {
                component = field;
                message_at = fields.at;
            }
        }
    }
    Some(Parsed { time: Some(time), host: &[], component, level: Some(level), message_at })
}

fn hdfs(text: &[u8], end: usize) -> Option<Parsed<'_>> {
    let [y1, y2, mo1, mo2, d1, d2, b' ', h1, h2, mi1, mi2, s1, s2, b' '] = *text.first_chunk()?
    else {
        return None;
    };
    let date = (2000 + i64::from(two_digits(y1, y2)?), two_digits(mo1, mo2)?, two_digits(d1, d2)?);
    let time = (two_digits(h1, h2)?, two_digits(mi1, mi2)?, two_digits(s1, s2)?);
    let time = seconds(date, time)?;
    let mut fields = Fields::new(text, 13, end);
    if !is_number(fields.next()) {
        return None;
    }
    let level = level_by_name(fields.next())?;
    let mut message_at = fields.at;
    let mut component: &[u8] = &[];
    if let [name @ .., b':'] = fields.next() {
        if !name.is_empty() {
            component = name;
            message_at = fields.at;
        }
    }
    Some(Parsed { time: Some(time), host: &[], component, level: Some(level), message_at })
}

fn hpc(text: &[u8], end: usize) -> Option<Parsed<'_>> {
    let mut fields = Fields::new(text, 0, end);
    if !is_number(fields.next()) {
        return None;
    }
    let (host, component, _state) = (fields.next(), fields.next(), fields.next());
    let (epoch, flag) = (fields.next(), fields.next());
    if !is_number(epoch) || !matches!(epoch.len(), 9 | 10) {
        return None;
    }
    if !is_number(flag.strip_prefix(b"-").unwrap_or(flag)) {
        return None;
    }
    let time = epoch.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some(Parsed { time: Some(time), host, component, level: None, message_at: fields.at })
}

fn access(text: &[u8], end: usize) -> Option<Parsed<'_>> {
    let mut fields = Fields::new(text, 0, end);
    let (host, _ident, _user) = (fields.next(), fields.next(), fields.next());
    let time = access_time(fields.next(), fields.next())?;
    let message_at = fields.at;
    let [b'"', method @ ..] = fields.next() else { return None };
    let is_method = method.iter().all(u8::is_ascii_uppercase);
    let component = if is_method { method } else { &[] };
    let request_at = fields.at - method.len();
    let level = status_level(text, request_at, end);
    Some(Parsed { time: Some(time), host, component, level, message_at })
}

/// The level that the status behind the request's closing quote stands for.
#[inline]
fn status_level(text: &[u8], mut at: usize, end: usize) -> Option<Level> {
    use std::io::BufRead;
    loop {
        // A quote that white space follows ends the request.
        at += (&mut &text[at..end]).skip_until(b'"').ok()?;
        if text[at - 1] == b'"' && text[at].is_ascii_whitespace() {
            break;
        }
        if at >= end {
            return None;
        }
    }
    match Fields::new(text, at, end).next() {
        [class, b'0'..=b'9', b'0'..=b'9'] => match class {
            b'1'..=b'3' => Some(Level::Info),
            b'4' => Some(Level::Warn),
            b'5' => Some(Level::Error),
            _ => None,
        },
        _ => None,
    }
}

/// `[10/Oct/2000:13:55:36` and `-0700]`.
#[inline]
fn access_time(moment: &[u8], offset: &[u8]) -> Option<i64> {
    let [b'[', d1, d2, b'/', m1, m2, m3, b'/', y1, y2, y3, y4, b':', clock @ ..] =
        *moment.first_chunk::<21>()?
    else {
        return None;
    };
    let [sign, h1, h2, o1, o2, b']'] = *offset else { return None };
    let year = i64::from(two_digits(y1, y2)?) * 100 + i64::from(two_digits(y3, y4)?);
    let date = (year, month_number([m1, m2, m3])?, two_digits(d1, d2)?);
    let local = seconds(date, hours_minutes_seconds(clock)?)?;
    let (hours, minutes) = (two_digits(h1, h2)?, two_digits(o1, o2)?);
    if moment.len() != 21 || hours > 23 || minutes > 59 {
        return None;
    }
    let offset_seconds = i64::from(hours * 3_600 + minutes * 60);
    match sign {
        b'+' => Some(local - offset_seconds),
        b'-' => Some(local + offset_seconds),
        _ => None,
    }
}

#[inline]
fn month_number(name: [u8; 3]) -> Option<u32> {
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
fn day(tens: u8, ones: u8) -> Option<u32> {
    two_digits(if tens == b' ' { b'0' } else { tens }, ones)
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 { None } else { Some(u32::from(tens) * 10 + u32::from(ones)) }
}

/// `04:47:44`.
#[inline]
fn hours_minutes_seconds(clock: [u8; 8]) -> Option<(u32, u32, u32)> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return None };
    Some((two_digits(h1, h2)?, two_digits(m1, m2)?, two_digits(s1, s2)?))
}

/// Behind `.123`, if a dot is there; a dot needs a digit.
#[inline]
fn fraction_end(text: &[u8], at: usize) -> Option<usize> {
    if text[at] != b'.' {
        return Some(at);
    }
    let digits = text[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then_some(at + 1 + digits)
}

#[inline]
fn is_number(field: &[u8]) -> bool {
    !field.is_empty() && field.iter().all(u8::is_ascii_digit)
}

#[inline]
fn level_by_name(name: &[u8]) -> Option<Level> {
    if name == b"INFO" {
        return Some(Level::Info);
    }
    const NAMES: [(&[u8], Level); 13] = [
        (b"TRACE", Level::Trace),
        (b"VERBOSE", Level::Trace),
        (b"DEBUG", Level::Debug),
        (b"INFO", Level::Info),
        (b"NOTICE", Level::Notice),
        (b"WARN", Level::Warn),
        (b"WARNING", Level::Warn),
        (b"ERROR", Level::Error),
        (b"ERR", Level::Error),
        (b"FATAL", Level::Fatal),
        (b"CRIT", Level::Fatal),
        (b"ALERT", Level::Fatal),
        (b"EMERG", Level::Fatal),
    ];
    NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|&(_, level)| level)
}
