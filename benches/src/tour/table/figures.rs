//! Numbers as people read them.

/// A total, per line; more digits the smaller it is, so that "almost none" differs from "none".
pub(super) fn per_line(total: u64, lines: u64) -> String {
    if lines == 0 {
        return "–".to_owned();
    }
    if total == 0 {
        return "0".to_owned();
    }
    let value = total as f64 / lines as f64;
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 0.1 {
        format!("{value:.1}")
    } else if value >= 0.0001 {
        format!("{value:.4}")
    } else {
        "< 0.0001".to_owned()
    }
}

/// How many times `other` goes into `one`; below one there are more digits, never none.
pub(super) fn ratio(one: u64, other: u64) -> String {
    if other == 0 {
        return "–".to_owned();
    }
    if one == 0 {
        return "0×".to_owned();
    }
    let value = one as f64 / other as f64;
    if value >= 100.0 {
        format!("{value:.0}×")
    } else if value >= 1.0 {
        format!("{value:.1}×")
    } else if value >= 0.01 {
        format!("{value:.2}×")
    } else if value >= 0.0001 {
        format!("{value:.4}×")
    } else {
        "< 0.0001×".to_owned()
    }
}

/// Bytes in binary units.
pub(in crate::tour) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut units = ["B", "KiB", "MiB", "GiB"].into_iter();
    let mut unit = units.next().unwrap_or("B");
    for larger in units {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "B" {
        format!("{count} B")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// Seconds since 1970 as date and time of day, UTC.
pub(super) fn moment(seconds: i64) -> String {
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Counted from 0000-03-01 in eras of 400 years, so that the leap day is the last of its
    // year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let (hour, minute, second) = (
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60,
    );
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// At most `width` characters; control characters, which could steer the terminal, become dots.
pub(super) fn shown(text: &str, width: usize) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let mut shown: String = text
        .chars()
        .map(|c| if c.is_control() { '·' } else { c })
        .take(width)
        .collect();
    if text.chars().nth(width).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
