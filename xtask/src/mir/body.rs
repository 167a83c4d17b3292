//! Cuts the text into functions, and those into blocks.

use std::collections::{BTreeMap, BTreeSet};

use super::statement::{Local, Statement, local_at};

/// A function, constant or static.
#[derive(Debug, Default)]
pub(crate) struct Body<'a> {
    pub(crate) name: &'a str,
    /// Its locals, the returned one among them; arguments are none of them.
    pub(crate) declared: BTreeSet<Local>,
    /// By their numbers; the function begins in block 0.
    pub(crate) blocks: BTreeMap<usize, Vec<Statement<'a>>>,
}

impl<'a> Body<'a> {
    /// The statements of a block, the last of which says where it goes.
    pub(crate) fn block(&self, number: usize) -> &[Statement<'a>] {
        self.blocks.get(&number).map_or(&[], Vec::as_slice)
    }

    /// The statements of all blocks.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &Statement<'a>> {
        self.blocks.values().flatten()
    }
}

/// Hands out one body after the other.
pub(crate) fn each<'a>(text: &'a str, visit: &mut dyn FnMut(Body<'a>)) {
    let mut body: Option<Body<'a>> = None;
    let mut block = None;
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() {
            // Between blocks there is one, too.
        } else if !line.starts_with(' ') {
            // A new body, or the end of one.
            if let Some(whole) = body.take() {
                visit(whole);
            }
            body = name(line).map(|name| Body {
                name,
                ..Body::default()
            });
            block = None;
        } else if let Some(body) = &mut body {
            let line = line.trim();
            if let Some(opened) = opened_block(line) {
                body.blocks.entry(opened).or_default();
                block = Some(opened);
            } else if let Some(local) = declared(line) {
                body.declared.insert(local);
            } else if let Some(into) = block.and_then(|block| body.blocks.get_mut(&block)) {
                into.extend(Statement::new(number, line));
            }
        }
    }
    if let Some(whole) = body {
        visit(whole);
    }
}

/// The name in `fn f(_1: u8) -> u8 {`, `const C: u8 = {` and the like. A dump of bytes has none.
fn name(line: &str) -> Option<&str> {
    let header = line.strip_suffix(" {")?;
    if header.starts_with("alloc") && header.contains(" (") {
        return None;
    }
    let end = header.find("(_").or_else(|| header.find("()"));
    let name = &header[..end.unwrap_or(header.len())];
    Some(name.trim_start_matches("fn ").trim_end_matches(" ="))
}

/// The number in `bb7: {` and `bb7 (cleanup): {`.
fn opened_block(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("bb")?.strip_suffix(": {")?;
    rest.trim_end_matches(" (cleanup)").parse().ok()
}

/// The local in `let mut _7: u8;`.
fn declared(line: &str) -> Option<Local> {
    let rest = line.strip_prefix("let ")?;
    local_at(rest.trim_start_matches("mut "))
}
