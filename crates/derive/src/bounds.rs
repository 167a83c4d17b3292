//! The `where` clause of the generated implementation.
//!
//! Each field type that mentions a type parameter or a const parameter is bounded as a whole:
//! `Vec<T>: Reset`, not `T: Reset`, because a vector of anything can be reset.
//!
//! A field type that mentions the type itself cannot be bounded so. To prove `List<T>: Reset`
//! the compiler would need `Box<List<T>>: Reset`, for which it needs `List<T>: Reset`: it gives
//! up with an overflow. Nor is there a need: inside the implementation, `List<T>: Reset` follows from
//! the bounds of the other fields. What such a field mentions besides the type itself does need
//! bounds: `(T, Box<List<T>>)` becomes `T: Reset`.
//!
//! Recursion through a second type is not visible here; `#[reset(bound = …)]` is the way out.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, Type, WherePredicate, parse_quote_spanned};

use crate::attr::How;
use crate::lifetimes::{Merged, merge};
use crate::model::{Field, Model, Shape};
use crate::recursion::without_self;

/// The generics of the type, with the bounds of the implementation added.
pub(crate) fn with_bounds(model: &Model) -> Generics {
    let mut generics = model.generics.clone();
    let predicates = match &model.bound {
        Some(bound) => bound.iter().cloned().collect(),
        None => compute(model),
    };
    generics.make_where_clause().predicates.extend(predicates);
    generics
}

fn compute(model: &Model) -> Vec<WherePredicate> {
    let krate = &model.krate;
    let (fields, made_anew) = match &model.shape {
        Shape::Struct(fields) => (fields, false),
        Shape::Enum {
            fields, has_others, ..
        } => (fields, *has_others),
    };
    let by_reset = fields.iter().filter(|field| field.how.is_none());
    let mut predicates = require(by_reset, |span| quote_spanned!(span=> #krate::Reset), model);
    if made_anew {
        let by_default = fields
            .iter()
            .filter(|field| !matches!(field.how, Some(How::Value(_))));
        let default = |span| quote_spanned!(span=> ::core::default::Default);
        predicates.extend(require(by_default, default, model));
    }
    predicates
}

/// The bounds under which all of `fields` implement the trait that `implemented` names.
fn require<'a>(
    fields: impl Iterator<Item = &'a Field>,
    implemented: impl Fn(Span) -> TokenStream,
    model: &Model,
) -> Vec<WherePredicate> {
    let types: Vec<_> = fields
        .flat_map(|field| bounded_types(&field.ty, model))
        .collect();
    let merged = merge(&types, &model.generics).into_iter();
    let predicate = |merged: Merged| {
        let Merged {
            lifetimes,
            ty,
            span,
        } = merged;
        let binder = (!lifetimes.is_empty()).then(|| quote_spanned!(span=> for<#(#lifetimes),*>));
        let implemented = implemented(span);
        parse_quote_spanned!(span=> #binder #ty: #implemented)
    };
    merged.map(predicate).collect()
}

/// The types to bound for the sake of one field.
fn bounded_types(ty: &Type, model: &Model) -> Vec<Type> {
    let generics = &model.generics;
    match without_self(ty.to_token_stream(), &model.ident, generics) {
        None if mentioned_params(ty.to_token_stream(), generics).is_empty() => Vec::new(),
        None => vec![ty.clone()],
        Some(rest) => mentioned_params(rest, generics)
            .into_iter()
            .filter(|param| matches!(param, GenericParam::Type(_)))
            .map(|param| {
                let ident = param_ident(param);
                parse_quote_spanned!(ty.span()=> #ident)
            })
            .collect(),
    }
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

    /// The predicates for one field, in `List<'a, T, N>` or in `List<T>`.
    fn of_field(ty: Type) -> Vec<String> {
        let text = ty.to_token_stream().to_string();
        if text.contains('N') {
            predicates(parse_quote!(struct List<'a, T, const N: usize>(#ty);))
        } else {
            predicates(parse_quote!(struct List<T>(#ty);))
        }
    }

    #[test]
    fn recursion_needs_no_bound() {
        let fields: [Type; 10] = [
            parse_quote!(Box<List<T>>),
            parse_quote!(Box<Self>),
            parse_quote!(Box<r#List<T>>),
            parse_quote!(Box<self::List<T>>),
            parse_quote!(Box<crate::module::List<T>>),
            parse_quote!(Vec<List<T>>),
            parse_quote!(Vec<List::<T>>),
            parse_quote!([Option<Box<List<'a, T, N>>>; N]),
            parse_quote!(Vec<List<'static, T, { N }>>),
            parse_quote!(vec_of!(List<T>)),
        ];
        for field in fields {
            let text = field.to_token_stream().to_string();
            assert_eq!(of_field(field), [""; 0], "for {text}");
        }
    }

    #[test]
    fn parameters_beside_a_recursion_are_bounded() {
        // A list of something else than its own parameters may need more than it does itself.
        let fields: [Type; 5] = [
            parse_quote!((T, Box<List<T>>)),
            parse_quote!(Vec<(Self, T)>),
            parse_quote!(Box<List<Vec<T>>>),
            parse_quote!(Box<List<fn(T) -> T>>),
            parse_quote!((T, [Option<Box<List<'a, T, N>>>; N])),
        ];
        for field in fields {
            let text = field.to_token_stream().to_string();
            assert_eq!(of_field(field), ["T:::t::Reset"], "for {text}");
        }
        let swapped = predicates(parse_quote!(
            struct Zip<A, B>(Box<Zip<B, A>>);
        ));
        assert_eq!(swapped, ["A:::t::Reset", "B:::t::Reset"]);
    }

    #[test]
    fn another_type_of_the_same_name_is_no_recursion() {
        let fields: [Type; 6] = [
            parse_quote!(inner::List<T>),
            parse_quote!(self::inner::List<T>),
            parse_quote!(::list::List<T>),
            parse_quote!(std::collections::List<T>),
            parse_quote!(<X as Y>::List<T>),
            parse_quote!(Vec<super::List<T>>),
        ];
        for field in fields {
            let text = field.to_token_stream().to_string().replace(' ', "");
            assert_eq!(of_field(field), [format!("{text}:::t::Reset")]);
        }
        let lifetime = predicates(parse_quote!(
            struct List<'List, T>(Option<&'List T>);
        ));
        assert_eq!(lifetime, ["Option<&'ListT>:::t::Reset"]);
    }

    #[test]
    fn types_that_differ_in_lifetimes_share_a_bound() {
        let found = predicates(parse_quote! {
            struct S<'a, 'b, T> {
                a: Vec<&'a T>,
                b: Vec<&'b T>,
                c: Option<&'a T>,
                d: Map<'a, 'b, &'b T>,
                e: Map<'a, 'static, &'static T>,
                f: Vec<&'static T>,
            }
        });
        assert_eq!(
            found,
            [
                "for<'__0>Vec<&'__0T>:::t::Reset",
                "Option<&'aT>:::t::Reset",
                "for<'__0>Map<'a,'__0,&'__0T>:::t::Reset",
            ]
        );
    }

    #[test]
    fn lifetimes_that_a_type_declares_are_left_alone() {
        let found = predicates(parse_quote! {
            struct S<'a, 'b, T>(P<for<'x> fn(&'x T, &'a T)>, P<for<'x> fn(&'x T, &'b T)>);
        });
        assert_eq!(found, ["for<'__0>P<for<'x>fn(&'xT,&'__0T)>:::t::Reset"]);
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
                "Vec<T>:::t::Reset",
                "Vec<T>:::core::default::Default",
                "U:::core::default::Default",
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
