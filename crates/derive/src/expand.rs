//! Writes the implementation.
//!
//! All paths are absolute, so nothing that the user calls `Reset`, `core` or `Default` gets in
//! the way. Local variables have the hygiene of the definition site (`mixed_site`), so that no
//! user expression can name them, and start with `__`, because hygiene does not keep them from
//! being taken for a constant of the user's of the same name. Where an error concerns a field,
//! the tokens point at the field's type.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprPath, Path};

use crate::attr::How;
use crate::bounds::with_bounds;
use crate::model::{Field, Model, Shape};

pub(crate) fn expand(model: &Model) -> TokenStream {
    let Model { ident, krate, .. } = model;
    let generics = with_bounds(model);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let (reset, retained) = match &model.shape {
        Shape::Struct(fields) => (reset_struct(fields, krate), retained_struct(fields, krate)),
        Shape::Enum {
            variant,
            fields,
            has_others,
        } => (
            reset_enum(variant, fields, *has_others, krate),
            retained_enum(variant, fields, *has_others, krate),
        ),
    };
    let allowed = model
        .is_deprecated
        .then(|| quote_spanned!(Span::mixed_site()=> #[allow(deprecated)]));
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        #allowed
        impl #impl_generics #krate::Reset for #ident #type_generics #where_clause {
            #[inline]
            fn reset(&mut self) {
                #reset
            }

            #[inline]
            fn retained_bytes(&self) -> ::core::primitive::usize {
                #retained
            }
        }
    }
}

fn reset_struct(fields: &[Field], krate: &Path) -> TokenStream {
    fields
        .iter()
        .map(|field| {
            let member = &field.member;
            let span = generated_at(field);
            match &field.how {
                // An assignment, not a write through a reference: the struct may be packed.
                Some(How::Value(value)) => {
                    let value = evaluate(field, value);
                    quote_spanned!(span=> self.#member = #value;)
                }
                how => reset_place(
                    how.as_ref(),
                    &quote_spanned!(span=> &mut self.#member),
                    span,
                    krate,
                ),
            }
        })
        .collect()
}

fn reset_enum(variant: &Ident, fields: &[Field], has_others: bool, krate: &Path) -> TokenStream {
    let mixed = Span::mixed_site();
    let pattern = pattern(variant, fields, |field| {
        !matches!(field.how, Some(How::Skip))
    });
    let in_place: TokenStream = fields
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let span = generated_at(field);
            let binding = binding(index, field);
            match &field.how {
                Some(How::Value(value)) => {
                    let value = evaluate(field, value);
                    quote_spanned!(span=> *#binding = #value;)
                }
                how => reset_place(how.as_ref(), &binding.into_token_stream(), span, krate),
            }
        })
        .collect();
    if !has_others {
        return quote_spanned!(mixed=> let #pattern = self; #in_place);
    }
    let anew = fields.iter().map(make_anew);
    quote_spanned! {mixed=>
        if let #pattern = self {
            #in_place
        } else {
            *self = Self::#variant { #(#anew),* };
        }
    }
}

/// Resets what `place`, a mutable reference, points to.
fn reset_place(how: Option<&How>, place: &TokenStream, span: Span, krate: &Path) -> TokenStream {
    match how {
        None => quote_spanned!(span=> #krate::Reset::reset(#place);),
        Some(How::With(path)) => call(path, place),
        Some(How::Skip | How::Value(_)) => TokenStream::new(),
    }
}

/// A user's function, called for its effect on `place`.
///
/// A result that nobody looks at is a mistake, so there must be none. The call has the span of
/// the path, because that is where the error should point.
fn call(path: &ExprPath, place: &TokenStream) -> TokenStream {
    let at_path = Span::mixed_site().located_at(path.span());
    quote_spanned!(at_path=> let (): () = #path(#place);)
}

/// A user's expression, in a closure: a `return` or `?` in it must not leave `reset`, which would
/// pass over the fields that come after.
fn evaluate(field: &Field, value: &Expr) -> TokenStream {
    let ty = &field.ty;
    quote_spanned!(generated_at(field)=> (|| -> #ty { #value })())
}

/// `member: value` for a field of the default variant, when the enum comes from another
/// variant.
fn make_anew(field: &Field) -> TokenStream {
    let Field {
        member, ty, how, ..
    } = field;
    let span = generated_at(field);
    let default = quote_spanned!(span=> <#ty as ::core::default::Default>::default());
    match how {
        Some(How::Value(value)) => {
            let value = evaluate(field, value);
            quote_spanned!(span=> #member: #value)
        }
        Some(How::With(path)) => {
            let call = call(path, &quote_spanned!(span=> &mut __fresh));
            quote_spanned!(span=> #member: { let mut __fresh: #ty = #default; #call __fresh })
        }
        None | Some(How::Skip) => quote_spanned!(span=> #member: #default),
    }
}

fn retained_struct(fields: &[Field], krate: &Path) -> TokenStream {
    sum(fields.iter().filter_map(|field| {
        let member = &field.member;
        let place = quote_spanned!(generated_at(field)=> &self.#member);
        retained_place(field, &place, krate)
    }))
}

fn retained_enum(variant: &Ident, fields: &[Field], has_others: bool, krate: &Path) -> TokenStream {
    let mixed = Span::mixed_site();
    let counted = |field: &Field| field.how.is_none() || field.retained.is_some();
    let pattern = pattern(variant, fields, counted);
    let sum = sum(fields.iter().enumerate().filter_map(|(index, field)| {
        retained_place(field, &binding(index, field).into_token_stream(), krate)
    }));
    if !fields.iter().any(counted) {
        sum
    } else if has_others {
        quote_spanned!(mixed=> if let #pattern = self { #sum } else { 0 })
    } else {
        quote_spanned!(mixed=> let #pattern = self; #sum)
    }
}

fn retained_place(field: &Field, place: &TokenStream, krate: &Path) -> Option<TokenStream> {
    let span = generated_at(field);
    match (&field.retained, &field.how) {
        (Some(path), _) => Some(quote_spanned!(span=> #path(#place))),
        (None, None) => Some(quote_spanned!(span=> #krate::Reset::retained_bytes(#place))),
        (None, Some(_)) => None,
    }
}

/// Adds up, saturating. One statement for each term: calls nested in calls would make the
/// compiler recurse as deep as the struct has fields.
fn sum(terms: impl Iterator<Item = TokenStream>) -> TokenStream {
    let mixed = Span::mixed_site();
    let mut terms = terms.peekable();
    let Some(first) = terms.next() else {
        return quote_spanned!(mixed=> 0);
    };
    if terms.peek().is_none() {
        return first;
    }
    quote_spanned! {mixed=>
        let mut __bytes: ::core::primitive::usize = #first;
        #(__bytes = ::core::primitive::usize::saturating_add(__bytes, #terms);)*
        __bytes
    }
}

/// `Self::Variant { member: binding, .. }` with the fields that are `bound`.
fn pattern(variant: &Ident, fields: &[Field], bound: impl Fn(&Field) -> bool) -> TokenStream {
    let mixed = Span::mixed_site();
    let bindings = fields
        .iter()
        .enumerate()
        .filter(|(_, field)| bound(field))
        .map(|(index, field)| {
            let member = &field.member;
            let binding = binding(index, field);
            quote_spanned!(mixed=> #member: #binding)
        });
    let rest = if fields.iter().all(&bound) {
        None
    } else {
        Some(quote_spanned!(mixed=> ..))
    };
    let bindings = bindings.chain(rest);
    quote_spanned!(mixed=> Self::#variant { #(#bindings),* })
}

fn binding(index: usize, field: &Field) -> Ident {
    format_ident!("__field_{index}", span = generated_at(field))
}

fn generated_at(field: &Field) -> Span {
    Span::mixed_site().located_at(field.ty.span())
}
