//! Counters keyed by raw bytes, made canonical once at the end.

use alloc::borrow::Cow;
use std::collections::HashMap;

use super::hash::Seeded;
use crate::tour::report::{Minute, Table};

/// How often each key came.
#[derive(Default)]
pub(super) struct Counter {
    counts: HashMap<Box<[u8]>, u64, Seeded>,
}

impl Counter {
    /// Counts `key` once. Only a key that is new gets allocated.
    #[inline]
    pub(super) fn add(&mut self, key: &[u8]) {
        match self.counts.get_mut(key) {
            Some(count) => *count += 1,
            None => self.insert(key),
        }
    }

    #[cold]
    fn insert(&mut self, key: &[u8]) {
        self.counts.insert(key.into(), 1);
    }

    /// The `top` keys.
    pub(super) fn into_table(mut self, top: usize) -> Table {
        self.make_canonical();
        let order = |a: &(&[u8], u64), b: &(&[u8], u64)| b.1.cmp(&a.1).then(a.0.cmp(b.0));
        let mut rows: Vec<(&[u8], u64)> = self
            .counts
            .iter()
            .map(|(key, &count)| (&**key, count))
            .collect();
        let distinct = rows.len() as u64;
        if top < rows.len() {
            rows.select_nth_unstable_by(top, order);
            rows.truncate(top);
        }
        rows.sort_unstable_by(order);
        let text = |key| String::from_utf8_lossy(key).into_owned();
        Table::new(
            distinct,
            rows.into_iter()
                .map(|(key, count)| (text(key), count))
                .collect(),
        )
    }

    /// Brings keys that read the same together: invalid UTF-8 and runs of white space.
    fn make_canonical(&mut self) {
        let mut others = Vec::new();
        self.counts.retain(|key, count| match canonical(key) {
            Cow::Borrowed(_) => true,
            Cow::Owned(text) => {
                others.push((text, *count));
                false
            }
        });
        for (text, count) in others {
            *self.counts.entry(text.into_bytes().into()).or_insert(0) += count;
        }
    }
}

/// The key as text whose fields stand one space apart; borrowed if it already is.
fn canonical(key: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(key);
    let mut after_space = true;
    let is_tidy = key.iter().all(|&byte| {
        let is_tidy = !byte.is_ascii_whitespace() || byte == b' ' && !after_space;
        after_space = byte == b' ';
        is_tidy
    });
    if is_tidy && (!after_space || key.is_empty()) {
        return text;
    }
    let mut joined = String::with_capacity(text.len());
    for field in text.split_ascii_whitespace() {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(field);
    }
    Cow::Owned(joined)
}

/// Lines per minute, and the extremes of time.
pub(super) struct Minutes {
    counts: HashMap<i64, u64, Seeded>,
    /// The minute that most lines share with the line before, and its lines since it became
    /// current.
    current: (i64, u64),
    first: i64,
    last: i64,
}

impl Default for Minutes {
    fn default() -> Self {
        Self {
            counts: HashMap::default(),
            current: (0, 0),
            first: i64::MAX,
            last: i64::MIN,
        }
    }
}

impl Minutes {
    #[inline]
    pub(super) fn add(&mut self, seconds: i64) {
        self.first = self.first.min(seconds);
        self.last = self.last.max(seconds);
        let minute = seconds.div_euclid(60);
        if minute != self.current.0 {
            self.flush();
            self.current = (minute, 0);
        }
        self.current.1 += 1;
    }

    fn flush(&mut self) {
        let (minute, lines) = self.current;
        if lines > 0 {
            *self.counts.entry(minute).or_insert(0) += lines;
        }
    }

    pub(super) fn first_and_last(&self) -> (Option<i64>, Option<i64>) {
        if self.first > self.last {
            (None, None)
        } else {
            (Some(self.first), Some(self.last))
        }
    }

    pub(super) fn busiest(mut self) -> Option<Minute> {
        self.flush();
        let earliest_of_most = |&(minute, lines): &(i64, u64)| (lines, core::cmp::Reverse(minute));
        let (minute, lines) = self.counts.into_iter().max_by_key(earliest_of_most)?;
        Some(Minute::new(minute * 60, lines))
    }
}
