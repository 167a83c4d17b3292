//! Where one token of a text ends and the next begins.

/// The tokens of a text: what lies between white space, quotes, brackets, `,`, `;` and `=`.
///
/// These separate the fields and values of log lines. `:`, `.`, `/`, `-` and `_` stay inside, so
/// that times, addresses, paths and identifiers stay whole.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::corpus::tokens;
///
/// let line = "12:30:01 sshd[77]: from=10.0.0.1, 'a b'";
/// let found: Vec<_> = tokens(line).collect();
/// assert_eq!(found, ["12:30:01", "sshd", "77", ":", "from", "10.0.0.1", "a", "b"]);
/// ```
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_separator).filter(|token| !token.is_empty())
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '"' | '\'' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';' | '='
        )
}
