//! Arenas of other crates, each with the settings that suit it best.
//!
//! What they hand out is taken as plain references, so that nobody drops anything. Where a crate has
//! a vector of its own, it is used; `allocator-api2`'s stands in for the others.

mod blink;
mod bumpalo;
mod multitude;
mod scope;

pub(super) use self::{
    blink::Blink,
    bumpalo::{Bumpalo, BumpaloAligned},
    multitude::Multitude,
    scope::{ScopeAligned, ScopeDown, ScopeUp},
};

/// How long a joined text is.
fn joined_len(parts: &[&str], separator: &str) -> usize {
    let texts: usize = parts.iter().map(|part| part.len()).sum();
    texts + separator.len() * parts.len().saturating_sub(1)
}

/// Hands the parts over in their order, with the separators between.
#[inline]
fn join_with(parts: &[&str], separator: &str, mut push: impl FnMut(&str)) {
    let [first, rest @ ..] = parts else {
        return;
    };
    push(first);
    for part in rest {
        // A call that copies nothing is not free.
        if !separator.is_empty() {
            push(separator);
        }
        push(part);
    }
}
