//! One line into sub-slices of itself.
//!
//! The first byte says which formats can match, so that a line is tried as one or two of them.
//! Fixed columns are matched by array patterns, which compile to a bounds check and a few
//! compares.

use super::{
    scan,
    time::{DateMemo, clock, day, month_number, two_digits},
};
use crate::tour::format::{ASSUMED_YEAR, Level, clock_seconds, date_seconds};

/// A line, taken apart. No field of any format can be empty, so an empty slice is an absent
/// field.
pub(in crate::tour) struct Parsed<'a> {
    /// Every format has a time: without it the line is unparsed.
    pub(in crate::tour) time: Option<i64>,
    pub(in crate::tour) host: &'a [u8],
    pub(in crate::tour) component: &'a [u8],
    pub(in crate::tour) level: Option<Level>,
    /// The message is the line from here to its end; white space may stand before it.
    pub(in crate::tour) message_at: usize,
}

/// Parses lines. Its state is a memory of dates, since most lines share theirs with the one
/// before.
#[derive(Default)]
pub(in crate::tour) struct Parser {
    syslog_date: DateMemo<6>,
    hdfs_date: DateMemo<6>,
    access_date: DateMemo<11>,
}

impl Parser {
    /// Parses the line at the start of `text`, which starts with no white space and ends with
    /// `\n`; more lines and a pad follow.
    ///
    /// No rule can match across the line's end, since each wants something that is no white
    /// space.
    #[inline]
    pub(in crate::tour) fn line<'a>(&mut self, text: &'a [u8]) -> Parsed<'a> {
        let parsed = match text[0] {
            b'A'..=b'S' => syslog(&mut self.syslog_date, text),
            b'[' => apache(text),
            b'0'..=b'9' if text[2] == b'-' => android(text).or_else(|| hpc(text)),
            b'0'..=b'9' => hdfs(&mut self.hdfs_date, text).or_else(|| hpc(text)),
            _ => None,
        };
        parsed
            .or_else(|| access(&mut self.access_date, text))
            .unwrap_or(UNPARSED)
    }
}

const UNPARSED: Parsed<'static> = Parsed {
    time: None,
    host: &[],
    component: &[],
    level: None,
    message_at: 0,
};

/// The fields of a line from some point on.
struct Fields<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    #[inline]
    fn new(text: &'a [u8], at: usize) -> Self {
        Self { text, at }
    }

    /// The next field; empty at the end of the line.
    #[expect(
        clippy::inline_always,
        reason = "a call costs more than the field: 0.97 of the time"
    )]
    #[inline(always)]
    fn next(&mut self) -> &'a [u8] {
        // Nearly always there is one space between two fields.
        let start = self.at + usize::from(self.text[self.at] == b' ');
        self.at = scan::white_space(self.text, start);
        if self.at == start {
            self.behind_a_run()
        } else {
            &self.text[start..self.at]
        }
    }

    /// The next field, from somewhere in a run of white space.
    #[cold]
    fn behind_a_run(&mut self) -> &'a [u8] {
        while self.text[self.at].is_ascii_whitespace() {
            if self.text[self.at] == b'\n' {
                return &[];
            }
            self.at += 1;
        }
        let start = self.at;
        self.at = scan::white_space(self.text, start);
        &self.text[start..self.at]
    }
}

#[inline]
fn syslog<'a>(memo: &mut DateMemo<6>, text: &'a [u8]) -> Option<Parsed<'a>> {
    let [date @ .., b' ', h1, h2, c1, m1, m2, c2, s1, s2, gap] = *text.first_chunk::<16>()? else {
        return None;
    };
    let date = memo.seconds(date, |[m1, m2, m3, gap, d1, d2]| {
        let day = (gap == b' ').then(|| day(d1, d2))??;
        date_seconds(ASSUMED_YEAR, month_number([m1, m2, m3])?, day)
    })?;
    let time = date + clock([h1, h2, c1, m1, m2, c2, s1, s2])?;
    if !gap.is_ascii_whitespace() {
        return None;
    }
    let mut fields = Fields::new(text, 15);
    let host = fields.next();
    let mut message_at = fields.at;
    let tag = fields.next();
    let mut component: &[u8] = &[];
    if let [name @ .., b':'] = tag {
        let length = name
            .iter()
            .position(|byte| matches!(byte, b'[' | b'(' | b':'));
        component = &name[..length.unwrap_or(name.len())];
        if !component.is_empty() {
            message_at = fields.at;
        }
    }
    Some(Parsed {
        time: Some(time),
        host,
        component,
        level: None,
        message_at,
    })
}

fn apache(text: &[u8]) -> Option<Parsed<'_>> {
    let [
        b'[',
        w1,
        w2,
        w3,
        b' ',
        m1,
        m2,
        m3,
        b' ',
        d1,
        d2,
        b' ',
        time @ ..,
    ] = *text.first_chunk::<20>()?
    else {
        return None;
    };
    if ![w1, w2, w3].iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    let year_at = fraction_end(text, 20)?;
    let [b' ', y1, y2, y3, y4, b']'] = *text[year_at..].first_chunk()? else {
        return None;
    };
    let year = i64::from(two_digits(y1, y2)?) * 100 + i64::from(two_digits(y3, y4)?);
    let time = date_seconds(year, month_number([m1, m2, m3])?, day(d1, d2)?)? + clock(time)?;

    let mut message_at = year_at + 6;
    let mut fields = Fields::new(text, message_at);
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
    Some(Parsed {
        time: Some(time),
        host,
        component,
        level,
        message_at,
    })
}

fn android(text: &[u8]) -> Option<Parsed<'_>> {
    let [m1, m2, b'-', d1, d2, b' ', time @ ..] = *text.first_chunk::<14>()? else {
        return None;
    };
    let date = date_seconds(ASSUMED_YEAR, two_digits(m1, m2)?, two_digits(d1, d2)?)?;
    let time = date + clock(time)?;
    let rest_at = fraction_end(text, 14)?;
    if text[rest_at] != b' ' {
        return None;
    }
    let mut fields = Fields::new(text, rest_at);
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
    Some(Parsed {
        time: Some(time),
        host: &[],
        component,
        level: Some(level),
        message_at,
    })
}

#[inline]
fn hdfs<'a>(memo: &mut DateMemo<6>, text: &'a [u8]) -> Option<Parsed<'a>> {
    let [date @ .., b' ', h1, h2, m1, m2, s1, s2, b' '] = *text.first_chunk::<14>()? else {
        return None;
    };
    let date = memo.seconds(date, |[y1, y2, m1, m2, d1, d2]| {
        let year = 2000 + i64::from(two_digits(y1, y2)?);
        date_seconds(year, two_digits(m1, m2)?, two_digits(d1, d2)?)
    })?;
    let time = date
        + clock_seconds(
            two_digits(h1, h2)?,
            two_digits(m1, m2)?,
            two_digits(s1, s2)?,
        )?;
    let mut fields = Fields::new(text, 13);
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
    Some(Parsed {
        time: Some(time),
        host: &[],
        component,
        level: Some(level),
        message_at,
    })
}

fn hpc(text: &[u8]) -> Option<Parsed<'_>> {
    let mut fields = Fields::new(text, 0);
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
    let time = epoch
        .iter()
        .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some(Parsed {
        time: Some(time),
        host,
        component,
        level: None,
        message_at: fields.at,
    })
}

#[inline]
fn access<'a>(memo: &mut DateMemo<11>, text: &'a [u8]) -> Option<Parsed<'a>> {
    let mut fields = Fields::new(text, 0);
    let (host, _ident, _user) = (fields.next(), fields.next(), fields.next());
    let time = access_time(memo, fields.next(), fields.next())?;
    let message_at = fields.at;
    let [b'"', method @ ..] = fields.next() else {
        return None;
    };
    let is_method = method.iter().all(u8::is_ascii_uppercase);
    let component = if is_method { method } else { &[] };
    let level = status_level(text, fields.at - method.len());
    Some(Parsed {
        time: Some(time),
        host,
        component,
        level,
        message_at,
    })
}

/// The level that the status behind the request's closing quote stands for.
#[inline]
fn status_level(text: &[u8], mut at: usize) -> Option<Level> {
    loop {
        at = scan::quote_or_line_end(text, at);
        if text[at] == b'\n' {
            return None;
        }
        at += 1;
        // A quote that white space follows ends the request.
        if text[at].is_ascii_whitespace() {
            break;
        }
    }
    match Fields::new(text, at).next() {
        [b'1'..=b'3', b'0'..=b'9', b'0'..=b'9'] => Some(Level::Info),
        [b'4', b'0'..=b'9', b'0'..=b'9'] => Some(Level::Warn),
        [b'5', b'0'..=b'9', b'0'..=b'9'] => Some(Level::Error),
        _ => None,
    }
}

/// `[10/Oct/2000:13:55:36` and `-0700]`.
#[inline]
fn access_time(memo: &mut DateMemo<11>, moment: &[u8], offset: &[u8]) -> Option<i64> {
    let [b'[', date @ .., b':', h1, h2, c1, m1, m2, c2, s1, s2] = *moment.first_chunk::<21>()?
    else {
        return None;
    };
    let date = memo.seconds(date, |[d1, d2, s1, m1, m2, m3, s2, y1, y2, y3, y4]| {
        let month = month_number([m1, m2, m3]).filter(|_| [s1, s2] == *b"//")?;
        let year = i64::from(two_digits(y1, y2)?) * 100 + i64::from(two_digits(y3, y4)?);
        date_seconds(year, month, two_digits(d1, d2)?)
    })?;
    let local = date + clock([h1, h2, c1, m1, m2, c2, s1, s2])?;
    let [sign, h1, h2, m1, m2, b']'] = *offset else {
        return None;
    };
    let (hours, minutes) = (two_digits(h1, h2)?, two_digits(m1, m2)?);
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

/// Behind `.123`, if a dot is there; a dot needs a digit.
#[inline]
fn fraction_end(text: &[u8], at: usize) -> Option<usize> {
    if text[at] != b'.' {
        return Some(at);
    }
    let digits = text[at + 1..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
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
    NAMES
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known))
        .map(|&(_, level)| level)
}
