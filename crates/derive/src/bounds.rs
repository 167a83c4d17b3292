//! The `where` clause of the generated implementation.
//!
//! Each field type that mentions a type parameter or a const parameter is bounded as a whole:
//! `Vec<T>: Reset`, not `T: Reset`, because a vector of anything can be reset.
//!
//! A field type that mentions the type itself cannot be bounded so. To prove `List<T>: Reset`
//! the compiler would need `Box<List<T>>: Reset`, for which it needs `List<T>: Reset`: it gives
//! up with an overflow. Such a field bounds the type parameters that it mentions instead.
//! Recursion through a second type is not visible here; `#[reset(bound = …)]` is the way out.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, WhereClause, WherePredicate, parse_quote_spanned};

use crate::attr::How;
use crate::model::{Field, Model, Shape};

/// The generics of the type, with the bounds of the implementation added.
pub(crate) fn with_bounds(model: &Model) -> Generics {
    let mut generics = model.generics.clone();
    let computed;
    let predicates = match &model.bound {
        Some(bound) => bound.iter(),
        None => {
            computed = compute(model);
            computed.predicates.iter()
        }
    };
    generics
        .make_where_clause()
        .predicates
        .extend(predicates.cloned());
    generics
}

fn compute(model: &Model) -> WhereClause {
    let (fields, made_anew) = match &model.shape {
        Shape::Struct(fields) => (fields, false),
        Shape::Enum {
            fields, has_others, ..
        } => (fields, *has_others),
    };
    let mut seen = Vec::new();
    let mut clause = WhereClause {
        where_token: <_>::default(),
        predicates: <_>::default(),
    };
    for field in fields {
        for predicate in field_predicates(field, made_anew, model) {
            // Fields often share a type, and a bound that is said twice is noise in the docs.
            let text = predicate.to_token_stream().to_string();
            if !seen.contains(&text) {
                seen.push(text);
                clause.predicates.push(predicate);
            }
        }
    }
    clause
}

fn field_predicates(field: &Field, made_anew: bool, model: &Model) -> Vec<WherePredicate> {
    let ty = &field.ty;
    let span = ty.span();
    let krate = &model.krate;
    let reset = field
        .how
        .is_none()
        .then(|| quote_spanned!(span=> #krate::Reset));
    let default = (made_anew && !matches!(field.how, Some(How::Value(_))))
        .then(|| quote_spanned!(span=> ::core::default::Default));
    let traits: Vec<_> = reset.into_iter().chain(default).collect();
    let mentioned = mentioned_params(ty.to_token_stream(), &model.generics);
    if traits.is_empty() || mentioned.is_empty() {
        return Vec::new();
    }
    if mentions_itself(ty.to_token_stream(), &model.ident) {
        return mentioned
            .into_iter()
            .filter(|param| matches!(param, GenericParam::Type(_)))
            .map(|param| {
                let ident = param_ident(param);
                parse_quote_spanned!(span=> #ident: #(#traits)+*)
            })
            .collect();
    }
    vec![parse_quote_spanned!(span=> #ty: #(#traits)+*)]
}

/// The type and const parameters that occur in a type.
fn mentioned_params(ty: TokenStream, generics: &Generics) -> Vec<&GenericParam> {
    let mut names = Vec::new();
    walk(ty, &mut |ident, is_path_tail| {
        // `module::T` is never the parameter `T`.
        if !is_path_tail {
            names.push(ident.unraw());
        }
    });
    generics
        .params
        .iter()
        .filter(|param| !matches!(param, GenericParam::Lifetime(_)))
        .filter(|param| names.contains(&param_ident(param).unraw()))
        .collect()
}

fn mentions_itself(ty: TokenStream, name: &Ident) -> bool {
    let mut found = false;
    walk(ty, &mut |ident, _| {
        found |= ident == "Self" || ident.unraw() == name.unraw();
    });
    found
}

fn param_ident(param: &GenericParam) -> &Ident {
    match param {
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
        GenericParam::Lifetime(param) => &param.lifetime.ident,
    }
}

/// Calls `visit` with each identifier, and whether a `::` stands before it. Leaves out
/// lifetimes.
///
/// Walking over tokens, not over the syntax tree, also looks into macro calls in type position.
fn walk(tokens: TokenStream, visit: &mut impl FnMut(&Ident, bool)) {
    let mut colons = 0;
    let mut is_lifetime = false;
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if !is_lifetime => visit(ident, colons == 2),
            TokenTree::Group(group) => walk(group.stream(), visit),
            _ => {}
        }
        let punct = match &token {
            TokenTree::Punct(punct) => Some(punct.as_char()),
            _ => None,
        };
        colons = if punct == Some(':') { colons + 1 } else { 0 };
        is_lifetime = punct == Some('\'');
    }
}

#[cfg(test)]
mod tests {
    use syn::{DeriveInput, parse_quote};

    use super::*;

    /// The added `where` predicates, as text without blanks.
    fn predicates(input: DeriveInput) -> Vec<String> {
        let model = Model::new(input, parse_quote!(::t)).unwrap();
        let clause = with_bounds(&model).where_clause.unwrap();
        let text = |predicate: &WherePredicate| predicate.to_token_stream().to_string();
        clause
            .predicates
            .iter()
            .map(|predicate| text(predicate).replace(' ', ""))
            .collect()
    }

    #[test]
    fn field_types_are_bounded_not_parameters() {
        let found = predicates(parse_quote! {
            struct S<'a, T: ?Sized, U, const N: usize> {
                a: Vec<T>,
                b: (u8, [U; N]),
                c: Vec<u8>,
                d: &'a str,
                e: Vec<T>,
                #[reset(skip)] f: Option<U>,
                #[reset(with = g)] g: Box<U>,
            }
        });
        assert_eq!(found, ["Vec<T>:::t::Reset", "(u8,[U;N]):::t::Reset"]);
    }

    #[test]
    fn lifetimes_and_path_tails_are_not_parameters() {
        let found = predicates(parse_quote! {
            struct S<'T, T, r#U> {
                a: Cow<'T, str>,
                b: module::T,
                c: <X as Y>::T,
                d: Vec<U>,
                e: T::V,
            }
        });
        assert_eq!(found, ["Vec<U>:::t::Reset", "T::V:::t::Reset"]);
    }

    #[test]
    fn recursion_bounds_the_parameters() {
        for field in [
            parse_quote!(Box<List<T>>),
            parse_quote!(Box<Self>),
            parse_quote!(m::List<T>),
        ] {
            let ty: syn::Type = field;
            let found = predicates(parse_quote!(struct List<T> { head: Vec<T>, tail: (T, #ty) }));
            assert_eq!(found, ["Vec<T>:::t::Reset", "T:::t::Reset"]);
        }
    }

    #[test]
    fn recursion_bounds_no_const_parameters() {
        let found = predicates(parse_quote! {
            struct Tree<T, const N: usize>([Option<Box<Tree<T, N>>>; N]);
        });
        assert_eq!(found, ["T:::t::Reset"]);
    }

    #[test]
    fn an_enum_needs_default_only_to_come_from_another_variant() {
        let alone = predicates(parse_quote!(
            enum E<T> {
                #[reset(default)]
                A(T),
            }
        ));
        assert_eq!(alone, ["T:::t::Reset"]);
        let found = predicates(parse_quote! {
            enum E<T, U, V> {
                #[reset(default)] A(Vec<T>, #[reset(skip)] U, #[reset(value = x())] V),
                B(V),
            }
        });
        assert_eq!(
            found,
            [
                "Vec<T>:::t::Reset+::core::default::Default",
                "U:::core::default::Default"
            ]
        );
    }

    #[test]
    fn a_given_bound_replaces_the_computed_ones() {
        let found = predicates(parse_quote! {
            #[reset(bound = "T: Clone, Vec<T>: ::t::Reset")]
            struct S<T>(T) where T: Copy;
        });
        assert_eq!(found, ["T:Copy", "T:Clone", "Vec<T>:::t::Reset"]);
    }
}
