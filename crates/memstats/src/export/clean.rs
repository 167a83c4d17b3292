//! Names that go into files: without what could act on a terminal, a viewer or a parser.
#![forbid(unsafe_code)]

use alloc::{borrow::Cow, string::String};

/// The text with control characters and marks that reorder text written as `\u{..}`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if is_harmful(char) {
            cleaned.extend(char.escape_unicode());
        } else {
            cleaned.push(char);
        }
    }
    Cow::Owned(cleaned)
}

/// Control characters, line separators, and marks of bidirectional text.
fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_spelled_out() {
        assert!(matches!(clean("a::b<ü>"), Cow::Borrowed("a::b<ü>")));
        assert_eq!(clean("a\x1b[2J\n"), "a\\u{1b}[2J\\u{a}");
        assert_eq!(clean("x\u{202e}y"), "x\\u{202e}y");
    }
}
