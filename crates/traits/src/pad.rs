//! Widths for texts of several parts.

use core::fmt::{self, Alignment, Formatter, Write};

/// Writes `text`, filled up to the width that the format asks for, as `f.pad` does with a string.
///
/// There may be no heap to make a string in, so the text is written twice: first to be measured.
/// A precision, which would cut a string off, has no effect.
pub(crate) fn pad(f: &mut Formatter<'_>, text: fmt::Arguments<'_>) -> fmt::Result {
    let Some(width) = f.width() else {
        return f.write_fmt(text);
    };
    let mut chars = CountChars(0);
    chars.write_fmt(text)?;
    let missing = width.saturating_sub(chars.0);
    let before = match f.align() {
        Some(Alignment::Right) => missing,
        Some(Alignment::Center) => missing / 2,
        Some(Alignment::Left) | None => 0,
    };
    fill(f, before)?;
    f.write_fmt(text)?;
    fill(f, missing - before)
}

fn fill(f: &mut Formatter<'_>, count: usize) -> fmt::Result {
    let fill = f.fill();
    (0..count).try_for_each(|_| f.write_char(fill))
}

struct CountChars(usize);

impl Write for CountChars {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.chars().count();
        Ok(())
    }
}
