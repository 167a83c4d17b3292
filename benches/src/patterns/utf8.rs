#![doc = include_str!("../../../docs/patterns/utf8.md")]

use core::str;

use thrifty_workloads::logs::LogSpec;

use super::{Pattern, sample};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "utf8",
            reason: "a line of bytes copied to be seen as text",
            input: line,
            oracle: |line| {
                let text: String = line.iter().copied().map(char::from).collect();
                sample(&text)
            },
        }
        .two(
            |line| sample(&opaque(copied(line))),
            |line| sample(opaque(viewed(line))),
        ),
    ]
}

/// The first long line of the log; ASCII, as most are.
fn line() -> Vec<u8> {
    let mut log = Vec::new();
    LogSpec::MIXED
        .with_lines(1_000)
        .write_to(&mut log)
        .expect("a Vec takes every byte");
    let mut lines = log.split(|&byte| byte == b'\n');
    lines
        .find(|line| line.len() >= 200)
        .expect("a thousand lines have a long one")
        .to_vec()
}

#[inline(never)]
fn copied(line: &[u8]) -> String {
    String::from_utf8(line.to_vec()).expect("the line is ASCII")
}

#[inline(never)]
fn viewed(line: &[u8]) -> &str {
    str::from_utf8(line).expect("the line is ASCII")
}

#[cfg(test)]
mod tests {
    use super::{copied, line, viewed};

    #[test]
    fn both_sides_give_the_line() {
        let line = line();
        assert_eq!(copied(&line).as_bytes(), line);
        assert_eq!(viewed(&line).as_bytes(), line);
    }
}
