//! What a line of a block reads and writes, and where it goes.

use std::collections::BTreeSet;

/// The number of a local: 7 for `_7`. The one that is returned is 0.
pub(crate) type Local = u32;

/// A line of a block.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) text: &'a str,
    /// Locals whose values it takes.
    pub(crate) reads: Vec<Local>,
    /// The local that it assigns as a whole.
    pub(crate) writes: Option<Local>,
    /// Locals that it writes otherwise, or that something else may write through a pointer that is made here.
    may_write: Vec<Local>,
    /// The local whose storage begins or ends here, and with it what was written to it.
    forgets: Option<Local>,
    /// The local that it compares into: `_7 = Ne(copy _3, const 0_usize);`
    pub(crate) compares: Option<Local>,
    /// The local that is returned from here on: `_0 = copy _7;`
    pub(crate) returns: Option<Local>,
    /// Blocks that may come next.
    pub(crate) goes_to: Vec<usize>,
}

impl<'a> Statement<'a> {
    /// Reads a line; a brace or a remark is no statement.
    pub(crate) fn new(line: usize, text: &'a str) -> Option<Self> {
        if text.starts_with("//") || text == "}" {
            return None;
        }
        let mut statement = Self {
            line,
            text,
            ..Self::default()
        };
        for storage in ["StorageLive(", "StorageDead("] {
            if let Some(rest) = text.strip_prefix(storage) {
                statement.forgets = local_at(rest);
                return Some(statement);
            }
        }
        let bare = without_quotes(text);
        if let Some((_, targets)) = bare.rsplit_once("-> ") {
            statement.goes_to = numbers(targets, "bb")
                .map(|(_, number)| number as usize)
                .collect();
        }
        let value = match assignment(&bare) {
            Some((place, value)) => {
                statement.assign(place, value);
                value
            }
            None => &bare,
        };
        statement.take(value);
        Some(statement)
    }

    /// Carries over what is written before this statement to what is written after it.
    pub(crate) fn apply(&self, written: &mut BTreeSet<Local>) {
        if let Some(local) = self.forgets {
            written.remove(&local);
        }
        written.extend(self.writes);
        written.extend(&self.may_write);
    }

    /// Whether it goes on in one block or another by a value.
    pub(crate) fn is_branch(&self) -> bool {
        self.text.starts_with("switchInt(")
    }

    /// Notes what an assignment does.
    fn assign(&mut self, place: &str, value: &str) {
        self.writes = local_at(place).filter(|local| place == format!("_{local}"));
        if let Some(local) = self.writes {
            let is_comparison = value.starts_with("Ne(") || value.starts_with("Eq(");
            // Between two variables nothing can be left out.
            self.compares = (is_comparison && value.contains("const ")).then_some(local);
            let copied = value
                .strip_prefix("copy ")
                .or_else(|| value.strip_prefix("move "));
            let copied = copied.and_then(|rest| rest.strip_suffix(';'));
            self.returns = copied
                .filter(|_| local == 0)
                .and_then(|rest| local_at(rest).filter(|from| rest == format!("_{from}")));
            return;
        }
        for (before, local) in locals(place) {
            if is_address_or_index(before) {
                self.reads.push(local);
            } else {
                self.may_write.push(local);
            }
        }
    }

    /// Notes the locals in a value, or in a statement that is no assignment.
    fn take(&mut self, value: &str) {
        for (before, local) in locals(value) {
            let operand = before.trim_end_matches('(');
            let is_read = is_address_or_index(before)
                || operand.ends_with("copy ")
                || operand.ends_with("move ");
            if is_read {
                self.reads.push(local);
            } else {
                self.may_write.push(local);
            }
        }
    }
}

/// The local at the beginning of the text.
pub(crate) fn local_at(text: &str) -> Option<Local> {
    locals(text)
        .next()
        .filter(|(before, _)| before.is_empty())
        .map(|(_, local)| local)
}

/// The locals in the text, each with what stands before it.
fn locals(text: &str) -> impl Iterator<Item = (&str, Local)> {
    numbers(text, "_")
}

/// Words that are `prefix` and a number, each with what stands before it.
fn numbers<'t>(text: &'t str, prefix: &'t str) -> impl Iterator<Item = (&'t str, Local)> {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(prefix).filter_map(move |(at, _)| {
        let (before, rest) = (&text[..at], &text[at + prefix.len()..]);
        let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
        let number = rest[..end].parse().ok()?;
        (!before.ends_with(is_of_word)).then_some((before, number))
    })
}

/// Whether a local is used for where it points, or as an index.
fn is_address_or_index(before: &str) -> bool {
    before.ends_with('*') || before.ends_with('[')
}

/// Cuts an assignment at the `=` that no bracket is around.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '=' if depth == 0 && text[..at].ends_with(' ') => {
                return Some((text[..at].trim_end(), text[at + 1..].trim_start()));
            }
            _ => {}
        }
    }
    None
}

/// The text with what quotes are around left out: it may look like code.
fn without_quotes(text: &str) -> String {
    let text = text.replace("'\"'", "' '");
    let mut bare = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut is_quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if is_quoted => {
                chars.next();
            }
            '"' => is_quoted = !is_quoted,
            c if !is_quoted => bare.push(c),
            _ => {}
        }
    }
    bare
}
