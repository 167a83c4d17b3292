//! Makes one type of several that differ in nothing but lifetimes.
//!
//! While it checks types the compiler does not look at lifetimes. Two bounds `Vec<&'a T>: Reset`
//! and `Vec<&'b T>: Reset` are then two answers to one question, which it rejects as ambiguous
//! (E0283). One bound over all lifetimes, `for<'x> Vec<&'x T>: Reset`, answers for both.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::spanned::Spanned;
use syn::{Generics, Lifetime, Type};

/// A type, and the lifetimes over which a bound on it ranges.
pub(crate) struct Merged {
    pub(crate) lifetimes: Vec<Lifetime>,
    pub(crate) ty: TokenStream,
    pub(crate) span: Span,
}

/// The distinct types, in order, where those that differ only in lifetimes count as one.
pub(crate) fn merge(types: &[Type], generics: &Generics) -> Vec<Merged> {
    let mut groups: Vec<Alike<'_>> = Vec::new();
    for ty in types {
        let mut lifetimes = Vec::new();
        let blank = replace(ty.to_token_stream(), generics, &mut |lifetime| {
            lifetimes.push(lifetime.to_string());
            format_ident!("_")
        });
        let blank = blank.to_string();
        match groups.iter_mut().find(|group| group.blank == blank) {
            Some(group) => group.rows.push(lifetimes),
            None => groups.push(Alike {
                blank,
                ty,
                rows: vec![lifetimes],
            }),
        }
    }
    groups.iter().map(|group| group.merged(generics)).collect()
}

/// Types that are alike but for lifetimes.
struct Alike<'a> {
    /// What they share: the text without the lifetimes.
    blank: String,
    /// The first of them.
    ty: &'a Type,
    /// For each type, the lifetimes that occur in it, in order.
    rows: Vec<Vec<String>>,
}

impl Alike<'_> {
    /// Where the types agree on a lifetime it stays. The others become as few new ones as can
    /// tell them apart: the bound should ask for no more than it has to.
    fn merged(&self, generics: &Generics) -> Merged {
        let mut columns: Vec<Vec<&str>> = Vec::new();
        let mut lifetimes = Vec::new();
        let mut position = 0;
        let ty = replace(self.ty.to_token_stream(), generics, &mut |lifetime| {
            let column: Vec<&str> = self.rows.iter().map(|row| &*row[position]).collect();
            position += 1;
            if column.iter().all(|name| *name == column[0]) {
                return lifetime.clone();
            }
            let known = columns.iter().position(|known| *known == column);
            let index = known.unwrap_or(columns.len());
            let fresh = format_ident!("__{index}", span = Span::mixed_site());
            if known.is_none() {
                columns.push(column);
                lifetimes.push(Lifetime {
                    apostrophe: fresh.span(),
                    ident: fresh.clone(),
                });
            }
            fresh
        });
        Merged {
            lifetimes,
            ty,
            span: self.ty.span(),
        }
    }
}

/// Passes each lifetime that is `'static` or a parameter through `change`. Leaves those alone
/// that a `for<'a>` inside the type declares.
fn replace(
    tokens: TokenStream,
    generics: &Generics,
    change: &mut impl FnMut(&Ident) -> Ident,
) -> TokenStream {
    let mut is_lifetime = false;
    tokens
        .into_iter()
        .map(|token| {
            let follows_quote = is_lifetime;
            is_lifetime = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
            match token {
                TokenTree::Ident(ident) if follows_quote && is_declared(&ident, generics) => {
                    change(&ident).into()
                }
                TokenTree::Group(group) => {
                    let inner = replace(group.stream(), generics, change);
                    Group::new(group.delimiter(), inner).into()
                }
                other => other,
            }
        })
        .collect()
}

fn is_declared(lifetime: &Ident, generics: &Generics) -> bool {
    let mut parameters = generics.lifetimes();
    lifetime == "static" || parameters.any(|param| param.lifetime.ident == *lifetime)
}
