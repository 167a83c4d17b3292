//! A message into its template, in one scratch.
//!
//! The words of the message are copied to the scratch until one holds a variable byte. Then the
//! scratch is cut back to where that field (or its value) began, the mask is put there, and the rest of
//! the field is skipped. White space is copied as it stands: runs of it are rare, so the table's keys
//! are put in order at the end instead of every line here.

use super::scan;
use crate::tour::format::MASK;

/// Makes templates, one at a time.
#[derive(Default)]
pub(super) struct Masker {
    scratch: Vec<u8>,
}

impl Masker {
    /// The template of `text[..end]`, which must be followed by white space and a pad.
    #[inline]
    pub(super) fn mask(&mut self, text: &[u8], end: usize) -> &[u8] {
        // A field of one byte and its space become four bytes, and words are copied whole.
        let most = 2 * end + 16;
        if self.scratch.len() < most {
            self.scratch.resize(most, 0);
        }
        let out = self.scratch.as_mut_slice();
        let (mut from, mut to) = (0, 0);
        while from < end {
            let word = scan::word(text, from);
            out[to..to + 8].copy_from_slice(&word.to_le_bytes());
            let variable = scan::variable(word);
            from += scan::first(variable);
            to += scan::first(variable);
            if variable != 0 && from < end {
                to -= from - value_start(text, from);
                out[to..to + MASK.len()].copy_from_slice(MASK.as_bytes());
                to += MASK.len();
                from = scan::white_space(text, from);
            }
        }
        // The last word may reach beyond the end.
        &out[..to - (from - end)]
    }
}

/// Where the part to mask starts, given the first variable byte of its field.
#[inline]
fn value_start(text: &[u8], variable: usize) -> usize {
    let mut at = variable;
    let mut separator = None;
    while at > 0 && !text[at - 1].is_ascii_whitespace() {
        at -= 1;
        if matches!(text[at], b'=' | b':') {
            separator = Some(at + 1);
        }
    }
    separator.unwrap_or(at)
}
