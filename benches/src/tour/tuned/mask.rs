//! A message into its template, in one scratch.
//!
//! The words of the message are copied to the scratch until one holds a variable byte. Then the
//! scratch is cut back to where that field (or its value) began, the mask is put there, and the
//! rest of the field is skipped. White space is copied as it stands: runs of it are rare, so
//! the table's keys are put in order at the end instead of every line here.

use super::scan;
use crate::tour::format::MASK;

/// Makes templates, one at a time.
#[derive(Default)]
pub(in crate::tour) struct Masker {
    scratch: Vec<u8>,
}

impl Masker {
    /// The template of the message at the start of `text`, and where its line ends.
    ///
    /// The message ends with `\n`; more lines and a pad follow.
    #[inline]
    pub(in crate::tour) fn mask(&mut self, text: &[u8]) -> (&[u8], usize) {
        let (mut from, mut to) = (0, 0);
        while text[from].is_ascii_whitespace() && text[from] != b'\n' {
            from += 1;
        }
        loop {
            let Some(copy) = self.scratch[to..].first_chunk_mut() else {
                self.grow(to, &text[from..]);
                continue;
            };
            let word = scan::word(&text[from..]);
            *copy = word.to_le_bytes();
            let stops = scan::variable(word) | scan::line_end(word);
            if stops == 0 {
                // Not `first`, which gives 8 as well: the next load must not wait for this
                // test.
                from += 8;
                to += 8;
                continue;
            }
            from += scan::first(stops);
            to += scan::first(stops);
            if text[from] == b'\n' {
                break;
            }
            to -= from - value_start(text, from);
            // The word went here or further on, so there is room for the mask.
            self.scratch[to..to + MASK.len()].copy_from_slice(MASK.as_bytes());
            to += MASK.len();
            from = scan::white_space(text, from);
        }
        while to > 0 && self.scratch[to - 1].is_ascii_whitespace() {
            to -= 1;
        }
        (&self.scratch[..to], from)
    }

    /// Makes room for the template's first `to` bytes and for whatever the rest of the message,
    /// which stands at the start of `text`, may become.
    ///
    /// `1 ` becomes `<*> `, and nothing grows more. So this happens once a message at most, and
    /// the pages of fresh zeros that the template does not need stay untouched.
    #[cold]
    fn grow(&mut self, to: usize, text: &[u8]) {
        let rest = scan::end_of_line(text);
        let mut wider = vec![0; (to + 2 * rest + MASK.len() + size_of::<u64>()).max(1024)];
        wider[..to].copy_from_slice(&self.scratch[..to]);
        self.scratch = wider;
    }
}

/// Where the part to mask starts, given the first variable byte of its field.
#[inline]
fn value_start(text: &[u8], variable: usize) -> usize {
    let mut at = variable;
    // One set, which compiles to one bit test: a field starts behind white space, a value
    // behind the rest.
    while at > 0
        && !matches!(
            text[at - 1],
            b'=' | b':' | b' ' | b'\t' | b'\n' | b'\x0C' | b'\r'
        )
    {
        at -= 1;
    }
    at
}
