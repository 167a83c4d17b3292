//! Counts tests from what libtest prints, so that a run without any test is not taken for a pass.

use core::fmt;

/// How many tests ran, over any number of test binaries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) ignored: u32,
    pub(crate) binaries: u32,
}

impl Tally {
    /// Adds what a line says, if it is a closing line of libtest's.
    pub(crate) fn line(&mut self, line: &str) {
        let Some(counts) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        self.binaries += 1;
        let counts = counts.split_once(". ").map_or("", |(_, counts)| counts);
        for count in counts.split(';') {
            let mut words = count.split_whitespace();
            let number = words.next().and_then(|word| word.parse::<u32>().ok());
            match (number, words.next()) {
                (Some(number), Some("passed")) => self.passed += number,
                (Some(number), Some("failed")) => self.failed += number,
                (Some(number), Some("ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }

    /// Adds everything that `text` says.
    pub(crate) fn of(text: &str) -> Self {
        let mut tally = Self::default();
        text.lines().for_each(|line| tally.line(line));
        tally
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            ignored,
            ..
        } = self;
        write!(out, "{passed} passed, {failed} failed, {ignored} ignored")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_add_up() {
        let tally = Tally::of(
            "running 3 tests\n\
             test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; \
             finished in 0.00s\n\
             test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out\n",
        );
        assert_eq!(tally.to_string(), "6 passed, 1 failed, 1 ignored");
        assert_eq!(tally.binaries, 2);
    }

    #[test]
    fn other_lines_count_nothing() {
        let tally = Tally::of("test a ... ok\nmodel x: 12 executions, 3 passed\n");
        assert_eq!(tally, Tally::default());
    }
}
