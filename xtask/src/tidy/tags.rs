//! Reads tagged orderings and the comments that explain them.

use super::{
    RustFile,
    source::{self, Token},
};

/// A use of `ord!`, `fence!` or `acquire_after!`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(super) line: usize,
    pub(super) tag: String,
    pub(super) ordering: String,
    pub(super) is_fence: bool,
}

/// An `ORDERING(tag):` comment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(super) line: usize,
    pub(super) tag: String,
    pub(super) text: String,
    pub(super) partners: Vec<String>,
}

/// A tagged ordering with what its comment says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    /// As written: `Acquire`.
    pub(crate) ordering: String,
    /// A fence, which can be left out.
    pub(crate) is_fence: bool,
    /// Where it is used, counted from 1.
    pub(crate) line: usize,
    pub(crate) reason: String,
}

/// The tags of a file, each once.
pub(crate) fn tags(file: &RustFile) -> Vec<Tag> {
    let reasons = reasons(file);
    let mut tags: Vec<Tag> = Vec::new();
    for use_ in uses(&file.tokens) {
        if tags.iter().any(|tag| tag.name == use_.tag) {
            continue;
        }
        let reason = reasons.iter().find(|reason| reason.tag == use_.tag);
        tags.push(Tag {
            reason: reason.map(|reason| reason.text.clone()).unwrap_or_default(),
            name: use_.tag,
            ordering: use_.ordering,
            is_fence: use_.is_fence,
            line: use_.line,
        });
    }
    tags
}

/// The tagged orderings among the tokens. A macro's own `$tag` is none.
pub(super) fn uses(tokens: &[Token]) -> Vec<Use> {
    let mut uses = Vec::new();
    for at in 0..tokens.len() {
        let name = tokens[at].text.as_str();
        if !matches!(name, "ord" | "fence" | "acquire_after")
            || !source::is_head(&tokens[at + 1..], &["!", "("])
        {
            continue;
        }
        let inside = &tokens[at + 3..];
        let Some(comma) = inside.iter().position(|token| token.text == ",") else {
            continue;
        };
        let tag: String = inside[..comma]
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        if tag.contains('$') || tag.is_empty() {
            continue;
        }
        let ordering = match name {
            "acquire_after" => "Acquire",
            _ => inside
                .get(comma + 1)
                .map_or("", |token| token.text.as_str()),
        };
        uses.push(Use {
            line: tokens[at].line,
            tag,
            ordering: ordering.to_owned(),
            is_fence: name != "ord",
        });
    }
    uses
}

/// The `ORDERING(…)` comments; each runs to the next one or to the end of its block of comments.
pub(super) fn reasons(file: &RustFile) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    let mut open = false;
    for (number, line) in file.lines.iter().enumerate() {
        let text = line.comment.trim();
        if text.is_empty() {
            open = false;
            continue;
        }
        let mut pieces = text.split("ORDERING(");
        let before = pieces.next().unwrap_or_default();
        if open && let Some(last) = reasons.last_mut() {
            last.text.push(' ');
            last.text.push_str(before.trim());
        }
        for piece in pieces {
            let Some((tag, text)) = piece.split_once("):") else {
                continue;
            };
            open = true;
            reasons.push(Reason {
                line: number + 1,
                tag: tag.to_owned(),
                text: text.trim().to_owned(),
                partners: Vec::new(),
            });
        }
        // Code on the line ends the block: what follows it is another comment.
        if !line.code.trim().is_empty() && !text.contains("ORDERING(") {
            open = false;
        }
    }
    for reason in &mut reasons {
        reason.partners = partners(&reason.text);
    }
    reasons
}

/// The tags after each "pairs with": `a.b`, `a.b and c.d`, `a.b, c.d`.
fn partners(text: &str) -> Vec<String> {
    let mut partners = Vec::new();
    for part in text.split("pairs with").skip(1) {
        for word in part.split_whitespace() {
            let name = word.trim_matches(['`', ',', '.', ';', ':', ')']);
            if name == "and" {
                continue;
            }
            if !is_tag(name) {
                break;
            }
            partners.push(name.to_owned());
            let more = word.ends_with(',') || !word.ends_with(['.', ';', ':', ')']);
            if !more {
                break;
            }
        }
    }
    partners
}

fn is_tag(name: &str) -> bool {
    name.contains('.')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_knows_its_place_and_its_comment() {
        let tags = tags(&RustFile::new(
            "crates/a/src/lib.rs",
            "// ORDERING(a.n): Relaxed; a number\n// that counts.\nx.add(ord!(a.n, Relaxed));\n\
             y.add(ord!(a.n, Relaxed));\nacquire_after!(a.last, x);",
        ));
        let [number, last] = tags.as_slice() else {
            panic!("each tag once: {tags:?}");
        };
        assert_eq!((number.name.as_str(), number.line), ("a.n", 3));
        assert_eq!(number.reason, "Relaxed; a number that counts.");
        assert!(!number.is_fence);
        assert_eq!(last.ordering, "Acquire");
        assert!(last.is_fence && last.reason.is_empty());
    }
}
