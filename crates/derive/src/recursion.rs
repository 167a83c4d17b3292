//! Finds the deriving type in the types of its own fields.
//!
//! Works on tokens, not on the syntax tree, so that it also looks into macro calls in type
//! position.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::{GenericParam, Generics};

/// What is left of a type when the deriving type is taken out of it, or `None` when it does not
/// occur there.
///
/// Taken out with it are its arguments when they are its own parameters: in `Box<List<T>>`,
/// nothing but `List` itself mentions `T`.
pub(crate) fn without_self(
    ty: TokenStream,
    name: &Ident,
    generics: &Generics,
) -> Option<TokenStream> {
    let mut found = false;
    let rest = strip(ty, name, generics, &mut found);
    found.then_some(rest)
}

fn strip(tokens: TokenStream, name: &Ident, generics: &Generics, found: &mut bool) -> TokenStream {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut rest = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(ident) if ident == "Self" => *found = true,
            TokenTree::Ident(ident) if ident.unraw() == name.unraw() && is_own(&tokens[..at]) => {
                *found = true;
                at += own_arguments(&tokens[at + 1..], generics);
            }
            TokenTree::Group(group) => {
                let inner = strip(group.stream(), name, generics, found);
                rest.push(Group::new(group.delimiter(), inner).into());
            }
            other => rest.push(other.clone()),
        }
        at += 1;
    }
    rest.into_iter().collect()
}

/// Whether a name that follows `before` is that of the deriving type: it stands alone, or its
/// path begins in this module or in this crate.
///
/// `inner::List` is another type than the `List` around it: a wrapper often has the name of
/// what it wraps. `crate::inner::List` may be either. It is taken for the deriving type, since
/// that mistake costs a bound that `bound` corrects, and the other one an overflow.
fn is_own(before: &[TokenTree]) -> bool {
    match before {
        // A lifetime of that name.
        [.., quote] if is_punct(quote, '\'') => false,
        [path @ .., TokenTree::Ident(parent), a, b] if is_path_separator(a, b) => {
            parent == "self" || is_rooted_in_crate(path, parent)
        }
        [.., a, b] => !is_path_separator(a, b),
        _ => true,
    }
}

/// Whether a path in which `segment` follows `before` begins with `crate`.
fn is_rooted_in_crate(before: &[TokenTree], segment: &Ident) -> bool {
    match before {
        [path @ .., TokenTree::Ident(parent), a, b] if is_path_separator(a, b) => {
            is_rooted_in_crate(path, parent)
        }
        _ => segment == "crate" || segment == "$crate",
    }
}

/// How many of the tokens that follow the type's name are its own parameters, as arguments.
fn own_arguments(after: &[TokenTree], generics: &Generics) -> usize {
    let colons = match after {
        [a, b, ..] if is_path_separator(a, b) => 2,
        _ => 0,
    };
    let list = &after[colons..];
    if !list.first().is_some_and(|first| is_punct(first, '<')) {
        return 0;
    }
    let Some(end) = closing(list) else {
        return 0;
    };
    let arguments: Vec<_> = list[1..end]
        .split(|token| is_punct(token, ','))
        .filter(|argument| !argument.first().is_none_or(|first| is_punct(first, '\'')))
        .map(lone_ident)
        .collect();
    let parameters: Vec<_> = generics.params.iter().filter_map(parameter).collect();
    if arguments == parameters {
        colons + end + 1
    } else {
        0
    }
}

/// The position of the `>` that closes the `<` at the start.
fn closing(list: &[TokenTree]) -> Option<usize> {
    let mut depth = 0;
    for (at, token) in list.iter().enumerate() {
        if is_punct(token, '<') {
            depth += 1;
        } else if is_punct(token, '>') && !is_punct(&list[at - 1], '-') {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// The name of a type parameter or const parameter, in the form that `lone_ident` has.
fn parameter(param: &GenericParam) -> Option<Option<Ident>> {
    match param {
        GenericParam::Type(param) => Some(Some(param.ident.unraw())),
        GenericParam::Const(param) => Some(Some(param.ident.unraw())),
        GenericParam::Lifetime(_) => None,
    }
}

/// An argument that is one identifier, perhaps in braces (a const) or from a macro's `$ty`.
fn lone_ident(argument: &[TokenTree]) -> Option<Ident> {
    match argument {
        [TokenTree::Ident(ident)] => Some(ident.unraw()),
        [TokenTree::Group(group)]
            if matches!(group.delimiter(), Delimiter::None | Delimiter::Brace) =>
        {
            lone_ident(&group.stream().into_iter().collect::<Vec<_>>())
        }
        _ => None,
    }
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn is_path_separator(first: &TokenTree, second: &TokenTree) -> bool {
    is_punct(first, ':') && is_punct(second, ':')
}
