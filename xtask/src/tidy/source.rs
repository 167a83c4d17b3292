//! Splits Rust source into code, comments and documentation, and code into tokens.
//!
//! Enough of a lexer that a rule is not fooled by a string or a comment that talks about what the
//! rule forbids. It is no parser: what it cannot know it leaves as tokens.

/// One line, taken apart. Strings and character literals are blank in `code`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) code: String,
    /// What stands after `//` or inside `/* */`.
    pub(crate) comment: String,
    /// What stands after `///` or `//!`.
    pub(crate) doc: String,
}

/// A name, a `::`, or one character of anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    LineComment { doc: bool },
    BlockComment { depth: u32, doc: bool },
    Text,
    RawText { hashes: usize },
}

/// Takes the lines of a file apart.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut state = State::Code;
    for raw in text.lines() {
        let chars: Vec<char> = raw.chars().collect();
        let mut line = Line::default();
        let mut at = 0;
        while at < chars.len() {
            at += step(&chars, at, &mut state, &mut line);
        }
        if matches!(state, State::LineComment { .. }) {
            state = State::Code;
        }
        lines.push(line);
    }
    lines
}

/// Reads what starts at `at` and returns how many characters that was.
fn step(chars: &[char], at: usize, state: &mut State, line: &mut Line) -> usize {
    let rest = &chars[at..];
    match *state {
        State::Code => code(chars, at, state, line),
        State::LineComment { doc } => {
            comment(line, doc).extend(rest);
            rest.len()
        }
        State::BlockComment { depth, doc } => {
            if rest.starts_with(&['*', '/']) {
                *state = match depth {
                    1 => State::Code,
                    _ => State::BlockComment {
                        depth: depth - 1,
                        doc,
                    },
                };
                2
            } else if rest.starts_with(&['/', '*']) {
                *state = State::BlockComment {
                    depth: depth + 1,
                    doc,
                };
                2
            } else {
                comment(line, doc).push(rest[0]);
                1
            }
        }
        State::Text => {
            if rest[0] == '"' {
                line.code.push('"');
                *state = State::Code;
            }
            if rest[0] == '\\' { 2 } else { 1 }
        }
        State::RawText { hashes } => {
            let ends =
                rest[0] == '"' && rest[1..].iter().take_while(|c| **c == '#').count() >= hashes;
            if ends {
                line.code.push('"');
                *state = State::Code;
                1 + hashes
            } else {
                1
            }
        }
    }
}

fn comment(line: &mut Line, doc: bool) -> &mut String {
    if doc {
        &mut line.doc
    } else {
        &mut line.comment
    }
}

fn code(chars: &[char], at: usize, state: &mut State, line: &mut Line) -> usize {
    let rest = &chars[at..];
    let third = rest.get(2).copied().unwrap_or(' ');
    let fourth = rest.get(3).copied().unwrap_or(' ');
    if rest.starts_with(&['/', '/']) {
        let doc = third == '!' || (third == '/' && fourth != '/');
        *state = State::LineComment { doc };
        return if doc { 3 } else { 2 };
    }
    if rest.starts_with(&['/', '*']) {
        let doc = third == '!' || (third == '*' && fourth != '*' && fourth != '/');
        *state = State::BlockComment { depth: 1, doc };
        return if doc { 3 } else { 2 };
    }
    if rest[0] == '"' {
        line.code.push('"');
        *state = State::Text;
        return 1;
    }
    if rest[0] == 'r' && !ends_in_name(&line.code) {
        let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
        if rest.get(1 + hashes) == Some(&'"') {
            line.code.push('"');
            *state = State::RawText { hashes };
            return 2 + hashes;
        }
    }
    if rest[0] == '\''
        && let Some(length) = char_literal(rest)
    {
        line.code.push_str("' '");
        return length;
    }
    line.code.push(rest[0]);
    1
}

/// Whether an `r` here would continue a name; the prefixes `b` and `c` are not names.
fn ends_in_name(code: &str) -> bool {
    let name = code.trim_end_matches(['b', 'c']);
    let prefix = code.len() - name.len();
    name.chars().next_back().is_some_and(is_name) || prefix > 1
}

/// How long the character literal at the start of `rest` is; a lifetime is none.
fn char_literal(rest: &[char]) -> Option<usize> {
    if rest.get(1) == Some(&'\\') {
        // The escaped character may itself be a quote.
        let end = rest.iter().skip(3).position(|c| *c == '\'')?;
        return Some(end + 4);
    }
    (rest.get(2) == Some(&'\'')).then_some(3)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The tokens of the code, without those of `#[cfg(test)] mod … { … }`.
pub(crate) fn tokens(lines: &[Line]) -> Vec<Token> {
    without_test_modules(all_tokens(lines))
}

/// The tokens of the code, tests and all.
pub(crate) fn all_tokens(lines: &[Line]) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let chars: Vec<char> = line.code.chars().collect();
        let mut at = 0;
        while at < chars.len() {
            let text: String = if is_name(chars[at]) {
                chars[at..].iter().take_while(|c| is_name(**c)).collect()
            } else if chars[at..].starts_with(&[':', ':']) {
                "::".into()
            } else {
                chars[at].into()
            };
            at += text.chars().count();
            if !text.trim().is_empty() {
                tokens.push(Token {
                    line: number + 1,
                    text,
                });
            }
        }
    }
    tokens
}

fn without_test_modules(tokens: Vec<Token>) -> Vec<Token> {
    const HEAD: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let head = is_head(&tokens[at..], &HEAD);
        let opens = tokens
            .get(at + HEAD.len() + 1)
            .is_some_and(|t| t.text == "{");
        if head && opens {
            at = after_block(&tokens, at + HEAD.len() + 1);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Whether `tokens` start with these texts.
pub(crate) fn is_head(tokens: &[Token], head: &[&str]) -> bool {
    tokens.len() >= head.len()
        && tokens
            .iter()
            .zip(head)
            .all(|(token, text)| token.text == *text)
}

/// The index after the block whose `{` is at `open`.
fn after_block(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// Every path that the code names: `use` trees taken apart, and `a::b` in place.
pub(crate) fn paths(tokens: &[Token]) -> Vec<(usize, Vec<String>)> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        if token.text == "use" {
            at = use_tree(tokens, at + 1, &[], &mut paths);
        } else if token.text.starts_with(is_name) {
            let mut path = vec![token.text.clone()];
            let line = token.line;
            while is_separator(tokens, at + 1) && name_at(tokens, at + 2) {
                path.push(tokens[at + 2].text.clone());
                at += 2;
            }
            at += 1;
            if path.len() > 1 {
                paths.push((line, path));
            }
        } else {
            at += 1;
        }
    }
    paths
}

fn is_separator(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.text == "::")
}

fn name_at(tokens: &[Token], at: usize) -> bool {
    tokens
        .get(at)
        .is_some_and(|token| token.text.starts_with(is_name))
}

/// Reads one branch of a `use` tree and returns the index of what follows it.
fn use_tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    paths: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let mut path = prefix.to_vec();
    let mut grouped = false;
    let line = tokens.get(at).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "::" => at += 1,
            "{" => {
                grouped = true;
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = use_tree(tokens, at, &path, paths);
                    if tokens.get(at).is_some_and(|token| token.text == ",") {
                        at += 1;
                    }
                }
                at += 1;
            }
            "as" => at += 2,
            "self" if !prefix.is_empty() => at += 1,
            text if text == "*" || text.starts_with(is_name) => {
                path.push(text.to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    if !grouped && !path.is_empty() {
        paths.push((line, path));
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        paths(&tokens(&lines(text)))
            .into_iter()
            .map(|(line, path)| format!("{line} {}", path.join("::")))
            .collect()
    }

    #[test]
    fn code_comments_and_documentation_are_told_apart() {
        let lines = lines(
            "/// a::doc\nlet x = \"// no\"; // yes\n/* one /* two */ three */ y\n//// rule\n//! inner",
        );
        assert_eq!(lines[0].doc, " a::doc");
        assert_eq!(lines[1].code, "let x = \"\"; ");
        assert_eq!(lines[1].comment, " yes");
        assert_eq!(lines[2].comment, " one  two  three ");
        assert_eq!(lines[2].code, " y");
        assert_eq!(lines[3].comment, "// rule");
        assert_eq!(lines[4].doc, " inner");
    }

    #[test]
    fn strings_and_characters_are_blank() {
        for (text, code) in [
            (r##"f(r#"a " b"#, c)"##, r#"f("", c)"#),
            (r#"f(br"a\", c)"#, r#"f(b"", c)"#),
            (r#"f("a\"b", c)"#, r#"f("", c)"#),
            ("f('\"', '\\'', 'a')", "f(' ', ' ', ' ')"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("r#type", "r#type"),
            ("var\"x\"", "var\"\""),
        ] {
            assert_eq!(lines(text)[0].code, code, "{text}");
        }
        let many = lines("let a = \"one\n// two\n\"; b");
        assert_eq!(many[1], Line::default());
        assert_eq!(many[2].code, "\"; b");
    }

    #[test]
    fn use_trees_are_taken_apart() {
        assert_eq!(
            named(
                "use std::{\n    sync::atomic::{self, AtomicUsize as A},\n    thread,\n};\nuse a::*;"
            ),
            [
                "2 std::sync::atomic",
                "2 std::sync::atomic::AtomicUsize",
                "3 std::thread",
                "5 a::*"
            ]
        );
    }

    #[test]
    fn paths_in_code_are_found_and_test_modules_are_not() {
        assert_eq!(
            named("fn f() { x.load(Ordering::Relaxed); a::<u8>::b(); }"),
            ["1 Ordering::Relaxed"]
        );
        assert_eq!(
            named(
                "#[cfg(test)]\nmod tests { fn f() { std::thread::spawn(g); } }\nfn h() { a::b() }"
            ),
            ["3 a::b"]
        );
        assert_eq!(named("#[cfg(test)]\nmod tests;\na::b"), ["3 a::b"]);
    }
}
