//! Names in Rust source code, without a parser.
//!
//! Comments, strings and numbers are skipped, lifetimes are no names, keywords are: who interns
//! names while lexing meets them, too. It reads what compiles; on anything else it gives some
//! names and ends.

/// Every identifier and keyword, in the order of the text.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::corpus::identifiers;
///
/// let names = identifiers("fn f<'a>(x: &'a str) -> char { 'x' /* no */ } // nor this");
/// assert_eq!(names.collect::<Vec<_>>(), ["fn", "f", "x", "str", "char"]);
/// ```
pub fn identifiers(source: &str) -> impl Iterator<Item = &str> {
    Lexer { source, at: 0 }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Iterator for Lexer<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'/' if self.peek(1) == Some(b'/') => self.skip_line(),
                b'/' if self.peek(1) == Some(b'*') => self.skip_block(),
                b'"' => self.skip_string(),
                b'\'' => self.skip_quote(),
                b'0'..=b'9' => {
                    self.take_word();
                }
                _ if is_word(byte) => {
                    let word = self.take_word();
                    if !self.skip_prefixed(word) {
                        return Some(word);
                    }
                }
                _ => self.at += 1,
            }
        }
        None
    }
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.as_bytes().get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Moves behind the next `end`, or to the end of the text.
    fn skip_past(&mut self, end: &str) {
        self.at = match self.rest().find(end) {
            Some(found) => self.at + found + end.len(),
            None => self.source.len(),
        };
    }

    fn skip_line(&mut self) {
        self.skip_past("\n");
    }

    /// Block comments nest.
    fn skip_block(&mut self) {
        let mut depth = 0;
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }

    /// A character, or the tick of a lifetime and its name.
    fn skip_quote(&mut self) {
        self.at += 1;
        let mut chars = self.rest().chars();
        match (chars.next(), chars.next()) {
            // The escaped character may be a quote itself.
            (Some('\\'), Some(_)) => {
                self.at += 2;
                self.skip_past("'");
            }
            (Some(c), Some('\'')) => self.at += c.len_utf8() + 1,
            _ => {
                self.take_word();
            }
        }
    }

    fn take_word(&mut self) -> &'a str {
        let rest = self.rest();
        let len = rest.bytes().take_while(|&byte| is_word(byte)).count();
        self.at += len;
        &rest[..len]
    }

    /// Skips the literal that a prefix like `b` or `r#` begins; false if the word begins none.
    fn skip_prefixed(&mut self, word: &str) -> bool {
        match word {
            "r" | "br" | "cr" => {
                let hashes = self.rest().bytes().take_while(|&b| b == b'#').count();
                // Without a quote it is a raw name, and the name follows.
                if self.peek(hashes) != Some(b'"') {
                    return hashes > 0;
                }
                let end = format!("\"{}", "#".repeat(hashes));
                self.at += hashes + 1;
                self.skip_past(&end);
                true
            }
            "b" | "c" if self.peek(0) == Some(b'"') => {
                self.skip_string();
                true
            }
            "b" if self.peek(0) == Some(b'\'') => {
                self.skip_quote();
                true
            }
            _ => false,
        }
    }
}

/// Bytes of names and numbers. Those above ASCII belong to names; taken together, they are whole
/// characters.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}
