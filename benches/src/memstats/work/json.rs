//! A document of records, parsed into a tree of values with `serde_json`, read once and dropped.

use core::fmt::Write;

use serde_json::Value;
use thrifty_workloads::rng::Rng;

use crate::suite::{self, Subject, Worker};

/// Records of the document.
const RECORDS: u64 = 250;
/// Tags of a record.
const TAGS: u64 = 4;
/// Values of the document: the list, and of each record itself, five fields, and the tags.
pub(super) const VALUES: u64 = 1 + RECORDS * (1 + 5 + TAGS);

pub(super) struct Json {
    text: String,
}

impl Json {
    pub(super) fn new() -> Self {
        Self { text: document().0 }
    }
}

impl Subject for Json {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(suite::over(self, |json| {
            let parsed: Result<Value, _> = serde_json::from_str(&json.text);
            parsed.as_ref().map_or(0, |value| sum(suite::opaque(value)))
        }))
    }
}

/// From what was written, without a parser.
pub(super) fn expected() -> u64 {
    document().1
}

/// One for each value, the numbers, the bytes of names and texts.
fn sum(value: &Value) -> u64 {
    1 + match value {
        Value::Null => 0,
        Value::Bool(flag) => u64::from(*flag),
        Value::Number(number) => number.as_u64().unwrap_or(0),
        Value::String(text) => text.len() as u64,
        Value::Array(values) => values.iter().map(sum).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| name.len() as u64 + sum(value))
            .sum(),
    }
}

/// The document, and what [`sum`] must make of it.
fn document() -> (String, u64) {
    let mut rng = Rng::new(8);
    let mut text = String::from("[");
    let mut sum = VALUES;
    for nth in 0..RECORDS {
        let comma = if nth == 0 { "" } else { "," };
        let is_active = rng.chance(1, 2);
        let name = word(&mut rng, 6, 14);
        let note = word(&mut rng, 20, 90);
        let _fits = write!(
            text,
            r#"{comma}{{"id":{nth},"name":"{name}","active":{is_active},"note":"{note}","tags":["#
        );
        // Of "id", "name", "active", "note" and "tags".
        sum += nth + u64::from(is_active) + (name.len() + note.len() + 2 + 4 + 6 + 4 + 4) as u64;
        for tag in 0..TAGS {
            let comma = if tag == 0 { "" } else { "," };
            let tag = word(&mut rng, 3, 9);
            let _fits = write!(text, r#"{comma}"{tag}""#);
            sum += tag.len() as u64;
        }
        text.push_str("]}");
    }
    text.push(']');
    (text, sum)
}

/// Letters, so many at least and fewer than so many.
fn word(rng: &mut Rng, least: u64, below: u64) -> String {
    let letters = 0..rng.range(least, below);
    let letter = |_| char::from(b'a' + u8::try_from(rng.below(26)).unwrap_or(0));
    letters.map(letter).collect()
}
