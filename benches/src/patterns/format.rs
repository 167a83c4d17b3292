#![doc = include_str!("../../../docs/patterns/format.md")]

use core::fmt::Write as _;

use super::{Pattern, numbers, sample};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "format-1000",
            reason: "a new string per line of output, dropped as soon as it is copied",
            input: || Input {
                numbers: numbers(),
                output: String::new(),
                line: String::new(),
            },
            oracle: |input| {
                let lines = input.numbers.iter().zip(0..);
                let text: Vec<String> = lines
                    .map(|(number, index): (&u64, u32)| {
                        ["line ", &index.to_string(), ": ", &number.to_string(), "\n"].concat()
                    })
                    .collect();
                sample(&text.concat())
            },
        }
        .three(
            |input| {
                input.output.clear();
                formatted(&input.numbers, &mut input.output);
                sample(opaque(&input.output))
            },
            |input| {
                input.output.clear();
                line_by_line(&input.numbers, &mut input.line, &mut input.output);
                sample(opaque(&input.output))
            },
            |input| {
                input.output.clear();
                straight(&input.numbers, &mut input.output);
                sample(opaque(&input.output))
            },
        ),
    ]
}

/// The output and the line stay from one iteration to the next, as in a long-running program.
struct Input {
    numbers: Vec<u64>,
    output: String,
    line: String,
}

#[inline(never)]
fn formatted(numbers: &[u64], output: &mut String) {
    for (index, number) in numbers.iter().enumerate() {
        output.push_str(&format!("line {index}: {number}\n"));
    }
}

/// Where a whole line is needed before it goes out, to be measured or compared.
#[inline(never)]
fn line_by_line(numbers: &[u64], line: &mut String, output: &mut String) {
    for (index, number) in numbers.iter().enumerate() {
        line.clear();
        writeln!(line, "line {index}: {number}").expect("a String takes every character");
        output.push_str(line);
    }
}

#[inline(never)]
fn straight(numbers: &[u64], output: &mut String) {
    for (index, number) in numbers.iter().enumerate() {
        writeln!(output, "line {index}: {number}").expect("a String takes every character");
    }
}

#[cfg(test)]
mod tests {
    use super::{formatted, line_by_line, straight};

    #[test]
    fn every_side_gives_the_same_text() {
        let numbers = super::numbers();
        let [mut first, mut second, mut third] = [const { String::new() }; 3];
        formatted(&numbers, &mut first);
        line_by_line(&numbers, &mut String::new(), &mut second);
        straight(&numbers, &mut third);
        assert_eq!(first.lines().count(), 1_000);
        assert_eq!(second, first);
        assert_eq!(third, first);
    }
}
