#![doc = include_str!("../../../docs/patterns/utf8.md")]

use core::str;

use thrifty_workloads::logs::LogSpec;

use super::Pattern;
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "utf8",
            reason: "64 lines of bytes, each copied to be seen as text",
            input: lines,
            oracle: |lines| {
                let texts = lines.iter().map(|line| {
                    let text: String = line.iter().copied().map(char::from).collect();
                    tail(&text)
                });
                texts.sum()
            },
        }
        .two(
            |lines| lines.iter().map(|line| tail(&opaque(copied(line)))).sum(),
            |lines| lines.iter().map(|line| tail(opaque(viewed(line)))).sum(),
        ),
    ]
}

/// The first lines of the log; ASCII, as most are.
fn lines() -> Vec<Vec<u8>> {
    let mut log = Vec::new();
    LogSpec::MIXED
        .with_lines(LINES)
        .write_to(&mut log)
        .expect("a Vec takes every byte");
    let lines = log.split(|&byte| byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines.map(<[u8]>::to_vec).collect()
}

/// The length and the last byte, and no more: checking a line takes few instructions, beside which
/// a sum over it would be what is timed.
fn tail(text: &str) -> u64 {
    let last = text.as_bytes().last().copied().unwrap_or_default();
    text.len() as u64 * 256 + u64::from(last)
}

#[inline(never)]
fn copied(line: &[u8]) -> String {
    String::from_utf8(line.to_vec()).expect("the line is ASCII")
}

#[inline(never)]
fn viewed(line: &[u8]) -> &str {
    str::from_utf8(line).expect("the line is ASCII")
}

const LINES: u64 = 64;

#[cfg(test)]
mod tests {
    use super::{copied, lines, tail, viewed};

    #[test]
    fn both_sides_give_the_lines() {
        let lines = lines();
        assert_eq!(lines.len(), 64);
        for line in lines {
            assert_eq!(copied(&line).as_bytes(), line);
            assert_eq!(viewed(&line).as_bytes(), line);
        }
    }

    #[test]
    fn the_answer_hangs_on_the_length_and_the_last_byte_alone() {
        assert_eq!(tail("xyz"), tail("abz"));
        assert_ne!(tail("xyz"), tail("xya"));
        assert_ne!(tail("xyz"), tail("wxyz"));
        assert_eq!(tail(""), 0);
    }
}
