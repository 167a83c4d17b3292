//! Counters keyed by raw bytes, made canonical once at the end.

use alloc::borrow::Cow;
use std::collections::HashMap;

use super::hash::Seeded;
use crate::tour::report::Table;

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
        let rows = self.counts.iter().map(|(key, &count)| (&**key, count));
        head(rows.collect(), top)
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

/// The `top` of all rows, whose keys are canonical.
pub(in crate::tour) fn head(mut rows: Vec<(&[u8], u64)>, top: usize) -> Table {
    let order = |a: &(&[u8], u64), b: &(&[u8], u64)| b.1.cmp(&a.1).then(a.0.cmp(b.0));
    let distinct = rows.len() as u64;
    if top < rows.len() {
        rows.select_nth_unstable_by(top, order);
        rows.truncate(top);
    }
    rows.sort_unstable_by(order);
    let text = |key| String::from_utf8_lossy(key).into_owned();
    let rows = rows.into_iter().map(|(key, count)| (text(key), count));
    Table::new(distinct, rows.collect())
}

/// The key as text whose fields stand one space apart; borrowed if it already is.
pub(in crate::tour) fn canonical(key: &[u8]) -> Cow<'_, str> {
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
