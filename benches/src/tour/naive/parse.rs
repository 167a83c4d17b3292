//! One line into owned fields, by trying one format after the other.

use crate::tour::format::{ASSUMED_YEAR, Level, clock_seconds, date_seconds};

/// A line, taken apart.
pub(super) struct Record {
    /// Whether some format matched.
    pub(super) parsed: bool,
    pub(super) time: Option<i64>,
    pub(super) host: Option<String>,
    pub(super) component: Option<String>,
    pub(super) level: Option<Level>,
    pub(super) message: String,
}

/// Tries the formats in their order.
pub(super) fn parse_line(line: &str) -> Record {
    syslog(line)
        .or_else(|| apache(line))
        .or_else(|| android(line))
        .or_else(|| hdfs(line))
        .or_else(|| hpc(line))
        .or_else(|| access(line))
        .unwrap_or_else(|| Record {
            parsed: false,
            time: None,
            host: None,
            component: None,
            level: None,
            message: line.to_string(),
        })
}

fn syslog(line: &str) -> Option<Record> {
    let (month, day) = month_and_day(line.get(..6)?)?;
    let date = date_seconds(ASSUMED_YEAR, month, day)?;
    let time = date + clock(line.get(6..15)?.strip_prefix(' ')?)?;
    let rest = line.get(15..)?;
    if !rest.is_empty() && !rest.starts_with(|c: char| c.is_ascii_whitespace()) {
        return None;
    }
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let mut component = None;
    let mut message_at = 1;
    if let Some(tag) = fields.get(1) {
        let name = tag.split(['[', '(', ':']).next().unwrap_or("");
        if tag.ends_with(':') && !name.is_empty() {
            component = Some(name.to_string());
            message_at = 2;
        }
    }
    Some(Record {
        parsed: true,
        time: Some(time),
        host: fields.first().map(|host| host.to_string()),
        component,
        level: None,
        message: join(&fields, message_at),
    })
}

fn apache(line: &str) -> Option<Record> {
    let weekday = line.strip_prefix('[')?.get(..3)?;
    if !weekday.chars().all(|c| c.is_ascii_alphabetic()) {
        return None;
    }
    let (month, day) = month_and_day(line.get(4..11)?.strip_prefix(' ')?)?;
    let time = clock(line.get(11..20)?.strip_prefix(' ')?)?;
    let rest = without_fraction(line.get(20..)?)?.strip_prefix(' ')?;
    let year = number(rest.get(..4)?)?;
    let rest = rest.get(4..)?.strip_prefix(']')?;
    let time = date_seconds(i64::from(year), month, day)? + time;

    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let (mut component, mut level, mut host) = (None, None, None);
    let mut message_at = 0;
    if let Some(inner) = fields.first().and_then(|field| in_brackets(field)) {
        let parts: Vec<&str> = inner.rsplitn(2, ':').collect();
        level = level_by_name(parts[0]);
        if parts.len() == 2 && !parts[1].is_empty() {
            component = Some(parts[1].to_string());
        }
        message_at = 1;
    }
    if fields.get(message_at) == Some(&"[client") {
        if let Some(client) = fields
            .get(message_at + 1)
            .and_then(|field| field.strip_suffix(']'))
        {
            if !client.is_empty() {
                host = Some(client.to_string());
                message_at += 2;
            }
        }
    }
    let message = join(&fields, message_at);
    Some(Record {
        parsed: true,
        time: Some(time),
        host,
        component,
        level,
        message,
    })
}

fn android(line: &str) -> Option<Record> {
    let date: Vec<&str> = line.get(..5)?.split('-').collect();
    let [month, day] = date.as_slice() else {
        return None;
    };
    let date = date_seconds(ASSUMED_YEAR, two_digits(month)?, two_digits(day)?)?;
    let time = date + clock(line.get(5..14)?.strip_prefix(' ')?)?;
    let rest = without_fraction(line.get(14..)?)?.strip_prefix(' ')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    if !is_number(fields.first()?) || !is_number(fields.get(1)?) {
        return None;
    }
    let level = match *fields.get(2)? {
        "V" => Level::Trace,
        "D" => Level::Debug,
        "I" => Level::Info,
        "W" => Level::Warn,
        "E" => Level::Error,
        "F" => Level::Fatal,
        _ => return None,
    };
    let field = fields.get(3).copied().unwrap_or("");
    let (component, message) = match field.split_once(':') {
        Some((tag, start)) if !tag.is_empty() => {
            let message = format!("{start} {}", join(&fields, 4));
            (Some(tag.to_string()), message)
        }
        None if fields.get(4) == Some(&":") => (Some(field.to_string()), join(&fields, 5)),
        _ => (None, join(&fields, 3)),
    };
    Some(Record {
        parsed: true,
        time: Some(time),
        host: None,
        component,
        level: Some(level),
        message,
    })
}

fn hdfs(line: &str) -> Option<Record> {
    let date = line.get(..6)?;
    let time = line.get(6..13)?.strip_prefix(' ')?;
    let rest = line.get(13..)?.strip_prefix(' ')?;
    if !is_number(date) || !is_number(time) {
        return None;
    }
    let year = 2000 + i64::from(number(&date[..2])?);
    let date = date_seconds(year, number(&date[2..4])?, number(&date[4..])?)?;
    let time = clock_seconds(
        number(&time[..2])?,
        number(&time[2..4])?,
        number(&time[4..])?,
    )?;
    let time = date + time;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    if !is_number(fields.first()?) {
        return None;
    }
    let level = level_by_name(fields.get(1)?)?;
    let mut component = None;
    let mut message_at = 2;
    if let Some(name) = fields.get(2).and_then(|field| field.strip_suffix(':')) {
        if !name.is_empty() {
            component = Some(name.to_string());
            message_at = 3;
        }
    }
    Some(Record {
        parsed: true,
        time: Some(time),
        host: None,
        component,
        level: Some(level),
        message: join(&fields, message_at),
    })
}

fn hpc(line: &str) -> Option<Record> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    if fields.len() < 6 || !is_number(fields[0]) {
        return None;
    }
    let (epoch, flag) = (fields[4], fields[5]);
    if !is_number(epoch) || !(9..=10).contains(&epoch.len()) {
        return None;
    }
    if !is_number(flag.strip_prefix('-').unwrap_or(flag)) {
        return None;
    }
    Some(Record {
        parsed: true,
        time: Some(epoch.parse().ok()?),
        host: Some(fields[1].to_string()),
        component: Some(fields[2].to_string()),
        level: None,
        message: join(&fields, 6),
    })
}

fn access(line: &str) -> Option<Record> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    if fields.len() < 6 {
        return None;
    }
    let time = access_time(fields[3], fields[4])?;
    let method = fields[5].strip_prefix('"')?;
    let mut component = None;
    if !method.is_empty() && method.chars().all(|c| c.is_ascii_uppercase()) {
        component = Some(method.to_string());
    }
    let request_end =
        (5..fields.len()).find(|&at| fields[at].ends_with('"') && (at > 5 || fields[at].len() > 1));
    let status = request_end.and_then(|at| fields.get(at + 1));
    let level = match status.filter(|status| status.len() == 3 && is_number(status)) {
        Some(status) if status.starts_with(['1', '2', '3']) => Some(Level::Info),
        Some(status) if status.starts_with('4') => Some(Level::Warn),
        Some(status) if status.starts_with('5') => Some(Level::Error),
        _ => None,
    };
    Some(Record {
        parsed: true,
        time: Some(time),
        host: Some(fields[0].to_string()),
        component,
        level,
        message: join(&fields, 5),
    })
}

/// `[10/Oct/2000:13:55:36` and `-0700]`.
fn access_time(moment: &str, offset: &str) -> Option<i64> {
    let (date, time) = moment.strip_prefix('[')?.split_once(':')?;
    let parts: Vec<&str> = date.split('/').collect();
    let [day, month, year] = parts.as_slice() else {
        return None;
    };
    if year.len() != 4 {
        return None;
    }
    let date = date_seconds(
        i64::from(number(year)?),
        month_number(month)?,
        two_digits(day)?,
    )?;
    let local = date + clock(time)?;

    let offset = offset.strip_suffix(']')?;
    if offset.len() != 5 {
        return None;
    }
    let (hours, minutes) = (
        two_digits(offset.get(1..3)?)?,
        two_digits(offset.get(3..)?)?,
    );
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset_seconds = i64::from(hours * 3_600 + minutes * 60);
    match offset.get(..1)? {
        "+" => Some(local - offset_seconds),
        "-" => Some(local + offset_seconds),
        _ => None,
    }
}

/// `Jun 14` or `Jun  4`.
fn month_and_day(text: &str) -> Option<(u32, u32)> {
    let month = month_number(text.get(..3)?)?;
    let day = text.get(3..)?.strip_prefix(' ')?;
    let day = match day.strip_prefix(' ') {
        Some(digit) => number(digit)?,
        None => two_digits(day)?,
    };
    Some((month, day))
}

fn month_number(name: &str) -> Option<u32> {
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    (1..)
        .zip(months)
        .find(|(_, month)| *month == name)
        .map(|(number, _)| number)
}

/// The seconds from midnight to `04:47:44`.
fn clock(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else {
        return None;
    };
    clock_seconds(two_digits(hour)?, two_digits(minute)?, two_digits(second)?)
}

/// Takes `.123` off the front, if a dot is there; a dot needs a digit.
fn without_fraction(text: &str) -> Option<&str> {
    let Some(fraction) = text.strip_prefix('.') else {
        return Some(text);
    };
    let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < fraction.len()).then_some(rest)
}

fn in_brackets(field: &str) -> Option<&str> {
    let inner = field.strip_prefix('[')?.strip_suffix(']')?;
    (!inner.is_empty()).then_some(inner)
}

fn level_by_name(name: &str) -> Option<Level> {
    Some(match name.to_ascii_uppercase().as_str() {
        "TRACE" | "VERBOSE" => Level::Trace,
        "DEBUG" => Level::Debug,
        "INFO" => Level::Info,
        "NOTICE" => Level::Notice,
        "WARN" | "WARNING" => Level::Warn,
        "ERROR" | "ERR" => Level::Error,
        "FATAL" | "CRIT" | "ALERT" | "EMERG" => Level::Fatal,
        _ => return None,
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

fn number(text: &str) -> Option<u32> {
    if is_number(text) {
        text.parse().ok()
    } else {
        None
    }
}

fn two_digits(text: &str) -> Option<u32> {
    if text.len() == 2 { number(text) } else { None }
}

/// The fields from `first` on, with one space between them.
fn join(fields: &[&str], first: usize) -> String {
    fields.get(first..).unwrap_or(&[]).join(" ")
}
